//! The `bailiwick` command.

use std::process::ExitCode;

use bailiwick::RuntimeRegistry;

fn main() -> ExitCode {
    #[cfg(feature = "wasi")]
    bailiwick::worker_main();
    bailiwick::cli::run(|host| RuntimeRegistry::builder(host).with_builtins().build(), std::env::args_os())
}
