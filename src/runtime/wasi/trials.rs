//! The guests that WASI brings for a self-test: one module for all trials but the network, one component for that.

use crate::runtime::{Trial, TrialGuest, TrialStream};

const MODULE: &str = include_str!("trials/trial.wat");
const CONNECT: &str = include_str!("trials/connect.wat");

/// Gives the guest of a trial; none for what this machine has not: processes, and text in a build that reads none.
pub(super) fn trial(trial: &Trial) -> Option<TrialGuest> {
    let number = |letter: &str, number: u64| Some(vec![letter.to_owned(), number.to_string()]);
    let paths = |letter: &str, paths: &[String]| Some([&[letter.to_owned()], paths].concat());
    let millis = |time: &std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let words = match trial {
        Trial::Exit(code) => number("x", u64::from(*code)),
        Trial::Abort => number("a", 0),
        Trial::Spin => number("s", 0),
        Trial::Sleep(time) => number("z", millis(time)),
        Trial::Tick { every, times } => Some(vec!["t".to_owned(), millis(every).to_string(), times.to_string()]),
        Trial::TakeMemory(bytes) => number("m", *bytes),
        Trial::Print(bytes) => number("p", *bytes),
        Trial::Copy { to: TrialStream::Stdout, code } => number("i", u64::from(*code)),
        Trial::Copy { to: TrialStream::Stderr, code } => number("j", u64::from(*code)),
        Trial::WriteFile(bytes) => number("w", *bytes),
        Trial::MakeFiles(count) => number("e", *count),
        Trial::OpenFiles(count) => number("o", *count),
        Trial::UseStack(_) => number("k", 0),
        Trial::ShowEnvironment => number("v", 0),
        Trial::ReadPaths(all) => paths("r", all),
        Trial::WritePaths(all) => paths("c", all),
        Trial::LinkPaths(all) => paths("l", all),
        Trial::Connect(address) => return connect(address),
        Trial::SpinMany(_) | Trial::StartProcesses(_) | Trial::LeaveProcess { .. } | Trial::WatchProcess => None,
    };
    let argv = ["./trial.wat".to_owned()].into_iter().chain(words?);
    cfg!(feature = "wat").then(|| TrialGuest::new(argv).with_file("trial.wat", MODULE))
}

fn connect(address: &std::net::SocketAddr) -> Option<TrialGuest> {
    let std::net::IpAddr::V4(ip) = address.ip() else { return None };
    let numbers = ip.octets().map(u16::from).into_iter().chain([address.port()]).map(|number| number.to_string());
    let argv = ["./connect.wat".to_owned()].into_iter().chain(numbers);
    cfg!(feature = "wat").then(|| TrialGuest::new(argv).with_file("connect.wat", CONNECT))
}
