//! Full disks, closed directories, trees that are too large.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

use bailiwick::{ErrorKind, ExecutionError, GcMode, Restore, SnapshotStore, Take, WorkspaceError};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};

use crate::yard::{Yard, dir, files, large, restore, take};

/// Makes a file system of so many bytes that has no path but through its descriptor.
fn small_disk(size: &str) -> Option<(OwnedFd, PathBuf)> {
    let mount = || {
        let system = rustix::mount::fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        rustix::mount::fsconfig_set_string(&system, "size", size)?;
        rustix::mount::fsconfig_create(&system)?;
        rustix::mount::fsmount(&system, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
    };
    let Ok(mounted) = mount() else {
        println!("skipped: nothing can be mounted on this host");
        return None;
    };
    let path = PathBuf::from(format!("/proc/self/fd/{}", mounted.as_raw_fd()));
    Some((mounted, path))
}

fn is_full(error: WorkspaceError) {
    let error = ExecutionError::from(error);
    assert_eq!(error.kind(), ErrorKind::Workspace);
    assert!(error.hint().is_some_and(|hint| hint.starts_with("free some space")), "{error:?}");
}

#[test]
fn a_store_on_a_full_disk_loses_nothing_and_leaves_nothing_half_written() {
    let Some((_disk, path)) = small_disk("4m") else { return };
    let yard = Yard::new();
    let store = SnapshotStore::open_ambient(&path.join("store")).unwrap();
    yard.write("a", "kept");
    let kept = take(&store, &yard.path("tree")).snapshot;
    store.keep(&kept, "before", 0).unwrap();
    let before = files(&path.join("store"));
    for fill in ["many", "large"] {
        match fill {
            "many" => (0..200_u8).for_each(|number| yard.write(&format!("many/{number}"), vec![number; 50_000])),
            _ => yard.write("large", vec![3; 6 << 20]),
        }
        is_full(store.take(&dir(&yard.path("tree")), Take::default()).unwrap_err());
        assert_eq!(files(&path.join("store")), before, "{fill}");
        fs::remove_dir_all(yard.path("tree/many")).unwrap_or_default();
    }
    fs::remove_file(yard.path("tree/large")).unwrap();
    // There is room again: it goes on as if nothing had been.
    yard.write("b", "later");
    let later = take(&store, &yard.path("tree")).snapshot;
    restore(&later, &yard.path("later"));
    restore(&kept, &yard.path("kept"));
    assert_eq!((files(&yard.path("later")).len(), files(&yard.path("kept")).len()), (2, 1));
    assert!(store.gc(GcMode::Remove).unwrap().failures.is_empty());
}

#[test]
fn a_directory_on_a_full_disk_is_what_it_was() {
    let Some((_disk, path)) = small_disk("4m") else { return };
    let yard = Yard::new();
    yard.write("sub/one", large(1));
    yard.write("sub/two", large(2));
    yard.write("three", large(3));
    let snapshot = yard.take().snapshot;
    let to = path.join("to");
    fs::create_dir(&to).unwrap();
    fs::write(to.join("mine"), large(4)).unwrap();
    // Each alone fits, both beside each other do not.
    is_full(snapshot.restore_ambient(&to, Restore::Mirror, None).unwrap_err());
    assert_eq!(files(&to), [to.join("mine")]);
    assert_eq!(fs::read(to.join("mine")).unwrap(), large(4));
    fs::remove_file(to.join("mine")).unwrap();
    restore(&snapshot, &to);
    assert_eq!(files(&to).len(), 3);
    is_full(snapshot.restore_ambient(&path.join("second"), Restore::Empty, None).unwrap_err());
    assert!(!path.join("second").exists());
}

#[test]
fn a_place_that_cannot_be_written_is_named_with_a_hint() {
    let yard = Yard::new();
    fs::write(yard.path("file"), "x").unwrap();
    let error = ExecutionError::from(SnapshotStore::open_ambient(&yard.path("file")).unwrap_err());
    assert!(error.to_string().contains("file"), "{error}");
    let error = SnapshotStore::open_ambient(std::path::Path::new("/proc/no/store")).unwrap_err();
    assert!(error.to_string().contains("/proc/no/store"), "{error}");
    let snapshot = yard.take().snapshot;
    let refused = snapshot.restore_ambient(&yard.path("store"), Restore::Empty, None).unwrap_err();
    assert!(matches!(refused, WorkspaceError::DestinationNotEmpty { .. }), "{refused}");
    let refused = snapshot.restore_ambient(std::path::Path::new("/"), Restore::Mirror, None).unwrap_err();
    assert!(matches!(refused, WorkspaceError::Destination { .. }), "{refused}");
}
