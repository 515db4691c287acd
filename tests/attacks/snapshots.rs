//! Attacks on snapshots (section H): what a guest plants, what stands in a store, and what becomes of it.

#![expect(clippy::disallowed_methods, reason = "a guest writes by path")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

#[path = "support/snapshot_yard.rs"]
mod snapshot_yard;
#[path = "support/without_openat2.rs"]
mod without_openat2;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use bailiwick::{
    Bounds, EntryKind, ErrorKind, ExecutionError, Restore, SnapshotStore, StoreError, Take, TakeMemory, WorkspaceError,
    WorkspacePath,
};
use rustix::fs::{CWD, FileType, Mode};
use snapshot_yard::{Yard, dir};

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn path(name: &str) -> WorkspacePath {
    WorkspacePath::new(name).unwrap()
}

fn large(byte: u8) -> Vec<u8> {
    vec![byte; (1 << 20) + 4097]
}

#[test]
fn run_again_without_openat2() {
    without_openat2::run_all_again();
}

#[test]
fn h1_h6_links_are_taken_as_links_and_restored_as_links() {
    let yard = Yard::new();
    symlink(yard.path("outside/secret"), yard.tree("secret")).unwrap();
    symlink("/", yard.tree("root")).unwrap();
    symlink("loop", yard.tree("loop")).unwrap();
    symlink("../outside", yard.tree("up")).unwrap();
    symlink(OsStr::from_bytes(b"\xff/nowhere"), yard.tree("dangling")).unwrap();
    let taken = yard.take();
    assert_eq!((taken.snapshot.manifest().len(), taken.read), (5, 0));
    let restored = yard.restore(&taken.snapshot, "restored");
    assert_eq!(fs::read_link(restored.join("up")).unwrap(), Path::new("../outside"));
    assert_eq!(fs::read_link(restored.join("dangling")).unwrap().as_os_str().as_bytes(), b"\xff/nowhere");
    assert_eq!(yard.store.take(&dir(&restored), Take::default()).unwrap().snapshot.id(), taken.snapshot.id());
}

#[test]
fn h2_h3_links_where_a_snapshot_is_restored_go_and_lead_nowhere() {
    let yard = Yard::new();
    fs::create_dir_all(yard.tree("dir/deep")).unwrap();
    fs::write(yard.tree("dir/deep/file"), "mine").unwrap();
    fs::write(yard.tree("file"), large(1)).unwrap();
    fs::set_permissions(yard.tree("dir"), fs::Permissions::from_mode(0o777)).unwrap();
    let taken = yard.take();
    let to = yard.path("to");
    fs::create_dir(&to).unwrap();
    symlink(yard.path("outside"), to.join("dir")).unwrap();
    symlink(yard.path("outside/secret"), to.join("file")).unwrap();
    symlink("/", to.join("root")).unwrap();
    yard.restore(&taken.snapshot, "to");
    assert_eq!(fs::read_to_string(to.join("dir/deep/file")).unwrap(), "mine");
    assert!(!to.join("root").is_symlink());
}

#[test]
fn h7_odd_names_and_h16_twins_come_back_as_they_were() {
    let yard = Yard::new();
    let long = "x".repeat(255);
    let names: [&[u8]; 12] = [
        b"...",
        b"-rf",
        b"a\\b",
        b" blank ",
        b"line\nfeed",
        b"\xff\xfe",
        "\u{202e}txt".as_bytes(),
        long.as_bytes(),
        b"Case",
        b"case",
        "\u{e9}".as_bytes(),
        "e\u{301}".as_bytes(),
    ];
    for name in names {
        fs::write(yard.path("tree").join(OsStr::from_bytes(name)), name).unwrap();
    }
    let taken = yard.take();
    assert_eq!(taken.snapshot.manifest().len(), names.len());
    let restored = yard.restore(&taken.snapshot, "restored");
    for name in names {
        assert_eq!(fs::read(restored.join(OsStr::from_bytes(name))).unwrap(), name);
    }
}

#[test]
fn h8_a_tree_that_keeps_changing_gives_what_was_there_or_an_error() {
    let yard = Yard::new();
    fs::create_dir_all(yard.tree("real/deep")).unwrap();
    fs::write(yard.tree("real/deep/secret"), "mine").unwrap();
    symlink(yard.path("outside"), yard.tree("link")).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                let _ = rustix::fs::renameat_with(CWD, yard.tree("real"), CWD, yard.tree("link"), flags);
            }
        });
        let _stop = Stop(&stop);
        for round in 0..200 {
            let Ok(taken) = yard.store.take(&dir(&yard.path("tree")), Take::default()) else { continue };
            for (path, entry) in taken.snapshot.manifest().iter() {
                if let EntryKind::File { hash, size } = entry.kind {
                    let content = taken.snapshot.read_blob(&hash, size).unwrap();
                    assert_eq!(content, b"mine", "{path} in round {round}");
                }
            }
        }
    });
}

#[test]
fn h17_set_user_id_bits_and_extended_attributes_are_no_part_of_a_snapshot() {
    let yard = Yard::new();
    fs::write(yard.tree("tool"), "x").unwrap();
    fs::set_permissions(yard.tree("tool"), fs::Permissions::from_mode(0o6751)).unwrap();
    fs::create_dir(yard.tree("sticky")).unwrap();
    fs::set_permissions(yard.tree("sticky"), fs::Permissions::from_mode(0o1577)).unwrap();
    let _ = rustix::fs::setxattr(yard.tree("tool"), "user.note", b"1", rustix::fs::XattrFlags::empty());
    let restored = yard.restore(&yard.take().snapshot, "restored");
    assert_eq!(fs::metadata(restored.join("tool")).unwrap().mode() & 0o7777, 0o751);
    assert_eq!(fs::metadata(restored.join("sticky")).unwrap().mode() & 0o7777, 0o577);
    let mut names = [0u8; 256];
    assert_eq!(rustix::fs::listxattr(restored.join("tool"), &mut names).unwrap_or(0), 0);
}

#[test]
fn h18_specials_are_seen_and_never_opened() {
    let yard = Yard::new();
    rustix::fs::mknodat(CWD, yard.tree("fifo"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(yard.tree("socket")).unwrap();
    fs::write(yard.tree("file"), "x").unwrap();
    let taken = yard.take();
    assert_eq!((taken.specials, taken.read), (2, 1));
    let restored = yard.restore(&taken.snapshot, "restored");
    assert_eq!(fs::read_dir(restored).unwrap().count(), 1);
    let opened = yard.store.open(taken.snapshot.id()).unwrap();
    assert_eq!(opened.manifest().len(), 1, "a store has no specials");
}

#[test]
fn h18_a_file_that_turns_into_a_fifo_or_a_link_never_holds_up_a_snapshot() {
    let yard = Yard::new();
    let stop = AtomicBool::new(false);
    let (spot, other) = (yard.tree("spot"), yard.path("other"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0usize.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let _ = fs::remove_file(&other);
                match round % 4 {
                    0 => drop(fs::write(&other, "regular")),
                    1 => drop(rustix::fs::mknodat(CWD, &other, FileType::Fifo, Mode::from_raw_mode(0o600), 0)),
                    2 => drop(symlink(yard.path("outside/secret"), &other)),
                    _ => drop(fs::write(&other, large(7))),
                }
                let _ = fs::rename(&other, &spot);
            }
        });
        let _stop = Stop(&stop);
        for _ in 0..300 {
            let taken = yard.take();
            let Some(entry) = taken.snapshot.manifest().get(&path("spot")) else { continue };
            if let EntryKind::File { hash, size } = entry.kind {
                let content = taken.snapshot.read_blob(&hash, size).unwrap();
                assert!(content.is_empty() || content == b"regular" || content.iter().all(|byte| *byte == 7));
            }
        }
    });
}

#[test]
fn h19_what_grows_and_shrinks_while_it_is_read_is_one_blob_of_the_size_that_is_told() {
    let yard = Yard::new();
    let (file, stop) = (yard.tree("log"), AtomicBool::new(false));
    fs::write(&file, "").unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let open = fs::OpenOptions::new().write(true).open(&file).unwrap();
            for size in (0..).map(|round| (round * 7919) % (3 << 20)) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                open.set_len(size).unwrap();
                let _ = rustix::io::pwrite(&open, b"data", size / 2);
            }
        });
        let _stop = Stop(&stop);
        for _ in 0..100 {
            let taken = yard.take();
            let (_, entry) = taken.snapshot.manifest().iter().next().unwrap();
            let EntryKind::File { size, hash } = entry.kind else { panic!("{entry:?}") };
            assert_eq!(taken.snapshot.read_blob(&hash, size).unwrap().len() as u64, size);
            yard.restore(&taken.snapshot, "restored");
        }
    });
}

#[test]
fn h19_a_sparse_file_stops_at_the_bounds_and_below_them_keeps_its_holes() {
    let yard = Yard::new();
    fs::File::create(yard.tree("sparse")).unwrap().set_len(8 << 40).unwrap();
    let refused = yard.store.take(&dir(&yard.path("tree")), Take::default()).unwrap_err();
    assert!(matches!(refused, WorkspaceError::TooLarge { what: "bytes", .. }), "{refused}");
    let open = fs::OpenOptions::new().write(true).open(yard.tree("sparse")).unwrap();
    open.set_len(0).unwrap();
    open.set_len(1 << 30).unwrap();
    rustix::io::pwrite(&open, b"in the middle", 512 << 20).unwrap();
    let taken = yard.take();
    let blob = yard.stored("blobs", "").pop().unwrap();
    assert!(fs::metadata(blob).unwrap().blocks() < 1000, "holes take nothing in the store");
    let restored = yard.restore(&taken.snapshot, "restored").join("sparse");
    let meta = fs::metadata(&restored).unwrap();
    assert!(meta.len() == 1 << 30 && meta.blocks() < 1000, "{meta:?}");
    let mut middle = [0; 13];
    rustix::io::pread(fs::File::open(restored).unwrap(), &mut middle, 512 << 20).unwrap();
    assert_eq!(&middle, b"in the middle");
}

#[test]
fn h19_many_entries_stop_at_the_bounds() {
    let yard = Yard::new();
    (0..500).for_each(|number| fs::write(yard.tree(&number.to_string()), "x").unwrap());
    let mut take = Take::default();
    take.bounds = Bounds { entries: 100, ..Bounds::default() };
    let refused = yard.store.take(&dir(&yard.path("tree")), take).unwrap_err();
    assert!(matches!(refused, WorkspaceError::TooLarge { what: "entries", limit: 100 }), "{refused}");
    assert!(yard.stored("packs", "").is_empty(), "nothing is left of it");
}

#[test]
fn h20_errors_name_paths_of_the_tree_and_nothing_above() {
    let yard = Yard::new();
    fs::write(yard.tree("file"), large(3)).unwrap();
    let taken = yard.take();
    fs::remove_file(yard.stored("blobs", "").pop().unwrap()).unwrap();
    let error = taken.snapshot.restore(&dir(&yard.path("outside")), None).unwrap_err();
    let shown = format!("{:?}", ExecutionError::from(error));
    assert!(!shown.contains(&*yard.temp.path().to_string_lossy()), "{shown}");
}

#[test]
fn h21_what_is_closed_is_taken_restored_and_replaced() {
    let yard = Yard::new();
    fs::create_dir_all(yard.tree("closed/inner")).unwrap();
    fs::write(yard.tree("closed/inner/file"), "x").unwrap();
    for (name, mode) in [("closed/inner/file", 0), ("closed/inner", 0o100), ("closed", 0)] {
        fs::set_permissions(yard.tree(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let taken = yard.take();
    assert_eq!(taken.snapshot.manifest().len(), 3);
    for _ in 0..2 {
        let restored = yard.restore(&taken.snapshot, "restored");
        assert_eq!(fs::metadata(restored.join("closed")).unwrap().mode() & 0o777, 0);
        let again = yard.store.take(&dir(&restored), Take::default()).unwrap();
        assert_eq!(again.snapshot.id(), taken.snapshot.id());
    }
    for name in ["tree/closed", "restored/closed"] {
        fs::set_permissions(yard.path(name), fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(yard.path(name).join("inner"), fs::Permissions::from_mode(0o700)).unwrap();
    }
}

#[test]
fn h23_a_store_that_was_tampered_with_is_an_error_and_never_other_data() {
    for folder in ["packs", "blobs", "manifests"] {
        let yard = Yard::new();
        fs::write(yard.tree("small"), "small").unwrap();
        fs::write(yard.tree("large"), large(5)).unwrap();
        let id = yard.take().snapshot.id();
        yard.store.keep(&yard.store.open(id).unwrap(), "test", 0).unwrap();
        let kept = yard.path("kept-content");
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("mine"), "was here before").unwrap();
        for victim in yard.stored(folder, "") {
            let whole = fs::read(&victim).unwrap();
            let mut flipped = whole.clone();
            flipped[whole.len() / 2] ^= 1;
            for content in [flipped, whole[..whole.len() - 1].to_vec(), Vec::new()] {
                fs::write(&victim, content).unwrap();
                // Another process, which knows nothing yet.
                let store = SnapshotStore::open_ambient(&yard.path("store")).unwrap();
                let restored = store.open(id).map_err(WorkspaceError::from).and_then(|snapshot| {
                    snapshot.restore_ambient(&kept, Restore::Mirror, None)?;
                    Ok(())
                });
                let error = restored.unwrap_err();
                let is_named = matches!(error, WorkspaceError::Store(StoreError::Corrupt { .. }));
                assert!(is_named, "{}: {error}", victim.display());
                let error = ExecutionError::from(error);
                assert!(error.kind() == ErrorKind::Workspace && error.hint().is_some());
                let names: Vec<_> = fs::read_dir(&kept).unwrap().flatten().map(|entry| entry.file_name()).collect();
                assert_eq!(names, ["mine"], "what was there before is there");
            }
            fs::write(&victim, whole).unwrap();
        }
        let store = SnapshotStore::open_ambient(&yard.path("store")).unwrap();
        store.open(id).unwrap().restore_ambient(&kept, Restore::Mirror, None).unwrap();
        assert_eq!(fs::read(kept.join("large")).unwrap(), large(5));
    }
}

#[test]
fn h25_nothing_is_ever_linked_hard() {
    let yard = Yard::new();
    fs::write(yard.tree("small"), "small").unwrap();
    fs::write(yard.tree("large"), large(5)).unwrap();
    fs::hard_link(yard.tree("large"), yard.tree("twin")).unwrap();
    let taken = yard.take();
    let restored = yard.restore(&taken.snapshot, "restored");
    for name in ["small", "large", "twin"] {
        assert_eq!(fs::metadata(restored.join(name)).unwrap().nlink(), 1, "{name}");
    }
    fs::write(restored.join("large"), "changed").unwrap();
    fs::write(yard.tree("twin"), "changed").unwrap();
    let again = yard.restore(&taken.snapshot, "again");
    assert_eq!(fs::read(again.join("large")).unwrap(), large(5));
    assert_eq!(fs::read(again.join("twin")).unwrap(), large(5));
}

#[test]
fn a_guest_that_sets_times_back_hides_nothing_from_what_is_remembered() {
    let yard = Yard::new();
    let file = yard.tree("file");
    fs::write(&file, "aaaa").unwrap();
    let time = fs::metadata(&file).unwrap().modified().unwrap();
    let take = || {
        let mut take = Take::default();
        take.memory = TakeMemory::Store;
        yard.store.take(&dir(&yard.path("tree")), take).unwrap()
    };
    let mut last = take();
    let mut rounds = 0;
    while last.read > 0 && rounds < 10_000 {
        last = take();
        rounds += 1;
    }
    assert_eq!(last.read, 0, "a settled file is not read again, by another process neither");
    fs::write(&file, "bbbb").unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
    let after = take();
    assert_eq!(after.read, 1);
    assert_ne!(after.snapshot.id(), last.snapshot.id());
    assert_eq!(after.snapshot.read_file(&path("file"), 10).unwrap().unwrap(), b"bbbb");
}
