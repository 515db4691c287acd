//! How many commands run at once in this process, and who waits.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{AcquireError, Notify, OwnedSemaphorePermit, Semaphore};

use super::SolutionRuntimeError;

/// The places of a registry, handed out in order of arrival.
#[derive(Clone, Debug)]
pub struct Admission {
    places: Arc<Semaphore>,
}

/// The places of one session.
///
/// Only a session's first command waits: one that already has a running command is admitted at once, since a server
/// that waited for its own client would wait for ever.
#[derive(Clone, Debug)]
pub struct AdmissionGroup {
    places: Arc<Semaphore>,
    group: Arc<Group>,
    queue_timeout: Option<Duration>,
}

#[derive(Debug, Default)]
struct Group {
    held: Mutex<Held>,
    /// Told when the first command of the session was admitted, and when a bar is lifted.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Held {
    /// Commands that run or wait.
    asked: usize,
    running: usize,
    barred: bool,
    permit: Option<OwnedSemaphorePermit>,
}

/// A command that was asked for; gone when dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    group: Arc<Group>,
}

/// A turn on a runtime that bounds how many commands run at once: the command stands in line from the moment it was
/// asked for, whoever polls it first.
pub(super) struct Turn(Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send>>);

impl Turn {
    pub(super) fn ask(turns: &Arc<Semaphore>) -> Self {
        let mut acquire = Box::pin(Arc::clone(turns).acquire_owned());
        match acquire.as_mut().now_or_never() {
            Some(turn) => Self(Box::pin(std::future::ready(turn))),
            None => Self(acquire),
        }
    }

    pub(super) async fn come(self) -> Result<OwnedSemaphorePermit, SolutionRuntimeError> {
        self.0.await.map_err(|_| SolutionRuntimeError::Closed)
    }
}

/// A place to run; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    group: Arc<Group>,
}

/// The time in which no command of a session is admitted.
#[derive(Debug)]
pub(crate) struct Bar {
    group: Arc<Group>,
}

impl Admission {
    /// Makes so many places.
    pub fn new(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS))) }
    }

    /// Opens the places of one session. A wait longer than `queue_timeout` is [`SolutionRuntimeError::Busy`].
    pub fn group(&self, queue_timeout: Option<Duration>) -> AdmissionGroup {
        AdmissionGroup { places: Arc::clone(&self.places), group: Arc::default(), queue_timeout }
    }
}

impl AdmissionGroup {
    /// Counts a command that is about to wait.
    pub(super) fn ask(&self) -> Ticket {
        self.group.held().asked += 1;
        Ticket { group: Arc::clone(&self.group) }
    }

    /// Gives how long a command may wait for its turn and its place together.
    pub(super) fn queue_timeout(&self) -> Option<Duration> {
        self.queue_timeout
    }

    /// Keeps commands out while the workspace of the session is replaced; `None` where one runs or waits.
    pub(crate) fn bar(&self) -> Option<Bar> {
        let mut held = self.group.held();
        if held.asked > 0 || held.running > 0 || held.barred {
            return None;
        }
        held.barred = true;
        Some(Bar { group: Arc::clone(&self.group) })
    }

    /// Waits for a place.
    ///
    /// Cancel safe: a cancelled call holds no place.
    pub(super) async fn enter(&self) -> Result<Place, SolutionRuntimeError> {
        match self.enter_at_once() {
            Some(place) => Ok(place),
            None => self.wait().await,
        }
    }

    async fn wait(&self) -> Result<Place, SolutionRuntimeError> {
        let mut acquire = pin!(Arc::clone(&self.places).acquire_owned());
        loop {
            let mut changed = pin!(self.group.changed.notified());
            changed.as_mut().enable();
            if let Some(place) = self.enter_at_once() {
                return Ok(place);
            }
            let barred = self.group.held().barred;
            let permit = tokio::select! {
                biased;
                () = changed => continue,
                permit = acquire.as_mut(), if !barred => permit.map_err(|_| SolutionRuntimeError::Closed)?,
            };
            let mut held = self.group.held();
            if held.barred {
                // A bar fell between the two: the place goes back, and the wait begins anew.
                drop(held);
                drop(permit);
                acquire.set(Arc::clone(&self.places).acquire_owned());
                continue;
            }
            held.running += 1;
            held.permit.get_or_insert(permit);
            drop(held);
            // Those of the same session that wait behind others need wait no more.
            self.group.changed.notify_waiters();
            return Ok(Place { group: Arc::clone(&self.group) });
        }
    }

    fn enter_at_once(&self) -> Option<Place> {
        let mut held = self.group.held();
        if held.barred {
            return None;
        }
        if held.running == 0 {
            held.permit = Some(Arc::clone(&self.places).try_acquire_owned().ok()?);
        }
        held.running += 1;
        Some(Place { group: Arc::clone(&self.group) })
    }
}

impl Group {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.group.held().asked -= 1;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.group.held();
        held.running -= 1;
        if held.running == 0 {
            held.permit = None;
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.group.held().barred = false;
        self.group.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says whether a command of the group would have to wait.
    async fn is_full(group: &AdmissionGroup) -> bool {
        tokio::time::timeout(Duration::from_millis(10), group.enter()).await.is_err()
    }

    #[tokio::test]
    async fn a_session_that_runs_is_admitted_beside_itself() {
        let admission = Admission::new(1);
        let (server, other) = (admission.group(None), admission.group(None));
        let first = server.enter().await.unwrap();
        let second = server.enter().await.unwrap();
        assert!(is_full(&other).await);
        drop(first);
        assert!(is_full(&other).await);
        drop(second);
        other.enter().await.unwrap();
    }

    #[tokio::test]
    async fn those_who_waited_with_the_first_are_admitted_with_it() {
        let admission = Admission::new(1);
        let (before, server, behind) = (admission.group(None), admission.group(None), admission.group(None));
        let running = before.enter().await.unwrap();
        let (mut first, mut third) = (Box::pin(server.enter()), Box::pin(behind.enter()));
        let mut second = Box::pin(server.enter());
        for waiting in [&mut first, &mut third, &mut second] {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        drop(running);
        let _first = first.await.unwrap();
        let _second = second.await.unwrap();
        assert!(third.as_mut().now_or_never().is_none(), "another session waits on");
    }

    #[tokio::test]
    async fn a_bar_keeps_commands_out_and_waits_for_none() {
        let admission = Admission::new(1);
        let group = admission.group(None);
        let ticket = group.ask();
        assert!(group.bar().is_none(), "one was asked for");
        drop(ticket);
        let bar = group.bar().unwrap();
        assert!(group.bar().is_none(), "one at a time");
        let mut waiting = Box::pin(group.enter());
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(bar);
        let place = waiting.await.unwrap();
        assert!(group.bar().is_none(), "one runs");
        drop(place);
        assert!(group.bar().is_some());
    }
}
