//! Hashing and packing small files on a second thread while the next ones are read.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope};

use super::super::WorkspaceError;
use super::batch::{Batch, Read, Shared};
use super::store::StoreError;

/// How many batches there are beside the one that is filled: what is in memory at most.
const AWAY: usize = 3;

/// The way of small files from their reading to their hash. A tree of less than one batch needs no thread.
#[derive(Debug)]
pub(super) struct Lane<'scope, 'env, 'a, 'b> {
    scope: &'scope Scope<'scope, 'env>,
    store: Option<&'env Shared<'a, 'b>>,
    /// The one that is filled; none before the first small file.
    batch: Option<Batch>,
    second: Option<Second>,
}

/// The second thread.
#[derive(Debug)]
struct Second {
    full: SyncSender<Batch>,
    settled: Receiver<Result<Batch, StoreError>>,
    away: usize,
}

impl<'scope, 'env, 'a: 'env, 'b: 'env> Lane<'scope, 'env, 'a, 'b> {
    pub(super) fn new(scope: &'scope Scope<'scope, 'env>, store: Option<&'env Shared<'a, 'b>>) -> Self {
        Self { scope, store, batch: None, second: None }
    }

    pub(super) fn store(&self) -> Option<&'env Shared<'a, 'b>> {
        self.store
    }

    /// Gives a batch with room for a small file; hands the files on that have got their hashes meanwhile.
    pub(super) fn batch(&mut self, size: u64, take: &mut impl FnMut(Read)) -> Result<&mut Batch, WorkspaceError> {
        let batch = match self.batch.take() {
            Some(batch) if batch.has_room(size) => batch,
            Some(full) => self.exchange(full, take)?,
            None => Batch::new(),
        };
        Ok(self.batch.insert(batch))
    }

    /// Takes in a small file that was read into the [batch](Self::batch).
    pub(super) fn push(&mut self, file: Read) {
        if let Some(batch) = &mut self.batch {
            batch.push(file);
        }
    }

    /// Waits for the hashes of all files.
    pub(super) fn finish(&mut self, take: &mut impl FnMut(Read)) -> Result<(), WorkspaceError> {
        if let Some(mut last) = self.batch.take().filter(|batch| !batch.is_empty()) {
            match &mut self.second {
                Some(second) => second.send(last)?,
                None => {
                    last.settle(self.store)?;
                    last.take().for_each(&mut *take);
                }
            }
        }
        if let Some(mut second) = self.second.take() {
            while second.away > 0 {
                second.receive()?.take().for_each(&mut *take);
            }
        }
        Ok(())
    }

    /// Gives a full batch away, and an empty one back.
    fn exchange(&mut self, mut full: Batch, take: &mut impl FnMut(Read)) -> Result<Batch, WorkspaceError> {
        if self.second.is_none() {
            self.second = self.start();
        }
        let Some(second) = &mut self.second else {
            full.settle(self.store)?;
            full.take().for_each(take);
            return Ok(full);
        };
        second.send(full)?;
        if second.away < AWAY {
            return Ok(Batch::new());
        }
        let mut settled = second.receive()?;
        settled.take().for_each(take);
        Ok(settled)
    }

    /// Starts the second thread. `None`: the system gives none.
    fn start(&self) -> Option<Second> {
        let (full, to_settle) = sync_channel::<Batch>(AWAY);
        let (done, settled) = sync_channel(AWAY);
        let store = self.store;
        let settle = move || {
            for mut batch in to_settle {
                let batch = batch.settle(store).map(|()| batch);
                let has_failed = batch.is_err();
                if done.send(batch).is_err() || has_failed {
                    break;
                }
            }
        };
        Builder::new().name("snapshot".to_owned()).spawn_scoped(self.scope, settle).ok()?;
        Some(Second { full, settled, away: 0 })
    }
}

impl Second {
    fn send(&mut self, batch: Batch) -> Result<(), WorkspaceError> {
        if self.full.send(batch).is_err() {
            // It has ended before its time, and said why.
            loop {
                self.receive()?;
            }
        }
        self.away += 1;
        Ok(())
    }

    fn receive(&mut self) -> Result<Batch, WorkspaceError> {
        // A thread that ended without a word has panicked, which its scope tells.
        let gone = |_| WorkspaceError::io("hash files of", b"", io::Error::from(io::ErrorKind::BrokenPipe));
        self.away = self.away.saturating_sub(1);
        Ok(self.settled.recv().map_err(gone)??)
    }
}
