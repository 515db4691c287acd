//! Capturing a workspace with all its content, to go back to it or to fork it.

use std::os::fd::AsFd;

use cap_std::fs::Dir;
use rustix::fs::Mode;

use super::super::copy_options::{Bounds, CopyOptions, CopyReport, Modes, Times};
use super::super::memory::Room;
use super::super::open::PrivateDir;
use super::super::{Workspace, WorkspaceError, at, remove, tree, usage};
use super::beside;
use super::{Capture, Manifest, Scan, Snapshot, SnapshotStore, StatCache, Take, TakeMemory, Taken, scan};

/// The content of a workspace at one moment, kept beside it on the same file system, shared with it where the file
/// system can. It lives as long as this value, even when its workspace is closed before.
#[derive(Debug)]
pub struct Captured {
    dir: PrivateDir,
    /// The permissions of the workspace's own directory.
    mode: u32,
    report: CopyReport,
}

impl Captured {
    /// Says what was captured. Specials are never part of it.
    pub fn report(&self) -> &CopyReport {
        &self.report
    }

    /// Gives the content, to be read by its paths.
    pub(crate) fn content(&self) -> &Dir {
        self.dir.dir()
    }

    /// Takes the manifest of what was captured.
    ///
    /// # Errors
    ///
    /// When the host cannot read it.
    pub fn scan(&self) -> Result<Scan, WorkspaceError> {
        scan(self.dir.dir(), &Capture::All, None, Bounds { entries: u64::MAX, bytes: u64::MAX })
    }
}

impl Workspace {
    /// Captures what the scope takes: content, permissions and modification times; hard links become independent files.
    ///
    /// # Errors
    ///
    /// When the workspace is larger than the bounds, or there is no room for a copy.
    pub fn capture(&self, scope: &Capture, bounds: Bounds) -> Result<Captured, WorkspaceError> {
        let mut room = usage::room_for_copy(self.dir().as_fd(), bounds.entries)?;
        room.entries += 1;
        let mode = at::meta(self.dir()).map_err(|e| WorkspaceError::io("look at", b"", e))?.mode;
        let copy = || {
            let dir = PrivateDir::make(self.space(), "capture")?;
            let mut options = CopyOptions::new(Modes::Exact, Times::Keep);
            (options.bounds, options.ignore, options.keep) = (bounds, scope.ignore(), scope.keep());
            let report = tree::copy_tree(self.dir(), None, dir.dir(), None, options)?;
            Ok(Captured { dir, mode, report })
        };
        let (mut captured, granted) = self.space().with_room(room, copy)?;
        captured.dir.grant(granted);
        Ok(captured)
    }

    /// Makes the content equal to what was captured, in this workspace or in another one; the directory itself stays,
    /// and the quota is whole again.
    ///
    /// Nothing may run in the workspace meanwhile. The captured workspace is only read.
    ///
    /// # Errors
    ///
    /// When something cannot be removed or written; the workspace is then between the two.
    pub fn restore(&self, captured: &Captured) -> Result<(), WorkspaceError> {
        remove::clear(self.dir().as_fd())?;
        let everything = Bounds { entries: u64::MAX, bytes: u64::MAX };
        let room = usage::room_for_copy(captured.dir.dir().as_fd(), everything.entries)?;
        let mut options = CopyOptions::new(Modes::Exact, Times::Keep);
        options.bounds = everything;
        let copy = || tree::copy_tree(captured.dir.dir(), None, self.dir(), None, options);
        self.space().before_renewal(room, copy)?;
        self.renew_quota()?;
        rustix::fs::fchmod(self.dir(), Mode::from_raw_mode(captured.mode))
            .map_err(|e| WorkspaceError::io("restore", b"", e))
    }

    /// Makes the content equal to a snapshot; the directory itself stays, and the guest's quota is as it was.
    ///
    /// Nothing may run in the workspace meanwhile. It is what it was before when this fails.
    ///
    /// # Errors
    ///
    /// When the store has not what was written, or there is no room for both contents.
    pub fn restore_snapshot(&self, snapshot: &Snapshot) -> Result<CopyReport, WorkspaceError> {
        let room = room_for(snapshot.manifest());
        Ok(self.space().with_room(room, || snapshot.restore(self.dir(), None))?.0)
    }

    /// Takes a snapshot of the workspace into a store; see [`SnapshotStore::take`].
    ///
    /// # Errors
    ///
    /// When the workspace is larger than the bounds or cannot be read, or the store cannot be written.
    pub fn take_snapshot(
        &self,
        store: &SnapshotStore,
        scope: &Capture,
        cache: Option<&StatCache>,
        bounds: Bounds,
    ) -> Result<Taken, WorkspaceError> {
        let memory = self.sound(cache).map_or(TakeMemory::None, TakeMemory::Cache);
        store.take(self.dir(), Take { scope: scope.clone(), bounds, memory, watch: None })
    }

    /// Takes the manifest of the workspace; see [`scan`].
    ///
    /// # Errors
    ///
    /// When the workspace is larger than the bounds or cannot be read.
    pub fn scan(&self, scope: &Capture, cache: Option<&StatCache>, bounds: Bounds) -> Result<Scan, WorkspaceError> {
        scan(self.dir(), scope, self.sound(cache), bounds)
    }

    /// Gives a cache only where every change leaves a trace.
    fn sound<'a>(&self, cache: Option<&'a StatCache>) -> Option<&'a StatCache> {
        // A memory file system does not stamp writes through a mapping, and on one that has a path native programs run.
        let is_sound = self.open_ambient_path().is_none() || !at::is_memory(self.dir());
        cache.filter(|_| is_sound)
    }
}

/// Says how much room a snapshot's content needs at most.
fn room_for(manifest: &Manifest) -> Room {
    let bytes = manifest.iter().map(|(_, entry)| usage::room_for_file(entry.size().unwrap_or(0)).bytes);
    Room { bytes: bytes.fold(0, u64::saturating_add), entries: manifest.len() as u64 + beside::ENTRIES }
}
