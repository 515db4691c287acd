//! The guest's standard streams: frames of the engine to sinks, and standard input to the engine, at the same time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bollard::container::LogOutput;
use bollard::errors::Error as ApiError;
use futures_util::StreamExt as _;
use tokio::sync::{Notify, watch};

use super::exec::{self, Frames, Input};
use crate::runtime::{Sink, StdinReader};

/// How long output is waited for where a process that may live on holds the streams.
const BRIEF: Duration = Duration::from_millis(100);
/// How much is taken then: as much as pipes on the way hold.
const BRIEF_BYTES: usize = 1 << 20;
/// How long the end of output is waited for where nothing is alive that could hold it back.
const TO_END: Duration = Duration::from_secs(10);
/// How much of the engine's own words is kept.
const WORDS: usize = 4 << 10;

/// How far a command has come, for those who move its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// The engine has not said yet whether it runs.
    #[default]
    Starting,
    Running,
    /// It is to end: nobody waits for a slow reader any more.
    Stopped,
    /// It never ran: what comes are the engine's words.
    Refused,
    /// It has ended, and nothing that could print is alive.
    Ended,
    /// It has ended, and something that it left behind may print for ever.
    Left,
    /// The engine failed.
    Broken,
}

impl Phase {
    fn has_run(self) -> bool {
        match self {
            Self::Starting => false,
            Self::Running | Self::Stopped | Self::Refused | Self::Ended | Self::Left | Self::Broken => true,
        }
    }

    fn is_over(self) -> bool {
        match self {
            Self::Starting | Self::Running | Self::Stopped => false,
            Self::Refused | Self::Ended | Self::Left | Self::Broken => true,
        }
    }

    fn waits_for_readers(self) -> bool {
        self == Self::Running
    }

    /// Gives how long the rest is waited for.
    fn patience(self) -> Duration {
        match self {
            Self::Left => BRIEF,
            Self::Broken => Duration::ZERO,
            Self::Starting | Self::Running | Self::Stopped | Self::Refused | Self::Ended => TO_END,
        }
    }
}

/// What came beside the guest's own output.
#[derive(Debug, Default)]
pub(super) struct Pumped {
    /// The engine's words, where the guest never ran.
    pub(super) words: Vec<u8>,
    /// What broke the stream.
    pub(super) broken: Option<ApiError>,
}

/// Who passes on what the engine sends.
#[derive(Debug)]
pub(super) struct Pump<'a> {
    sinks: [Arc<Sink>; 2],
    phase: watch::Receiver<Phase>,
    /// Told that there is something to look at.
    nudge: &'a Notify,
    pumped: Pumped,
}

impl<'a> Pump<'a> {
    pub(super) fn new(sinks: [Arc<Sink>; 2], phase: watch::Receiver<Phase>, nudge: &'a Notify) -> Self {
        Self { sinks, phase, nudge, pumped: Pumped::default() }
    }

    /// Passes on until the output has ended, or the command is over and its output drained.
    pub(super) async fn run(mut self, mut frames: Frames) -> Pumped {
        let ended = loop {
            let frame = tokio::select! {
                biased;
                frame = frames.next() => frame,
                _ = self.phase.wait_for(|phase| phase.is_over()) => break false,
            };
            let Some(frame) = frame else { break true };
            if !self.take(frame).await {
                break true;
            }
        };
        if ended {
            self.nudge.notify_one();
        } else {
            self.drain(frames).await;
        }
        self.pumped
    }

    /// Takes a frame; says whether more may come.
    async fn take(&mut self, frame: Result<LogOutput, ApiError>) -> bool {
        // What comes before the engine has said that the guest runs may be its own words.
        if !self.phase.borrow().has_run() {
            self.nudge.notify_one();
            let _ = self.phase.wait_for(|phase| phase.has_run()).await;
        }
        let Some((sink, bytes)) = self.read(frame) else { return self.pumped.broken.is_none() };
        if !self.phase.borrow().waits_for_readers() {
            self.sinks[sink].push(&bytes);
            return true;
        }
        let to = Arc::clone(&self.sinks[sink]);
        tokio::select! {
            // In this order: at its first poll the sink has counted and kept the bytes.
            biased;
            () = to.write(&bytes) => {}
            _ = self.phase.wait_for(|phase| !phase.waits_for_readers()) => {}
        }
        true
    }

    /// Reads a frame of the guest; keeps what is none.
    fn read(&mut self, frame: Result<LogOutput, ApiError>) -> Option<(usize, bytes::Bytes)> {
        let (sink, bytes) = match frame {
            Ok(LogOutput::StdOut { message }) => (0, message),
            Ok(LogOutput::StdErr { message }) => (1, message),
            Ok(LogOutput::StdIn { .. }) => return None,
            Ok(LogOutput::Console { .. }) => {
                let error = "what came from the engine is no frame".to_owned();
                self.pumped.broken = Some(ApiError::DockerStreamError { error });
                return None;
            }
            Err(error) => {
                self.pumped.broken = Some(error);
                return None;
            }
        };
        if *self.phase.borrow() == Phase::Refused {
            let room = WORDS.saturating_sub(self.pumped.words.len()).min(bytes.len());
            self.pumped.words.extend_from_slice(&bytes[..room]);
            return None;
        }
        Some((sink, bytes))
    }

    /// Reads what is left after the end; a slow reader does not hold it back, and gets it all the same.
    async fn drain(&mut self, mut frames: Frames) {
        let phase = *self.phase.borrow();
        let (deadline, mut taken) = (Instant::now() + phase.patience(), 0);
        loop {
            let Ok(next) = tokio::time::timeout_at(deadline.into(), frames.next()).await else {
                if phase == Phase::Ended {
                    self.pumped.broken = Some(ApiError::RequestTimeoutError);
                }
                return;
            };
            let Some(frame) = next else { return };
            match self.read(frame) {
                Some((sink, bytes)) => {
                    taken += bytes.len();
                    self.sinks[sink].push(&bytes);
                }
                None if self.pumped.broken.is_some() => return,
                None => {}
            }
            if phase == Phase::Left && taken > BRIEF_BYTES {
                return;
            }
        }
    }
}

/// Feeds standard input once the guest runs, until it has ended.
pub(super) async fn feed(input: Input, stdin: &mut StdinReader, mut phase: watch::Receiver<Phase>) {
    let _ = phase.wait_for(|phase| phase.has_run()).await;
    let is_running = *phase.borrow() == Phase::Running;
    if is_running {
        tokio::select! {
            () = exec::feed(input, stdin) => {}
            _ = phase.wait_for(|phase| phase.is_over()) => {}
        }
    }
}
