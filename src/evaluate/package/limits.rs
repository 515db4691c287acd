//! The limits of packages, in the words of specs.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::file::{Package, Read};
use crate::spec::{ByteSize, Limit, LimitsConfig, Problem, Span};

/// What a validator may take where the package says nothing: the typical value of the formats.
const VALIDATION_TIME: f64 = 60.0;

/// The `limits` of `problem.yaml`; those that only one of the formats has are refused in the other by its reader.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct PackageLimits {
    pub(super) time_multiplier: Option<f64>,
    pub(super) time_safety_margin: Option<f64>,
    pub(super) time_multipliers: Option<Multipliers>,
    pub(super) time_resolution: Option<f64>,
    /// Seconds of processor time.
    pub(super) time_limit: Option<f64>,
    /// MiB.
    pub(super) memory: Option<f64>,
    /// MiB.
    pub(super) output: Option<f64>,
    /// KiB.
    pub(super) code: Option<f64>,
    pub(super) compilation_time: Option<f64>,
    pub(super) compilation_memory: Option<f64>,
    pub(super) validation_time: Option<f64>,
    pub(super) validation_memory: Option<f64>,
    pub(super) validation_output: Option<f64>,
    pub(super) validation_passes: Option<u64>,
}

/// How far the time limit is from the submissions that it is taken from.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct Multipliers {
    ac_to_time_limit: Option<f64>,
    time_limit_to_tle: Option<f64>,
}

/// The limits of a package, ready.
#[derive(Clone, Debug, Default)]
pub(super) struct Ready {
    /// Of every case.
    pub(super) case: LimitsConfig,
    /// Of a validator.
    pub(super) validation: LimitsConfig,
    /// Of making a validator runnable.
    pub(super) making: LimitsConfig,
}

impl PackageLimits {
    fn numbers(&self) -> [(&'static str, Option<f64>); 11] {
        [
            ("time_multiplier", self.time_multiplier),
            ("time_safety_margin", self.time_safety_margin),
            ("time_resolution", self.time_resolution),
            ("time_limit", self.time_limit),
            ("memory", self.memory),
            ("output", self.output),
            ("code", self.code),
            ("compilation_time", self.compilation_time),
            ("compilation_memory", self.compilation_memory),
            ("validation_memory", self.validation_memory),
            ("validation_output", self.validation_output),
        ]
    }

    /// Tells the limits that a format does not have.
    pub(super) fn refuse<T>(&self, keys: &[&str], read: &Read<T>, package: &mut Package) {
        let numbers = self.numbers().into_iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key);
        let others = [
            ("time_multipliers", self.time_multipliers.is_some()),
            ("validation_passes", self.validation_passes.is_some()),
        ];
        let others = others.into_iter().filter(|(_, is_there)| *is_there).map(|(key, _)| key);
        for key in numbers.chain(others).filter(|key| keys.contains(key)) {
            let problem = Problem::new(format!("limits.{key}"), "is no limit of this version of the format");
            read.tell(package, problem);
        }
    }

    /// Tells the number of passes, which is of problems that are refused, and multipliers that are none.
    pub(super) fn check_passes<T>(&self, read: &Read<T>, package: &mut Package) {
        if self.validation_passes.is_some() {
            let problem = Problem::new("limits.validation_passes", "is of problems of the type `multi-pass`");
            read.tell(package, problem);
        }
        let Some(multipliers) = &self.time_multipliers else { return };
        for (key, value) in
            [("ac_to_time_limit", multipliers.ac_to_time_limit), ("time_limit_to_tle", multipliers.time_limit_to_tle)]
        {
            if value.is_some_and(|value| !value.is_finite() || value < 1.0) {
                read.tell(package, Problem::new(format!("limits.time_multipliers.{key}"), "must be 1 or more"));
            }
        }
        package
            .warn("`limits.time_multipliers` of the package is not used: `--verify` asks for half of every time limit");
    }

    /// Makes the limits ready; `time` is the time limit, where it stands elsewhere.
    pub(super) fn ready<T>(&self, read: &Read<T>, time: Option<f64>, package: &mut Package) -> Ready {
        let numbers = self.numbers().into_iter().chain([("validation_time", self.validation_time)]);
        for (key, value) in numbers.filter(|(_, value)| value.is_some_and(|value| !is_amount(value))) {
            let message = format!("must be more than zero and at most a million, not {}", value.unwrap_or_default());
            read.tell(package, Problem::new(format!("limits.{key}"), message));
        }
        if self.code.is_some() {
            package.warn("`limits.code` of the package is not checked");
        }
        if self.compilation_time.is_some() || self.compilation_memory.is_some() {
            package.warn("`limits.compilation_…` of the package are not used: those of the spec's `compile` hold");
        }
        let time = self.time_limit.or(time);
        if time.is_none() {
            package.warn("the package has no time limit: those of the spec hold");
        }
        Ready { case: self.of_case(time), validation: self.of_validation(), making: LimitsConfig::default() }
    }

    fn of_case(&self, time: Option<f64>) -> LimitsConfig {
        LimitsConfig {
            cpu_time: time.map_or(Limit::Unset, span),
            // For submissions that sleep or wait; processor time is what the formats bound.
            wall_time: time.map_or(Limit::Unset, |time| span(time * 2.0 + 1.0)),
            memory: self.memory.map_or(Limit::Unset, mebibytes),
            output: self.output.map_or(Limit::Unset, mebibytes),
            ..LimitsConfig::default()
        }
    }

    fn of_validation(&self) -> LimitsConfig {
        LimitsConfig {
            wall_time: span(self.validation_time.unwrap_or(VALIDATION_TIME)),
            memory: self.validation_memory.map_or(Limit::Unset, mebibytes),
            output: self.validation_output.map_or(Limit::Unset, mebibytes),
            ..LimitsConfig::default()
        }
    }
}

/// Says whether a number can be a limit: of seconds, of KiB, of MiB.
pub(super) fn is_amount(value: f64) -> bool {
    value.is_finite() && value > 0.0 && value <= 1e6
}

fn span(seconds: f64) -> Limit<Span> {
    // What is no amount has been told.
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|span| !span.is_zero())
        .map_or(Limit::Unset, |span| Limit::Set(Span(span)))
}

fn mebibytes(count: f64) -> Limit<ByteSize> {
    if !is_amount(count) {
        return Limit::Unset;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most a million, and more than zero"
    )]
    let bytes = (count * f64::from(1 << 20)) as u64;
    Limit::Set(ByteSize(bytes.max(1)))
}
