//! Reading files back out of a workspace: what was asked for, one outcome each, bounded.

use std::collections::HashSet;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;

use super::at::{self, Kind, Meta};
use super::pattern::{PathPattern, Reached};
use super::walk::{self, Descend, Seen, Visit};
use super::{Workspace, WorkspaceError, WorkspacePath, bytes, tree};

/// How much [`Workspace::get_file_contents`] reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentsBounds {
    /// The most outcomes. Default: 10,000.
    pub files: usize,
    /// The largest file. Default: 64 MiB.
    pub file_bytes: u64,
    /// The most bytes of all files. Default: 256 MiB.
    pub total_bytes: u64,
    /// The most entries that are looked at for patterns and directories. Default: 1,000,000.
    pub walked: u64,
}

impl Default for ContentsBounds {
    fn default() -> Self {
        Self { files: 10_000, file_bytes: 64 << 20, total_bytes: 256 << 20, walked: 1_000_000 }
    }
}

/// The content of one file, without a byte changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// It is UTF-8.
    Text(String),
    /// It is not.
    Bytes(Vec<u8>),
}

/// What became of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileOutcome {
    /// It is a regular file, and this is in it.
    Content(Content),
    /// Nothing is there.
    Missing,
    /// A link, a FIFO, a socket or a device is there; it was not opened.
    NotRegular,
    /// The path leaves the workspace: by its own text, or through a link. Nothing was looked up there.
    Outside,
    /// It is larger than one file, or all of them, may be.
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
}

/// What was read, in the order of the patterns, and within one pattern by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contents {
    /// A path inside the workspace (or what was asked for, when it is none), and its outcome; each path once.
    pub files: Vec<(String, FileOutcome)>,
    /// How many matching files were left out because there were too many.
    pub omitted: u64,
    /// Whether the walk ended early because the workspace has too many entries.
    pub truncated: bool,
}

impl Content {
    /// Gives the bytes, however they were read.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl Contents {
    /// Finds the outcome of a path.
    pub fn get(&self, path: &str) -> Option<&FileOutcome> {
        self.files.iter().find(|(name, _)| name == path).map(|(_, outcome)| outcome)
    }
}

impl Workspace {
    /// Reads files by path, by pattern (`*`, `?`, `[..]` in a component, `**` for any depth) or by directory.
    ///
    /// A leading `./` is the same path; empty patterns and `.` are skipped. Of a directory every regular file is
    /// read and links and specials are passed over. A pattern that matches nothing has no outcome; a path has
    /// exactly one. Links are never followed. Names that are not UTF-8 are shown with replacement characters.
    ///
    /// # Errors
    ///
    /// When the host cannot read what is there: a submission cannot cause that.
    pub fn get_file_contents(&self, patterns: &[&str], bounds: ContentsBounds) -> Result<Contents, WorkspaceError> {
        let mut reader =
            Reader { workspace: self, bounds, total: 0, seen: HashSet::new(), contents: Contents::default() };
        for pattern in patterns {
            let path = pattern.trim_start_matches("./").trim_end_matches('/');
            // What began with a slash is absolute, whatever is left of it.
            let path = if pattern.starts_with('/') { pattern } else { path };
            if path.is_empty() || path == "." {
                continue;
            }
            reader.read_pattern(path)?;
        }
        Ok(reader.contents)
    }
}

struct Reader<'a> {
    workspace: &'a Workspace,
    bounds: ContentsBounds,
    total: u64,
    seen: HashSet<Vec<u8>>,
    contents: Contents,
}

/// What stands at a path.
enum Found {
    Directory(OwnedFd),
    Outcome(FileOutcome),
}

impl Reader<'_> {
    fn read_pattern(&mut self, text: &str) -> Result<(), WorkspaceError> {
        let is_pattern = PathPattern::is_one(text);
        let Ok(path) = WorkspacePath::new(text) else {
            self.put(text.as_bytes(), |_| Ok(Some(FileOutcome::Outside)))?;
            return Ok(());
        };
        match self.find(&path)? {
            // `a[1].txt` may well be a name.
            Found::Outcome(FileOutcome::Missing | FileOutcome::Outside) if is_pattern => {
                let root = at::open_again(self.workspace.dir().as_fd());
                let root = root.map_err(|e| WorkspaceError::io("open", b"", e))?;
                self.walk(&root, b"", Some(PathPattern::new(text)))
            }
            Found::Outcome(outcome) => self.put(path.as_bytes(), |_| Ok(Some(outcome))),
            Found::Directory(directory) => self.walk(&directory, path.as_bytes(), None),
        }
    }

    /// Looks at a literal path, reading it when it is a file.
    fn find(&mut self, path: &WorkspacePath) -> Result<Found, WorkspaceError> {
        let failed = |error: Errno| WorkspaceError::io("read", path.as_bytes(), error);
        let parent = match tree::parent_of(self.workspace.dir().as_fd(), path) {
            Ok(parent) => parent,
            Err(Errno::NOENT | Errno::NAMETOOLONG) => return Ok(Found::Outcome(FileOutcome::Missing)),
            // A file in the middle is `Missing`, a link `Outside`; to tell them apart would follow nothing either way.
            Err(Errno::LOOP | Errno::XDEV | Errno::NOTDIR) => {
                return Ok(Found::Outcome(self.why_closed(path)));
            }
            Err(Errno::ACCESS) => return Ok(Found::Outcome(FileOutcome::NotRegular)),
            Err(error) => return Err(failed(error)),
        };
        let name = tree::c_name(path);
        let meta = match at::meta_at(parent.as_fd(), &name) {
            Ok(meta) => meta,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Found::Outcome(FileOutcome::Missing)),
            Err(error) => return Err(failed(error)),
        };
        if meta.kind == Kind::Directory {
            return match at::open_dir(parent.as_fd(), &name) {
                Ok(directory) => Ok(Found::Directory(directory)),
                Err(why) if is_closed(why) => Ok(Found::Outcome(FileOutcome::NotRegular)),
                Err(error) => Err(failed(error)),
            };
        }
        if self.seen.contains(path.as_bytes()) || self.contents.files.len() >= self.bounds.files {
            return Ok(Found::Outcome(FileOutcome::Missing));
        }
        let seen = Seen { parent: parent.as_fd(), name: &name, path: path.as_bytes(), meta: &meta };
        Ok(Found::Outcome(self.read(seen)?.unwrap_or(FileOutcome::Missing)))
    }

    /// Tells a link above a path from a file above it.
    fn why_closed(&self, path: &WorkspacePath) -> FileOutcome {
        let mut above = path.parent();
        while let Some(here) = above {
            if let Ok(parent) = tree::parent_of(self.workspace.dir().as_fd(), &here) {
                let kind = at::meta_at(parent.as_fd(), &tree::c_name(&here)).map(|meta| meta.kind);
                let is_file = kind.is_ok_and(|kind| kind == Kind::File);
                return if is_file { FileOutcome::Missing } else { FileOutcome::Outside };
            }
            above = here.parent();
        }
        FileOutcome::Outside
    }

    /// Reads one file within the bounds. `None`: it went away.
    fn read(&mut self, seen: Seen<'_>) -> Result<Option<FileOutcome>, WorkspaceError> {
        if seen.meta.kind != Kind::File {
            return Ok(Some(FileOutcome::NotRegular));
        }
        let Some((file, meta)) = tree::open_regular(seen)? else { return Ok(None) };
        let most = self.bounds.file_bytes.min(self.bounds.total_bytes - self.total);
        if meta.size > most {
            return Ok(Some(FileOutcome::TooLarge { size: meta.size }));
        }
        let content = read_whole(&file, &meta).map_err(|e| WorkspaceError::io("read", seen.path, e))?;
        self.total += content.len() as u64;
        let content = String::from_utf8(content).map_or_else(|e| Content::Bytes(e.into_bytes()), Content::Text);
        Ok(Some(FileOutcome::Content(content)))
    }

    /// Keeps the outcome of a path that has none yet.
    fn put(
        &mut self,
        path: &[u8],
        outcome: impl FnOnce(&mut Self) -> Result<Option<FileOutcome>, WorkspaceError>,
    ) -> Result<(), WorkspaceError> {
        if self.seen.contains(path) {
            return Ok(());
        }
        if self.contents.files.len() >= self.bounds.files {
            self.contents.omitted += 1;
            return Ok(());
        }
        if let Some(outcome) = outcome(self)? {
            self.seen.insert(path.to_vec());
            self.contents.files.push((String::from_utf8_lossy(path).into_owned(), outcome));
        }
        Ok(())
    }

    fn walk(&mut self, from: &OwnedFd, prefix: &[u8], pattern: Option<PathPattern>) -> Result<(), WorkspaceError> {
        let most = self.bounds.walked;
        let reached = pattern.iter().map(PathPattern::start).collect();
        let mut finder = Finder { reader: self, prefix, pattern, reached, whole: 0 };
        match walk::walk(from.as_fd(), most, &mut finder) {
            Err(WorkspaceError::TooLarge { .. } | WorkspaceError::Changing { .. }) => {
                self.contents.truncated = true;
                Ok(())
            }
            done => done,
        }
    }
}

/// Says whether a directory cannot be opened for what a guest may have done to it, rather than for trouble of the host.
fn is_closed(why: Errno) -> bool {
    matches!(why, Errno::ACCESS | Errno::PERM | Errno::XDEV) || walk::is_gone(why)
}

/// Reads what the file held when it was described, or less.
fn read_whole(file: &OwnedFd, meta: &Meta) -> std::io::Result<Vec<u8>> {
    let mut content = vec![0; usize::try_from(meta.size).unwrap_or(usize::MAX)];
    let read = bytes::read_at(file, &mut content, 0)?;
    content.truncate(read);
    Ok(content)
}

/// Reads what a walk finds: everything below a directory, or what matches a pattern.
struct Finder<'r, 'w, 'p> {
    reader: &'r mut Reader<'w>,
    prefix: &'p [u8],
    pattern: Option<PathPattern>,
    /// How far each directory above has come.
    reached: Vec<Reached>,
    /// How many directories above are matched themselves, so that all below them is read.
    whole: usize,
}

impl Finder<'_, '_, '_> {
    fn path(&self, seen: Seen<'_>) -> Vec<u8> {
        if self.prefix.is_empty() { seen.path.to_vec() } else { [self.prefix, seen.path].join(&b'/') }
    }
}

impl Visit for Finder<'_, '_, '_> {
    fn enter(&mut self, seen: Seen<'_>) -> Result<Descend, WorkspaceError> {
        let Some(pattern) = &self.pattern else { return Ok(Descend::Into) };
        if self.whole > 0 {
            self.whole += 1;
            return Ok(Descend::Into);
        }
        let above = self.reached.last().expect("the root has reached the start");
        let reached = pattern.step(above, seen.name.to_bytes());
        if pattern.is_match(&reached) {
            self.whole = 1;
        } else if reached.is_nothing() {
            return Ok(Descend::Skip);
        } else {
            self.reached.push(reached);
        }
        Ok(Descend::Into)
    }

    fn entry(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        let is_file = seen.meta.kind == Kind::File;
        let is_wanted = match &self.pattern {
            Some(pattern) if self.whole == 0 => {
                let above = self.reached.last().expect("the root has reached the start");
                pattern.is_match(&pattern.step(above, seen.name.to_bytes()))
            }
            Some(_) | None => is_file,
        };
        if !is_wanted {
            return Ok(());
        }
        let path = self.path(seen);
        self.reader.put(&path, |reader| reader.read(seen))
    }

    fn leave(&mut self, _: Seen<'_>) -> Result<(), WorkspaceError> {
        if self.whole > 0 {
            self.whole -= 1;
        } else if self.pattern.is_some() {
            self.reached.pop();
        }
        Ok(())
    }

    fn closed(&mut self, seen: Seen<'_>, why: Errno) -> Result<(), WorkspaceError> {
        self.leave(seen)?;
        if is_closed(why) { Ok(()) } else { Err(WorkspaceError::io("open", seen.path, why)) }
    }
}
