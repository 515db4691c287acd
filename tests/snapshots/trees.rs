//! Real trees, judged by `diff -r --no-dereference`; and many entries.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use bailiwick::{EntryKind, WorkspacePath};

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

/// Small files are hashed on another thread than large ones, and those that are remembered on none.
#[test]
fn every_file_has_its_own_hash_whichever_way_it_went() {
    const SIZES: [usize; 7] = [0, 1, 999, 70_000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1];
    let yard = Yard::new();
    let content = |number: usize, round: u8| {
        let mut content = vec![round; SIZES[number % SIZES.len()]];
        content.iter_mut().zip(number.to_le_bytes()).for_each(|(byte, of)| *byte ^= of);
        content
    };
    for round in 0..3 {
        // Those that stay the same stand between those that do not.
        let changed = |number: usize| round == 0 || number.is_multiple_of(3);
        let last = |number: usize| if number.is_multiple_of(3) { round } else { 0 };
        (0..60)
            .filter(|number| changed(*number))
            .for_each(|n| yard.write(&format!("{}/{n:02}", n % 5), content(n, round)));
        let taken = take_remembering(&yard.store, &yard.path("tree"));
        for number in 0..60 {
            let (path, wanted) = (format!("{}/{number:02}", number % 5), content(number, last(number)));
            let entry = taken.snapshot.manifest().get(&WorkspacePath::new(&path).unwrap()).unwrap();
            let hash = *blake3::hash(&wanted).as_bytes();
            assert_eq!(entry.kind, EntryKind::File { size: wanted.len() as u64, hash }, "{path}");
            assert!(taken.snapshot.read_blob(&hash, wanted.len() as u64).unwrap() == wanted, "{path}");
        }
    }
}
