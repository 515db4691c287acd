//! What a self-test asks of a guest, and the guests that a machine with a shell of POSIX brings for it.
//!
//! Each [`RuntimeKind`](super::RuntimeKind) brings guests of its own machine; none of them judges itself.
//! Never here: what must come of a trial. That is the self-test's, which knows no runtime by name.
//! Read next: `ask.rs` for the trials and what their exit codes say, `posix.sh` for one guest of each.

mod ask;
mod posix;

pub use ask::{Trial, TrialGuest, TrialStream};
pub use posix::posix_trial;
