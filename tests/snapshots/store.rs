//! What is kept, found, listed, removed and collected.

use std::fs;
use std::ops::ControlFlow;

use bailiwick::{
    ErrorKind, ExecutionError, GcMode, Restore, SnapshotProgress, SnapshotStore, StoreError, Take, WorkspaceError,
    WorkspacePath,
};

use crate::yard::{Yard, dir, files, large, restore, take, take_remembering};

#[test]
fn content_is_written_once_however_often_it_is_there() {
    let yard = Yard::new();
    for name in ["a", "b/a", "c"] {
        yard.write(name, "the same");
        yard.write(&format!("large-{}", name.replace('/', "-")), large(1));
    }
    yard.write("empty", "");
    let first = yard.take();
    assert_eq!((first.read, yard.count("blobs"), yard.count("packs")), (7, 1, 2));
    let pack = files(&yard.path("store/packs")).into_iter().find(|path| path.extension().unwrap() == "pack").unwrap();
    assert_eq!(fs::read_to_string(pack).unwrap(), "the same");
    // Another process finds all of it there.
    yard.write("d", "the same");
    take(&yard.again(), &yard.path("tree"));
    assert_eq!((yard.count("blobs"), yard.count("packs"), yard.count("manifests")), (1, 2, 2));
}

#[test]
fn only_what_changed_is_read_again() {
    let yard = Yard::new();
    (0..50).for_each(|number| yard.write(&format!("d/{number}"), format!("content {number}")));
    yard.write("d/large", large(1));
    let mut rounds = 0;
    // Until the changes lie far enough back to be believed.
    while take_remembering(&yard.again(), &yard.path("tree")).read > 0 && rounds < 10_000 {
        rounds += 1;
    }
    yard.write("d/7", "content 7 changed");
    fs::remove_file(yard.path("tree/d/8")).unwrap();
    let taken = take_remembering(&yard.again(), &yard.path("tree"));
    assert_eq!((taken.read, taken.snapshot.manifest().len()), (1, 51));
    // What is remembered is worth nothing once the store has not the content any more.
    drop(taken);
    assert!(yard.again().gc(GcMode::Remove).unwrap().blobs > 0);
    let taken = take_remembering(&yard.again(), &yard.path("tree"));
    assert_eq!(taken.read, 50);
    restore(&taken.snapshot, &yard.path("restored"));
    assert_eq!(fs::read_to_string(yard.path("restored/d/7")).unwrap(), "content 7 changed");
    // A cache that is broken costs time and nothing else.
    files(&yard.path("store/stat")).iter().for_each(|path| fs::write(path, "broken").unwrap());
    assert_eq!(take_remembering(&yard.again(), &yard.path("tree")).snapshot.id(), taken.snapshot.id());
}

#[test]
fn kept_snapshots_are_listed_found_and_removed_by_id() {
    let yard = Yard::new();
    yard.write("a", "1");
    let first = yard.keep();
    yard.write("a", "2");
    let second = yard.keep();
    let store = yard.again();
    let listed = store.list().unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|kept| (kept.entries, kept.bytes, kept.source.as_str()) == (1, 1, "the tree")));
    assert_eq!(store.find(&first.to_string()[..16]).unwrap(), first);
    assert!(matches!(store.find(""), Err(StoreError::Unknown { .. })));
    assert!(matches!(store.find("zz"), Err(StoreError::Unknown { .. })));
    let opened = store.open(second).unwrap();
    assert_eq!(opened.read_file(&WorkspacePath::new("a").unwrap(), 9).unwrap().unwrap(), b"2");
    store.remove(first).unwrap();
    let error = ExecutionError::from(store.remove(first).unwrap_err());
    assert_eq!((error.kind(), error.hint().is_some()), (ErrorKind::Unavailable, true));
    assert_eq!(store.list().unwrap().len(), 1);
}

#[test]
fn gc_removes_what_nothing_reaches_and_nothing_else() {
    let yard = Yard::new();
    yard.write("shared", "shared");
    yard.write("first", "first");
    yard.write("first-large", large(1));
    let first = yard.keep();
    for name in ["first", "first-large"] {
        fs::remove_file(yard.path("tree").join(name)).unwrap();
    }
    yard.write("second", "second");
    yard.write("second-large", large(2));
    let second = yard.keep();
    yard.write("third", "third");
    let held = take(&yard.again(), &yard.path("tree")).snapshot;
    assert_eq!(yard.store.gc(GcMode::Remove).unwrap().blobs, 0, "all of it is kept or held");
    yard.store.remove(first).unwrap();
    let would = yard.again().gc(GcMode::DryRun).unwrap();
    assert_eq!((would.kept, would.held, would.manifests, would.blobs), (1, 1, 1, 2));
    assert!(yard.store.open(first).is_ok(), "a dry run removes nothing");
    let did = yard.again().gc(GcMode::Remove).unwrap();
    assert!(did.failures.is_empty(), "{did:?}");
    assert_eq!((did.manifests, did.blobs, did.bytes > 1 << 20), (would.manifests, would.blobs, true));
    assert!(matches!(yard.store.open(first), Err(StoreError::Unknown { .. })));
    let packed: Vec<u8> = files(&yard.path("store/packs")).iter().flat_map(|path| fs::read(path).unwrap()).collect();
    assert!(!packed.windows(5).any(|five| five == b"first"), "its bytes are gone");
    restore(&yard.store.open(second).unwrap(), &yard.path("second"));
    restore(&held, &yard.path("held"));
    assert_eq!(fs::read(yard.path("held/third")).unwrap(), b"third");
    drop(held);
    assert_eq!(yard.again().gc(GcMode::Remove).unwrap().manifests, 1);
    assert_eq!(files(&yard.path("second")).len(), 3);
}

#[test]
fn many_little_packs_become_one() {
    let yard = Yard::new();
    let mut ids = Vec::new();
    for number in 0..20 {
        yard.write(&format!("{number}"), format!("content {number}"));
        ids.push(yard.keep());
    }
    assert_eq!(yard.count("packs"), 40);
    assert!(yard.store.gc(GcMode::Remove).unwrap().failures.is_empty());
    assert_eq!(yard.count("packs"), 2);
    for (number, id) in ids.iter().enumerate() {
        let to = yard.path("restored");
        // The store that was open meanwhile, and one that was not.
        restore(&yard.store.open(*id).unwrap(), &to);
        restore(&yard.again().open(*id).unwrap(), &to);
        assert_eq!(files(&to).len(), number + 1);
    }
}

#[test]
fn what_the_dead_held_and_left_half_written_goes() {
    let yard = Yard::new();
    yard.write("a", "1");
    let id = yard.take().snapshot.id();
    let owner = yard.path("store/owners/00000000000000000000000000000000");
    fs::create_dir(&owner).unwrap();
    fs::write(owner.join(id.to_string()), "").unwrap();
    for draft in ["packs/.1.new", "blobs/.2.new", "manifests/.3.new", "kept/.4.new", "stat/.5.new", ".6.new"] {
        fs::write(yard.path("store").join(draft), "half").unwrap();
    }
    fs::write(yard.path("store/packs/ab.pack"), "a pack whose index was never written").unwrap();
    let report = yard.again().gc(GcMode::Remove).unwrap();
    assert_eq!((report.dead_owners, report.held, report.manifests), (1, 0, 1));
    assert!(report.failures.is_empty() && !owner.exists(), "{report:?}");
    assert_eq!(yard.count("packs") + yard.count("blobs") + yard.count("manifests") + yard.count("kept"), 0);
}

#[test]
fn gc_leaves_everything_alone_that_it_cannot_tell_from_what_is_needed() {
    let yard = Yard::new();
    yard.write("a", "1");
    let lost = yard.keep();
    yard.write("a", "2");
    drop(yard.take());
    fs::write(yard.path("store/manifests").join(lost.to_string()), "broken").unwrap();
    let report = yard.again().gc(GcMode::Remove).unwrap();
    assert_eq!((report.failures.len(), report.blobs, yard.count("packs")), (1, 0, 4), "{report:?}");
    yard.store.remove(lost).unwrap();
    let report = yard.again().gc(GcMode::Remove).unwrap();
    assert_eq!((report.failures.len(), report.blobs, yard.count("packs")), (0, 2, 0), "{report:?}");
}

#[test]
fn a_broken_index_heals_when_the_same_content_is_taken_again() {
    let yard = Yard::new();
    yard.write("a", "1");
    let id = yard.keep();
    let index = files(&yard.path("store/packs")).into_iter().find(|path| path.extension().unwrap() == "index").unwrap();
    fs::write(&index, "broken").unwrap();
    let store = yard.again();
    let refused = store.open(id).unwrap().restore_ambient(&yard.path("to"), Restore::Empty, None).unwrap_err();
    assert!(matches!(refused, WorkspaceError::Store(StoreError::Corrupt { what: "index", .. })), "{refused}");
    assert!(!yard.path("to").exists());
    assert_eq!(store.gc(GcMode::Remove).unwrap().failures.len(), 1, "it may be what is needed");
    drop(take(&store, &yard.path("tree")));
    restore(&store.open(id).unwrap(), &yard.path("to"));
    assert!(store.gc(GcMode::Remove).unwrap().failures.is_empty());
    assert_ne!(fs::read(&index).unwrap(), b"broken", "it is whole again, under the same name");
    restore(&yard.again().open(id).unwrap(), &yard.path("to"));
}

#[test]
fn stores_of_later_versions_and_other_directories_are_refused_by_name() {
    let yard = Yard::new();
    yard.write("a", "1");
    fs::write(yard.path("store/format"), "bailiwick snapshot store 2\n").unwrap();
    let error = SnapshotStore::open_ambient(&yard.path("store")).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 2, known: 1, .. }), "{error}");
    assert_eq!(ExecutionError::from(error).kind(), ErrorKind::Unavailable);
    fs::write(yard.path("store/format"), "something else").unwrap();
    assert!(matches!(SnapshotStore::open_ambient(&yard.path("store")), Err(StoreError::Corrupt { .. })));
    let error = SnapshotStore::open_ambient(&yard.path("tree")).unwrap_err();
    assert!(matches!(error, StoreError::NotAStore { .. }), "{error}");
    assert_eq!(files(&yard.path("tree")).len(), 1, "nothing was made in it");
}

#[test]
fn a_store_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let yard = Yard::new();
    yard.write("secret", "s");
    yard.keep();
    let store = yard.path("store");
    assert_eq!(fs::metadata(&store).unwrap().permissions().mode() & 0o077, 0);
    for file in files(&store) {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0, "{}", file.display());
    }
}

#[test]
fn a_store_in_memory_does_the_same_and_has_an_end() {
    let yard = Yard::new();
    yard.write("small", "small");
    yard.write("d/large", large(9));
    let store = SnapshotStore::in_memory();
    let taken = take(&store, &yard.path("tree"));
    assert_eq!(taken.snapshot.id(), yard.take().snapshot.id());
    restore(&taken.snapshot, &yard.path("restored"));
    assert_eq!(take(&store, &yard.path("restored")).snapshot.id(), taken.snapshot.id());
    fs::File::create(yard.path("tree/huge")).unwrap().set_len(300 << 20).unwrap();
    let full = store.take(&dir(&yard.path("tree")), Take::default()).unwrap_err();
    assert!(matches!(full, WorkspaceError::Store(StoreError::MemoryFull { .. })), "{full}");
    // What nobody has any more makes room.
    fs::remove_file(yard.path("tree/huge")).unwrap();
    for byte in 0..100 {
        yard.write("d/large", vec![byte; 5 << 20]);
        drop(take(&store, &yard.path("tree")));
    }
    restore(&taken.snapshot, &yard.path("again"));
    assert_eq!(fs::read(yard.path("again/d/large")).unwrap(), large(9));
}

#[test]
fn work_that_is_watched_can_be_stopped_and_leaves_nothing() {
    let yard = Yard::new();
    (0..100).for_each(|number| yard.write(&number.to_string(), format!("content {number}")));
    let stop = |after: u64| {
        move |progress: SnapshotProgress| {
            if progress.entries >= after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    };
    let mut watch = stop(50);
    let mut options = Take::default();
    options.watch = Some(&mut watch);
    let stopped = yard.store.take(&dir(&yard.path("tree")), options).unwrap_err();
    assert!(matches!(stopped, WorkspaceError::Stopped), "{stopped}");
    assert_eq!(yard.count("packs") + yard.count("manifests"), 0);
    let taken = yard.take();
    fs::create_dir(yard.path("full")).unwrap();
    fs::write(yard.path("full/mine"), "was here before").unwrap();
    for to in ["new", "full"] {
        let stopped = taken.snapshot.restore_ambient(&yard.path(to), Restore::Mirror, Some(&mut stop(50)));
        assert!(matches!(stopped, Err(WorkspaceError::Stopped)));
    }
    assert!(!yard.path("new").exists());
    assert_eq!(files(&yard.path("full")), [yard.path("full/mine")]);
}
