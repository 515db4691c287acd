//! Memory file systems that are empty again and wait for the next workspace.
//!
//! To make one, and most of all to let go of it, takes the kernel many times as long as to empty it: it waits for every
//! processor. So a new workspace takes what another one left, as long as others live; the last one keeps nothing.

use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cap_std::fs::Dir;

use super::super::remove;
use super::system::{Controls, Room, used};

/// The most that are kept, however many workspaces live.
const MOST: usize = 64;

/// A memory file system with nothing in it.
#[derive(Debug)]
pub(crate) struct Spare {
    pub(crate) root: Dir,
    pub(crate) controls: Controls,
    /// What is in use of one that is empty.
    pub(crate) blank: Room,
}

/// Those that are kept, and how many workspaces there are that may leave or take one.
#[derive(Debug, Default)]
pub(crate) struct Spares(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    live: usize,
    spares: Vec<Spare>,
}

impl Spare {
    /// Empties what a workspace leaves. None where somebody still holds a part of it: that one could reach what comes
    /// next, so it must not come here. Whatever is held counts as in use.
    pub(crate) fn of(root: &Dir, controls: Controls, blank: Room) -> Result<Self, Controls> {
        let is_blank = || used(root).is_ok_and(|used| used == blank);
        if remove::clear(root.as_fd()).is_err() || !is_blank() {
            return Err(controls);
        }
        match root.try_clone() {
            Ok(root) => Ok(Self { root, controls, blank }),
            Err(_) => Err(controls),
        }
    }
}

impl Spares {
    /// Counts a workspace that begins, and gives it a file system, if there is one.
    pub(crate) fn enter(&self) -> Option<Spare> {
        let mut held = self.lock();
        held.live += 1;
        held.spares.pop()
    }

    /// Counts a workspace that is gone and keeps what it left; gives back what there are too many of.
    #[must_use = "to let go of one takes time"]
    pub(crate) fn leave(&self, spare: Option<Spare>) -> Vec<Spare> {
        let mut held = self.lock();
        held.live = held.live.saturating_sub(1);
        held.spares.extend(spare);
        let kept = held.live.min(MOST).min(held.spares.len());
        held.spares.split_off(kept)
    }

    /// Says whether none is kept.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().spares.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
