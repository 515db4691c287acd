//! The log: on standard error, as text or JSON, off unless asked for.

use std::io::{self, Write};

use tracing::dispatcher::DefaultGuard;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt};

use super::args::{GlobalArgs, LogFormat};
use super::terminal::{Shared, Terminal};

/// A writer of the log.
struct Log(Shared);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Installs the subscriber for the process; where there is one already, for this thread as long as the guard lives.
pub(super) fn install(args: &GlobalArgs, terminal: &Terminal) -> Option<DefaultGuard> {
    let level = match args.verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let level = if args.quiet { LevelFilter::ERROR } else { level };
    let filter = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("bailiwick", level);
    let stderr = terminal.stderr.clone();
    let layer = fmt::layer().with_ansi(false).with_writer(move || Log(stderr.clone()));
    let layer = match args.log_format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().boxed(),
    };
    let subscriber = Registry::default().with(layer.with_filter(filter));
    let dispatch = tracing::Dispatch::new(subscriber);
    match tracing::dispatcher::set_global_default(dispatch.clone()) {
        Ok(()) => None,
        Err(_) => Some(tracing::dispatcher::set_default(&dispatch)),
    }
}
