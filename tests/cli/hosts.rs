//! The real binary on hosts that give less: an ordinary user, and memory that is never executed once it was written.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A user that owns nothing, where these tests run as root.
const NOBODYS: u32 = 42_042;
const BINARY: &str = env!("CARGO_BIN_EXE_bailiwick");

/// A directory that an ordinary user can write, with the command and a guest in it.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        std::fs::copy(BINARY, dir.path().join("bailiwick")).unwrap();
        let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest-fixtures/wasi/disk_full.wat");
        std::fs::write(dir.path().join("guest.wat"), std::fs::read(guest).unwrap()).unwrap();
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the command as an ordinary user who knows nothing but this directory.
    fn bailiwick(&self, args: &[&str]) -> Output {
        let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
        let user = NOBODYS.to_string();
        let mut command = Command::new(if is_root { "setpriv" } else { "env" });
        if is_root {
            command.args(["--reuid", &user, "--regid", &user, "--clear-groups", "env"]);
        }
        command.arg("-i").arg(format!("HOME={}", self.0.path().display())).arg(self.path("bailiwick"));
        command.args(args).current_dir(self.0.path()).output().unwrap()
    }
}

fn object(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn an_ordinary_user_has_the_same_disk_limit() {
    let home = Home::new();
    for place in [&[][..], &["--base-dir", "."]] {
        let args = [&["run", "--json", "--disk", "1MiB"], place, &["guest.wat", "fail"]].concat();
        let result = object(&home.bailiwick(&args));
        assert_eq!(result["termination"]["limit"], "disk", "{place:?}: {result}");
        assert_eq!(result["unenforced"], serde_json::json!([]), "{place:?}: {result}");
    }
}

#[test]
fn memory_that_is_never_executed_after_a_write_is_named() {
    let home = Home::new();
    // `PR_SET_MDWE`; kernels before 6.3 do not have it.
    let denied = "import ctypes, os, sys\nif ctypes.CDLL(None).prctl(65, 1, 0, 0, 0): sys.exit(77)\nos.execv(sys.argv[1], sys.argv[1:])";
    let output = Command::new("python3")
        .args(["-c", denied, BINARY, "run"])
        .arg(home.path("guest.wat"))
        .env("HOME", home.0.path())
        .output()
        .unwrap();
    if output.status.code() == Some(77) {
        eprintln!("skipped: this kernel refuses no such memory; Linux 6.3 and newer does");
        return;
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(125), "{said}");
    assert!(said.contains("W^X") && said.contains("hint:") && said.contains("MemoryDenyWriteExecute"), "{said}");
}
