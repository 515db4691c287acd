//! The budgets, measured: each row is ours beside the peer, in turn, in one process, as medians.
//!
//! `cargo bench` prints the table; `cargo bench -- FILTER` takes the rows whose name holds FILTER, and
//! `--json FILE` writes the figures. Machines are noisy: only the ratios of one run mean something.

#![expect(clippy::unwrap_used, reason = "a bench that cannot measure has nothing to say")]
#![expect(clippy::disallowed_methods, reason = "peers are processes")]
#![expect(clippy::print_stdout, reason = "the table is what a bench is for")]

mod bare;
mod latency;
mod ours;
mod process;
mod report;

use report::Report;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let (mut filter, mut json) = (String::new(), None);
    while let Some(arg) = args.next() {
        if arg == "--json" { json = args.next() } else { filter = arg }
    }
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut report = Report::new(filter);
    latency::execute(&executor, &mut report);
    latency::files(&executor, &mut report);
    latency::session(&executor, &mut report);
    latency::cpu_bound(&executor, &mut report);
    latency::python(&executor, &mut report);
    latency::overshoot(&executor, &mut report);
    // One thread would look at its timers only every 61 turns of the guest, and measure that.
    let several = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    latency::kill(&several, &mut report);
    process::run(&mut report);
    report.print();
    if let Some(path) = json {
        report.write(&path);
    }
}
