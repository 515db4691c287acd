//! The private place of one workspace: a memory file system or a directory, and its removal.

use std::ffi::{CString, OsStr};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, Mode};

use super::base::{Base, BaseDirectory};
use super::charge::Charges;
use super::memory::{self, Controls, MemoryGuard, Reservation, Room, Spare};
use super::owner::try_lock;
use super::{Owner, Quota, Reaper, WorkspaceError, at, remove};

/// A memory file system with no more in use than this counts as empty as soon as nobody wants it any more.
const LITTLE: u64 = 8 << 20;

/// One with no more entries is emptied by whoever drops it.
const FEW: u64 = 128;

/// The private parent directory of a workspace, which only this user can enter. Dropping it enqueues its removal.
#[derive(Debug)]
pub(crate) struct Space {
    root: Dir,
    place: Place,
    owner: Arc<Owner>,
    reaper: Arc<Reaper>,
    next: AtomicU64,
    removed: AtomicBool,
}

#[derive(Debug)]
enum Place {
    Memory(Box<Memory>),
    Directory {
        base: Arc<BaseDirectory>,
        name: CString,
        path: PathBuf,
        charges: Charges,
    },
    /// Removed already.
    Gone,
}

#[derive(Debug)]
struct Memory {
    room: Mutex<Room>,
    controls: Controls,
    reservation: Reservation,
    /// What is in use of it when it is empty.
    blank: Room,
    guard: Arc<MemoryGuard>,
}

impl Memory {
    fn set_room(&self, room: Room) -> Result<(), WorkspaceError> {
        if !self.reservation.resize(room.bytes) {
            let source = std::io::ErrorKind::StorageFull.into();
            return Err(WorkspaceError::Memory { operation: "resized", source });
        }
        memory::resize(&self.controls, room)
    }
}

impl Space {
    pub(crate) fn open(
        base: &Base,
        owner: &Arc<Owner>,
        quota: Quota,
        reaper: &Arc<Reaper>,
    ) -> Result<Self, WorkspaceError> {
        let (root, place) = match open_memory(base, quota) {
            Some(made) => made,
            None => open_directory(base.directory(), owner)?,
        };
        Ok(Self {
            root,
            place,
            owner: owner.clone(),
            reaper: reaper.clone(),
            next: AtomicU64::new(1),
            removed: AtomicBool::new(false),
        })
    }

    pub(crate) fn root(&self) -> &Dir {
        &self.root
    }

    pub(crate) fn is_memory(&self) -> bool {
        matches!(self.place, Place::Memory(_))
    }

    /// Gives the path of the parent directory, where there is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::Directory { path, .. } => Some(path),
            Place::Memory(_) | Place::Gone => None,
        }
    }

    /// Makes a directory in the parent that nobody has yet, or opens it.
    pub(crate) fn make_dir(&self, name: &str, mode: u32) -> Result<Dir, WorkspaceError> {
        let failed = |error: rustix::io::Errno| WorkspaceError::io("make the directory", name.as_bytes(), error);
        let name = CString::new(name).map_err(|_| failed(rustix::io::Errno::INVAL))?;
        let made = at::make_dir(self.root.as_fd(), &name, mode).map_err(failed)?;
        // The umask of the process is not ours to know.
        rustix::fs::fchmod(&made, Mode::from_raw_mode(mode)).map_err(failed)?;
        Ok(Dir::from_std_file(made.into()))
    }

    /// Gives a name that was not used in this parent.
    pub(crate) fn fresh_name(&self, prefix: &str) -> String {
        format!("{prefix}-{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Removes something in the parent, later if that takes time, and takes back the room that it was given.
    pub(crate) fn remove_later(self: &Arc<Self>, name: &str, granted: Room) {
        let Ok(name) = CString::new(name) else { return };
        if rustix::fs::unlinkat(self.root.as_fd(), &name, AtFlags::REMOVEDIR).is_ok() {
            self.take_back(granted);
            return;
        }
        // Without the space itself: its own removal waits for nobody.
        let (space, Ok(root)) = (Arc::downgrade(self), self.root.try_clone()) else { return };
        self.reaper.enqueue(move || {
            let removed = remove::remove(root.as_fd(), &name);
            if let Some(space) = space.upgrade() {
                space.take_back(granted);
            }
            Ok(removed?)
        });
    }

    /// Does something of the host's that fills the memory file system, without taking it from the guest's quota.
    ///
    /// `estimate` is the most that it may need; afterwards the quota has grown by what it did need, which is given too.
    pub(crate) fn with_room<T>(
        &self,
        estimate: Room,
        work: impl FnOnce() -> Result<T, WorkspaceError>,
    ) -> Result<(T, Room), WorkspaceError> {
        let memory = match &self.place {
            Place::Memory(memory) => memory,
            Place::Directory { charges, .. } => {
                charges.grant(estimate);
                return Ok((work()?, Room::default()));
            }
            Place::Gone => return Ok((work()?, Room::default())),
        };
        let mut room = memory.room.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |error: rustix::io::Errno| WorkspaceError::io("measure", b"", error);
        let before = memory::used(&self.root).map_err(failed)?;
        memory.set_room(plus(*room, estimate))?;
        let outcome = work();
        let after = memory::used(&self.root).map_err(failed)?;
        let needed = Room {
            bytes: after.bytes.saturating_sub(before.bytes),
            entries: after.entries.saturating_sub(before.entries),
        };
        let settled = plus(*room, needed);
        let shrunk = memory.set_room(settled);
        *room = settled;
        let done = outcome?;
        shrunk.map(|()| (done, needed))
    }

    /// Does something of the host's after which the quota is set anew: it may use what is left of that meanwhile.
    pub(crate) fn before_renewal<T>(
        &self,
        estimate: Room,
        work: impl FnOnce() -> Result<T, WorkspaceError>,
    ) -> Result<T, WorkspaceError> {
        let has_room = |left: Room| left.bytes >= estimate.bytes && left.entries >= estimate.entries;
        match self.is_memory() && memory::left(&self.root).is_ok_and(has_room) {
            true => work(),
            false => Ok(self.with_room(estimate, work)?.0),
        }
    }

    /// Does something of the host's that takes exactly this much, without taking it from the guest's quota.
    pub(crate) fn with_exactly<T>(
        &self,
        room: Room,
        work: impl FnOnce() -> Result<T, WorkspaceError>,
    ) -> Result<(T, Room), WorkspaceError> {
        let Place::Memory(memory) = &self.place else { return self.with_room(room, work) };
        let mut held = memory.room.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *held;
        let grown = plus(before, room);
        memory.set_room(grown)?;
        *held = grown;
        let done = work();
        if done.is_err() && memory.set_room(before).is_ok() {
            *held = before;
        }
        Ok((done?, room))
    }

    /// Gives the account of guests' writes where no file system holds the quota.
    pub(crate) fn charges(&self) -> Option<&Charges> {
        match &self.place {
            Place::Directory { charges, .. } => Some(charges),
            Place::Memory(_) | Place::Gone => None,
        }
    }

    /// Sets the quota to what is in use and this much more.
    pub(crate) fn set_left(&self, left: Room) -> Result<(), WorkspaceError> {
        let Place::Memory(memory) = &self.place else {
            self.charges().into_iter().for_each(Charges::renew);
            return Ok(());
        };
        let mut room = memory.room.lock().unwrap_or_else(PoisonError::into_inner);
        let used = memory::used(&self.root).map_err(|e| WorkspaceError::io("measure", b"", e))?;
        let wanted = plus(used, left);
        if wanted != *room {
            memory.set_room(wanted)?;
            *room = wanted;
        }
        Ok(())
    }

    /// Makes the quota smaller again, as far as what is in use allows.
    fn take_back(&self, granted: Room) {
        let Place::Memory(memory) = &self.place else { return };
        if granted == Room::default() {
            return;
        }
        let mut room = memory.room.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(used) = memory::used(&self.root) else { return };
        let wanted = Room {
            bytes: room.bytes.saturating_sub(granted.bytes).max(used.bytes),
            entries: room.entries.saturating_sub(granted.entries).max(used.entries),
        };
        // A file system that stays too large for a while is no failure.
        if memory.set_room(wanted).is_ok() {
            *room = wanted;
        }
    }

    /// Removes everything now and says what could not be. Idempotent.
    ///
    /// A memory file system goes with its last descriptor; while others are `held` it is emptied instead.
    pub(crate) fn remove(&self, held: bool) -> Result<(), WorkspaceError> {
        match &self.place {
            Place::Memory(_) if held => remove::clear(self.root.as_fd()),
            Place::Memory(_) | Place::Gone => Ok(()),
            Place::Directory { .. } if self.removed.swap(true, Ordering::AcqRel) => Ok(()),
            Place::Directory { base, name, .. } => {
                let removed = remove::remove(base.dir.as_fd(), name);
                self.removed.store(removed.is_ok(), Ordering::Release);
                removed
            }
        }
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.place, Place::Gone) {
            Place::Gone => {}
            Place::Directory { .. } if *self.removed.get_mut() => {}
            Place::Memory(memory) => {
                let Memory { controls, reservation, blank, guard, .. } = *memory;
                let used = memory::used(&self.root).unwrap_or(Room { bytes: u64::MAX, entries: u64::MAX });
                // What little holds is free for the next one at once; the rest is when it is given back.
                let reservation = (used.bytes > LITTLE).then_some(reservation);
                let is_soon_empty = used.bytes <= LITTLE && used.entries <= FEW;
                let left = if is_soon_empty { Spare::of(&self.root, controls, blank) } else { Err(controls) };
                let (spare, controls) =
                    left.map_or_else(|controls| (None, Some(controls)), |spare| (Some(spare), None));
                let surplus = guard.spares().leave(spare);
                if controls.is_some() || !surplus.is_empty() {
                    self.reaper.enqueue(move || {
                        drop((controls, surplus, reservation));
                        Ok(())
                    });
                }
            }
            Place::Directory { base, name, .. } => {
                // The owner's lock lasts until the directory is gone.
                let owner = self.owner.clone();
                self.reaper.enqueue(move || {
                    let removed = remove::remove(base.dir.as_fd(), &name);
                    drop(owner);
                    Ok(removed?)
                });
            }
        }
    }
}

fn plus(room: Room, more: Room) -> Room {
    let bytes = room.bytes.div_ceil(memory::PAGE).saturating_mul(memory::PAGE);
    Room { bytes: bytes.saturating_add(more.bytes), entries: room.entries.saturating_add(more.entries) }
}

fn open_memory(base: &Base, quota: Quota) -> Option<(Dir, Place)> {
    // Without a disk limit there is none to hold: memory has no room for that.
    let (guard, bytes) = (base.memory()?, quota.bytes?);
    let room = Room { bytes, entries: quota.entries.unwrap_or(memory::DEFAULT_ENTRIES) };
    let reservation = guard.reserve(bytes)?;
    let spare = guard.spares().enter();
    let reused = spare.filter(|spare| memory::resize(&spare.controls, room).is_ok());
    let Some(Spare { root, controls, blank }) = reused.or_else(|| mount(room)) else {
        drop(guard.spares().leave(None));
        return None;
    };
    let memory = Memory { room: Mutex::new(room), controls, reservation, blank, guard: Arc::clone(guard) };
    Some((root, Place::Memory(Box::new(memory))))
}

fn mount(room: Room) -> Option<Spare> {
    let (root, controls) = memory::mount(room).ok()?;
    let blank = memory::used(&root).ok()?;
    Some(Spare { root: Dir::from_std_file(root.into()), controls, blank })
}

fn open_directory(base: &Arc<BaseDirectory>, owner: &Arc<Owner>) -> Result<(Dir, Place), WorkspaceError> {
    let failed = |error: rustix::io::Errno| WorkspaceError::Base { path: base.path.clone(), source: error.into() };
    let name = owner.name_in(&base.path)?;
    let path = base.path.join(OsStr::from_bytes(name.as_bytes()));
    let name = CString::new(name).expect("an owner's names are hexadecimal");
    rustix::fs::mkdirat(&base.dir, &name, Mode::RWXU).map_err(failed)?;
    let root = at::open_dir(base.dir.as_fd(), &name).inspect_err(|_| {
        // Nobody would remove it before this process ends. The failure before it is the one to tell.
        let _ = rustix::fs::unlinkat(&base.dir, &name, AtFlags::REMOVEDIR);
    });
    let root = root.map_err(failed)?;
    // `gc` leaves alone what is held, although an owner without a state directory has no lock of its own.
    let _ = try_lock(&root);
    Ok((
        Dir::from_std_file(root.into()),
        Place::Directory { base: base.clone(), name, path, charges: Charges::default() },
    ))
}
