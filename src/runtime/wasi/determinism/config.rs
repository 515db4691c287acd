//! What determinism is asked for: a seed, a beginning, and how fast time passes.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::spec::Span;

/// What a deterministic guest finds instead of the host's clock and chance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeterminismConfig {
    /// What random bytes come from. Default: 0.
    pub seed: u64,
    /// The time of day at which every command begins, and the time of every file. Default: `2000-01-01T00:00:00Z`.
    pub start: Moment,
    /// How far every reading of a clock moves it. Default: `1us`.
    pub step: Span,
}

impl Default for DeterminismConfig {
    fn default() -> Self {
        Self { seed: 0, start: Moment(DEFAULT_START), step: Span(Duration::from_micros(1)) }
    }
}

/// 2000-01-01T00:00:00Z: late enough for every format of archives, and plainly not today.
const DEFAULT_START: Duration = Duration::from_secs(946_684_800);
/// The last second that a signed number of nanoseconds holds, in April 2262, less a century for the guest to sleep in.
const LATEST: Duration = Duration::from_secs(9_223_372_036 - 3_155_760_000);

/// A moment from 1970 to 2162, since 1970. In files: `2000-01-01T00:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment(pub Duration);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339(SystemTime::UNIX_EPOCH + self.0).fmt(f)
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = humantime::parse_rfc3339(&text);
        let since = read.ok().and_then(|moment| moment.duration_since(SystemTime::UNIX_EPOCH).ok());
        match since.filter(|since| *since <= LATEST) {
            Some(since) => Ok(Self(since)),
            None => Err(format!("`{text}` is not a moment from 1970 to 2162, written as `2000-01-01T00:00:00Z`")),
        }
    }
}

impl JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time", "examples": ["2000-01-01T00:00:00Z"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_as_it_is_written() {
        let start = DeterminismConfig::default().start;
        assert_eq!(String::from(start), "2000-01-01T00:00:00Z");
        assert_eq!(Moment::try_from(String::from(start)), Ok(start));
        for bad in ["", "today", "2000-01-01", "1969-12-31T23:59:59Z", "2300-01-01T00:00:00Z"] {
            assert!(Moment::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
