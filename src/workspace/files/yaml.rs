//! YAML: one document, as YAML 1.2 means it.

use serde::de::DeserializeSeed as _;
use serde_json::Value;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Budget, DuplicateKeyPolicy, Error, NonFiniteFloatPolicy, Options, RenderOptions};

use super::bounds::Meter;
use super::tree::{Node, Repeated};
use super::{FileBounds, FileType, FormatError};

/// The deepest nesting whatever the bounds say: the parser calls itself, on the stack of whoever reads.
const MAX_DEPTH: usize = 64;

/// Reads one document; what is empty is null.
pub(super) fn read(bytes: &[u8], meter: &Meter) -> Result<Value, FormatError> {
    if bytes.len() > FileBounds::PARSED_TEXT {
        return Err(meter.exceed("bytes of YAML", FileBounds::PARSED_TEXT as u64));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| FormatError::malformed(FileType::Yaml, "it is not UTF-8"))?;
    let root = Node::root(meter, Repeated::Refused);
    let read =
        serde_saphyr::with_deserializer_from_str_with_options(text, options(meter), |yaml| root.deserialize(yaml));
    read.map_err(|error| meter.exceeded().unwrap_or_else(|| refused(&error, meter)))
}

/// Says what the parser stumbled over: a bound of its own, or what is no YAML.
fn refused(error: &Error, meter: &Meter) -> FormatError {
    let mut cause = error;
    while let Error::AliasError { error, .. } | Error::WithSnippet { error, .. } = cause {
        cause = error;
    }
    if matches!(cause, Error::Budget { breach: BudgetBreach::Depth { .. }, .. }) {
        return meter.exceed("levels of nesting", MAX_DEPTH as u64);
    }
    let is_bound = matches!(
        cause,
        Error::Budget { .. }
            | Error::AliasReplayLimitExceeded { .. }
            | Error::AliasExpansionLimitExceeded { .. }
            | Error::AliasReplayStackDepthExceeded { .. }
    );
    if is_bound {
        return meter.exceed("parts, aliases counted as often as they stand", meter.bounds().values);
    }
    FormatError::malformed(FileType::Yaml, &error.render_with_options(RenderOptions::default()))
}

fn options(meter: &Meter) -> Options {
    let bounds = meter.bounds();
    let values = usize::try_from(bounds.values).unwrap_or(usize::MAX);
    let depth = (bounds.depth as usize).min(MAX_DEPTH);
    let mut budget = Budget::default();
    budget.max_depth = depth;
    budget.flow_nesting_limit = depth;
    budget.max_nodes = values;
    budget.max_events = values.saturating_mul(2);
    let mut options = Options::default();
    options.budget = Some(budget);
    options.alias_limits.max_total_replayed_events = values;
    options.duplicate_keys = DuplicateKeyPolicy::Error;
    options.strict_booleans = true;
    options.non_finite_float_policy = NonFiniteFloatPolicy::Reject;
    options.emit_comments = false;
    // Tagged bytes stay the base64 that they are written in.
    options.ignore_binary_tag_for_string = true;
    options.with_snippet = false;
    options
}

/// Writes a document in block style, keys sorted. Texts that an older reader could take for something else are quoted.
pub(super) fn write(value: &Value) -> Result<Vec<u8>, FormatError> {
    let text = serde_saphyr::to_string(value).map_err(|error| FormatError::shape(&error.to_string()))?;
    Ok(text.into_bytes())
}
