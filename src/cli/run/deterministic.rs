//! `--deterministic`: determinism asked for in the section of whatever runtime has it.

use serde_json::Value;

use super::args::RunArgs;
use crate::cli::app::App;
use crate::cli::failure::Usage;
use crate::cli::spec_source;
use crate::spec::Loaded;

/// The key of a section that asks for determinism; a runtime has it if its schema has this key.
const KEY: &str = "determinism";

/// Loads the spec of a run, with determinism where the flag asks for it; the spec's own stays, but for a seed.
pub(super) fn load(app: &App, args: &RunArgs) -> anyhow::Result<Loaded> {
    let (spec, runtime, mut settings) = (args.spec.as_deref(), args.runtime.as_deref(), args.all_settings());
    let loaded = spec_source::load(&app.registry, spec, runtime, &settings)?;
    let Some(seed) = args.deterministic else { return Ok(loaded) };
    let ty = &loaded.spec.ty;
    let schema = app.registry.kind_of(&loaded.spec)?.section_schema();
    if schema.get("properties").and_then(|keys| keys.get(KEY)).is_none() {
        let usage = Usage::new(format!("the runtime `{ty}` cannot be deterministic"));
        return Err(usage.with_hint("leave --deterministic out, or choose another runtime").into());
    }
    let asked = loaded.spec.section.to_value().get(KEY).is_some_and(|own| *own != Value::Null);
    match seed {
        Some(seed) => settings.push((format!("{ty}.{KEY}.seed"), seed.to_string())),
        None if asked => return Ok(loaded),
        None => settings.push((format!("{ty}.{KEY}"), "{}".to_owned())),
    }
    spec_source::load(&app.registry, spec, runtime, &settings)
}
