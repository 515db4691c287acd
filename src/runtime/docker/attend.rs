//! A running command and its end: looks where it stands, listens to the engine, and passes on what must end it.

use std::time::{Duration, Instant};

use bollard::models::EventMessage;
use futures_util::StreamExt as _;
use tokio::sync::{Notify, watch};

use super::DockerError;
use super::container::{Container, Events};
use super::exec::{self, Standing};
use super::streams::Phase;
use super::usage::Counters;
use super::watch::Watch;
use crate::runtime::Control;

/// When a command is looked at first: an engine takes about so long to start one.
const FIRST: Duration = Duration::from_millis(40);
/// How often a command that does not run yet is looked at.
const STARTING: Duration = Duration::from_millis(10);
/// How often at most, and at least, a running command is looked at.
const RUNNING: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));
/// How long an engine may take to start a command.
const START: Duration = Duration::from_secs(60);
/// How often in a row an engine may fail to answer.
const FAILURES: u32 = 3;
/// How long the event of a full memory is waited for, where a command looks as if there should be one.
const EVENT: Duration = Duration::from_millis(250);

/// How a command came to its end, as the engine says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    Ended(i32),
    Refused,
    Died,
    Stopped,
}

/// Who attends to a command.
pub(super) struct Attendant<'a> {
    pub(super) api: &'a bollard::Docker,
    pub(super) container: &'a mut Container,
    pub(super) exec: &'a str,
    pub(super) control: &'a Control,
    pub(super) phase: &'a watch::Sender<Phase>,
    pub(super) nudge: &'a Notify,
    pub(super) watch: &'a mut Watch,
    /// Whether the engine had to end something because memory was full.
    pub(super) out_of_memory: bool,
    /// The counters right before everything was killed, where they could be read.
    pub(super) last: Option<Counters>,
}

/// When a command is looked at.
struct Pace {
    began: Instant,
    next: Instant,
    pause: Duration,
    /// How often in a row the engine failed to answer.
    failures: u32,
}

/// What the engine tells by itself.
enum Told {
    OutOfMemory,
    Died,
    Nothing,
    /// It tells nothing more.
    Silent,
}

impl Attendant<'_> {
    /// Attends until the command has ended, by itself or because it must.
    pub(super) async fn run(&mut self) -> Result<Came, DockerError> {
        let began = Instant::now();
        let mut pace = Pace { began, next: began + FIRST, pause: RUNNING.0, failures: 0 };
        loop {
            let nudged = async {
                tokio::select! {
                    () = self.nudge.notified() => {}
                    () = tokio::time::sleep_until(pace.next.into()) => {}
                }
            };
            tokio::select! {
                biased;
                _ = self.control.stopped() => return self.stop().await,
                told = hear(&mut self.container.events) => match told {
                    Told::OutOfMemory => self.out_of_memory = true,
                    Told::Died => {
                        if !self.container.look(self.api).await? {
                            return Ok(self.died());
                        }
                    }
                    Told::Nothing => {}
                    Told::Silent => self.container.events = None,
                },
                () = self.watch.due() => self.watch_limits().await,
                () = nudged => {
                    if let Some(came) = self.look(&mut pace).await? {
                        return Ok(came);
                    }
                }
            }
        }
    }

    /// Looks at what the engine does not hold; a look that takes long holds no end back.
    async fn watch_limits(&mut self) {
        let looked = tokio::select! {
            biased;
            _ = self.control.stopped() => None,
            looked = self.watch.look(self.api, self.container) => looked,
        };
        if let Some(stop) = looked {
            self.control.stop(stop);
        }
    }

    /// Looks where the command stands, and decides when to look again.
    async fn look(&mut self, pace: &mut Pace) -> Result<Option<Came>, DockerError> {
        let looked = tokio::select! {
            biased;
            _ = self.control.stopped() => return Ok(None),
            looked = exec::look(self.api, self.exec) => looked,
        };
        match looked {
            Ok(Standing::Waiting) if pace.began.elapsed() > START => {
                return Err(DockerError::TimedOut { action: "start the command", within: START });
            }
            Ok(Standing::Waiting) => pace.pause = STARTING,
            Ok(Standing::Running) => {
                self.started();
                (pace.pause, pace.failures) = ((pace.pause * 3 / 2).min(RUNNING.1), 0);
            }
            Ok(Standing::Ended(code)) => {
                self.started();
                self.control.mark_ended();
                return Ok(Some(Came::Ended(code)));
            }
            Ok(Standing::Refused) => return Ok(Some(Came::Refused)),
            Err(error) => {
                (pace.pause, pace.failures) = (RUNNING.1, pace.failures + 1);
                if let Some(came) = self.explain(error, pace.failures).await? {
                    return Ok(Some(came));
                }
            }
        }
        pace.next = Instant::now() + pace.pause;
        Ok(None)
    }

    fn started(&self) {
        if !self.control.is_stopped() {
            self.control.mark_started();
        }
        self.phase.send_if_modified(|phase| {
            let is_first = *phase == Phase::Starting;
            if is_first {
                *phase = Phase::Running;
            }
            is_first
        });
    }

    /// Ends everything in the container.
    async fn stop(&mut self) -> Result<Came, DockerError> {
        self.phase.send_replace(Phase::Stopped);
        self.last = self.container.count_at_once();
        // Dead is dead, whatever the engine still has to do.
        if self.container.strike_at_once().await {
            self.control.mark_ended();
        }
        self.container.strike(self.api).await?;
        self.control.mark_ended();
        self.container.await_end(self.api).await?;
        Ok(Came::Stopped)
    }

    /// Finds out why the engine does not say where the command stands; nothing while it may be asked again.
    async fn explain(&mut self, error: DockerError, failures: u32) -> Result<Option<Came>, DockerError> {
        if error.is_lost() {
            return if failures < FAILURES { Ok(None) } else { Err(error) };
        }
        if error.status().is_some_and(|status| status >= 500) && failures < FAILURES {
            return Ok(None);
        }
        // An engine forgets the commands of a container that has ended.
        if !self.container.look(self.api).await? {
            return Ok(Some(self.died()));
        }
        Err(error)
    }

    fn died(&self) -> Came {
        self.started();
        self.control.mark_ended();
        Came::Died
    }

    /// Waits for the event of a full memory for a while.
    pub(super) async fn await_event(&mut self) {
        let heard = async {
            while !self.out_of_memory {
                match hear(&mut self.container.events).await {
                    Told::OutOfMemory => self.out_of_memory = true,
                    Told::Died | Told::Nothing => {}
                    Told::Silent => return,
                }
            }
        };
        let _ = tokio::time::timeout(EVENT, heard).await;
    }
}

/// Waits for what the engine tells by itself.
///
/// Cancel safe.
async fn hear(events: &mut Option<Events>) -> Told {
    let Some(events) = events else { return std::future::pending().await };
    match events.next().await {
        Some(Ok(EventMessage { action: Some(action), .. })) if action == "oom" => Told::OutOfMemory,
        Some(Ok(EventMessage { action: Some(action), .. })) if action == "die" => Told::Died,
        Some(Ok(_)) => Told::Nothing,
        Some(Err(_)) | None => Told::Silent,
    }
}
