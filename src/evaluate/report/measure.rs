//! A figure with how it was measured, or why it was not.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evaluate::Figure;
use crate::runtime::Measured;

/// A figure with its evidence, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Measure {
    /// The figure was measured.
    Known {
        /// The figure.
        #[serde(flatten)]
        figure: Figure,
        /// What measured it.
        by: String,
    },
    /// The figure was not measured.
    NotMeasured {
        /// Why not.
        not_measured: String,
    },
}

impl Measure {
    /// Gives a length of time.
    pub fn time(measured: &Measured<Duration>) -> Self {
        Self::new(measured, |time| Figure::Seconds(time.as_secs_f64()))
    }

    /// Gives a number of bytes.
    pub fn bytes(measured: &Measured<u64>) -> Self {
        Self::new(measured, Figure::Bytes)
    }

    /// Gives the seconds, where it is a time that was measured.
    pub fn seconds(&self) -> Option<f64> {
        match self {
            Self::Known { figure: Figure::Seconds(seconds), .. } => Some(*seconds),
            Self::Known { .. } | Self::NotMeasured { .. } => None,
        }
    }

    /// Gives the bytes, where it is a size that was measured.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Known { figure: Figure::Bytes(bytes), .. } => Some(*bytes),
            Self::Known { .. } | Self::NotMeasured { .. } => None,
        }
    }

    fn new<T: Copy>(measured: &Measured<T>, unit: impl Fn(T) -> Figure) -> Self {
        match measured {
            Measured::Known { value, by } => Self::Known { figure: unit(*value), by: (*by).to_owned() },
            Measured::NotMeasured { why } => Self::NotMeasured { not_measured: (*why).to_owned() },
        }
    }
}
