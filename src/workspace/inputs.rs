//! Putting input files into a workspace, whatever a guest has put in their place.

use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::os::fd::AsFd;

use rustix::fs::Mode;
use rustix::io::Errno;

use super::memory::{PAGE, Room};
use super::open::PrivateDir;
use super::path::display;
use super::stack::DirStack;
use super::{PlaceholderError, Placeholders, Workspace, WorkspaceError, WorkspacePath};
use super::{at, bytes, remove, tree, usage};

/// What a file is called until it is whole.
const DRAFT: &CStr = c"draft";

/// A file that a case puts into the workspace.
#[derive(Clone, Debug, PartialEq)]
pub struct InputFile {
    /// Where it goes.
    pub path: WorkspacePath,
    /// What it holds.
    pub content: InputContent,
    /// Its permissions, of which 0777 count. Default: 0644.
    pub mode: Option<u32>,
}

/// What an input file holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum InputContent {
    /// Text, written as UTF-8 without a byte changed.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A value, written as JSON with two spaces of indent and without a line end.
    Json(serde_json::Value),
    /// Content that is written as a sort of file.
    #[cfg(feature = "files")]
    Typed {
        /// What sort of file.
        signature: super::files::FileSignature,
        /// What is in it.
        value: super::files::FileValue,
    },
}

impl InputFile {
    /// Makes an input file with mode 0644.
    pub fn new(path: WorkspacePath, content: InputContent) -> Self {
        Self { path, content, mode: None }
    }

    /// Resolves the placeholders of its content: text, bytes, and every text of a value.
    ///
    /// # Errors
    /// Names that are no asset's, and keys of a value that become one.
    pub fn resolve(self, placeholders: &Placeholders) -> Result<Self, PlaceholderError> {
        Ok(Self { content: self.content.resolve(placeholders)?, ..self })
    }
}

impl InputContent {
    /// Gives about how many bytes it takes; a value that is not written yet counts as large.
    pub(crate) fn size_hint(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Json(_) => 1 << 30,
            #[cfg(feature = "files")]
            Self::Typed { .. } => 1 << 30,
        }
    }

    /// Gives the bytes of the file.
    fn encode(&self) -> Result<Cow<'_, [u8]>, WorkspaceError> {
        Ok(match self {
            Self::Text(text) => Cow::Borrowed(text.as_bytes()),
            Self::Bytes(bytes) => Cow::Borrowed(bytes),
            Self::Json(value) => Cow::Owned(format!("{value:#}").into_bytes()),
            #[cfg(feature = "files")]
            Self::Typed { signature, value } => Cow::Owned(signature.write(value)?),
        })
    }

    /// Resolves the placeholders of what it holds, bytes too.
    fn resolve(self, placeholders: &Placeholders) -> Result<Self, PlaceholderError> {
        Ok(match self {
            Self::Text(text) => Self::Text(placeholders.resolve_str(&text)?),
            Self::Bytes(bytes) => Self::Bytes(placeholders.resolve_bytes(&bytes)?),
            Self::Json(value) => Self::Json(placeholders.resolve_value(&value)?),
            #[cfg(feature = "files")]
            Self::Typed { signature, value } => Self::Typed { signature, value: value.resolve(placeholders)? },
        })
    }
}

impl Workspace {
    /// Writes input files. Each appears whole or not at all, and replaces whatever stands in its place: a link, a
    /// directory, a FIFO; directories above it are made, and links or files in their place replaced.
    ///
    /// # Errors
    ///
    /// When a value has no form in its type, of kind `InputFileWrite`: then nothing is written. When a file cannot be
    /// written, of the same kind: those before it are there.
    pub fn write_input_files(&self, files: &[InputFile]) -> Result<(), WorkspaceError> {
        if files.is_empty() {
            return Ok(());
        }
        let named = |file: &InputFile, source| {
            let path = display(file.path.as_bytes());
            WorkspaceError::Input { path, source: Box::new(source) }
        };
        let contents = files.iter().map(|file| file.content.encode().map_err(|error| named(file, error)));
        let contents: Vec<Cow<'_, [u8]>> = contents.collect::<Result<_, _>>()?;
        let room = files.iter().zip(&contents).fold(Room { bytes: 0, entries: 1 }, |sum, (file, bytes)| {
            let above = file.path.components().count() as u64;
            let own = usage::room_for_file(bytes.len() as u64);
            Room { bytes: sum.bytes + own.bytes + above * PAGE, entries: sum.entries + own.entries + above }
        });
        let write = || {
            let staging = PrivateDir::make(self.space(), "input")?;
            let written = files.iter().zip(&contents).try_for_each(|(file, bytes)| {
                self.write_one(&staging, file, bytes).map_err(|error| named(file, error))
            });
            // Half a file must not take the room of the next one until the reaper comes by; the first failure counts.
            written.inspect_err(|_| drop(remove::remove(staging.dir().as_fd(), DRAFT)))
        };
        self.space().with_room(room, write).map(|_| ())
    }

    fn write_one(&self, staging: &PrivateDir, file: &InputFile, bytes: &[u8]) -> Result<(), WorkspaceError> {
        let failed = |error: Errno| WorkspaceError::io("write", file.path.as_bytes(), error);
        let draft = DRAFT;
        // Written where no guest can see it, then moved: the workspace never holds half a file.
        remove::remove(staging.dir().as_fd(), draft)?;
        let written = at::create_file(staging.dir().as_fd(), draft).map_err(failed)?;
        bytes::write_all_at(&written, bytes, 0).map_err(|e| WorkspaceError::io("write", file.path.as_bytes(), e))?;
        let mode = file.mode.unwrap_or(0o644) & 0o777;
        rustix::fs::fchmod(&written, Mode::from_raw_mode(mode)).map_err(failed)?;

        let mut above = DirStack::new(self.dir().as_fd()).map_err(failed)?;
        if let Some(parent) = file.path.parent() {
            for component in parent.components() {
                let name = CString::new(component.as_encoded_bytes()).map_err(|_| failed(Errno::INVAL))?;
                tree::push_dir(&mut above, &name, 0o755, parent.as_bytes())?;
            }
        }
        let name = tree::c_name(&file.path);
        for _ in 0..tree::RACE_TRIES {
            match rustix::fs::renameat(staging.dir(), draft, above.top(), &name) {
                Err(Errno::ISDIR | Errno::NOTEMPTY | Errno::EXIST) => remove::remove(above.top(), &name)?,
                moved => return moved.map_err(failed),
            }
        }
        Err(WorkspaceError::Changing { path: file.path.to_string() })
    }
}
