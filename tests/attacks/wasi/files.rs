//! Attacks through the file system: getting out of the workspace, and writing where only reading is granted.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bailiwick::{ErrorKind, Mount, Session, SpawnRequest, spec};

use crate::guest::{Guest, OPENED, OUT, SCRATCH};
use crate::support::{Yard, run, said, write};

fn mount(host: &Path, guest: &str, writable: bool) -> Mount {
    Mount { host: host.to_owned(), guest: guest.to_owned(), writable }
}

fn mounts(mounts: Vec<Mount>) -> SpawnRequest {
    let mut request = SpawnRequest::default();
    request.mounts = mounts;
    request
}

/// Asserts that every call of a guest was refused.
fn all_refused(numbers: &[i64], calls: usize) {
    assert_eq!(numbers.len(), calls, "{numbers:?}");
    assert!(numbers.iter().all(|number| *number != 0), "{numbers:?}");
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn g1_a_storm_of_renames_opens_no_way_out() {
    let yard = Yard::open_alone().await;
    let shared = yard.path().join("shared");
    fs::create_dir_all(shared.join("d")).unwrap();
    fs::write(shared.join("d/secret"), "inside").unwrap();
    let (registry, over) = (yard.registry(), Arc::new(AtomicBool::new(false)));
    let storm = std::thread::spawn({
        let (over, shared) = (Arc::clone(&over), shared.clone());
        move || {
            while !over.load(Ordering::Relaxed) {
                fs::rename(shared.join("d"), shared.join("e")).unwrap();
                symlink("../outside", shared.join("d")).unwrap();
                fs::remove_file(shared.join("d")).unwrap();
                fs::rename(shared.join("e"), shared.join("d")).unwrap();
            }
        }
    });
    let (session, runtime) = Yard::spawn(&registry, "", mounts(vec![mount(&shared, "/shared", true)])).await;
    let mut guest = Guest::new();
    let path = guest.text("d/secret");
    // Reads whatever it opened and prints it: the support looks for the secret in what was printed.
    guest.then(format!(
        "(loop $again
           (if (i32.eqz (call $path_open (i32.const 5) (i32.const 1) {path} (i32.const 0) (i64.const 2) (i64.const 0)
                 (i32.const 0) {OUT}))
             (then
               (i32.store (i32.const 32) (i32.const 40000)) (i32.store (i32.const 36) (i32.const 64))
               (drop (call $fd_read {OPENED} (i32.const 32) (i32.const 1) (i32.const 40)))
               (i32.store (i32.const 36) (i32.load (i32.const 40)))
               (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 40)))
               (drop (call $fd_close {OPENED}))))
           (local.set $n (i32.add (local.get $n) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $n) (i32.const 20000))))"
    ));
    let result = run(&session, &runtime, &guest.finish()).await;
    over.store(true, Ordering::Relaxed);
    storm.join().unwrap();
    assert_eq!(result.exit_code(), 0, "{result}");
    assert!(result.stdout.text().unwrap().starts_with("inside"), "nothing was ever opened");
    session.close().await.unwrap();
    drop((session, runtime));
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn g2_no_name_leads_out() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let mut guest = Guest::new();
    let names = [
        "/etc/passwd",
        "/proc/self/environ",
        "..",
        "../..",
        "./..",
        "../../outside/secret",
        "a/../../../outside/secret",
        "../outside/secret",
        "/",
        "",
        "\0",
        "a\0b",
        "//etc/passwd",
        "/proc/self/fd/3",
    ];
    for fd in [3, 4, 5] {
        names.iter().for_each(|name| guest.open(fd, name, 0));
    }
    let result = yard.run("", &guest.finish()).await;
    all_refused(&said(&result), 3 * names.len());

    let spec = spec::load("type: wasi\nname: x\n", "test", &registry).unwrap().spec;
    for name in ["", "/", "relative", "/a/../b", "/tmp", "/workspace"] {
        let session = Session::builder(&registry, spec.clone()).open().await.unwrap();
        let refused = session.spawn(mounts(vec![mount(yard.path(), name, false)])).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Spec, "{name:?}: {refused}");
        session.close().await.unwrap();
    }
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn g3_a_read_only_directory_stays_as_it_is() {
    let yard = Yard::open_alone().await;
    let (registry, dir) = (yard.registry(), yard.path().join("granted"));
    fs::create_dir_all(dir.join("sub")).unwrap();
    fs::write(dir.join("file"), "as it was").unwrap();
    let before = fs::metadata(dir.join("file")).unwrap();
    let mut guest = Guest::new();
    for (flags, rights) in [(8, 66), (1, 66), (9, 2), (0, 64)] {
        guest.open_with(5, "file", flags, rights);
    }
    guest.open_with(5, "new", 1, 66);
    let [file, sub, new] = ["file", "sub", "new"].map(|name| guest.text(name));
    for call in [
        format!("mkdir (i32.const 5) {new}"),
        format!("rmdir (i32.const 5) {sub}"),
        format!("unlink (i32.const 5) {file}"),
        format!("rename (i32.const 5) {file} (i32.const 5) {new}"),
        format!("symlink {file} (i32.const 5) {new}"),
        format!("link (i32.const 5) (i32.const 0) {file} (i32.const 5) {new}"),
        format!("path_set_times (i32.const 5) (i32.const 0) {file} (i64.const 1) (i64.const 1) (i32.const 5)"),
    ] {
        guest.call(call);
    }
    let calls = 12;
    guest.open(5, "file", 0);
    for call in [
        "fd_filestat_set_size (i32.load (i32.const 512)) (i64.const 0)",
        "fd_filestat_set_times (i32.load (i32.const 512)) (i64.const 1) (i64.const 1) (i32.const 5)",
        "fd_write (i32.load (i32.const 512)) (i32.const 1024) (i32.const 1) (i32.const 600)",
        "fd_allocate (i32.load (i32.const 512)) (i64.const 0) (i64.const 100000)",
    ] {
        guest.call(call);
    }
    let (session, runtime) = Yard::spawn(&registry, "", mounts(vec![mount(&dir, "/granted", false)])).await;
    let numbers = said(&run(&session, &runtime, &guest.finish()).await);
    session.close().await.unwrap();
    drop((session, runtime));
    assert_eq!(numbers[calls], 0, "reading is granted: {numbers:?}");
    all_refused(&numbers[..calls], calls);
    all_refused(&numbers[calls + 1..], 4);
    let after = fs::metadata(dir.join("file")).unwrap();
    assert_eq!(
        (before.mtime(), before.mtime_nsec(), before.nlink()),
        (after.mtime(), after.mtime_nsec(), after.nlink())
    );
    assert_eq!(fs::read_to_string(dir.join("file")).unwrap(), "as it was");
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 2);
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn g4_nothing_moves_between_what_may_be_read_and_what_may_be_written() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let [read, written] = ["read", "written"].map(|name| yard.path().join(name));
    for dir in [&read, &written] {
        fs::create_dir(dir).unwrap();
        fs::write(dir.join("file"), dir.to_str().unwrap()).unwrap();
    }
    let mut guest = Guest::new();
    let [file, new] = ["file", "new"].map(|name| guest.text(name));
    for (from, to) in [(5, 6), (6, 5)] {
        guest.call(format!("link (i32.const {from}) (i32.const 0) {file} (i32.const {to}) {new}"));
        guest.call(format!("rename (i32.const {from}) {file} (i32.const {to}) {new}"));
        guest.call(format!("rename (i32.const {from}) {file} (i32.const {to}) {file}"));
    }
    let request = mounts(vec![mount(&read, "/read", false), mount(&written, "/written", true)]);
    let (session, runtime) = Yard::spawn(&registry, "", request).await;
    all_refused(&said(&run(&session, &runtime, &guest.finish()).await), 6);
    session.close().await.unwrap();
    drop((session, runtime));
    for dir in [&read, &written] {
        assert_eq!(fs::read_to_string(dir.join("file")).unwrap(), dir.to_str().unwrap());
        assert_eq!(fs::read_dir(dir).unwrap().count(), 1);
    }
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn g6_a_symlink_that_moved_leads_nowhere() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let mut guest = Guest::new();
    let [a, b, deep, top] = ["a", "a/b", "a/b/link", "link"].map(|name| guest.text(name));
    let target = guest.text("../../outside/secret");
    guest.call(format!("mkdir (i32.const 4) {a}"));
    guest.call(format!("mkdir (i32.const 4) {b}"));
    guest.call(format!("symlink {target} (i32.const 4) {deep}"));
    guest.call(format!("rename (i32.const 4) {deep} (i32.const 4) {top}"));
    guest.open(4, "link", 0);
    guest.open(3, "a/../link", 0);
    let (session, runtime) = Yard::open(&registry, "").await;
    let numbers = said(&run(&session, &runtime, &guest.finish()).await);
    assert_eq!(numbers[..4], [0, 0, 0, 0]);
    all_refused(&numbers[4..], 2);
    // Nor is it followed by the host, when somebody asks for the file.
    let seen = format!("{:?}", session.get_file_contents(&["link"]).await.unwrap());
    assert!(!seen.contains(crate::support::SECRET), "{seen}");
    session.close().await.unwrap();
    drop((session, runtime));
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn g29_slashes_and_dots_at_the_end_change_nothing_outside() {
    let yard = Yard::open_alone().await;
    let (registry, dir) = (yard.registry(), yard.path().join("shared"));
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("file"), "mine").unwrap();
    symlink("../outside", dir.join("out")).unwrap();
    symlink("../outside/secret", dir.join("to_secret")).unwrap();
    let mut guest = Guest::new();
    for name in ["out/secret", "out//secret", "out/./secret", "to_secret", "to_secret/", "out/../outside/secret"] {
        guest.open_with(5, name, 0, 66);
    }
    let file = guest.text("file");
    for name in ["out/new", "out/new/", "out/.", "out//new", "out/secret/", "to_secret/"] {
        let name = guest.text(name);
        guest.call(format!("mkdir (i32.const 5) {name}"));
        guest.call(format!("unlink (i32.const 5) {name}"));
        guest.call(format!("rmdir (i32.const 5) {name}"));
        guest.call(format!("rename (i32.const 5) {file} (i32.const 5) {name}"));
        guest.call(format!("rename (i32.const 5) {name} (i32.const 5) {file}"));
        guest.call(format!("link (i32.const 5) (i32.const 0) {file} (i32.const 5) {name}"));
        guest.call(format!("symlink {file} (i32.const 5) {name}"));
        guest.call(format!("stat (i32.const 5) (i32.const 1) {name} {SCRATCH}"));
    }
    let (session, runtime) = Yard::spawn(&registry, "", mounts(vec![mount(&dir, "/shared", true)])).await;
    all_refused(&said(&run(&session, &runtime, &guest.finish()).await), 6 + 6 * 8);
    session.close().await.unwrap();
    drop((session, runtime));
    assert_eq!(fs::read_to_string(dir.join("file")).unwrap(), "mine");
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g24_there_are_no_sockets() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let mut guest = Guest::new();
    for fd in 0..8 {
        guest.call(format!("sock_accept (i32.const {fd}) (i32.const 0) {SCRATCH}"));
        guest.call(format!("sock_recv (i32.const {fd}) (i32.const 0) (i32.const 0) (i32.const 0) {SCRATCH} {SCRATCH}"));
        guest.call(format!("sock_send (i32.const {fd}) (i32.const 0) (i32.const 0) (i32.const 0) {SCRATCH}"));
        guest.call(format!("sock_shutdown (i32.const {fd}) (i32.const 3)"));
    }
    let (session, runtime) = Yard::open(&registry, "").await;
    write(&session, "beside", b"x").await;
    all_refused(&said(&run(&session, &runtime, &guest.finish()).await), 32);
    session.close().await.unwrap();
    drop((session, runtime));
    yard.check(registry).await;
}
