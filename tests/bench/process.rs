//! The command as a process, beside the engine's own command.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::ours::repository;
use crate::report::{Report, in_turn};

/// `bailiwick run hello.wasm` with everything cached. The peer is `wasmtime` of the PATH, of the same line.
pub(crate) fn run(report: &mut Report) {
    let name = "process: `run` of a cached module";
    if !report.wants(name) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (module, compiled) = (home.path().join("hello.wasm"), home.path().join("hello.cwasm"));
    let text = repository("guest-fixtures/wasi/hello.wat");
    let bytes = wat::parse_file(text).unwrap();
    std::io::Write::write_all(&mut std::fs::File::create(&module).unwrap(), &bytes).unwrap();
    let compile = Command::new("wasmtime").arg("compile").arg("-o").arg(&compiled).arg(&module).status();
    if !compile.is_ok_and(|status| status.success()) {
        return report.skip(name, "there is no `wasmtime` on the PATH to measure beside");
    }
    let ours = || ended(Command::new(env!("CARGO_BIN_EXE_bailiwick")).arg("run").arg(&module), home.path());
    let peer = || ended(Command::new("wasmtime").args(["run", "--allow-precompiled"]).arg(&compiled), home.path());
    report.pair(name, in_turn(200, ours, peer), "wasmtime run --allow-precompiled", 1.1);
}

fn ended(command: &mut Command, home: &Path) {
    let status = command.env("HOME", home).stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
}
