//! The loop of a supervisor: reap, report, and end what must end.
//!
//! Everything here runs in a forked copy of the engine: nothing allocates, locks, returns or panics.

#![expect(unsafe_code, reason = "the supervisor's three descriptors are known by their numbers")]

use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal};

use super::plan::LeftOvers;
use super::sys::{self, Reaped};
use super::{GRACE, Manner, Plan, Report, UNKILLABLE};

/// The three descriptors of a supervisor.
pub(super) struct Ears {
    control: BorrowedFd<'static>,
    status: BorrowedFd<'static>,
    children: BorrowedFd<'static>,
}

impl Ears {
    /// Moves the descriptors to the lowest numbers and closes all others.
    pub(super) fn keep_only(fds: [BorrowedFd<'_>; 3]) -> Result<Self, sys::Errno> {
        const FIRST_FREE: RawFd = 3;
        let mut safe = [-1; 3];
        for (place, fd) in safe.iter_mut().zip(fds) {
            *place = sys::dup_above(fd, FIRST_FREE)?;
        }
        for (to, from) in (0..FIRST_FREE).zip(safe) {
            sys::dup_to(from, to)?;
        }
        sys::close_from(FIRST_FREE, false);
        // SAFETY: the three were made just now, and nothing in this process closes them.
        unsafe { Ok(Self { control: sys::at(0), status: sys::at(1), children: sys::at(2) }) }
    }
}

/// What a supervisor knows.
pub(super) struct Watch<'a> {
    ears: Ears,
    plan: &'a Plan<'a>,
    main: Pid,
    /// Whether any process of the command is alive.
    alive: bool,
    /// Whether the engine was told that all is over.
    told_over: bool,
    /// When SIGKILL follows a SIGTERM.
    patience: Option<Instant>,
    /// Since when everything is being killed.
    killing: Option<Instant>,
    /// Whether the engine, or its interest, is gone.
    released: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(main: Pid, ears: Ears, plan: &'a Plan<'a>) -> Self {
        let (patience, killing, told_over, released) = (None, None, false, false);
        Self { ears, plan, main, alive: true, told_over, patience, killing, released }
    }

    pub(super) fn run(mut self) -> ! {
        loop {
            self.listen();
            self.reap();
            if self.alive {
                self.end_what_must();
            } else if self.released {
                for dir in self.plan.cgroup_dirs {
                    let _ = rustix::fs::rmdir(dir.as_c_str());
                }
                sys::exit(0);
            }
        }
    }

    /// Gives how long to wait for news before looking again.
    fn nap(&self) -> Option<Duration> {
        match (self.killing, self.patience) {
            _ if !self.alive => None,
            (Some(_), _) if self.told_over => Some(Duration::from_millis(100)),
            (Some(_), _) => Some(Duration::from_millis(5)),
            (None, Some(until)) => Some(until.saturating_duration_since(Instant::now())),
            (None, None) => None,
        }
    }

    fn listen(&mut self) {
        let nap = self.nap().map(|nap| Timespec { tv_sec: 0, tv_nsec: nap.subsec_nanos().into() });
        let unused = self.ears.children;
        let heard = |fd: BorrowedFd<'static>, wanted: bool| {
            let (fd, flags) = if wanted { (fd, PollFlags::IN) } else { (unused, PollFlags::empty()) };
            PollFd::from_borrowed_fd(fd, flags)
        };
        let mut fds = [heard(unused, true), heard(self.ears.control, !self.released)];
        if poll(&mut fds, nap.as_ref()).is_err() {
            return;
        }
        let [children, control] = fds.map(|fd| !fd.revents().is_empty());
        if children {
            let mut thrown_away = [0; 512];
            let _ = rustix::io::read(self.ears.children, &mut thrown_away);
        }
        if control {
            self.hear_control();
        }
    }

    fn hear_control(&mut self) {
        let mut word = [0; 1];
        let wish = match rustix::io::read(self.ears.control, &mut word) {
            Ok(1) => word[0],
            Ok(_) | Err(_) => {
                self.released = true;
                Manner::Now as u8
            }
        };
        if wish == Manner::Politely as u8 {
            if self.patience.is_none() && self.killing.is_none() {
                self.patience = Some(Instant::now() + GRACE);
                self.signal_children(Signal::TERM);
                // A stopped process does not hear of it otherwise.
                self.signal_children(Signal::CONT);
            }
        } else {
            self.kill();
        }
    }

    /// Reaps what has ended and reports it.
    fn reap(&mut self) {
        let mut status = None;
        self.alive = loop {
            match sys::reap() {
                Reaped::Child(pid, how) if pid == self.main.as_raw_pid() => status = Some(how),
                Reaped::Child(..) => {}
                Reaped::NoneYet => break true,
                Reaped::NoChildren => break false,
            }
        };
        if let Some(status) = status {
            self.tell(Report::Ended { status, used: sys::used(), left: self.alive });
            self.told_over = !self.alive;
            if self.plan.left_overs == LeftOvers::End || self.patience.is_some() {
                self.kill();
            }
        } else if !self.alive && !self.told_over {
            self.tell_over();
        }
    }

    fn tell(&self, report: Report) {
        let _ = rustix::io::write(self.ears.status, &report.encode());
    }

    fn tell_over(&mut self) {
        self.tell(Report::Over { used: sys::used(), left: self.alive });
        self.told_over = true;
    }

    fn kill(&mut self) {
        self.killing.get_or_insert_with(Instant::now);
    }

    fn end_what_must(&mut self) {
        if self.patience.is_some_and(|until| Instant::now() >= until) {
            self.kill();
        }
        if let Some(since) = self.killing {
            self.signal_children(Signal::KILL);
            if !self.told_over && since.elapsed() >= UNKILLABLE {
                self.tell_over();
            }
        }
    }

    /// Signals every child and its process group. Orphans become children, so that all are reached in the end.
    fn signal_children(&self, signal: Signal) {
        let own = rustix::process::getpgrp();
        let Ok(list) = rustix::fs::open(c"/proc/thread-self/children", OFlags::CLOEXEC, Mode::empty()) else {
            let _ = rustix::process::kill_process_group(self.main, signal);
            return;
        };
        let (mut buffer, mut number) = ([0_u8; 1024], 0_i32);
        while let Ok(count @ 1..) = rustix::io::read(list.as_fd(), &mut buffer) {
            for byte in buffer.iter().take(count) {
                if byte.is_ascii_digit() {
                    number = number.wrapping_mul(10).wrapping_add(i32::from(*byte - b'0'));
                    continue;
                }
                if let Some(pid) = Pid::from_raw(number).filter(|_| number > 1) {
                    signal_child(pid, own, signal);
                }
                number = 0;
            }
        }
    }
}

/// A child is not reaped by anybody else, so its number cannot mean another process; its group is within its session.
fn signal_child(pid: Pid, own: Pid, signal: Signal) {
    if let Ok(group) = rustix::process::getpgid(Some(pid))
        && group != own
    {
        let _ = rustix::process::kill_process_group(group, signal);
    }
    let _ = rustix::process::kill_process(pid, signal);
}
