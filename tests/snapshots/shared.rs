//! Several users of one store at once, one of them `gc`.

use std::sync::atomic::{AtomicBool, Ordering};

use bailiwick::{GcMode, SnapshotStore};

use crate::yard::{Yard, files, large, restore, take};

/// Each opens the store for itself, as a process does: locks are per open file.
#[test]
fn writers_readers_and_gc_never_lose_what_is_kept_or_held() {
    let yard = Yard::new();
    (0..30).for_each(|number| yard.write(&format!("d/{number}"), format!("content {number}")));
    yard.write("large", large(1));
    let kept = yard.keep();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let collector = scope.spawn(|| {
            let mut rounds = 0;
            while !stop.load(Ordering::Relaxed) {
                let store = SnapshotStore::open_ambient(&yard.path("store")).unwrap();
                let report = store.gc(GcMode::Remove).unwrap();
                assert!(report.failures.is_empty(), "{report:?}");
                rounds += 1;
            }
            rounds
        });
        let workers: Vec<_> = (0..3u8)
            .map(|worker| {
                let yard = &yard;
                scope.spawn(move || {
                    let tree = yard.path(&format!("tree-{worker}"));
                    std::fs::create_dir(&tree).unwrap();
                    for round in 0..15u8 {
                        let store = SnapshotStore::open_ambient(&yard.path("store")).unwrap();
                        std::fs::write(tree.join("small"), [worker, round]).unwrap();
                        std::fs::write(tree.join("large"), large(round)).unwrap();
                        let held = take(&store, &tree).snapshot;
                        let to = yard.path(&format!("to-{worker}"));
                        restore(&held, &to);
                        assert_eq!(std::fs::read(to.join("large")).unwrap(), large(round));
                        restore(&store.open(kept).unwrap(), &to);
                        assert_eq!(files(&to).len(), 31);
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        stop.store(true, Ordering::Relaxed);
        assert!(collector.join().unwrap() > 0);
    });
    assert!(yard.again().gc(GcMode::Remove).unwrap().failures.is_empty());
    assert_eq!((yard.count("manifests"), yard.count("blobs"), yard.count("packs")), (1, 1, 2));
    restore(&yard.again().open(kept).unwrap(), &yard.path("last"));
}
