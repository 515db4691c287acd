//! Which call to the engine fails, and how.

use std::sync::{Arc, Mutex};

use crate::engine::proxy::{Do, Proxy};

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// It is answered that the engine has failed.
    Refused,
    /// The connection is closed, and the engine knows nothing of it.
    Cut,
    /// The engine does it, and its answer is lost.
    Lost,
    /// Neither it nor any later one gets through.
    Away,
    /// It is never answered.
    Stalled,
}

/// The calls of one life, counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    count: usize,
    last: String,
    failed: Option<String>,
}

impl Calls {
    /// Counts the calls that go through a proxy, and lets the one with this number fail.
    ///
    /// A question that is asked again and again counts once: how often it is depends on the time that the engine takes.
    pub(crate) fn watch(proxy: &Proxy, fault: Option<(usize, How)>) -> Self {
        let calls = Self::default();
        let counted = Arc::clone(&calls.0);
        proxy.rule(move |line| {
            let mut counted = counted.lock().unwrap();
            let is_again = counted.last == line && line.starts_with("GET");
            if !is_again {
                counted.count += 1;
                line.clone_into(&mut counted.last);
            }
            let Some((number, how)) = fault else { return Do::Forward };
            let is_it = counted.count == number && !is_again;
            if is_it {
                counted.failed = Some(line.to_owned());
            }
            match how {
                How::Away if counted.count >= number => Do::Cut,
                How::Refused if is_it => Do::Answer(500, r#"{"message":"on purpose"}"#.to_owned()),
                How::Cut if is_it => Do::Cut,
                How::Lost if is_it => Do::Lose,
                How::Stalled if is_it => Do::Stall,
                How::Away | How::Refused | How::Cut | How::Lost | How::Stalled => Do::Forward,
            }
        });
        calls
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().count
    }

    /// Gives the request that failed, if one did.
    pub(crate) fn failed(&self) -> Option<String> {
        self.0.lock().unwrap().failed.clone()
    }
}
