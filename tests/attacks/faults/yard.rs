//! A source, a base for workspaces and a store, and what has to be true of them afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick::{Base, BaseNeed, Host, Owner, Quota, Reaper, Restore, SnapshotId, SnapshotStore, Take, Workspace};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::io::Errno;

use super::faults::{Fault, under};

/// What the system answers beside `EIO`: the device is full, the process has no descriptor left, or no right.
const OTHERS: [Errno; 3] = [Errno::NOSPC, Errno::MFILE, Errno::ACCESS];

const LONG: Duration = Duration::from_secs(60);

/// Above 1 MiB, where blobs are files of their own.
const LARGE: usize = (1 << 20) + (1 << 18);

/// What a tree holds: by path the permissions, and the content, the target or nothing.
pub(crate) type Held = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// One round: the work of which one call fails, once it is there.
pub(crate) struct Round {
    fault: Fault,
    hit: Option<i32>,
}

impl Round {
    pub(crate) fn under<T: Send>(&mut self, work: impl FnOnce() -> T + Send) -> T {
        let (given, hit) = under(self.fault, work);
        self.hit = hit;
        given
    }

    /// Says whether what failed was for the lack of a right.
    pub(crate) fn lacks_the_right(&self) -> bool {
        self.fault.error == Errno::ACCESS && self.hit.is_some()
    }
}

/// Does a round for every call of its work, until the work makes no call of that number: once with a broken device,
/// once with one of the other errors in turn. `round` asserts what it has to about the outcome.
pub(crate) fn every_call(mut round: impl FnMut(&mut Round)) {
    for number in 1.. {
        let mut is_over = true;
        for error in [Errno::IO, OTHERS[number % OTHERS.len()]] {
            let mut this = Round { fault: Fault { number: number as u64, error }, hit: None };
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| round(&mut this)));
            assert!(done.is_ok(), "{:?}, which was call {:?}", this.fault, this.hit);
            is_over &= this.hit.is_none();
        }
        if is_over {
            assert!(number > 5, "the work makes calls");
            break;
        }
    }
}

pub(crate) struct Yard {
    temp: tempfile::TempDir,
    host: Host,
    owner: Arc<Owner>,
    reaper: Arc<Reaper>,
}

impl Yard {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        for name in ["base", "state", "source", "other"] {
            fs::create_dir(temp.path().join(name)).unwrap();
        }
        fill(&temp.path().join("source"), "source");
        fill(&temp.path().join("other"), "other");
        let mut host = Host::default();
        host.dirs.temp = Some(temp.path().join("base"));
        host.dirs.state = Some(temp.path().join("state"));
        let owner = Owner::open(&host).unwrap();
        let reaper = Reaper::new();
        // Its thread must not be a child of one whose calls fail.
        reaper.enqueue(|| Ok(()));
        Self { temp, host, owner, reaper }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    pub(crate) fn base(&self) -> Base {
        Base::choose(&self.host, BaseNeed::Directory).unwrap()
    }

    pub(crate) fn open(&self, base: &Base) -> Result<Workspace, bailiwick::WorkspaceError> {
        Workspace::open(base, &self.owner, Quota::default(), &self.reaper)
    }

    pub(crate) fn store(&self) -> SnapshotStore {
        SnapshotStore::open_ambient(&self.path("store")).unwrap()
    }

    /// Keeps a directory in a store of the yard.
    pub(crate) fn keep(&self, store: &SnapshotStore, name: &str) -> SnapshotId {
        let taken = store.take(&dir(&self.path(name)), Take::default()).unwrap();
        store.keep(&taken.snapshot, name, 0).unwrap().id
    }

    /// Asserts that another process finds a snapshot in the store, whole, after whatever happened.
    pub(crate) fn assert_stored(&self, id: SnapshotId, name: &str) {
        let to = self.path("restored");
        self.store().open(id).unwrap().restore_ambient(&to, Restore::Mirror, None).unwrap();
        assert_eq!(held(&to), held(&self.path(name)));
    }

    /// Asserts that nothing half-written is in the store.
    pub(crate) fn assert_no_drafts(&self) {
        let drafts: Vec<PathBuf> = held(&self.path("store")).into_keys().filter(|path| is_draft(path)).collect();
        assert!(drafts.is_empty(), "{drafts:?}");
    }

    /// Asserts that nothing is left of any workspace, and that nobody has a file of the yard open.
    pub(crate) fn close(self) {
        let flushed = self.reaper.flush(LONG);
        assert!(flushed.failures.is_empty() && flushed.unfinished == 0, "{flushed:?}");
        assert_eq!(fs::read_dir(self.path("base")).unwrap().count(), 0, "a workspace is left");
        let Self { temp, host: _, owner, reaper } = self;
        drop((owner, reaper));
        // The clean-up thread lets go of the last ones itself.
        let began = Instant::now();
        while let [_, ..] = open_below(temp.path()).as_slice() {
            assert!(began.elapsed() < LONG, "left open: {:?}", open_below(temp.path()));
            std::thread::yield_now();
        }
    }
}

/// Lists the descriptors of this process that lead below a directory.
fn open_below(path: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir("/proc/self/fd").unwrap().flatten();
    all.filter_map(|entry| fs::read_link(entry.path()).ok()).filter(|target| target.starts_with(path)).collect()
}

fn is_draft(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

pub(crate) fn dir(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

/// Fills a directory with one of each kind.
fn fill(root: &Path, text: &str) {
    fs::create_dir_all(root.join("deep/er")).unwrap();
    fs::create_dir(root.join("empty")).unwrap();
    fs::write(root.join("main.py"), text).unwrap();
    fs::write(root.join("deep/er/x.txt"), text.repeat(3)).unwrap();
    fs::write(root.join(format!("{text}.only")), text).unwrap();
    fs::write(root.join("large"), text.repeat(LARGE / text.len())).unwrap();
    symlink("main.py", root.join("link")).unwrap();
    fs::set_permissions(root.join("main.py"), fs::Permissions::from_mode(0o750)).unwrap();
    fs::set_permissions(root.join("deep"), fs::Permissions::from_mode(0o500)).unwrap();
}

/// Reads a whole tree.
pub(crate) fn held(root: &Path) -> Held {
    let (mut found, mut folders) = (Held::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let content = match (meta.is_dir(), meta.is_symlink()) {
                (true, _) => Vec::new(),
                (_, true) => fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes(),
                (_, false) => fs::read(&path).unwrap(),
            };
            found.insert(path.strip_prefix(root).unwrap().to_owned(), (meta.mode() & 0o7777, content));
            if meta.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}
