//! Calls of the workspace.

use std::fs;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use bailiwick::{Bounds, Capture, ContentsBounds, CopyIn, InputContent, InputFile, Workspace, WorkspacePath};

use super::yard::{Held, Yard, every_call, held};

const EVERYTHING: Bounds = Bounds { entries: 1_000, bytes: 1 << 30 };

fn content(workspace: &Workspace) -> Held {
    held(&PathBuf::from(format!("/proc/self/fd/{}/", workspace.dir().as_raw_fd())))
}

/// What a copy in gives: the owner may write everything.
fn writable(mut held: Held) -> Held {
    held.values_mut().for_each(|(mode, _)| *mode |= 0o600);
    held
}

#[test]
fn a_workspace_is_opened_whole_or_is_not_there() {
    every_call(|round| {
        let yard = Yard::new();
        let base = yard.base();
        if let Ok(workspace) = round.under(|| yard.open(&base)) {
            fs::write(workspace.open_ambient_path().unwrap().join("x"), "x").unwrap();
            workspace.close().unwrap();
        }
        drop(base);
        yard.close();
    });
}

#[test]
fn a_submission_that_is_copied_in_is_all_there() {
    every_call(|round| {
        let yard = Yard::new();
        let workspace = yard.open(&yard.base()).unwrap();
        let source = yard.path("source");
        let copied = round.under(|| workspace.copy_in(&source, CopyIn::default()));
        if copied.is_ok() {
            assert_eq!(writable(content(&workspace)), writable(held(&source)));
        }
        workspace.close().unwrap();
        drop(workspace);
        yard.close();
    });
}

#[test]
fn an_input_is_the_old_or_the_new_and_never_half() {
    let files = ["a/b.txt", "main.py"]
        .map(|name| InputFile::new(WorkspacePath::new(name).unwrap(), InputContent::Text("new".repeat(100))));
    every_call(|round| {
        let yard = Yard::new();
        let workspace = yard.open(&yard.base()).unwrap();
        workspace.copy_in(&yard.path("source"), CopyIn::default()).unwrap();
        let written = round.under(|| workspace.write_input_files(&files));
        let read = |name: &str| fs::read(workspace.open_ambient_path().unwrap().join(name)).ok();
        for (name, old) in [("a/b.txt", None), ("main.py", Some(b"source".to_vec()))] {
            let found = read(name);
            let is_new = found == Some("new".repeat(100).into_bytes());
            assert!(is_new || (written.is_err() && found == old), "{name}");
        }
        drop(workspace);
        yard.close();
    });
}

#[test]
fn what_is_read_back_is_what_is_there_or_an_error() {
    every_call(|round| {
        let yard = Yard::new();
        let workspace = yard.open(&yard.base()).unwrap();
        workspace.copy_in(&yard.path("source"), CopyIn::default()).unwrap();
        let ask = ["main.py", "deep/**", "gone"];
        let whole = format!("{:?}", workspace.get_file_contents(&ask, ContentsBounds::default()).unwrap());
        let read = round.under(|| workspace.get_file_contents(&ask, ContentsBounds::default()));
        // Without the right to look, a directory is one that a guest has closed: that is an outcome and no error.
        if let Ok(read) = read
            && !round.lacks_the_right()
            && !read.truncated
        {
            assert_eq!(format!("{read:?}"), whole);
        }
        drop(workspace);
        yard.close();
    });
}

#[test]
fn what_is_captured_is_all_of_it_and_leaves_the_workspace_alone() {
    every_call(|round| {
        let yard = Yard::new();
        let workspace = yard.open(&yard.base()).unwrap();
        workspace.mirror(&yard.path("source"), EVERYTHING).unwrap();
        let captured = round.under(|| workspace.capture(&Capture::All, EVERYTHING));
        assert_eq!(content(&workspace), held(&yard.path("source")));
        if let Ok(captured) = captured {
            workspace.clear().unwrap();
            workspace.restore(&captured).unwrap();
            assert_eq!(content(&workspace), held(&yard.path("source")));
        }
        drop(workspace);
        yard.close();
    });
}

#[test]
fn what_was_captured_survives_a_restore_that_fails() {
    every_call(|round| {
        let yard = Yard::new();
        let workspace = yard.open(&yard.base()).unwrap();
        workspace.mirror(&yard.path("source"), EVERYTHING).unwrap();
        let captured = workspace.capture(&Capture::All, EVERYTHING).unwrap();
        workspace.mirror(&yard.path("other"), EVERYTHING).unwrap();
        if round.under(|| workspace.restore(&captured)).is_err() {
            workspace.restore(&captured).unwrap();
        }
        assert_eq!(content(&workspace), held(&yard.path("source")));
        drop((workspace, captured));
        yard.close();
    });
}

#[test]
fn a_mirror_is_whole_or_says_that_it_is_not() {
    every_call(|round| {
        let yard = Yard::new();
        let workspace = yard.open(&yard.base()).unwrap();
        workspace.mirror(&yard.path("other"), EVERYTHING).unwrap();
        let source = yard.path("source");
        if round.under(|| workspace.mirror(&source, EVERYTHING)).is_err() {
            workspace.mirror(&source, EVERYTHING).unwrap();
        }
        assert_eq!(content(&workspace), held(&source));
        drop(workspace);
        yard.close();
    });
}

#[test]
fn a_workspace_that_is_closed_is_gone_or_says_that_it_is_not() {
    every_call(|round| {
        let yard = Yard::new();
        let workspace = yard.open(&yard.base()).unwrap();
        workspace.mirror(&yard.path("source"), EVERYTHING).unwrap();
        if round.under(|| workspace.close()).is_ok() {
            assert_eq!(fs::read_dir(yard.path("base")).unwrap().count(), 0);
        }
        workspace.close().unwrap();
        drop(workspace);
        yard.close();
    });
}
