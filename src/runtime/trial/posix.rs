//! The guests of machines that have a shell of POSIX.

use super::{Trial, TrialGuest, TrialStream};

const SCRIPT: &str = include_str!("posix.sh");

/// Gives the guest of a trial as a command of `/bin/sh`, for kinds whose guests find one.
///
/// It needs the usual tools: `cat`, `env`, `head`, `ln`, `sleep`, `tr`, `wc`; and one of `nc`, `bash` and `python3` to
/// connect.
pub fn posix_trial(trial: &Trial) -> Option<TrialGuest> {
    let seconds = |time: &std::time::Duration| time.as_secs_f64().to_string();
    let (name, words) = match trial {
        Trial::Exit(code) => ("exit", vec![code.to_string()]),
        Trial::Abort => ("abort", Vec::new()),
        Trial::Spin => ("spin", Vec::new()),
        Trial::SpinMany(processes) => ("spin_many", vec![processes.to_string()]),
        Trial::Sleep(time) => ("sleep", vec![seconds(time)]),
        Trial::Tick { every, times } => ("tick", vec![seconds(every), times.to_string()]),
        Trial::TakeMemory(bytes) => ("memory", vec![bytes.to_string()]),
        Trial::Print(bytes) => ("print", vec![bytes.to_string()]),
        Trial::Copy { to: TrialStream::Stdout, code } => ("copy_out", vec![code.to_string()]),
        Trial::Copy { to: TrialStream::Stderr, code } => ("copy_err", vec![code.to_string()]),
        Trial::WriteFile(bytes) => ("file", vec![bytes.to_string()]),
        Trial::MakeFiles(count) => ("files", vec![count.to_string()]),
        Trial::OpenFiles(count) => ("open", vec![count.to_string()]),
        Trial::StartProcesses(count) => ("processes", vec![count.to_string()]),
        Trial::UseStack(bytes) => ("stack", vec![bytes.to_string()]),
        Trial::ShowEnvironment => ("environment", Vec::new()),
        Trial::ReadPaths(paths) => ("read", paths.clone()),
        Trial::WritePaths(paths) => ("write", paths.clone()),
        Trial::LinkPaths(paths) => ("link", paths.clone()),
        Trial::Connect(address) => ("connect", vec![address.ip().to_string(), address.port().to_string()]),
        Trial::LeaveProcess { token, stays } => ("leave", vec![token.clone(), stays.to_string()]),
        Trial::WatchProcess => ("watch", Vec::new()),
    };
    let command = ["/bin/sh", "-c", SCRIPT, "trial", name].map(str::to_owned);
    Some(TrialGuest::new(command.into_iter().chain(words)))
}
