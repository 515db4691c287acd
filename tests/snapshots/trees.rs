//! Real trees, judged by `diff -r --no-dereference`; and many entries.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::yard::{Yard, files, restore, take, take_remembering};

/// Asserts that two trees are the same: content and kinds by `diff`, permissions by `find`.
fn assert_same(one: &Path, other: &Path) {
    let diff = Command::new("diff").args(["-r", "--no-dereference"]).args([one, other]).output().unwrap();
    let text = String::from_utf8_lossy(&diff.stdout);
    assert!(diff.status.success(), "{}\n{}", text, String::from_utf8_lossy(&diff.stderr));
    let modes = |root: &Path| {
        let find = "find . -mindepth 1 -printf '%p %y %m %l\\n' | sort";
        String::from_utf8(Command::new("sh").args(["-c", find]).current_dir(root).output().unwrap().stdout).unwrap()
    };
    let (first, second) = (modes(one), modes(other));
    assert!(!first.is_empty());
    let differs = first.lines().zip(second.lines()).find(|(one, other)| one != other);
    assert_eq!((differs, first.len()), (None, second.len()));
}

/// Takes, restores, copies elsewhere and takes again.
fn check(tree: &Path) {
    let yard = Yard::new();
    let taken = take(&yard.store, tree);
    assert!(taken.unsettled.is_empty());
    restore(&taken.snapshot, &yard.path("restored"));
    assert_same(tree, &yard.path("restored"));
    assert_eq!(take(&yard.store, &yard.path("restored")).snapshot.id(), taken.snapshot.id());
    // A copy that was made by another program, into another store.
    let copied = Command::new("cp").arg("-a").arg(tree).arg(yard.path("copy")).status().unwrap();
    assert!(copied.success());
    let other = Yard::new();
    assert_eq!(take(&other.store, &yard.path("copy")).snapshot.id(), taken.snapshot.id());
    // Over what is there already, a second time.
    fs::write(yard.path("restored/stale"), "x").unwrap();
    restore(&taken.snapshot, &yard.path("restored"));
    assert_same(tree, &yard.path("restored"));
}

#[test]
fn a_repository_with_its_history_comes_back_as_it_was() {
    let yard = Yard::new();
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    // A clone: others may work in this one meanwhile.
    let clone = yard.path("clone");
    let cloned = Command::new("git").args(["clone", "-q", "--no-hardlinks"]).arg(own).arg(&clone).status();
    match cloned {
        Ok(status) if status.success() => check(&clone),
        _ => {
            println!("skipped: this is no clone of a repository; its sources alone are taken");
            check(&own.join("src"));
        }
    }
}

#[test]
fn a_library_of_python_comes_back_as_it_was() {
    let asked = Command::new("python3").args(["-c", "import os; print(os.path.dirname(os.__file__))"]).output();
    let library = asked.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    let Some(library) = library.and_then(|path| String::from_utf8(path).ok()) else {
        println!("skipped: there is no python3 on this host");
        return;
    };
    // A copy, without the packages of this machine: another test may compile modules into it meanwhile.
    let yard = Yard::new();
    let copy = "tar -cf - --exclude=./site-packages --exclude=./dist-packages --exclude=./test . | tar -xf - -C \"$1\"";
    fs::create_dir(yard.path("lib")).unwrap();
    let mut copied = Command::new("sh");
    copied.args(["-c", copy, "sh"]).arg(yard.path("lib")).current_dir(PathBuf::from(library.trim()));
    assert!(copied.status().unwrap().success());
    assert!(files(&yard.path("lib")).len() > 100);
    check(&yard.path("lib"));
}

#[test]
fn many_entries_take_little_memory_and_come_back() {
    const FILES: usize = 30_000;
    let yard = Yard::new();
    for number in 0..FILES {
        let dir = yard.path(&format!("tree/{}/{}", number % 20, number % 17));
        if number < 400 {
            fs::create_dir_all(&dir).unwrap();
        }
        fs::write(dir.join(format!("{number}")), (number as u64).to_le_bytes()).unwrap();
    }
    let taken = take_remembering(&yard.store, &yard.path("tree"));
    assert_eq!(taken.read, FILES as u64);
    restore(&taken.snapshot, &yard.path("restored"));
    assert_eq!(files(&yard.path("restored")).len(), FILES);
    assert_eq!(take(&yard.store, &yard.path("restored")).snapshot.id(), taken.snapshot.id());
    let size = |name: &str| files(&yard.path(name)).iter().map(|path| fs::metadata(path).unwrap().size()).sum::<u64>();
    assert!(size("store/packs") < 60 * FILES as u64, "one pack and its index");
    assert!(size("store/manifests") < 80 * FILES as u64);
}
