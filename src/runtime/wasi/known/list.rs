//! The list of what is known.

use std::sync::LazyLock;

use super::entry::KnownProgram;

/// One file a program, by name.
const FILES: [&str; 4] =
    [include_str!("cc.yaml"), include_str!("js.yaml"), include_str!("micropython.yaml"), include_str!("python.yaml")];

static KNOWN: LazyLock<Vec<KnownProgram>> = LazyLock::new(|| {
    let read = |text| serde_saphyr::from_str(text).expect("the files are part of the source, and a test reads each");
    FILES.into_iter().map(read).collect()
});

/// Lists the programs that `programs install` can get, by name.
pub fn known_programs() -> &'static [KnownProgram] {
    &KNOWN
}

/// Finds one of them by its name or another name of it.
pub fn known_program(name: &str) -> Option<&'static KnownProgram> {
    KNOWN.iter().find(|known| known.name == name || known.aliases.iter().any(|alias| alias == name))
}

/// Gives a file of bailiwick's own that a program needs.
pub(super) fn own_file(name: &str) -> &'static str {
    match name {
        "sitecustomize.py" => include_str!("sitecustomize.py"),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_whole() {
        let known = known_programs();
        assert!(known.is_sorted_by_key(|known| &known.name));
        for program in known {
            let id = program.id();
            assert!(program.module.sha256.len() == 64 && program.module.size > 0, "{id}");
            assert!(!program.sources.is_empty() && !program.licence.is_empty() && !program.about.is_empty(), "{id}");
            for source in &program.sources {
                assert!(source.sha256.len() == 64 && source.size > 0, "{id}");
                assert!(!source.licences.is_empty(), "{id}: {} holds the texts of its licences", source.package);
            }
            let placed: Vec<&str> = program.sources[0].files.iter().map(|copy| copy.to.as_str()).collect();
            let written: Vec<_> = program.own_files.iter().map(|copy| copy.to.as_str()).collect();
            assert!(program.own_files.iter().all(|copy| !own_file(&copy.from).is_empty()), "{id}");
            for mount in &program.program.mounts {
                let holds = |place: &&str| place.starts_with(mount.host.as_str());
                assert!(placed.iter().chain(&written).any(holds), "{id}: nothing is in `{}`", mount.host);
            }
            assert!(program.aliases.iter().all(|alias| known_program(alias).unwrap().name == program.name));
        }
    }
}
