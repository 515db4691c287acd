//! What a command used, each figure with how it was measured or why it was not.

use std::time::Duration;

/// A figure with its evidence. An unknown is never zero.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured<T> {
    /// The figure was measured.
    Known {
        /// The figure.
        value: T,
        /// What measured it: `monotonic clock`, `thread CPU clock`.
        by: &'static str,
    },
    /// The figure was not measured.
    NotMeasured {
        /// Why not.
        why: &'static str,
    },
}

impl<T> Measured<T> {
    /// Makes a figure that was measured.
    pub fn known(value: T, by: &'static str) -> Self {
        Self::Known { value, by }
    }

    /// Makes a figure that was not measured.
    pub fn not_measured(why: &'static str) -> Self {
        Self::NotMeasured { why }
    }

    /// Gives the figure, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Known { value, .. } => Some(value),
            Self::NotMeasured { .. } => None,
        }
    }
}

/// What one command used.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Usage {
    /// How long the command waited for a place; never part of the wall time.
    pub queued: Measured<Duration>,
    /// From the moment the guest could execute until it had ended.
    pub wall_time: Measured<Duration>,
    /// Processor time of the guest.
    pub cpu_time: Measured<Duration>,
    /// The most memory that the guest held at once, in bytes.
    pub peak_memory: Measured<u64>,
    /// Instructions executed, in units of fuel.
    pub fuel: Measured<u64>,
    /// Bytes that the command added to the workspace.
    pub disk_written: Measured<u64>,
}
