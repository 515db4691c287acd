//! Signals that end the command: the first asks it to end what runs and clean up, the second to let go.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// A signal that ends the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// A polite request to end.
    Terminate,
    /// The terminal went away.
    HangUp,
}

/// The command was interrupted.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("interrupted")]
pub(super) struct Interrupted(pub(super) Signal);

impl Signal {
    /// Gives the exit code of a command that this signal ended.
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate | Self::HangUp => 143,
        }
    }
}

/// The signals that came so far.
#[derive(Clone, Debug)]
pub(super) struct Signals {
    seen: watch::Receiver<Seen>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    first: Option<Signal>,
    again: bool,
}

impl Signals {
    /// Takes the signals over; from here on they no longer end the process by themselves.
    pub(super) fn take() -> io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let (sender, seen) = watch::channel(Seen::default());
        tokio::spawn(async move {
            loop {
                let one = tokio::select! {
                    Some(()) = interrupt.recv() => Signal::Interrupt,
                    Some(()) = terminate.recv() => Signal::Terminate,
                    Some(()) = hang_up.recv() => Signal::HangUp,
                    else => return,
                };
                sender.send_modify(|seen| match seen.first {
                    None => seen.first = Some(one),
                    Some(_) => seen.again = true,
                });
            }
        });
        Ok(Self { seen })
    }

    /// Gives the first signal, if one came.
    pub(super) fn came(&self) -> Option<Signal> {
        self.seen.borrow().first
    }

    /// Waits for the first signal.
    ///
    /// Cancel safe.
    pub(super) async fn first(&self) -> Signal {
        let mut seen = self.seen.clone();
        let found = seen.wait_for(|seen| seen.first.is_some()).await.ok().and_then(|seen| seen.first);
        match found {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }

    /// Runs work until it is done or the first signal comes; the work is dropped then.
    pub(super) async fn or<T>(&self, work: impl Future<Output = T>) -> Result<T, Interrupted> {
        tokio::select! {
            biased;
            signal = self.first() => Err(Interrupted(signal)),
            done = work => Ok(done),
        }
    }

    /// Runs work until it is done or a second signal comes; the work is dropped then.
    pub(super) async fn or_again<T>(&self, work: impl Future<Output = T>) -> Result<T, Interrupted> {
        let mut seen = self.seen.clone();
        let again = async {
            match seen.wait_for(|seen| seen.again).await.ok().and_then(|seen| seen.first) {
                Some(signal) => signal,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            signal = again => Err(Interrupted(signal)),
            done = work => Ok(done),
        }
    }
}
