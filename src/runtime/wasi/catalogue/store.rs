//! The programs of a host: found by name or by name and version, added and removed as a whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::super::program::Program;
use super::entry::{DESCRIPTOR, MODULE, NewProgram, ProgramEntry, VERSION};
use super::error::{CatalogueError, io};
use super::files::{copy_below, make_dir, read_module, write_below, write_whole};
use crate::host::Host;

/// The file that names the version which the plain name means.
const DEFAULT: &str = "default";

/// The programs of a host.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    own: Option<PathBuf>,
    shared: Vec<PathBuf>,
}

impl Catalogue {
    /// Opens the catalogue of a host; nothing is read or made yet.
    pub fn open(host: &Host) -> Self {
        let programs = |dir: &PathBuf| dir.join("programs");
        Self {
            own: host.dirs.data.as_ref().map(programs),
            shared: host.dirs.shared_data.iter().map(programs).collect(),
        }
    }

    /// Finds a program by `name` or `name@version`; the user's own come before the machine's.
    ///
    /// The plain name means the version that was installed last.
    pub fn find(&self, word: &str) -> Option<ProgramEntry> {
        let Some((name, version)) = word.split_once('@') else {
            return is_name(word).then(|| self.dirs().find_map(|dir| read_default(&dir.join(word))))?;
        };
        if !(is_name(name) && is_name(version)) {
            return None;
        }
        let default = self.find(name).map(|entry| entry.dir);
        let mut all = self.dirs().flat_map(|dir| read_all(&dir.join(name)));
        let mut found = all.find(|entry| entry.program.version.as_deref() == Some(version))?;
        found.is_default = default.as_ref() == Some(&found.dir);
        Some(found)
    }

    /// Lists the programs by name and version, as they would be found; the default of a name comes first.
    pub fn list(&self) -> Vec<ProgramEntry> {
        let mut found = BTreeMap::new();
        for dir in self.dirs() {
            let Ok(names) = std::fs::read_dir(dir) else { continue };
            for name in names.flatten() {
                for entry in read_all(&name.path()) {
                    found.entry((entry.name.clone(), entry.program.version.clone())).or_insert(entry);
                }
            }
        }
        let mut listed: Vec<ProgramEntry> = found.into_values().collect();
        for entry in &mut listed {
            entry.is_default = self.find(&entry.name).is_some_and(|default| default.dir == entry.dir);
        }
        listed.sort_by_key(|entry| (entry.name.clone(), !entry.is_default));
        listed
    }

    /// Copies a module in under a name, in place of what had that name and version.
    ///
    /// # Errors
    /// See [`CatalogueError`].
    pub fn add(&self, name: &str, module: &Path, program: Program) -> Result<ProgramEntry, CatalogueError> {
        let (name, module) = (name.to_owned(), module.to_owned());
        self.install(NewProgram { name, module, program, ..NewProgram::default() })
    }

    /// Copies a program in with all that comes with it, in place of what had that name and version; the plain name
    /// means it from now on.
    ///
    /// # Errors
    /// See [`CatalogueError`].
    pub fn install(&self, new: NewProgram) -> Result<ProgramEntry, CatalogueError> {
        if !is_name(&new.name) {
            return Err(CatalogueError::BadName { name: new.name });
        }
        let version = new.program.version.clone();
        if let Some(bad) = version.as_ref().filter(|version| !is_name(version) || version.as_str() == DEFAULT) {
            return Err(CatalogueError::BadVersion { version: bad.clone() });
        }
        let bytes = read_module(&new.module)?;
        let home = self.own.as_ref().ok_or(CatalogueError::NoDirectory)?.join(&new.name);
        let held = make_dir(&home)?;
        let mut entry = ProgramEntry {
            format: VERSION,
            name: new.name.clone(),
            digest: blake3::hash(&bytes).to_hex().to_string(),
            size: bytes.len() as u64,
            licence: new.licence.clone(),
            lacks: new.lacks.clone(),
            program: new.program.clone(),
            dir: version.as_ref().map_or_else(|| home.clone(), |version| home.join(version)),
            is_default: true,
        };
        let placed = match &version {
            Some(version) => place(&held, version, |dir| fill(dir, &entry, &bytes, &new)),
            None => fill(&held, &entry, &bytes, &new).and_then(|()| forget(&held, DEFAULT)),
        };
        placed.map_err(io("write", &entry.dir))?;
        entry.anchor();
        Ok(entry)
    }

    /// Removes one of the user's own programs: one version of it, or, by the plain name, all.
    ///
    /// # Errors
    /// See [`CatalogueError`].
    pub fn remove(&self, word: &str) -> Result<(), CatalogueError> {
        let unknown = || CatalogueError::Unknown { name: word.to_owned() };
        let (name, version) = word.split_once('@').map_or((word, None), |(name, version)| (name, Some(version)));
        let dir = self.own.as_ref().filter(|_| is_name(name)).ok_or_else(unknown)?;
        let held = Dir::open_ambient_dir(dir, ambient_authority()).map_err(|_| unknown())?;
        if !held.exists(name) {
            return Err(unknown());
        }
        let home = dir.join(name);
        let all = read_all(&home);
        let asked = |entry: &ProgramEntry| entry.program.version.as_deref() == version;
        if version.is_none() || (all.len() == 1 && all.iter().any(asked)) {
            return held.remove_dir_all(name).map_err(io("remove", home));
        }
        let entry = all.iter().find(|entry| asked(entry)).ok_or_else(unknown)?;
        let held = held.open_dir(name).map_err(io("open", &home))?;
        take_away(&held, &home, entry).map_err(io("remove", &entry.dir))
    }

    fn dirs(&self) -> impl Iterator<Item = &PathBuf> {
        self.own.iter().chain(&self.shared)
    }
}

/// Says whether a word can be a name or a version.
fn is_name(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
    name.len() <= 64 && name.bytes().all(good) && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// Reads what the plain name of a directory means: what `default` names, else what stands there without a version,
/// else the last version by name.
fn read_default(home: &Path) -> Option<ProgramEntry> {
    let named = std::fs::read_to_string(home.join(DEFAULT)).ok();
    let named = named.filter(|version| is_name(version)).and_then(|version| ProgramEntry::read(&home.join(version)));
    let mut entry = named.or_else(|| ProgramEntry::read(home)).or_else(|| read_all(home).pop())?;
    entry.is_default = true;
    Some(entry)
}

/// Reads every version of a program.
fn read_all(home: &Path) -> Vec<ProgramEntry> {
    let within = std::fs::read_dir(home).into_iter().flatten().flatten();
    let within = within.filter(|entry| entry.file_name().to_str().is_some_and(is_name)).map(|entry| entry.path());
    let mut dirs: Vec<PathBuf> = within.filter(|path| path.is_dir()).collect();
    dirs.sort();
    std::iter::once(home.to_owned()).chain(dirs).filter_map(|dir| ProgramEntry::read(&dir)).collect()
}

/// Makes a version as a whole: it is filled under another name, and takes its own when it is complete.
fn place(home: &Dir, version: &str, fill: impl FnOnce(&Dir) -> std::io::Result<()>) -> std::io::Result<()> {
    let draft = format!(".{version}.{}", std::process::id());
    let old = format!(".{version}.{}.old", std::process::id());
    forget(home, &draft)?;
    home.create_dir(&draft)?;
    let filled = home.open_dir(&draft).and_then(|dir| fill(&dir)).and_then(|()| {
        if home.exists(version) {
            home.rename(version, home, &old)?;
        }
        home.rename(&draft, home, version)
    });
    let cleaned = forget(home, &old).and_then(|()| forget(home, &draft));
    filled.and(cleaned)?;
    write_whole(home, DEFAULT, version.as_bytes())
}

fn fill(dir: &Dir, entry: &ProgramEntry, module: &[u8], new: &NewProgram) -> std::io::Result<()> {
    let text = serde_json::to_vec_pretty(entry).map_err(std::io::Error::other)?;
    for (from, to) in &new.copies {
        copy_below(from, dir, to)?;
    }
    for (to, bytes) in &new.writes {
        write_below(dir, to, bytes)?;
    }
    write_whole(dir, MODULE, module)?;
    write_whole(dir, DESCRIPTOR, &text)
}

/// Removes one version, and gives the plain name to the last of the others.
fn take_away(held: &Dir, home: &Path, entry: &ProgramEntry) -> std::io::Result<()> {
    match entry.dir.strip_prefix(home).ok().and_then(Path::to_str) {
        Some("") | None => forget(held, DESCRIPTOR).and_then(|()| forget(held, MODULE))?,
        Some(version) => held.remove_dir_all(version)?,
    }
    // A default that is gone gives way to what is left.
    let default = held.read_to_string(DEFAULT).unwrap_or_default();
    if ProgramEntry::read(&home.join(default)).is_none() { forget(held, DEFAULT) } else { Ok(()) }
}

/// Removes what has a name, if something has.
fn forget(dir: &Dir, name: &str) -> std::io::Result<()> {
    let removed = match dir.symlink_metadata(name) {
        Ok(meta) if meta.is_dir() => dir.remove_dir_all(name),
        Ok(_) => dir.remove_file(name),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn catalogue(data: &Path) -> (Catalogue, PathBuf) {
        let mut host = Host::default();
        host.dirs.data = Some(data.to_owned());
        let module = data.join("m.wasm");
        std::fs::File::create(&module).unwrap().write_all(b"\0asm\x01\0\0\0").unwrap();
        (Catalogue::open(&host), module)
    }

    fn version(version: &str) -> Program {
        Program { version: Some(version.to_owned()), ..Program::default() }
    }

    #[test]
    fn a_program_is_found_as_it_was_added_and_gone_when_removed() {
        let data = tempfile::tempdir().unwrap();
        let (catalogue, module) = catalogue(data.path());
        let added = catalogue.add("tool", &module, Program::default()).unwrap();
        assert_eq!(catalogue.find("tool"), Some(added.clone()));
        assert_eq!(catalogue.list(), [added]);
        catalogue.remove("tool").unwrap();
        assert_eq!(catalogue.find("tool"), None);
        assert!(matches!(catalogue.remove("tool"), Err(CatalogueError::Unknown { .. })));
    }

    #[test]
    fn the_plain_name_means_what_came_last_and_each_version_stays() {
        let data = tempfile::tempdir().unwrap();
        let (catalogue, module) = catalogue(data.path());
        let bare = catalogue.add("tool", &module, Program::default()).unwrap();
        let two = catalogue.add("tool", &module, version("2")).unwrap();
        let one = catalogue.add("tool", &module, version("1")).unwrap();
        assert_eq!(catalogue.find("tool"), Some(one.clone()));
        assert_eq!(catalogue.find("tool@2").map(|entry| entry.dir), Some(two.dir.clone()));
        assert_eq!(catalogue.find("tool@3"), None);
        let listed: Vec<String> = catalogue.list().iter().map(ProgramEntry::id).collect();
        assert_eq!(listed, ["tool@1", "tool", "tool@2"]);
        catalogue.remove("tool@1").unwrap();
        assert_eq!(catalogue.find("tool").map(|entry| entry.dir), Some(bare.dir));
        catalogue.remove("tool").unwrap();
        assert!(catalogue.list().is_empty());
    }

    #[test]
    fn what_comes_with_a_program_is_found_wherever_the_catalogue_is() {
        let data = tempfile::tempdir().unwrap();
        let (catalogue, module) = catalogue(data.path());
        let mut program = version("1");
        let mount =
            super::super::super::program::ProgramMount { host: "files/lib".to_owned(), guest: "/lib".to_owned() };
        program.mounts.push(mount);
        let writes = vec![("files/lib/a.txt".to_owned(), b"a".to_vec())];
        let new = NewProgram { name: "tool".to_owned(), module, program, writes, ..NewProgram::default() };
        for _ in 0..2 {
            let added = catalogue.install(new.clone()).unwrap();
            assert_eq!(catalogue.find("tool@1"), Some(added.clone()));
            assert!(Path::new(&added.program.mounts[0].host).join("a.txt").is_file());
        }
        let names = std::fs::read_dir(data.path().join("programs/tool")).unwrap().flatten();
        let mut names: Vec<_> = names.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["1", "default"]);
    }

    #[test]
    fn names_are_words_and_modules_are_modules() {
        let data = tempfile::tempdir().unwrap();
        let (catalogue, _) = catalogue(data.path());
        for bad in ["", "../x", "a/b", ".hidden", "a b", "a@1"] {
            let added = catalogue.add(bad, Path::new("/dev/null"), Program::default());
            assert!(matches!(added, Err(CatalogueError::BadName { .. })), "{bad}");
        }
        for bad in ["", "../x", "default"] {
            let added = catalogue.add("tool", Path::new("/dev/null"), version(bad));
            assert!(matches!(added, Err(CatalogueError::BadVersion { .. })), "{bad}");
        }
        let added = catalogue.add("empty", Path::new("/dev/null"), Program::default());
        assert!(matches!(added, Err(CatalogueError::NotAModule { .. })), "{added:?}");
    }
}
