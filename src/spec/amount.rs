//! The numbers of quantities: their bounds, and what is said of one that is out of them.

use std::time::Duration;

use super::Problem;

/// The largest size and count: what a signed 64-bit number of the kernel and of JSON readers holds.
pub(super) const MAX_AMOUNT: u64 = i64::MAX as u64;
/// The longest time: a hundred years, so that no sum with a clock can overflow.
pub(super) const MAX_TIME: Duration = Duration::from_secs(100 * 31_557_600);

pub(super) const NO_LIMIT: &str = "write null for no limit";

/// Why a value is not the quantity that was asked for.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn zero() -> Self {
        Self::new("must be more than zero").hint(NO_LIMIT)
    }

    pub(crate) fn at(self, path: impl Into<String>) -> Problem {
        let problem = Problem::new(path, self.message);
        match self.hint {
            Some(hint) => problem.with_hint(hint),
            None => problem,
        }
    }
}

pub(super) fn size_fault() -> Fault {
    Fault::new("is not a size").hint("write a number of bytes, or one with a unit: 512MiB, 1.5GiB, 1GB")
}

pub(super) fn size(text: &str) -> Result<u64, Fault> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let (number, unit) = (text[..split].trim_end(), &text[split..]);
    let factor: u64 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ if number.is_empty() => return Err(size_fault()),
        "" => return Err(Fault::new("is a size without a unit").hint(format!("write {number}B or {number}MiB"))),
        _ => {
            let units = "the units are B, KiB, MiB, GiB, TiB, kB, MB, GB, TB";
            return Err(Fault::new(format!("has an unknown unit of size `{unit}`")).hint(units));
        }
    };
    scale(number, factor)
}

/// Multiplies a decimal number by a factor, exactly.
pub(super) fn scale(number: &str, factor: u64) -> Result<u64, Fault> {
    if number.starts_with('-') {
        return Err(Fault::new("must not be negative").hint(NO_LIMIT));
    }
    let (int, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(int) || !digits(fraction) || fraction.len() > 12 {
        return Err(size_fault());
    }
    let too_large = || Fault::new("is too large").hint(NO_LIMIT);
    let whole = int.parse::<u128>().ok().and_then(|int| int.checked_mul(factor.into())).ok_or_else(too_large)?;
    let places = 10_u128.pow(u32::try_from(fraction.len()).map_err(|_| size_fault())?);
    let part = fraction.parse::<u128>().map_err(|_| size_fault())? * u128::from(factor);
    if part % places != 0 {
        return Err(Fault::new("is not a whole number of bytes"));
    }
    let bytes = whole.checked_add(part / places).and_then(|sum| u64::try_from(sum).ok());
    in_range(bytes.ok_or_else(too_large)?)
}

pub(super) fn in_range(amount: u64) -> Result<u64, Fault> {
    match amount {
        0 => Err(Fault::zero()),
        1..=MAX_AMOUNT => Ok(amount),
        _ => Err(Fault::new("is too large").hint(NO_LIMIT)),
    }
}

pub(super) fn whole(number: &serde_json::Number) -> Result<u64, Fault> {
    if let Some(amount) = number.as_u64() {
        return in_range(amount);
    }
    match positive(number)? {
        // Written as `512.0` or `1e9`; up to 2^53 a float holds whole numbers exactly.
        float if float.fract() == 0.0 && float <= 9_007_199_254_740_992.0 =>
        {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked right above")]
            in_range(float as u64)
        }
        float if float.fract() == 0.0 => Err(Fault::new("is too large").hint(NO_LIMIT)),
        _ => Err(Fault::new("must be a whole number")),
    }
}

pub(super) fn positive(number: &serde_json::Number) -> Result<f64, Fault> {
    match number.as_f64() {
        Some(float) if !float.is_finite() => Err(Fault::new("must be finite").hint(NO_LIMIT)),
        Some(float) if float < 0.0 => Err(Fault::new("must not be negative").hint(NO_LIMIT)),
        Some(0.0) => Err(Fault::zero()),
        Some(float) => Ok(float),
        None => Err(Fault::new("is too large").hint(NO_LIMIT)),
    }
}

pub(super) fn span_fault() -> Fault {
    Fault::new("is not a length of time").hint("write a number of seconds, or one with a unit: 250ms, 60s, 10m")
}

pub(super) fn span(text: &str) -> Result<Duration, Fault> {
    let text = text.trim();
    if text.starts_with('-') && text.len() > 1 {
        return Err(Fault::new("must not be negative").hint(NO_LIMIT));
    }
    if matches!(text, ".nan" | ".inf" | "nan" | "inf") {
        return Err(Fault::new("must be finite").hint(NO_LIMIT));
    }
    humantime::parse_duration(text).map_err(|error| {
        let too_long = matches!(error, humantime::DurationError::NumberOverflow);
        if too_long { Fault::new("is too long").hint(NO_LIMIT) } else { span_fault() }
    })
}
