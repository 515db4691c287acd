//! Figures with their units: what was measured, what is allowed, and where that came from.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::runtime::Measured;
use crate::spec::{LimitValue, Limits};

/// A figure whose key names its unit: `{"seconds": 1.5}`.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::cli) enum Amount {
    /// Seconds, with a fraction.
    Seconds(f64),
    /// Bytes.
    Bytes(u64),
    /// Things: files, processes, instructions.
    Count(u64),
    /// Processors, with a fraction.
    Cores(f64),
}

impl From<LimitValue> for Amount {
    fn from(value: LimitValue) -> Self {
        match value {
            LimitValue::Time(time) => time.into(),
            LimitValue::Bytes(bytes) => Self::Bytes(bytes),
            LimitValue::Count(count) => Self::Count(count),
            LimitValue::Cores(cores) => Self::Cores(cores),
        }
    }
}

impl From<Duration> for Amount {
    fn from(time: Duration) -> Self {
        Self::Seconds(time.as_secs_f64())
    }
}

/// A figure with its evidence, or why there is none.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Figure {
    /// The figure was measured.
    Known {
        /// The figure.
        #[serde(flatten)]
        amount: Amount,
        /// What measured it.
        by: &'static str,
    },
    /// The figure was not measured.
    NotMeasured {
        /// Why not.
        not_measured: &'static str,
    },
}

impl Figure {
    pub(super) fn new<T: Copy>(measured: &Measured<T>, unit: impl Fn(T) -> Amount) -> Self {
        match measured {
            Measured::Known { value, by } => Self::Known { amount: unit(*value), by },
            Measured::NotMeasured { why } => Self::NotMeasured { not_measured: why },
        }
    }
}

/// One limit in force, with where its value came from.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::cli) enum InForce {
    /// There is a limit.
    Limited {
        /// Its value.
        #[serde(flatten)]
        amount: Amount,
        /// Where the value came from: `default`, `spec`, `flag`, `case`, `spawn`, `command`.
        from: &'static str,
    },
    /// There is none.
    Unlimited {
        /// Always true.
        unlimited: bool,
        /// Where that came from.
        from: &'static str,
    },
}

impl InForce {
    /// Gives every limit by name.
    pub(in crate::cli) fn all(limits: &Limits) -> BTreeMap<&'static str, Self> {
        let in_force = limits.iter().map(|(name, bound)| {
            let from = bound.from.name();
            let value = match bound.value {
                Some(value) => Self::Limited { amount: value.into(), from },
                None => Self::Unlimited { unlimited: true, from },
            };
            (name.name(), value)
        });
        in_force.collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_figure_names_its_unit_and_its_evidence() {
        let known = Figure::new(&Measured::known(Duration::from_millis(1500), "clock"), Amount::from);
        assert_eq!(serde_json::to_value(known).unwrap(), json!({"seconds": 1.5, "by": "clock"}));
        let unknown = Figure::new(&Measured::<u64>::not_measured("fuel off"), Amount::Count);
        assert_eq!(serde_json::to_value(unknown).unwrap(), json!({"not_measured": "fuel off"}));
    }

    #[test]
    fn no_limit_is_said_out_loud() {
        let all = serde_json::to_value(InForce::all(&Limits::defaults(crate::spec::Mode::Agent))).unwrap();
        assert_eq!(all["wall_time"], json!({"unlimited": true, "from": "default"}));
        assert_eq!(all["memory"], json!({"bytes": 8_u64 << 30, "from": "default"}));
    }
}
