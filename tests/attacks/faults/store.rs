//! Calls of the store of snapshots.

use std::fs;

use bailiwick::{GcMode, Restore, SnapshotStore, Take, TakeMemory};

use super::yard::{Yard, dir, every_call, held};

/// A snapshot that is kept, one that is only held, and a fault: both are there afterwards.
#[test]
fn what_is_taken_is_all_of_it_and_nothing_stored_is_lost() {
    every_call(|round| {
        let yard = Yard::new();
        let store = yard.store();
        let kept = yard.keep(&store, "other");
        fs::create_dir(yard.path("third")).unwrap();
        fs::write(yard.path("third/x"), "held, not kept").unwrap();
        let only_held = store.take(&dir(&yard.path("third")), Take::default()).unwrap().snapshot;
        let source = dir(&yard.path("source"));
        let taken = round.under(|| {
            let mut take = Take::default();
            take.memory = TakeMemory::Store;
            let taken = store.take(&source, take)?;
            store.keep(&taken.snapshot, "source", 0)?;
            Ok::<_, bailiwick::ExecutionError>(taken.snapshot.id())
        });
        yard.assert_no_drafts();
        let report = yard.store().gc(GcMode::Remove).unwrap();
        assert!(report.failures.is_empty(), "{report:?}");
        yard.assert_stored(kept, "other");
        yard.assert_stored(only_held.id(), "third");
        let id = taken.unwrap_or_else(|_| yard.keep(&yard.store(), "source"));
        yard.assert_stored(id, "source");
        drop((store, only_held, source));
        yard.close();
    });
}

#[test]
fn a_store_that_cannot_be_opened_is_what_it_was() {
    every_call(|round| {
        let yard = Yard::new();
        let kept = yard.keep(&yard.store(), "source");
        let path = yard.path("store");
        let opened = round.under(|| SnapshotStore::open_ambient(&path).and_then(|store| store.open(kept).map(drop)));
        drop(opened);
        yard.assert_stored(kept, "source");
        yard.close();
    });
}

#[test]
fn a_store_that_could_not_be_made_can_be_made_the_next_time() {
    every_call(|round| {
        let yard = Yard::new();
        let path = yard.path("store");
        drop(round.under(|| SnapshotStore::open_ambient(&path)));
        let kept = yard.keep(&yard.store(), "source");
        yard.assert_stored(kept, "source");
        yard.close();
    });
}

#[test]
fn a_sweep_that_fails_removes_nothing_that_is_reached() {
    every_call(|round| {
        let yard = Yard::new();
        let store = yard.store();
        let gone = yard.keep(&store, "other");
        let kept = yard.keep(&store, "source");
        store.remove(gone).unwrap();
        drop(store);
        let store = yard.store();
        let swept = round.under(|| store.gc(GcMode::Remove));
        drop(store);
        yard.assert_stored(kept, "source");
        // What it says that it did it has done: nothing is left for a second one.
        let second = yard.store().gc(GcMode::Remove).unwrap();
        if let Ok(report) = swept
            && report.failures.is_empty()
        {
            assert_eq!((second.manifests, second.blobs), (0, 0), "{report:?} and then {second:?}");
        }
        assert!(second.failures.is_empty(), "{second:?}");
        yard.assert_stored(kept, "source");
        yard.assert_no_drafts();
        yard.close();
    });
}

#[test]
fn a_directory_is_equal_to_the_snapshot_or_what_it_was() {
    every_call(|round| {
        let yard = Yard::new();
        let store = yard.store();
        let snapshot = store.open(yard.keep(&store, "source")).unwrap();
        let to = yard.path("other");
        let before = held(&to);
        match round.under(|| snapshot.restore_ambient(&to, Restore::Mirror, None).map(|_| ())) {
            Ok(()) => assert_eq!(held(&to), held(&yard.path("source"))),
            Err(error) => {
                let after = held(&to);
                let names = |held: &super::yard::Held| held.keys().cloned().collect::<Vec<_>>();
                assert!(after == before, "{error}: {:?} and not {:?}", names(&after), names(&before));
            }
        }
        yard.assert_stored(snapshot.id(), "source");
        drop((snapshot, store));
        yard.close();
    });
}

#[test]
fn a_new_directory_is_equal_to_the_snapshot_or_not_there() {
    every_call(|round| {
        let yard = Yard::new();
        let store = yard.store();
        let snapshot = store.open(yard.keep(&store, "source")).unwrap();
        let to = yard.path("new");
        match round.under(|| snapshot.restore_ambient(&to, Restore::Empty, None).map(|_| ())) {
            Ok(()) => assert_eq!(held(&to), held(&yard.path("source"))),
            Err(_) => assert!(!to.exists() || held(&to).is_empty()),
        }
        drop((snapshot, store));
        yard.close();
    });
}
