//! A module of the host as the program, on this command line alone: `bailiwick run hello.wasm`.

use std::path::Path;

use serde_json::{Map, Value};

use crate::runtime::AnyRuntimeKind;

/// The spawn option of runtimes that can be given one module of the host as a program. What the guest sees itself
/// and the programs that are known by name come first there.
const OPTION: &str = "program_file";
/// How the names of such modules end.
const ENDINGS: [&str; 2] = [".wasm", ".wat"];

/// Grants the module that the first word names, where the runtime takes one; nothing of the module's directory.
pub(super) fn grant(kind: &dyn AnyRuntimeKind, command: &[String], options: &mut Map<String, Value>) {
    let takes_one = kind.options_schema().pointer(&format!("/properties/{OPTION}")).is_some();
    let word = command.first().filter(|word| ENDINGS.iter().any(|ending| word.ends_with(ending)));
    if let Some(word) = word.filter(|word| takes_one && Path::new(word).is_file()) {
        options.entry(OPTION).or_insert_with(|| word.as_str().into());
    }
}
