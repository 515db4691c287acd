//! What came of modules: made once, whoever asks, and kept; the oldest make room.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::load_error::LoadError;
use crate::runtime::NotStarted;

/// What came of one. A refusal is kept like a success: the same bytes are refused again, at no cost.
type Cell<V> = OnceCell<Result<V, (NotStarted, String)>>;

/// What came of the last so many.
pub(super) struct Kept<K, V> {
    most: usize,
    cells: Mutex<Cells<K, V>>,
}

struct Cells<K, V> {
    made: HashMap<K, Arc<Cell<V>>>,
    order: VecDeque<K>,
}

impl<K: Clone + Eq + Hash, V: Clone> Kept<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, cells: Mutex::new(Cells { made: HashMap::new(), order: VecDeque::new() }) }
    }

    /// Gives what is kept, or makes it. What the host failed at is not kept, nor what took too long, which says more of
    /// the host than of the module.
    ///
    /// Cancel safe: the next caller makes it again.
    pub(super) async fn get(&self, key: K, make: impl Future<Output = Result<V, LoadError>>) -> Result<V, LoadError> {
        let cell = self.cell(key);
        let made = cell.get_or_try_init(|| async {
            match make.await {
                Ok(made) => Ok(Ok(made)),
                Err(LoadError::Refused(reason, message)) => Ok(Err((reason, message))),
                Err(error @ (LoadError::Failed(_) | LoadError::TooSlow(_))) => Err(error),
            }
        });
        match made.await? {
            Ok(made) => Ok(made.clone()),
            Err((reason, message)) => Err(LoadError::Refused(*reason, message.clone())),
        }
    }

    fn cell(&self, key: K) -> Arc<Cell<V>> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = cells.made.get(&key) {
            return Arc::clone(cell);
        }
        while cells.order.len() >= self.most {
            let Some(oldest) = cells.order.pop_front() else { break };
            cells.made.remove(&oldest);
        }
        cells.order.push_back(key.clone());
        Arc::clone(cells.made.entry(key).or_default())
    }
}
