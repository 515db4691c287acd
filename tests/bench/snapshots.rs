//! The budgets of snapshots, measured: each row is ours beside the peer, in turn, in one run, as medians.
//!
//! `cargo bench --bench snapshots` prints the table; `--json FILE` writes the figures. Only the ratios of one run mean
//! something. Everything is warm: both sides read from the page cache.

#![expect(clippy::unwrap_used, reason = "a bench that cannot measure has nothing to say")]
#![expect(clippy::print_stdout, reason = "the table is what a bench is for")]
#![expect(clippy::disallowed_methods, reason = "the peers are other programs, on files of the bench")]

#[expect(dead_code, reason = "the other bench uses all of it")]
mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bailiwick::{DiffBounds, Restore, SnapshotDiff, SnapshotStore, Take, TakeMemory, Tree};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use report::{Report, in_turn};

const FILES: usize = 10_000;
const RUNS: usize = 11;

/// A tree of small files, a store, and places for what is made of them.
struct Yard {
    temp: tempfile::TempDir,
    store: SnapshotStore,
    round: usize,
}

impl Yard {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let tree = temp.path().join("tree");
        for number in 0..FILES {
            let dir = tree.join(format!("dir-{}/sub-{}", number % 50, number % 7));
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join(format!("file-{number}.txt")), content(number, 0)).unwrap();
        }
        // Nothing of the peer's may go on in the background.
        run(Command::new("git").args(["init", "-q"]).current_dir(&tree));
        let add = "git config gc.auto 0 && git config maintenance.auto false && git add -A && git -c user.name=b -c user.email=b@b commit -qm tree && git status -s";
        run(Command::new("sh").args(["-c", add]).current_dir(&tree));
        // The repository of the peer is no part of what is taken: it lies beside the tree.
        fs::rename(tree.join(".git"), temp.path().join("git")).unwrap();
        let store = SnapshotStore::open_ambient(&temp.path().join("store")).unwrap();
        Self { temp, store, round: 0 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn tree(&self) -> Dir {
        Dir::open_ambient_dir(self.path("tree"), ambient_authority()).unwrap()
    }

    fn git(&self, args: &[&str]) {
        let mut git = Command::new("git");
        git.arg("--git-dir").arg(self.path("git")).arg("--work-tree").arg(self.path("tree"));
        run(git.args(args).current_dir(self.path("tree")));
    }
}

/// Text of about 2 KiB that is different for every file and round.
fn content(number: usize, round: usize) -> String {
    let line = |at: usize| format!("line {at} of file {number}: {}\n", number.wrapping_mul(at + 7919));
    (0..60).map(line).collect::<String>() + &format!("round {round}\n")
}

fn run(command: &mut Command) {
    let done = command.stdout(Stdio::null()).status().unwrap();
    assert!(done.success(), "{command:?}");
}

fn shell(line: &str, dir: &Path) {
    run(Command::new("sh").args(["-c", line]).current_dir(dir));
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let (mut filter, mut json) = (String::new(), None);
    while let Some(arg) = args.next() {
        if arg == "--json" { json = args.next() } else { filter = arg }
    }
    let mut report = Report::new(filter);
    let mut yard = Yard::new();
    first(&mut yard, &mut report);
    again(&mut yard, &mut report);
    restore(&mut yard, &mut report);
    diff(&yard, &mut report);
    report.print();
    if let Some(path) = json {
        report.write(&path);
    }
}

fn first(yard: &mut Yard, report: &mut Report) {
    const NAME: &str = "snapshot of 10,000 small files, the first";
    if !report.wants(NAME) {
        return;
    }
    let (tree, home) = (yard.tree(), yard.temp.path().to_owned());
    let mut round = 0;
    let ours = || {
        round += 1;
        let path = home.join(format!("first-{round}"));
        let store = SnapshotStore::open_ambient(&path).unwrap();
        let taken = store.take(&tree, Take::default()).unwrap();
        assert_eq!(taken.read, FILES as u64);
        store.keep(&taken.snapshot, "bench", 0).unwrap();
    };
    let peer = || shell("tar -cf - tree | zstd -1 -q -f -o first.tar.zst", &home);
    report.pair(NAME, in_turn(RUNS, ours, peer), "tar -cf | zstd -1", 1.0);
}

fn again(yard: &mut Yard, report: &mut Report) {
    const NAME: &str = "snapshot again after one change";
    if !report.wants(NAME) {
        return;
    }
    let (tree, changed) = (yard.tree(), yard.path("tree/dir-3/sub-3/file-353.txt"));
    assert!(changed.exists());
    let take = || {
        let mut take = Take::default();
        take.memory = TakeMemory::Store;
        yard.store.take(&tree, take).unwrap()
    };
    take();
    std::thread::sleep(std::time::Duration::from_millis(50));
    let kept = take();
    yard.store.keep(&kept.snapshot, "bench", 0).unwrap();
    yard.git(&["status", "-s"]);
    let mut round = yard.round;
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        round += 1;
        fs::write(&changed, content(353, round)).unwrap();
        let store = SnapshotStore::open_ambient(&yard.path("store")).unwrap();
        drop(store);
        let began = std::time::Instant::now();
        // As a process of its own would: the store is opened and what is remembered is read.
        let store = SnapshotStore::open_ambient(&yard.path("store")).unwrap();
        let mut options = Take::default();
        options.memory = TakeMemory::Store;
        let taken = store.take(&tree, options).unwrap();
        store.keep(&taken.snapshot, "bench", 0).unwrap();
        times.0.push(began.elapsed());
        assert!(taken.read <= 2, "{} files were read", taken.read);
        let began = std::time::Instant::now();
        yard.git(&["status", "-s"]);
        times.1.push(began.elapsed());
    }
    yard.round = round;
    let pair = (report::middle(&mut times.0, 50), report::middle(&mut times.1, 50));
    report.pair(NAME, pair, "git status, warm index", 2.0);
}

fn restore(yard: &mut Yard, report: &mut Report) {
    const NAME: &str = "restore of 10,000 small files";
    if !report.wants(NAME) {
        return;
    }
    let home = yard.temp.path().to_owned();
    let snapshot = yard.store.take(&yard.tree(), Take::default()).unwrap().snapshot;
    shell("tar -cf tree.tar tree", &home);
    let mut round = (0, 0);
    let ours = || {
        round.0 += 1;
        let report = snapshot.restore_ambient(&home.join(format!("ours-{}", round.0)), Restore::Empty, None).unwrap();
        assert_eq!(report.files, FILES as u64);
    };
    let peer = || {
        round.1 += 1;
        shell(&format!("mkdir peer-{0} && tar -xf tree.tar -C peer-{0}", round.1), &home);
    };
    report.pair(NAME, in_turn(RUNS, ours, peer), "tar -x", 2.0);
}

fn diff(yard: &Yard, report: &mut Report) {
    const NAME: &str = "diff of 1 % changed";
    if !report.wants(NAME) {
        return;
    }
    let before = yard.store.take(&yard.tree(), Take::default()).unwrap().snapshot;
    for number in (0..FILES).step_by(100) {
        let path = yard.path(&format!("tree/dir-{}/sub-{}/file-{number}.txt", number % 50, number % 7));
        fs::write(path, content(number, usize::MAX)).unwrap();
    }
    let after = yard.store.take(&yard.tree(), Take::default()).unwrap().snapshot;
    let ours = || {
        let (old, new) = (
            Tree { manifest: before.manifest(), content: &before },
            Tree { manifest: after.manifest(), content: &after },
        );
        let diff = SnapshotDiff::between(old, new, DiffBounds::default()).unwrap();
        assert_eq!(diff.files.len(), FILES / 100);
        assert!(diff.patch().len() > FILES);
    };
    let peer = || yard.git(&["diff"]);
    report.pair(NAME, in_turn(RUNS, ours, peer), "git diff", 2.0);
}
