//! What a guest may have, exactly, and one more.

use bailiwick::spec::LimitName;
use bailiwick::{Command, ErrorKind, RuntimeResult, Termination};
use serde_json::{Value, json};

use super::machines::Machine;
use super::{alone, executor};

/// Opens so many files, beside its three streams.
const OPENS: &str = "import os, sys\nfor _ in range(int(sys.argv[1])): os.open('/', 0)\n";
/// Starts so many processes beside itself, and ends with them.
const FORKS: &str = "import os, sys, signal
pids = []
try:
    for _ in range(int(sys.argv[1])):
        pid = os.fork()
        if pid == 0:
            signal.pause()
        pids.append(pid)
except BlockingIOError:
    print('refused')
for pid in pids:
    os.kill(pid, signal.SIGKILL)
    os.wait()
";
/// Makes so many files.
const MAKES: &str = "for n in range(int(__import__('sys').argv[1])): open(f'f{n}', 'x').close()\n";
/// Writes a file of so many bytes.
const WRITES: &str = "import sys\nwith open('file', 'wb') as file: file.write(bytes(int(sys.argv[1])))\n";
/// Prints so many bytes.
const PRINTS: &str = "import sys\nsys.stdout.write('x' * int(sys.argv[1]))\n";

async fn python(machine: &Machine, limits: &Value, script: &str, count: u64) -> RuntimeResult {
    let place = machine.open(limits).await.unwrap_or_else(|error| panic!("{}: {error:?}", machine.name));
    let words = ["python3", "-c", script, &count.to_string()].map(str::to_owned);
    let result = place.runtime.execute(Command::argv(words)).await.unwrap();
    place.close().await;
    RuntimeResult::clone(&*result)
}

fn limit(result: &RuntimeResult) -> Option<LimitName> {
    if let Termination::LimitExceeded { limit, .. } = result.termination { Some(limit) } else { None }
}

/// What the guest is refused, it sees itself: a limit on open files is no termination.
async fn open_files(machine: &Machine) {
    let limits = json!({"open_files": 32});
    let within = python(machine, &limits, OPENS, 29).await;
    assert!(within.termination.is_success(), "{}: {within}", machine.name);
    let past = python(machine, &limits, OPENS, 30).await;
    let said = String::from_utf8_lossy(&past.stderr.kept).into_owned();
    assert!(past.exit_code() == 1 && said.contains("Too many open files"), "{}: {past} {said}", machine.name);
}

async fn processes(machine: &Machine) {
    let limits = json!({"processes": 20, "wall_time": "60s"});
    let within = python(machine, &limits, FORKS, 19).await;
    assert_eq!((within.exit_code(), within.stdout.text().as_deref()), (0, Some("")), "{}: {within}", machine.name);
    let past = python(machine, &limits, FORKS, 20).await;
    assert_eq!(past.stdout.text().as_deref(), Some("refused\n"), "{}: {past}", machine.name);
}

async fn output(machine: &Machine) {
    let limits = json!({"output": 65_536});
    let within = python(machine, &limits, PRINTS, 65_536).await;
    assert!(within.termination.is_success(), "{}: {within}", machine.name);
    assert!(!within.stdout.is_truncated() && within.stdout.bytes == 65_536);
    let past = python(machine, &limits, PRINTS, 65_537).await;
    assert_eq!(limit(&past), Some(LimitName::Output), "{}: {past}", machine.name);
}

async fn file_size(machine: &Machine) {
    let limits = json!({"file_size": 65_536});
    let within = python(machine, &limits, WRITES, 65_536).await;
    assert!(within.termination.is_success(), "{}: {within}", machine.name);
    // The interpreter ignores the signal and is told by the call: it ends by itself, and has no more than it may.
    let past = python(machine, &limits, WRITES, 65_537).await;
    assert!(!past.termination.is_success(), "{}: {past}", machine.name);
}

async fn entries(machine: &Machine) {
    let limits = json!({"entries": 20});
    let within = python(machine, &limits, MAKES, 20).await;
    assert!(within.termination.is_success(), "{}: {within}", machine.name);
    let past = python(machine, &limits, MAKES, 21).await;
    assert_eq!(limit(&past), Some(LimitName::Entries), "{}: {past}", machine.name);
}

async fn disk(machine: &Machine) {
    let limits = json!({"disk": "1MiB"});
    let within = python(machine, &limits, WRITES, 1 << 20).await;
    assert!(within.termination.is_success(), "{}: {within}", machine.name);
    // A file takes whole blocks.
    let past = python(machine, &limits, WRITES, (1 << 20) + 1).await;
    assert_eq!(limit(&past), Some(LimitName::Disk), "{}: {past}", machine.name);
}

#[cfg(feature = "local")]
#[test]
fn what_is_within_a_limit_is_given_and_one_more_is_not_on_local() {
    let _alone = alone();
    let machine = Machine::local();
    executor().block_on(async {
        open_files(&machine).await;
        output(&machine).await;
        file_size(&machine).await;
        processes(&machine).await;
        // What nothing holds here is refused before anything runs.
        for limits in [json!({"entries": 20}), json!({"disk": "1MiB"})] {
            let error = machine.open(&limits).await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Unenforceable, "{error:?}");
        }
    });
}

#[cfg(feature = "docker")]
#[test]
fn what_is_within_a_limit_is_given_and_one_more_is_not_on_docker() {
    let _alone = alone();
    let Some(machine) = Machine::docker(super::engine::PYTHON) else { return };
    executor().block_on(async {
        open_files(&machine).await;
        output(&machine).await;
        file_size(&machine).await;
        processes(&machine).await;
        entries(&machine).await;
        disk(&machine).await;
    });
}
