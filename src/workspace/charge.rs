//! The quota where no file system holds it: every write is charged before it is made.
//!
//! A charge is what a write may need at most, so that what is left is never too much. When it runs out the tree is
//! measured, and what was charged for nothing comes back.

use std::os::fd::BorrowedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::memory::Room;
use super::{DiskUsage, Quota, WorkspaceError, usage};

/// What the guests of one workspace have been charged.
#[derive(Debug, Default)]
pub(crate) struct Charges(Mutex<Option<Account>>);

#[derive(Debug)]
struct Account {
    /// What may be in use: what was there at the first charge, what the host has put there since, and the quota.
    most: Room,
    left: Room,
}

impl Charges {
    fn account(&self) -> MutexGuard<'_, Option<Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything: the next charge finds the whole quota free.
    pub(crate) fn renew(&self) {
        *self.account() = None;
    }

    /// Adds what the host puts in, which is no guest's.
    pub(crate) fn grant(&self, room: Room) {
        if let Some(account) = &mut *self.account() {
            account.most = plus(account.most, room);
            account.left = plus(account.left, room);
        }
    }

    /// Charges a write before it is made; `Ok(false)`: it does not fit.
    pub(crate) fn charge(&self, tree: BorrowedFd<'_>, quota: Quota, more: Room) -> Result<bool, WorkspaceError> {
        let mut held = self.account();
        let account = match &mut *held {
            Some(account) => account,
            none => none.insert(Account::open(used(tree)?, quota)),
        };
        if !fits(account.left, more) {
            account.left = minus(account.most, used(tree)?);
        }
        let is_free = fits(account.left, more);
        if is_free {
            account.left = minus(account.left, more);
        }
        Ok(is_free)
    }
}

impl Account {
    fn open(used: Room, quota: Quota) -> Self {
        let free = Room { bytes: quota.bytes.unwrap_or(u64::MAX), entries: quota.entries.unwrap_or(u64::MAX) };
        Self { most: plus(used, free), left: free }
    }
}

fn used(tree: BorrowedFd<'_>) -> Result<Room, WorkspaceError> {
    let DiskUsage { bytes, entries } = usage::measure(tree)?;
    Ok(Room { bytes, entries })
}

fn fits(left: Room, more: Room) -> bool {
    more.bytes <= left.bytes && more.entries <= left.entries
}

fn plus(one: Room, other: Room) -> Room {
    Room { bytes: one.bytes.saturating_add(other.bytes), entries: one.entries.saturating_add(other.entries) }
}

fn minus(one: Room, other: Room) -> Room {
    Room { bytes: one.bytes.saturating_sub(other.bytes), entries: one.entries.saturating_sub(other.entries) }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::os::fd::AsFd;

    use super::*;

    fn room(bytes: u64, entries: u64) -> Room {
        Room { bytes, entries }
    }

    #[test]
    fn what_was_charged_for_nothing_comes_back_and_what_was_used_does_not() {
        let temp = tempfile::tempdir().unwrap();
        let put = |name, bytes: &[u8]| File::create(temp.path().join(name)).unwrap().write_all(bytes).unwrap();
        put("before", &[1; 8192]);
        let dir = File::open(temp.path()).unwrap();
        let (charges, quota) = (Charges::default(), Quota { bytes: Some(64 << 10), entries: Some(2) });
        let charge = |bytes, entries| charges.charge(dir.as_fd(), quota, room(bytes, entries)).unwrap();
        assert!(charge(64 << 10, 0), "what was there before counts nothing");
        assert!(charge(64 << 10, 0), "nothing was written");
        put("after", &[1; 60 << 10]);
        assert!(!charge(8 << 10, 0));
        assert!(charge(4 << 10, 1));
        assert!(!charge(0, 2), "`after` is one of two");
        charges.grant(room(1 << 20, 1));
        assert!(charge(1 << 20, 2));
        charges.renew();
        assert!(charge(64 << 10, 2));
    }
}
