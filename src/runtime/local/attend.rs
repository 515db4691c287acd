//! A running command and its end: listens to the supervisor, passes on what must end it, and settles the figures.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::cgroup::Group;
use super::limits::Applied;
use super::run::LET_GO;
use super::spawn::LocalGuest;
use super::streams::Phase;
use super::supervisor::{Begun, GRACE, LeftOvers, Manner, Report, Reports, Supervisor, UNKILLABLE, Used};
use super::usage::{Watcher, cpu_time, peak_memory};
use super::{ending, tree};
use crate::runtime::{Control, Ending, Killer, Measured, Stop};
use crate::spec::Limits;

/// How long a supervisor that must end a command may keep silent before its work is done for it.
const SILENCE: Duration = Duration::from_secs(1);

/// Who attends to a command while it runs.
#[derive(Debug)]
pub(super) struct Attendant<'a> {
    control: &'a Control,
    supervisor: Supervisor,
    reports: Reports,
    left_overs: LeftOvers,
    group: Group,
    watcher: Watcher,
    phase: watch::Sender<Phase>,
    /// When the supervisor must have ended everything.
    due: Option<Instant>,
    seen: Facts,
}

/// What became known of a command.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The wait status of the main process.
    pub(super) status: Option<i32>,
    pub(super) used: Option<Used>,
    /// Whether processes live on that may.
    pub(super) left: bool,
    pub(super) notes: Vec<String>,
}

/// A command that has ended, with what still holds its remains.
#[derive(Debug)]
pub(super) struct Seen {
    facts: Facts,
    supervisor: Supervisor,
    reports: Reports,
    group: Group,
    watcher: Watcher,
}

/// Processes that outlived the main process of an agent's command.
#[derive(Debug)]
pub(super) struct LeftOver {
    supervisor: Supervisor,
    reports: Reports,
    _group: Group,
}

impl<'a> Attendant<'a> {
    pub(super) fn new(
        control: &'a Control,
        begun: Begun,
        applied: Applied,
        (left_overs, phase): (LeftOvers, watch::Sender<Phase>),
    ) -> Self {
        let Begun { supervisor, reports, exec: _ } = begun;
        let (watcher, group) = (Watcher::new(&applied), applied.group);
        Self { control, supervisor, reports, left_overs, group, watcher, phase, due: None, seen: Facts::default() }
    }

    /// Attends until nothing of the command is alive that must not be.
    pub(super) async fn run(mut self) -> Seen {
        let (mut stopped, mut looked) = (false, Instant::now());
        loop {
            let (watched, due) = (self.watcher.is_needed() && self.seen.status.is_none(), self.due);
            tokio::select! {
                biased;
                report = self.reports.next() => {
                    if self.hear(report) {
                        break;
                    }
                }
                why = self.control.stopped(), if !stopped => {
                    stopped = true;
                    self.stop(why);
                }
                () = self.watcher.due(looked), if watched && !stopped => {
                    looked = Instant::now();
                    if let Some(stop) = self.watcher.look(self.supervisor.pid(), &self.group) {
                        self.control.stop(stop);
                    }
                }
                () = async { tokio::time::sleep_until(due.unwrap_or(looked).into()).await }, if due.is_some() => {
                    self.force();
                    break;
                }
            }
        }
        // What is drained from its pipes after this is not the guest's time.
        self.control.mark_ended();
        self.phase.send_modify(|phase| phase.over = true);
        let Self { supervisor, reports, group, watcher, seen: facts, .. } = self;
        Seen { facts, supervisor, reports, group, watcher }
    }

    /// Takes a report; says whether it is the last one to wait for.
    fn hear(&mut self, report: Option<Report>) -> bool {
        match report {
            Some(Report::Ended { status, used, left }) => {
                (self.seen.status, self.seen.used) = (Some(status), Some(used));
                let may_live = self.left_overs == LeftOvers::Keep && !self.control.is_stopped();
                self.seen.left = left && may_live;
                self.due = Some(Instant::now() + UNKILLABLE + SILENCE);
                !left || may_live
            }
            Some(Report::Over { used, left }) => {
                self.seen.used = Some(used);
                if left {
                    self.seen.notes.push("processes of the command could not be ended: not reaped".to_owned());
                }
                true
            }
            Some(Report::Refused(_)) => false,
            None => {
                self.seen.notes.push("the supervisor of the command was killed".to_owned());
                true
            }
        }
    }

    fn stop(&mut self, why: Stop) {
        let manner = match why {
            Stop::Kill(Killer::Dropped) => Manner::Now,
            Stop::Kill(Killer::Caller | Killer::Interrupt) | Stop::Limit(..) => Manner::Politely,
        };
        self.supervisor.ask(manner);
        self.due = Some(Instant::now() + GRACE + UNKILLABLE + SILENCE);
        self.phase.send_modify(|phase| phase.stopped = true);
    }

    /// Ends everything without the supervisor: a guest of the same user may have stopped it.
    fn force(&mut self) {
        let gone = tree::kill_below(self.supervisor.pid()) && self.group.kill();
        self.supervisor.kill();
        let how = if gone { "ended without it" } else { "could not all be ended: not reaped" };
        self.seen.notes.push(format!("the supervisor did not answer; processes of the command {how}"));
    }
}

impl Seen {
    /// Makes the ending, and lets go of the supervisor or keeps it with what lives on.
    pub(super) async fn settle(self, guest: &LocalGuest, control: &Control, limits: &Limits) -> Ending {
        let Self { mut facts, supervisor, reports, group, watcher } = self;
        let cpu = cpu_time(facts.used, &group);
        let peak = peak_memory(facts.used, watcher.peak(), &group);
        let judged = ending::of(&facts, control.is_stopped(), limits, &cpu, &peak, &group);
        let refused = group.refused_processes();
        if refused > 0 {
            facts.notes.push(format!("the processes limit refused a process {refused} times"));
        }
        if facts.left {
            let left = tree::below(supervisor.pid()).len();
            facts.notes.push(format!("processes that outlived the command: {left}"));
            guest.keep(LeftOver { supervisor, reports, _group: group });
        } else {
            supervisor.release(LET_GO).await;
        }
        let mut ending = Ending::new(judged.end);
        (ending.denied, ending.cpu_time, ending.peak_memory) = (judged.denied, cpu, peak);
        ending.disk_written = Measured::not_measured("nothing of the host counts what one process writes");
        ending.notes = facts.notes;
        ending
    }
}

impl LeftOver {
    /// Gives the number of its supervisor.
    pub(super) fn pid(&self) -> i32 {
        self.supervisor.pid()
    }

    /// Says whether they have ended by themselves.
    pub(super) fn is_over(&self) -> bool {
        self.reports.take().is_some()
    }

    /// Asks them to end.
    pub(super) fn ask(&self) {
        self.supervisor.ask(Manner::Politely);
    }

    /// Waits until they have ended, and lets the supervisor go. Says whether nothing is left.
    pub(super) async fn end(self) -> bool {
        let last = tokio::time::timeout(GRACE + UNKILLABLE + SILENCE, self.reports.next()).await;
        let ended = !matches!(last, Err(_) | Ok(Some(Report::Over { left: true, .. })));
        if !ended {
            tree::kill_below(self.supervisor.pid());
            self.supervisor.kill();
        }
        self.supervisor.release(LET_GO).await && ended
    }
}
