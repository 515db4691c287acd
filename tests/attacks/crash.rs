//! The command killed by `kill -9` in each of its phases: nothing of it lives on, `gc` removes what it left, and nothing
//! of anybody else's is touched.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]
#![expect(clippy::disallowed_methods, reason = "a test starts the command to kill it, and lays out its files")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(120);
/// So many files that work on them can be seen while it goes on.
const MANY: usize = 4_000;
/// How often a phase that is over too soon is tried again.
const TRIES: usize = 30;

/// Directories of one test, what is foreign in them, and a command that lives through everything.
struct Yard {
    temp: tempfile::TempDir,
    living: Child,
    owner: String,
    kept: String,
}

impl Yard {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        for name in ["base", "state", "data", "submission", "marks", "base/bailiwick-of-somebody-else"] {
            fs::create_dir_all(temp.path().join(name)).unwrap();
        }
        fs::write(temp.path().join("base/bailiwick-of-somebody-else/canary"), "foreign").unwrap();
        fs::write(temp.path().join("base/canary"), "foreign").unwrap();
        let endless = |mark: &str| {
            let path = temp.path().join("marks").join(mark);
            format!("sh -c 'echo $$ >{0}.new; mv {0}.new {0}; exec sleep 1000'", path.display())
        };
        let cases = "version: 1\nname: crash\nadapter: cli\ncases: [{id: one}]\n";
        let spec = |setup: &str| {
            let commands = if setup.is_empty() { String::new() } else { format!("\"{setup}\"") };
            format!(
                "type: local\nname: crash\nlimits: {{wall_time: null}}\nsetup: {{commands: [{commands}], wall_time: 1h}}\n"
            )
        };
        let many = format!("sh -c 'i=0; while [ $i -lt {MANY} ]; do : >f$i; i=$((i+1)); done'");
        let texts = [
            ("cases.yaml", cases.to_owned()),
            ("plain.yaml", spec("")),
            ("set-up.yaml", spec(&endless("set-up"))),
            ("running", endless("running")),
            ("many", many),
        ];
        for (name, text) in texts {
            fs::write(temp.path().join(name), text).unwrap();
        }
        fs::write(temp.path().join("submission/main"), "kept").unwrap();
        let mut yard =
            Self { living: Command::new("true").spawn().unwrap(), owner: String::new(), kept: String::new(), temp };
        yard.living.wait().unwrap();
        let kept = yard.told(&["snapshot", "create", "submission"]);
        assert!(kept.status.success(), "{kept:?}");
        yard.kept = String::from_utf8(kept.stdout).unwrap().trim().to_owned();
        // The submission has many files from now on; what is kept has one.
        for n in 0..MANY {
            fs::write(yard.path("submission").join(format!("g{n}")), n.to_string()).unwrap();
        }
        yard.living = yard.run("plain.yaml", "running").spawn().unwrap();
        yard.await_mark("running");
        yard.owner = yard.owners().remove(0);
        yard
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
        command.env_clear().env("PATH", "/usr/bin:/bin").current_dir(self.temp.path()).args(words);
        for (name, dir) in [("STATE", "state"), ("BASE", "base"), ("DATA", "data"), ("CACHE", "cache")] {
            command.env(format!("BAILIWICK_{name}_DIR"), self.path(dir));
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// A command line that runs the words of a file.
    fn run(&self, spec: &str, words: &str) -> Command {
        let mut command = self.command(&["run", "--spec", spec, "--allow-unsandboxed", "--"]);
        let line = fs::read_to_string(self.path(words)).unwrap();
        // As a shell would: the words of these lines are `sh`, `-c` and a script.
        let script = line.trim_start_matches("sh -c '").trim_end_matches('\'').to_owned();
        command.args(["sh", "-c", &script]);
        command
    }

    fn owners(&self) -> Vec<String> {
        let names = fs::read_dir(self.path("state/owners")).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter_map(|name| name.to_str()?.strip_suffix(".lock").map(str::to_owned)).collect()
    }

    /// Waits for the process id that a guest wrote down.
    fn await_mark(&self, mark: &str) -> u32 {
        let began = Instant::now();
        loop {
            if let Some(pid) = self.mark(mark) {
                fs::remove_file(self.path("marks").join(mark)).unwrap();
                return pid;
            }
            assert!(began.elapsed() < LONG, "no guest came up: {mark}");
            std::thread::yield_now();
        }
    }

    fn mark(&self, mark: &str) -> Option<u32> {
        fs::read_to_string(self.path("marks").join(mark)).ok()?.trim().parse().ok()
    }

    /// Counts the files in the workspaces of everybody but the living one.
    fn files(&self) -> usize {
        self.homes().map(|home| count(&home)).sum()
    }

    /// Lists the directories of everybody but the living one.
    fn homes(&self) -> impl Iterator<Item = PathBuf> {
        let homes = fs::read_dir(self.path("base")).unwrap().flatten().map(|home| home.path());
        homes.filter(|home| !self.is_foreign(home))
    }

    fn is_foreign(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap().to_string_lossy();
        name == "canary"
            || name == "bailiwick-of-somebody-else"
            || (!self.owner.is_empty() && name.contains(&self.owner))
    }

    /// Starts a command and kills it when it has come as far as that; says whether it was caught there.
    fn kill_when(&self, mut command: Command, reached: &mut dyn FnMut() -> bool) -> bool {
        let mut running = command.spawn().unwrap();
        let began = Instant::now();
        loop {
            if reached() {
                running.kill().unwrap();
                return running.wait().unwrap().code().is_none();
            }
            if running.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(began.elapsed() < LONG, "it came nowhere: {command:?}");
            std::thread::yield_now();
        }
    }

    /// Asserts that `gc` removes all that is left, and nothing else.
    fn assert_gone(&mut self, what: &str) {
        let dry = self.told(&["gc", "--dry-run"]);
        assert!(dry.status.success(), "{what}: {dry:?}");
        let gone = self.told(&["gc"]);
        assert!(gone.status.success(), "{what}: {gone:?}");
        let left: Vec<_> = fs::read_dir(self.path("base")).unwrap().map(|entry| entry.unwrap().path()).collect();
        let own: Vec<_> = left.iter().filter(|path| !self.is_foreign(path)).collect();
        assert!(own.is_empty(), "{what}: {own:?}");
        assert_eq!(self.owners(), [self.owner.as_str()], "{what}");
        assert_eq!(left.len(), 3, "{what}: what is not its own was touched: {left:?}");
        for canary in ["base/canary", "base/bailiwick-of-somebody-else/canary"] {
            assert_eq!(fs::read_to_string(self.path(canary)).unwrap(), "foreign", "{what}");
        }
        assert!(self.living.try_wait().unwrap().is_none(), "{what}: a command that lives was ended");
        let (to, kept) = (self.path("restored"), self.kept.clone());
        let restored = self.told(&["snapshot", "restore", &kept, "restored"]);
        assert!(restored.status.success(), "{what}: {restored:?}");
        assert_eq!((count(&to), fs::read_to_string(to.join("main")).unwrap().as_str()), (1, "kept"), "{what}");
        fs::remove_dir_all(to).unwrap();
    }

    fn told(&self, words: &[&str]) -> Output {
        self.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap()
    }

    /// Asserts that a guest ends with the command that ran it.
    fn assert_ends(&self, pid: u32, what: &str) {
        let began = Instant::now();
        // One that has ended may wait for a parent that does not look.
        let status = || fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        while status().contains("VmSize") {
            assert!(began.elapsed() < LONG, "{what}: the guest lives on");
            std::thread::yield_now();
        }
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        let _ = self.living.kill();
        let _ = self.living.wait();
    }
}

fn count(dir: &Path) -> usize {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| if entry.file_type().is_ok_and(|kind| kind.is_dir()) { count(&entry.path()) } else { 1 }).sum()
}

/// A phase in which a guest runs: its own mark says that it was reached.
fn kill_with_guest(yard: &mut Yard, what: &str, (command, mark): (Command, &str)) {
    assert!(yard.kill_when(command, &mut || yard.mark(mark).is_some()), "{what}: it ended by itself");
    let pid = yard.await_mark(mark);
    yard.assert_ends(pid, what);
    assert!(yard.homes().count() > 0, "{what}: it was killed before it could remove anything");
    yard.assert_gone(what);
}

/// A phase without a guest: it is tried until it is caught at work.
fn kill_at_work(
    yard: &mut Yard,
    what: &str,
    make: &dyn Fn(&Yard) -> Command,
    is_there: &dyn Fn(&Yard, &mut usize) -> bool,
) {
    for _ in 0..TRIES {
        let (command, mut most) = (make(yard), 0);
        let is_caught = yard.kill_when(command, &mut || is_there(yard, &mut most));
        let is_half = is_caught && is_half_done(yard, what);
        yard.assert_gone(what);
        if is_half {
            return;
        }
    }
    panic!("{what}: never caught at work");
}

fn is_half_done(yard: &Yard, what: &str) -> bool {
    match what {
        "snapshotting" => true,
        _ => (1..MANY).contains(&yard.files()),
    }
}

#[test]
fn a_command_that_is_killed_in_any_phase_leaves_nothing_that_gc_does_not_find() {
    let mut yard = Yard::new();
    let run = |yard: &Yard| yard.run("plain.yaml", "running");
    kill_at_work(
        &mut yard,
        "copying in",
        &|yard| {
            let mut command = yard.command(&["run", "--spec", "plain.yaml", "--submission", "submission"]);
            command.args(["--allow-unsandboxed", "--", "true"]);
            command
        },
        &|yard, _| yard.files() > 0,
    );
    let command = yard.run("set-up.yaml", "running");
    kill_with_guest(&mut yard, "set-up", (command, "set-up"));
    let command = run(&yard);
    kill_with_guest(&mut yard, "running", (command, "running"));
    kill_at_work(&mut yard, "cleaning up", &|yard| yard.run("plain.yaml", "many"), &|yard, most| {
        let now = yard.files();
        *most = now.max(*most);
        *most >= MANY && now < MANY
    });
    kill_at_work(
        &mut yard,
        "snapshotting",
        &|yard| yard.command(&["snapshot", "create", "submission"]),
        &|yard, most| {
            // At work on the store: something is in it that was not before.
            let now = count(&yard.path("data/snapshots"));
            let before = if *most == 0 { now } else { *most };
            *most = before;
            now > before
        },
    );
    let mut command = yard.command(&["eval", "cases.yaml", "--spec", "plain.yaml", "--submission", "submission"]);
    command.args(["--allow-unsandboxed", "--command", &fs::read_to_string(yard.path("running")).unwrap()]);
    kill_with_guest(&mut yard, "evaluating", (command, "running"));
}
