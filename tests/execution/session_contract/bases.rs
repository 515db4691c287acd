//! Base directories that are read-only, full, or not there.

#![expect(clippy::print_stdout, reason = "a skip is printed with its reason")]

use std::path::{Path, PathBuf};

use bailiwick::{BaseNeed, ErrorKind, Host, RuntimeRegistry, Session};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::{input, say, text};
use crate::support::scripted::Scripted;
use crate::support::yard::{LONG, Yard};

/// A small file system; unmounted when dropped.
struct Small {
    at: PathBuf,
}

impl Small {
    /// Mounts one; `None`, with the reason printed, where this process may not and this is not CI.
    fn mount(at: PathBuf, flags: MountFlags) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let mounted = mount("tmpfs", &at, "tmpfs", flags, c"size=512k,mode=0700");
        if let Err(error) = mounted {
            println!("skipped: no small file system to be had: {error}");
            assert!(std::env::var_os("CI").is_none(), "in CI nothing is skipped");
            return None;
        }
        Some(Self { at })
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        unmount(&self.at, UnmountFlags::DETACH).unwrap();
    }
}

fn registry(yard: &Yard, base: &Path) -> RuntimeRegistry {
    let mut host = Host::default();
    host.dirs.base = Some(base.to_owned());
    let kind = Scripted { gates: yard.gates.clone(), need: BaseNeed::Directory };
    RuntimeRegistry::builder(host).with(kind).build().unwrap()
}

#[tokio::test]
async fn a_base_that_is_not_there_is_named_with_what_to_do() {
    let yard = Yard::new();
    let registry = registry(&yard, &yard.outside("no-such"));
    let error = Session::builder(&registry, yard.spec("")).open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Workspace);
    assert!(error.to_string().contains("no-such") && error.hint().is_some(), "{error}");
    // It is looked for again: the host may have mended it.
    std::fs::create_dir(yard.outside("no-such")).unwrap();
    let session = Session::builder(&registry, yard.spec("")).open().await.unwrap();
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_read_only_base_is_named_with_what_to_do() {
    let yard = Yard::new();
    let Some(small) = Small::mount(yard.outside("read-only"), MountFlags::RDONLY) else { return };
    let registry = registry(&yard, &small.at);
    let error = Session::builder(&registry, yard.spec("")).open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Workspace);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(error.to_string().contains("read-only") && cause.contains("Read-only file system"), "{error}: {cause}");
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn a_full_base_is_an_error_of_the_call_and_not_the_end_of_the_session() {
    let yard = Yard::new();
    let Some(small) = Small::mount(yard.outside("full"), MountFlags::empty()) else { return };
    let registry = registry(&yard, &small.at);
    let left = || std::fs::read_dir(&small.at).unwrap().count();
    let outside = cap_std::fs::Dir::open_ambient_dir(yard.outside(""), cap_std::ambient_authority()).unwrap();
    outside.create_dir("large").unwrap();
    outside.write("large/file", vec![b'x'; 1 << 20]).unwrap();
    let error = Session::builder(&registry, yard.spec("")).submission(yard.outside("large")).open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Workspace);
    assert_eq!(registry.reaper().flush(LONG).unfinished, 0);
    assert_eq!(left(), 0, "what was begun is gone");

    let session = Session::builder(&registry, yard.spec("")).open().await.unwrap();
    let large = input("large", &"x".repeat(1 << 20));
    let error = session.materialize_input_files(vec![input("small", "1"), large]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InputFileWrite);
    assert_eq!((text(&session, "small").await.as_deref(), text(&session, "large").await), (Some("1"), None));
    // What was written of the large one goes a little later.
    assert_eq!(registry.reaper().flush(LONG).unfinished, 0);
    // Room for the file but not for a second one: neither a snapshot nor a fork, and the session goes on.
    session.materialize_input_files(vec![input("half", &"x".repeat(300 << 10))]).await.unwrap();
    assert_eq!(session.update_snapshot().await.unwrap_err().kind(), ErrorKind::Workspace);
    assert_eq!(session.fork().await.unwrap_err().kind(), ErrorKind::Workspace);
    assert_eq!(say(&session, &["cat:small"]).await, "1");
    session.reset().await.unwrap();
    assert_eq!(text(&session, "half").await, None, "back at the start, which was never lost");
    session.close().await.unwrap();
    registry.reaper().flush(LONG);
    assert_eq!(left(), 0);
}
