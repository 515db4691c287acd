//! What the cells of a column mean: its physical type and what the file says about it.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::schema::types::ColumnDescriptor;
use serde_json::{Number, Value};

use super::footer::malformed;
use crate::workspace::files::FormatError;
use crate::workspace::files::bounds::Meter;
use crate::workspace::files::value::from_bytes;

/// What a column's numbers or bytes stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Themselves.
    Plain,
    /// Numbers without a sign.
    Unsigned,
    /// UTF-8.
    Text,
    /// Days since 1970.
    Date,
    /// So many nanoseconds each since midnight.
    Time(i64),
    /// So many nanoseconds each since 1970, in UTC or in no zone that is told.
    Moment { unit: i64, in_utc: bool },
    /// An integer with so many decimal places.
    Decimal(u32),
}

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

impl Meaning {
    /// Tells what a column means; the newer of two descriptions stands.
    pub(super) fn of(column: &ColumnDescriptor) -> Self {
        let scale = || u32::try_from(column.type_scale()).unwrap_or(0);
        match column.logical_type_ref() {
            Some(LogicalType::String | LogicalType::Enum | LogicalType::Json) => Self::Text,
            Some(LogicalType::Date) => Self::Date,
            Some(LogicalType::Time(time)) => Self::Time(nanoseconds(time.unit)),
            Some(LogicalType::Timestamp(moment)) => {
                Self::Moment { unit: nanoseconds(moment.unit), in_utc: moment.is_adjusted_to_u_t_c }
            }
            Some(LogicalType::Integer(integer)) if !integer.is_signed => Self::Unsigned,
            Some(LogicalType::Decimal(_)) => Self::Decimal(scale()),
            // Bytes and numbers as they stand: what they are beyond that has no form in JSON.
            Some(_) => Self::Plain,
            None => match column.converted_type() {
                ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => Self::Text,
                ConvertedType::DATE => Self::Date,
                ConvertedType::TIME_MILLIS => Self::Time(nanoseconds(TimeUnit::MILLIS)),
                ConvertedType::TIME_MICROS => Self::Time(nanoseconds(TimeUnit::MICROS)),
                ConvertedType::TIMESTAMP_MILLIS => Self::Moment { unit: nanoseconds(TimeUnit::MILLIS), in_utc: true },
                ConvertedType::TIMESTAMP_MICROS => Self::Moment { unit: nanoseconds(TimeUnit::MICROS), in_utc: true },
                ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64 => {
                    Self::Unsigned
                }
                ConvertedType::DECIMAL => Self::Decimal(scale()),
                ConvertedType::NONE
                | ConvertedType::MAP
                | ConvertedType::MAP_KEY_VALUE
                | ConvertedType::LIST
                | ConvertedType::INT_8
                | ConvertedType::INT_16
                | ConvertedType::INT_32
                | ConvertedType::INT_64
                | ConvertedType::BSON
                | ConvertedType::INTERVAL => Self::Plain,
            },
        }
    }

    /// Gives an integer; `wide` has its bits without a sign.
    pub(super) fn integer(self, number: i64, wide: u64) -> Result<Value, FormatError> {
        match self {
            Self::Plain | Self::Text => Ok(Value::Number(number.into())),
            Self::Unsigned => Ok(Value::Number(wide.into())),
            Self::Date => moment(i128::from(number) * i128::from(DAY), 1, |told| told.date().to_string()),
            Self::Time(unit) => {
                let since = i128::from(number) * i128::from(unit);
                if !(0..i128::from(DAY) * i128::from(SECOND)).contains(&since) {
                    return Err(malformed("a time is none of a day"));
                }
                moment(since, SECOND, |told| told.time().to_string())
            }
            Self::Moment { unit, in_utc } => {
                let end = if in_utc { "Z" } else { "" };
                moment(i128::from(number) * i128::from(unit), SECOND, |told| format!("{told}{end}"))
            }
            Self::Decimal(places) => Ok(Value::String(decimal(i128::from(number), places))),
        }
    }

    /// Gives bytes: a text where they are one, a decimal, or what stands for bytes.
    pub(super) fn bytes(self, bytes: &[u8], meter: &Meter) -> Result<Value, FormatError> {
        meter.text(bytes.len())?;
        match self {
            Self::Text => {
                Ok(std::str::from_utf8(bytes).map_or_else(|_| from_bytes(bytes), |text| Value::String(text.to_owned())))
            }
            Self::Decimal(places) => Ok(Value::String(decimal(big_endian(bytes)?, places))),
            Self::Plain | Self::Unsigned | Self::Date | Self::Time(_) | Self::Moment { .. } => Ok(from_bytes(bytes)),
        }
    }
}

/// Gives a number with a fraction.
pub(super) fn float(number: f64) -> Result<Value, FormatError> {
    Number::from_f64(number).map(Value::Number).ok_or_else(|| malformed("a number is not finite"))
}

/// Gives a moment of the older form: days of the Julian calendar, and nanoseconds of the day.
pub(super) fn julian(words: &[u32]) -> Result<Value, FormatError> {
    const EPOCH: i128 = 2_440_588;
    let [low, high, day] = words else { return Err(malformed("a moment is cut off")) };
    let within = i128::from(u64::from(*high) << 32 | u64::from(*low));
    let since = (i128::from(*day) - EPOCH) * i128::from(DAY) * i128::from(SECOND) + within;
    moment(since, SECOND, |told| told.to_string())
}

fn nanoseconds(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::MILLIS => 1_000_000,
        TimeUnit::MICROS => 1_000,
        TimeUnit::NANOS => 1,
    }
}

/// Writes what is so many parts of a second after 1970; years have four digits.
fn moment(since: i128, parts: i64, told: impl Fn(jiff::civil::DateTime) -> String) -> Result<Value, FormatError> {
    let (seconds, rest) = (since.div_euclid(i128::from(parts)), since.rem_euclid(i128::from(parts)));
    let seconds = i64::try_from(seconds).ok();
    let rest = i64::try_from(rest).ok();
    let moment = seconds.zip(rest).and_then(|(seconds, rest)| {
        let whole = Timestamp::from_second(seconds).ok()?;
        whole.checked_add(SignedDuration::from_nanos(rest)).ok()
    });
    let moment = moment.map(|moment| TimeZone::UTC.to_datetime(moment)).filter(|told| told.year() >= 0);
    moment.map(|moment| Value::String(told(moment))).ok_or_else(|| malformed("a date lies outside of the calendar"))
}

/// Reads an integer of up to sixteen bytes with its sign.
fn big_endian(bytes: &[u8]) -> Result<i128, FormatError> {
    let fill = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
    let mut wide = [fill; 16];
    let begin = wide.len().checked_sub(bytes.len()).ok_or_else(|| malformed("a decimal has more than 16 bytes"))?;
    wide[begin..].copy_from_slice(bytes);
    Ok(i128::from_be_bytes(wide))
}

/// Writes a decimal with all of its places.
fn decimal(number: i128, places: u32) -> String {
    let sign = if number < 0 { "-" } else { "" };
    // More places than a number of sixteen bytes has digits are zeros anyway.
    let places = places.min(76) as usize;
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}
