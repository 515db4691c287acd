//! Putting input files into a workspace, whatever a guest has put in their place.

use std::ffi::{CStr, CString};
use std::os::fd::AsFd;

use rustix::fs::Mode;
use rustix::io::Errno;

use super::memory::{PAGE, Room};
use super::open::PrivateDir;
use super::stack::DirStack;
use super::{Workspace, WorkspaceError, WorkspacePath, at, bytes, remove, tree, usage};

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
}

impl InputFile {
    /// Makes an input file with mode 0644.
    pub fn new(path: WorkspacePath, content: InputContent) -> Self {
        Self { path, content, mode: None }
    }
}

impl InputContent {
    /// Gives about how many bytes it takes; a value that is not written yet counts as large.
    pub(crate) fn size_hint(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Json(_) => 1 << 30,
        }
    }

    fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Bytes(bytes) => bytes,
            Self::Json(value) => format!("{value:#}").into_bytes(),
        }
    }
}

impl Workspace {
    /// Writes input files. Each appears whole or not at all, and replaces whatever stands in its place: a link, a
    /// directory, a FIFO; directories above it are made, and links or files in their place replaced.
    ///
    /// # Errors
    ///
    /// When a file cannot be written, of kind `InputFileWrite`; those before it are there.
    pub fn write_input_files(&self, files: &[InputFile]) -> Result<(), WorkspaceError> {
        if files.is_empty() {
            return Ok(());
        }
        let contents: Vec<Vec<u8>> = files.iter().map(|file| file.content.clone().into_bytes()).collect();
        let room = files.iter().zip(&contents).fold(Room { bytes: 0, entries: 1 }, |sum, (file, bytes)| {
            let above = file.path.components().count() as u64;
            let own = usage::room_for_file(bytes.len() as u64);
            Room { bytes: sum.bytes + own.bytes + above * PAGE, entries: sum.entries + own.entries + above }
        });
        let write = || {
            let staging = PrivateDir::make(self.space(), "input")?;
            let written = files.iter().zip(&contents).try_for_each(|(file, bytes)| {
                let named = |source| WorkspaceError::Input { path: file.path.to_string(), source: Box::new(source) };
                self.write_one(&staging, file, bytes).map_err(named)
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
