//! Programs that a spec wants in a certain version, and what to do about those that are not there.

use super::catalogue::{Catalogue, ProgramEntry};
use super::config::WasiConfig;
use super::known::known_program;
use crate::error::{ErrorKind, ExecutionError};

/// Refuses a spec that uses a program which the catalogue does not have.
pub(super) fn require(config: &WasiConfig, catalogue: &Catalogue) -> Result<(), ExecutionError> {
    for (name, program) in &config.programs {
        if let Some(wanted) = program.installed.as_ref().filter(|wanted| catalogue.find(wanted).is_none()) {
            return Err(absent(name, wanted, catalogue));
        }
    }
    Ok(())
}

fn absent(name: &str, wanted: &str, catalogue: &Catalogue) -> ExecutionError {
    let plain = wanted.split('@').next().unwrap_or(wanted);
    let installed: Vec<String> = catalogue.list().iter().map(ProgramEntry::id).collect();
    let same: Vec<&str> =
        installed.iter().filter(|id| id.split('@').next() == Some(plain)).map(String::as_str).collect();
    let what = match (same.as_slice(), installed.as_slice()) {
        ([], []) => "no program is installed".to_owned(),
        ([], all) => format!("installed: {}", all.join(", ")),
        (same, _) => format!("installed: {}", same.join(", ")),
    };
    let message = format!("the program `{wanted}`, which the spec uses as `{name}`, is not installed; {what}");
    let known = known_program(plain);
    let hint = match known {
        Some(known) if wanted == known.id() || wanted == known.name => install_command(&known.name),
        Some(known) => format!("{} gets `{}`", install_command(&known.name), known.id()),
        None => format!("`bailiwick programs add {plain} MODULE` adds a module under that name"),
    };
    ExecutionError::new(ErrorKind::Spec, message).with_hint(hint)
}

fn install_command(name: &str) -> String {
    format!("`bailiwick programs install {name}`")
}

/// Gives the advice about a command whose program is not there, where a known one has that name.
pub(super) fn advice(word: &str) -> Option<String> {
    known_program(word).map(|known| format!("{} gets `{}`", install_command(&known.name), known.id()))
}
