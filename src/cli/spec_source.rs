//! Where specs come from: a file, a built-in name, or the default of a runtime.

use std::path::Path;

use serde_json::{Value, json};

use super::failure::Usage;
use crate::runtime::RuntimeRegistry;
use crate::spec::{self, Loaded};

/// The text of a spec, with what errors call it.
#[derive(Debug)]
pub(super) struct SpecText {
    pub(super) origin: String,
    pub(super) text: String,
}

/// Finds the text of a spec.
///
/// A built-in name wins; `./NAME` is always the file.
pub(super) fn find(registry: &RuntimeRegistry, name: &str) -> anyhow::Result<SpecText> {
    if let Some(builtin) = registry.builtin_spec(name) {
        return Ok(SpecText { origin: name.to_owned(), text: builtin.text.to_owned() });
    }
    let known: Vec<_> = registry.builtin_specs().into_iter().map(|spec| spec.name).collect();
    if !Path::new(name).exists() {
        let usage = Usage::new(format!("there is no spec `{name}`: no such file, and no built-in spec of that name"));
        return Err(usage.with_hint(format!("built-in specs: {}", list(&known))).into());
    }
    read(name)
}

/// Reads the text of a spec from a file.
pub(super) fn read(file: &str) -> anyhow::Result<SpecText> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| Usage::new(format!("the spec `{file}` cannot be read: {source}")))?;
    Ok(SpecText { origin: file.to_owned(), text })
}

/// Loads the spec for a run: the named one, or one with every default for the runtime.
pub(super) fn load(
    registry: &RuntimeRegistry,
    spec: Option<&str>,
    runtime: Option<&str>,
    settings: &[(String, String)],
) -> anyhow::Result<Loaded> {
    let loaded = match (spec, runtime) {
        (Some(name), _) => {
            let SpecText { origin, text } = find(registry, name)?;
            spec::load_with(&text, &origin, registry, settings)
        }
        (None, Some(ty)) => bare(registry, registry.kind(ty)?.ty(), settings),
        (None, None) => bare(registry, default_runtime(registry)?, settings),
    };
    let loaded = loaded.map_err(crate::ExecutionError::from)?;
    match runtime {
        Some(ty) if loaded.spec.ty != ty => {
            let message = format!("the spec is for the runtime `{}`, not for `{ty}`", loaded.spec.ty);
            Err(Usage::new(message).with_hint("leave --runtime out, or choose another spec").into())
        }
        Some(_) | None => Ok(loaded),
    }
}

/// Gives the JSON Schema of specs.
pub(super) fn schema(registry: &RuntimeRegistry) -> Value {
    spec::schema(registry)
}

fn bare(registry: &RuntimeRegistry, ty: &str, settings: &[(String, String)]) -> Result<Loaded, spec::SpecError> {
    spec::from_value(json!({"type": ty, "name": ty}), "command line", registry, settings)
}

fn default_runtime(registry: &RuntimeRegistry) -> Result<&'static str, Usage> {
    let known: Vec<_> = registry.kinds().map(|kind| kind.ty()).collect();
    let default = registry.kinds().find(|kind| kind.is_default_for_run()).map(|kind| kind.ty());
    let usage =
        || Usage::new("no runtime is the default").with_hint(format!("--runtime names one of: {}", list(&known)));
    default.ok_or_else(usage)
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
