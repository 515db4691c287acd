//! What a well-formed spec may still get wrong: templates, names of variables, empty command lines.

use super::template;
use super::wire::Wire;
use super::{Problem, path};

/// Lists what is wrong with the meaning of a spec.
pub(super) fn check(wire: &Wire) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Err(error) = template::format(&wire.commands.entry_file, "main") {
        problems.push(Problem::new("commands.entry_file", error.to_string()).with_hint(error.hint()));
    }
    for (name, value) in &wire.environment.env {
        let at = path::join_key("environment.env", name);
        if name.is_empty() || name.contains(['=', '\0']) {
            problems.push(Problem::new(at, "is not a name that a variable can have"));
        } else if value.contains('\0') {
            problems.push(Problem::new(at, "holds a NUL character, which no variable can"));
        }
    }
    let setup = &wire.setup;
    for (key, lines) in [
        ("commands", &setup.commands),
        ("eval_commands", &setup.eval_commands),
        ("resume_commands", &setup.resume_commands),
    ] {
        for (index, line) in lines.iter().enumerate() {
            if line.trim().is_empty() {
                let at = path::join_index(&format!("setup.{key}"), index);
                problems.push(Problem::new(at, "is an empty command line").with_hint("remove it"));
            }
        }
    }
    problems
}
