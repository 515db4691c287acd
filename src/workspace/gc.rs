//! Removing what dead owners left: found by their free locks, never by age or process id.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString, OsStr};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::fs::{AtFlags, Mode, OFlags};

use super::owner::{ELSEWHERE, LOCK, OWNERS, OwnerId, PREFIX, try_lock};
use super::{WorkspaceError, at, base, remove};
use crate::error::ExecutionError;
use crate::host::Host;

/// Whether [`gc`] removes or only looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GcMode {
    /// Says what would be removed.
    DryRun,
    /// Removes it.
    Remove,
}

/// Whose directories [`gc`] removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GcScope {
    /// Those of owners whose lock is there and free.
    DeadOwners,
    /// Also those whose owner left no lock at all and that nobody holds open.
    Ownerless,
}

/// What [`gc`] found and did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct GcReport {
    /// The dead owners.
    pub dead_owners: Vec<OwnerId>,
    /// Where else dead owners made things, for the runtimes that know these places.
    pub elsewhere: Vec<Elsewhere>,
    /// What was removed there, or would be.
    pub removed_elsewhere: Vec<String>,
    /// What could not be asked or removed there.
    pub failed_elsewhere: Vec<(String, ExecutionError)>,
    /// Directories that were removed, or would be.
    pub removed: Vec<PathBuf>,
    /// Directories that nobody holds open and whose owner left no lock; removed in [`GcScope::Ownerless`].
    pub ownerless: Vec<PathBuf>,
    /// How many directories belong to owners that are alive.
    pub alive: usize,
    /// What could not be read or removed, and why.
    pub failures: Vec<(PathBuf, WorkspaceError)>,
}

/// A place outside of this host's directories where an owner made things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// Whose things.
    pub owner: OwnerId,
    /// The runtime that knows the place.
    pub runtime: String,
    /// Where: the endpoint of an engine.
    pub place: String,
}

/// Finds the workspace directories of dead owners and removes them, beside running engines at any time.
///
/// What they own outside of this host's directories only the runtimes can remove:
/// [`RuntimeRegistry::gc`](crate::RuntimeRegistry::gc). Their locks stay until that was done.
///
/// Looks in the base directories that the dead recorded, in the host's own and in its temp directory.
/// Directories of other users are left alone.
pub fn gc(host: &Host, mode: GcMode, scope: GcScope) -> GcReport {
    gc_after(host, mode, scope, &BTreeSet::new())
}

/// Does what [`gc`] does, when what these owners had elsewhere was removed.
pub(crate) fn gc_after(host: &Host, mode: GcMode, scope: GcScope, done: &BTreeSet<OwnerId>) -> GcReport {
    let mut report = GcReport::default();
    let mut places: BTreeSet<PathBuf> = BTreeSet::from([base::directory_path(host).to_owned()]);
    places.insert(host.dirs.temp.clone().unwrap_or_else(|| "/tmp".into()));
    let owners = host.dirs.state.as_deref().map(|state| Owners::read(&state.join(OWNERS), &mut report));
    let owners = owners.unwrap_or_default();
    for dead in owners.dead.values() {
        places.extend(dead.bases.iter().cloned());
    }
    let mut kept = BTreeSet::new();
    for place in &places {
        sweep(place, &owners, mode, scope, &mut report, &mut kept);
    }
    for (id, dead) in &owners.dead {
        let name = format!("{id}{LOCK}");
        let elsewhere = dead.elsewhere.iter().map(|(runtime, place)| Elsewhere {
            owner: id.clone(),
            runtime: runtime.clone(),
            place: place.clone(),
        });
        report.elsewhere.extend(elsewhere);
        let is_done = dead.elsewhere.is_empty() || done.contains(id);
        if mode == GcMode::Remove
            && is_done
            && !kept.contains(id)
            && let Err(error) = rustix::fs::unlinkat(&dead.directory, &name, AtFlags::empty())
        {
            report.failures.push((place_of(host, &name), WorkspaceError::io("remove", name.as_bytes(), error)));
        }
        report.dead_owners.push(id.clone());
    }
    report
}

fn place_of(host: &Host, lock: &str) -> PathBuf {
    host.dirs.state.as_deref().unwrap_or(Path::new("")).join(OWNERS).join(lock)
}

/// Owners that left a lock.
#[derive(Debug, Default)]
struct Owners {
    alive: BTreeSet<OwnerId>,
    dead: BTreeMap<OwnerId, Dead>,
}

#[derive(Debug)]
struct Dead {
    /// Held while their directories are removed, so that two `gc` do not meet.
    _lock: OwnedFd,
    directory: OwnedFd,
    bases: Vec<PathBuf>,
    /// Runtimes, and the places that they know.
    elsewhere: Vec<(String, String)>,
}

impl Owners {
    fn read(path: &Path, report: &mut GcReport) -> Self {
        let mut owners = Self::default();
        let failed =
            |error: io::Error| (path.to_owned(), WorkspaceError::Owner { path: path.to_owned(), source: error });
        let directory = match Dir::open_ambient_dir(path, ambient_authority()) {
            Ok(directory) => directory,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return owners,
            Err(error) => {
                report.failures.push(failed(error));
                return owners;
            }
        };
        match names_in(&directory) {
            Ok(names) => names.iter().for_each(|name| owners.add(&directory, name)),
            Err(error) => report.failures.push(failed(error.into())),
        }
        owners
    }

    fn add(&mut self, directory: &Dir, name: &CStr) {
        let Ok(text) = name.to_str() else { return };
        let is_draft = text.starts_with('.') && text.ends_with(".new");
        let id = text.strip_suffix(LOCK).and_then(OwnerId::parse);
        if !is_draft && id.is_none() {
            return;
        }
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let Ok(file) = rustix::fs::openat(directory, name, flags, Mode::empty()) else { return };
        match id {
            Some(id) if !try_lock(&file) => {
                self.alive.insert(id);
            }
            Some(id) => {
                let (Ok(lines), Ok(directory)) = (read_lines(&file), directory.as_fd().try_clone_to_owned()) else {
                    return;
                };
                let (bases, others): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.is_absolute());
                let elsewhere = others.iter().filter_map(|line| {
                    let (runtime, place) = line.to_str()?.strip_prefix(ELSEWHERE)?.split_once(' ')?;
                    Some((runtime.to_owned(), place.to_owned()))
                });
                let elsewhere = elsewhere.collect();
                self.dead.insert(id, Dead { _lock: file, directory, bases, elsewhere });
            }
            // A draft that nobody holds: its owner died, or makes another when it finds this one gone.
            None if try_lock(&file) => {
                let _ = rustix::fs::unlinkat(directory, name, AtFlags::empty());
            }
            None => {}
        }
    }
}

fn read_lines(file: &OwnedFd) -> io::Result<Vec<PathBuf>> {
    let mut text = Vec::new();
    std::fs::File::from(file.try_clone()?).take(1 << 20).read_to_end(&mut text)?;
    let lines = text.split(|byte| *byte == 0).filter(|line| !line.is_empty());
    Ok(lines.map(|line| PathBuf::from(OsStr::from_bytes(line))).collect())
}

fn names_in(directory: &Dir) -> Result<Vec<CString>, rustix::io::Errno> {
    let open = at::open_again(directory.as_fd())?;
    Ok(at::list(open.as_fd(), u64::MAX)?.unwrap_or_default())
}

/// Reads the owner out of the name of a workspace directory.
fn owner_of(name: &CStr) -> Option<OwnerId> {
    let (id, number) = name.to_str().ok()?.strip_prefix(PREFIX)?.split_once('-')?;
    number.parse::<u64>().ok()?;
    OwnerId::parse(id)
}

/// Lists the workspace directories of this user in a base directory.
fn workspaces(place: &Dir) -> Vec<(CString, OwnerId)> {
    let names = names_in(place).unwrap_or_default();
    let own = rustix::process::geteuid().as_raw();
    let is_ours = |name: &CStr| {
        at::meta_at(place.as_fd(), name).is_ok_and(|meta| meta.kind == at::Kind::Directory && meta.user == own)
    };
    names.into_iter().filter_map(|name| owner_of(&name).filter(|_| is_ours(&name)).map(|id| (name, id))).collect()
}

/// Says whether nothing of an owner is left in a base directory.
pub(crate) fn is_clear_of(place: &Path, owner: &OwnerId) -> bool {
    // A place elsewhere: what is left there was said by whoever could not remove it.
    if !place.is_absolute() {
        return true;
    }
    let dir = match Dir::open_ambient_dir(place, ambient_authority()) {
        Ok(dir) => dir,
        Err(error) => return error.kind() == io::ErrorKind::NotFound,
    };
    names_in(&dir).is_ok_and(|names| !names.iter().any(|name| owner_of(name).as_ref() == Some(owner)))
}

fn sweep(
    place: &Path,
    owners: &Owners,
    mode: GcMode,
    scope: GcScope,
    report: &mut GcReport,
    kept: &mut BTreeSet<OwnerId>,
) {
    let dir = match Dir::open_ambient_dir(place, ambient_authority()) {
        Ok(dir) => dir,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(source) => {
            // It may open again: whoever recorded it stays known.
            let recorded = owners.dead.iter().filter(|(_, dead)| dead.bases.iter().any(|base| base == place));
            kept.extend(recorded.map(|(id, _)| id.clone()));
            let error = WorkspaceError::Base { path: place.to_owned(), source };
            report.failures.push((place.to_owned(), error));
            return;
        }
    };
    for (name, id) in workspaces(&dir) {
        let path = place.join(OsStr::from_bytes(name.to_bytes()));
        // An owner without a state directory still holds the directory itself.
        let is_held = at::open_dir(dir.as_fd(), &name).is_ok_and(|open| !try_lock(&open));
        let is_dead = owners.dead.contains_key(&id);
        if owners.alive.contains(&id) || is_held {
            report.alive += 1;
            kept.insert(id);
            continue;
        }
        if !is_dead {
            report.ownerless.push(path.clone());
            if scope == GcScope::DeadOwners {
                continue;
            }
        }
        let outcome = match mode {
            GcMode::DryRun => Ok(()),
            GcMode::Remove => remove::remove(dir.as_fd(), &name),
        };
        match outcome {
            Ok(()) => report.removed.push(path),
            Err(error) => {
                kept.insert(id);
                report.failures.push((path, error));
            }
        }
    }
}
