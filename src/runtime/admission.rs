//! How many commands run at once in this process, and who waits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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
    held: Arc<Mutex<Held>>,
    queue_timeout: Option<Duration>,
}

#[derive(Debug, Default)]
struct Held {
    running: usize,
    permit: Option<OwnedSemaphorePermit>,
}

/// A place to run; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    held: Arc<Mutex<Held>>,
}

impl Admission {
    /// Makes so many places.
    pub fn new(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS))) }
    }

    /// Opens the places of one session. A wait longer than `queue_timeout` is [`SolutionRuntimeError::Busy`].
    pub fn group(&self, queue_timeout: Option<Duration>) -> AdmissionGroup {
        AdmissionGroup { places: Arc::clone(&self.places), held: Arc::default(), queue_timeout }
    }
}

impl AdmissionGroup {
    /// Waits for a place; gives it with how long that took.
    ///
    /// Cancel safe: a cancelled call holds no place.
    pub(super) async fn enter(&self) -> Result<(Place, Duration), SolutionRuntimeError> {
        if let Some(place) = self.enter_beside() {
            return Ok((place, Duration::ZERO));
        }
        let began = Instant::now();
        let acquire = Arc::clone(&self.places).acquire_owned();
        let permit = match self.queue_timeout {
            Some(limit) => tokio::time::timeout(limit, acquire).await.map_err(|_| SolutionRuntimeError::Busy)?,
            None => acquire.await,
        };
        let permit = permit.map_err(|_| SolutionRuntimeError::Closed)?;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.running += 1;
        held.permit.get_or_insert(permit);
        drop(held);
        Ok((Place { held: Arc::clone(&self.held) }, began.elapsed()))
    }

    fn enter_beside(&self) -> Option<Place> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.running == 0 {
            held.permit = Some(Arc::clone(&self.places).try_acquire_owned().ok()?);
        }
        held.running += 1;
        Some(Place { held: Arc::clone(&self.held) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.running -= 1;
        if held.running == 0 {
            held.permit = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_session_that_runs_is_admitted_beside_itself() {
        let admission = Admission::new(1);
        let (server, other) = (admission.group(None), admission.group(Some(Duration::from_millis(10))));
        let (first, _) = server.enter().await.unwrap();
        let (second, _) = server.enter().await.unwrap();
        assert!(matches!(other.enter().await, Err(SolutionRuntimeError::Busy)));
        drop(first);
        assert!(matches!(other.enter().await, Err(SolutionRuntimeError::Busy)));
        drop(second);
        other.enter().await.unwrap();
    }
}
