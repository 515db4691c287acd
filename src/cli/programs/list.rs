//! `programs list`: the catalogue as an object and as a table.

use crate::cli::json::{ListedProgram, ProgramsObject, VERSION};
use crate::runtime::wasi::{Catalogue, ProgramEntry};

pub(super) fn object(catalogue: &Catalogue) -> ProgramsObject {
    ProgramsObject { version: VERSION, programs: catalogue.list().into_iter().map(listed).collect() }
}

fn listed(entry: ProgramEntry) -> ListedProgram {
    ListedProgram {
        id: entry.id(),
        is_default: entry.is_default,
        module: entry.module().display().to_string(),
        name: entry.name,
        program_version: entry.program.version,
        licence: entry.licence,
        digest: entry.digest,
        size: entry.size,
        lacks: entry.lacks,
        start_time: None,
        speed: None,
    }
}

/// Draws one line a program, and below it what it lacks.
pub(super) fn draw(object: &ProgramsObject) -> String {
    let version = |program: &ListedProgram| program.program_version.clone().unwrap_or_else(|| "-".to_owned());
    let widest = |text: fn(&ListedProgram) -> usize| object.programs.iter().map(text).max().unwrap_or(0);
    let names = widest(|program| program.name.len());
    let versions = widest(|program| program.program_version.as_ref().map_or(1, String::len));
    let row = |program: &ListedProgram| {
        let ListedProgram { name, digest, size, .. } = program;
        let digest = digest.get(..16).unwrap_or(digest);
        let licence = program.licence.as_deref().unwrap_or("licence unknown");
        let mut text = format!("{name:names$}  {:versions$}  {size:>10}  {digest}  {licence}\n", version(program));
        if !program.is_default {
            text += &format!("{:names$}  only as `{}`\n", "", program.id);
        }
        if let Some(start) = &program.start_time {
            text += &format!("{:names$}  starts in {:.1} ms", "", start.seconds * 1000.0);
            text += &match &program.speed {
                Some(speed) => format!(", computes {:.2} times as fast as {}\n", speed.ratio, speed.beside),
                None => "\n".to_owned(),
            };
        }
        if !program.lacks.is_empty() {
            text += &format!("{:names$}  lacks {}\n", "", program.lacks.join(", "));
        }
        text
    };
    object.programs.iter().map(row).collect()
}
