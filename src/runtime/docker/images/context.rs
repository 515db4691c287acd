//! What a build is made of, as the engine gets it: one tar, whose bytes are the same where nothing has changed.

use std::io::{self, Read as _, Write};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tar::EntryType;

use super::ignore::Ignore;
use crate::runtime::docker::transfer::{Packing, Record, Records, Times, pack};
use crate::runtime::docker::{BuildConfig, DockerError};
use crate::workspace::{Bounds, Kind, WorkspaceError};

/// Where the text of a Dockerfile goes that is in no file.
const INLINE: &str = ".bailiwick.dockerfile";
const IGNORE: &str = ".dockerignore";

/// The largest Dockerfile, and the largest list of what is left out.
const MOST_TEXT: u64 = 1 << 20;

/// What a context may hold.
const BOUNDS: Bounds = Bounds { entries: 200_000, bytes: 8 << 30 };

/// The files of a build.
#[derive(Debug)]
pub(super) struct Context {
    dir: Option<Dir>,
    ignore: Ignore,
    /// The Dockerfile's path in the context.
    pub(super) dockerfile: String,
    /// What the Dockerfile says.
    pub(super) text: String,
    /// Files of ours beside those of the context.
    added: Vec<(&'static str, String)>,
}

impl Context {
    /// Opens the context. Blocking.
    ///
    /// # Errors
    /// A directory or a Dockerfile that is not there, and rules that are none.
    pub(super) fn open(config: &BuildConfig) -> Result<Self, DockerError> {
        let dir = config.context.as_deref().map(open_dir).transpose()?;
        let wrong = |path: &str, why: String| DockerError::Context { path: path.to_owned(), why };
        let rules = match &dir {
            Some(dir) => read(dir, IGNORE).map_err(|error| wrong(IGNORE, error.to_string()))?,
            None => None,
        };
        let ignore = Ignore::read(rules.as_deref().unwrap_or_default())
            .map_err(|line| wrong(IGNORE, format!("`{}` is no pattern", line.escape_debug())))?;
        if let Some(text) = config.inline.clone() {
            // The engine takes out what these rules name, the rules themselves too, before it copies anything.
            let own = rules.is_none().then_some(IGNORE).into_iter().chain([INLINE]);
            let rules = own.fold(rules.unwrap_or_default(), |rules, name| format!("{rules}\n{name}")) + "\n";
            let added = vec![(IGNORE, rules), (INLINE, text.clone())];
            return Ok(Self { dir, ignore, dockerfile: INLINE.to_owned(), text, added });
        }
        let dockerfile = config.dockerfile.clone().unwrap_or_else(|| "Dockerfile".to_owned());
        let found = match &dir {
            Some(dir) => read(dir, &dockerfile).map_err(|error| wrong(&dockerfile, error.to_string()))?,
            None => None,
        };
        let text = found.ok_or_else(|| wrong(&dockerfile, "there is no such file in the context".to_owned()))?;
        Ok(Self { dir, ignore, dockerfile, text, added: Vec::new() })
    }

    /// Writes everything, in the order of the names. Blocking.
    pub(super) fn write<W: Write>(&self, to: &mut Records<W>, times: Times) -> Result<(), WorkspaceError> {
        if let Some(dir) = &self.dir {
            let is_added = |path: &[u8]| self.added.iter().any(|(name, _)| name.as_bytes() == path);
            let is_own = |path: &[u8]| path == self.dockerfile.as_bytes() || path == IGNORE.as_bytes();
            let leads_to =
                |path: &[u8]| self.dockerfile.as_bytes().strip_prefix(path).is_some_and(|rest| rest.starts_with(b"/"));
            let packing = Packing {
                root: b"",
                owner: (0, 0),
                times,
                bounds: BOUNDS,
                takes: &|path: &[u8], _: Kind| !is_added(path) && (is_own(path) || !self.ignore.leaves_out(path)),
                enters: &|path: &[u8]| leads_to(path) || !self.ignore.prunes(path),
            };
            pack(dir, to, &packing)?;
        }
        for (name, text) in &self.added {
            let sort = EntryType::Regular;
            let record = Record { name: name.as_bytes(), sort, mode: 0o644, owner: (0, 0), modified: 0, target: b"" };
            to.write(record, text.len() as u64, &mut text.as_bytes())
                .map_err(|error| WorkspaceError::io("send", name.as_bytes(), error))?;
        }
        Ok(())
    }

    /// Gives the name of everything that decides over what is built. Blocking: every file is read.
    ///
    /// Times of files do not count, nor does who they belong to.
    pub(super) fn digest(&self, config: &BuildConfig, bases: &[String]) -> Result<String, WorkspaceError> {
        let mut hasher = blake3::Hasher::new();
        let about = serde_json::json!(["build 1", self.dockerfile, config.args, bases]).to_string();
        hasher.update(&(about.len() as u64).to_le_bytes()).update(about.as_bytes());
        let mut records = Records::new(hasher);
        self.write(&mut records, Times::Fixed)?;
        let hasher = records.finish().map_err(|error| WorkspaceError::io("hash", b"", error))?;
        Ok(hasher.finalize().to_hex()[..32].to_owned())
    }
}

fn open_dir(path: &str) -> Result<Dir, DockerError> {
    let wrong = |why: String| DockerError::Context { path: path.to_owned(), why };
    if !path.starts_with('/') {
        return Err(wrong("it is not absolute".to_owned()));
    }
    // The caller's own directory: the one door to it.
    Dir::open_ambient_dir(path, ambient_authority()).map_err(|error| wrong(error.to_string()))
}

/// Reads a text of the context; nothing where there is none. No link leads out of the context.
fn read(dir: &Dir, path: &str) -> io::Result<Option<String>> {
    let file = match dir.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = String::new();
    file.take(MOST_TEXT + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_TEXT {
        return Err(io::Error::other("it is longer than 1 MiB"));
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(context: &Context) -> Vec<String> {
        let mut records = Records::new(Vec::new());
        context.write(&mut records, Times::Kept).unwrap();
        let bytes = records.finish().unwrap();
        let mut archive = tar::Archive::new(&bytes[..]);
        let names = archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string());
        names.collect()
    }

    #[test]
    fn the_context_is_what_the_rules_leave_and_no_link_leads_out() {
        let (temp, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let open = |dir: &tempfile::TempDir| Dir::open_ambient_dir(dir.path(), ambient_authority()).unwrap();
        let (at, beside) = (open(&temp), open(&outside));
        beside.write("secret", "secret").unwrap();
        for dir in ["src", "build/deep", "docker"] {
            at.create_dir_all(dir).unwrap();
        }
        for (name, text) in [("src/a", "a"), ("src/b.tmp", "b"), ("build/deep/x", "x"), ("docker/File", "FROM a\n")] {
            at.write(name, text).unwrap();
        }
        at.write(".dockerignore", "build\n**/*.tmp\ndocker\n").unwrap();
        at.symlink_contents(outside.path(), "out").unwrap();
        at.symlink_contents(outside.path().join("secret"), "Dockerfile").unwrap();
        let context = Some(temp.path().to_str().unwrap().to_owned());
        let config = BuildConfig { context, dockerfile: Some("docker/File".to_owned()), ..BuildConfig::default() };
        let opened = Context::open(&config).unwrap();
        assert_eq!(opened.text, "FROM a\n");
        assert_eq!(names(&opened), [".dockerignore", "Dockerfile", "docker/File", "out", "src/", "src/a"]);
        // A Dockerfile that a link leads out to is not read.
        let led_out = BuildConfig { dockerfile: None, ..config.clone() };
        assert!(matches!(Context::open(&led_out).unwrap_err(), DockerError::Context { .. }));

        let digest = |config: &BuildConfig| Context::open(config).unwrap().digest(config, &[]).unwrap();
        let first = digest(&config);
        at.write("build/deep/x", "changed").unwrap();
        let later = std::fs::FileTimes::new().set_modified(std::time::SystemTime::UNIX_EPOCH);
        at.open("src/a").unwrap().into_std().set_times(later).unwrap();
        assert_eq!(digest(&config), first, "neither what is left out nor a time counts");
        let mut args = config.clone();
        args.args.insert("A".to_owned(), "1".to_owned());
        assert_ne!(digest(&args), first);
        at.write("src/a", "changed").unwrap();
        assert_ne!(digest(&config), first);
    }

    #[test]
    fn a_text_is_a_dockerfile_that_no_image_gets() {
        let config = BuildConfig { inline: Some("FROM scratch\n".to_owned()), ..BuildConfig::default() };
        let context = Context::open(&config).unwrap();
        assert_eq!(names(&context), [IGNORE, INLINE]);
        assert!(context.added[0].1.contains(INLINE) && context.added[0].1.contains(IGNORE));
        let none = Context::open(&BuildConfig::default()).unwrap_err();
        assert!(matches!(none, DockerError::Context { path, .. } if path == "Dockerfile"));
    }
}
