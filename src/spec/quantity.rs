//! Quantities in files: how sizes, times, counts and cores are read, written and refused.
//!
//! One rule for all of them: zero, negative, not a number, infinite and too large are errors that say so.

use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

pub(crate) use super::amount::Fault;
use super::amount::{MAX_AMOUNT, MAX_TIME, NO_LIMIT, positive, size, size_fault, span, span_fault, whole};
use super::{ByteSize, Problem, Span};

/// A number with a meaning, as files write it.
pub(crate) trait Quantity: Sized {
    /// The `format` that marks it in a JSON Schema.
    const FORMAT: &'static str;

    /// Gives its JSON Schema; `type` is a list.
    fn schema() -> Schema;

    /// Reads it from a file's value.
    fn from_json(value: &Value) -> Result<Self, Fault>;

    /// Writes it as a file would; reading that gives the same quantity.
    fn to_json(&self) -> Value;
}

/// Reads a quantity from a flag, where a number has no quotes to tell it from a text.
pub(crate) fn parse_text<T: Quantity>(text: &str) -> Result<T, Fault> {
    let value = serde_json::from_str(text).ok().filter(Value::is_number);
    T::from_json(&value.unwrap_or_else(|| text.into()))
}

/// Explains why a value does not have the named format; none when it has, or when there is no such format.
pub(crate) fn fault(format: &str, value: &Value) -> Option<Fault> {
    match format {
        ByteSize::FORMAT => ByteSize::from_json(value).err(),
        Span::FORMAT => Span::from_json(value).err(),
        u64::FORMAT => u64::from_json(value).err(),
        f64::FORMAT => f64::from_json(value).err(),
        _ => None,
    }
}

/// Lists the formats that are texts, for a validator to check.
pub(crate) const TEXT_FORMATS: [&str; 2] = [ByteSize::FORMAT, Span::FORMAT];

impl Quantity for ByteSize {
    const FORMAT: &'static str = "byte-size";

    fn schema() -> Schema {
        json_schema!({
            "type": ["integer", "string"], "format": Self::FORMAT, "minimum": 1, "maximum": MAX_AMOUNT,
            "examples": ["512MiB", 1024],
        })
    }

    fn from_json(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Number(number) => whole(number).map(Self),
            Value::String(text) => size(text).map(Self),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(size_fault()),
        }
    }

    fn to_json(&self) -> Value {
        self.to_string().into()
    }
}

impl Quantity for Span {
    const FORMAT: &'static str = "time-span";

    fn schema() -> Schema {
        json_schema!({
            "type": ["number", "string"], "format": Self::FORMAT,
            "exclusiveMinimum": 0, "maximum": MAX_TIME.as_secs(), "examples": ["250ms", "60s", "10m", 1.5],
        })
    }

    fn from_json(value: &Value) -> Result<Self, Fault> {
        let time = match value {
            Value::Number(number) => {
                Duration::try_from_secs_f64(positive(number)?).map_err(|_| Fault::new("is too long").hint(NO_LIMIT))?
            }
            Value::String(text) => span(text)?,
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return Err(span_fault()),
        };
        match time {
            Duration::ZERO => Err(Fault::zero()),
            time if time > MAX_TIME => Err(Fault::new("is longer than 100 years").hint(NO_LIMIT)),
            time => Ok(Self(time)),
        }
    }

    fn to_json(&self) -> Value {
        self.to_string().into()
    }
}

impl Quantity for u64 {
    const FORMAT: &'static str = "count";

    fn schema() -> Schema {
        json_schema!({ "type": ["integer"], "format": Self::FORMAT, "minimum": 1, "maximum": MAX_AMOUNT })
    }

    fn from_json(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Number(number) => whole(number),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                Err(Fault::new("is not a whole number"))
            }
        }
    }

    fn to_json(&self) -> Value {
        (*self).into()
    }
}

impl Quantity for f64 {
    const FORMAT: &'static str = "cores";

    fn schema() -> Schema {
        json_schema!({ "type": ["number"], "format": Self::FORMAT, "exclusiveMinimum": 0, "examples": [0.5, 2] })
    }

    fn from_json(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Number(number) => positive(number),
            Value::String(text) if matches!(text.as_str(), ".nan" | ".inf" | "-.inf") => {
                Err(Fault::new("must be finite").hint(NO_LIMIT))
            }
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                Err(Fault::new("is not a number"))
            }
        }
    }

    fn to_json(&self) -> Value {
        (*self).into()
    }
}

/// Gives a public quantity its serde and schema forms, by [`Quantity`].
macro_rules! in_files {
    ($type:ty, $name:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.to_json().serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = Value::deserialize(deserializer)?;
                Self::from_json(&value).map_err(|fault| D::Error::custom(fault.message))
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                Self::schema()
            }
        }
    };
}

in_files!(ByteSize, "ByteSize");
in_files!(Span, "Span");

impl std::str::FromStr for ByteSize {
    type Err = Problem;

    /// Reads a size as flags write it: `512MiB`, or a bare number of bytes.
    fn from_str(text: &str) -> Result<Self, Problem> {
        parse_text(text).map_err(|fault| fault.at(""))
    }
}

impl std::str::FromStr for Span {
    type Err = Problem;

    /// Reads a length of time as flags write it: `250ms`, or a bare number of seconds.
    fn from_str(text: &str) -> Result<Self, Problem> {
        parse_text(text).map_err(|fault| fault.at(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn message<T: Quantity>(value: Value) -> String {
        T::from_json(&value).err().map(|fault| fault.message).unwrap_or_default()
    }

    #[test]
    fn sizes_are_read_exactly() {
        for (value, bytes) in [
            (json!(1), 1),
            (json!("512MiB"), 512 << 20),
            (json!("1.5 GiB"), 3 << 29),
            (json!("2kB"), 2_000),
            (json!("2KB"), 2_000),
            (json!("7TB"), 7_000_000_000_000),
            (json!(4096.0), 4096),
        ] {
            assert_eq!(ByteSize::from_json(&value).unwrap(), ByteSize(bytes), "{value}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused_for_its_reason() {
        for (value, says) in [
            (json!(0), "must be more than zero"),
            (json!("0MiB"), "must be more than zero"),
            (json!(-1), "must not be negative"),
            (json!("-1MiB"), "must not be negative"),
            (json!(1.5), "must be a whole number"),
            (json!("0.3KiB"), "is not a whole number of bytes"),
            (json!("64k"), "has an unknown unit of size `k`"),
            (json!("64"), "is a size without a unit"),
            (json!("99999999TiB"), "is too large"),
            (json!(1e300), "is too large"),
            (json!("MiB"), "is not a size"),
            (json!("1e3MiB"), "has an unknown unit of size `e3MiB`"),
            (json!(true), "is not a size"),
        ] {
            assert_eq!(message::<ByteSize>(value.clone()), says, "{value}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_for_its_reason() {
        for (value, says) in [
            (json!(0), "must be more than zero"),
            (json!(0.0), "must be more than zero"),
            (json!("0s"), "must be more than zero"),
            (json!(1e-12), "must be more than zero"),
            (json!(-3), "must not be negative"),
            (json!("-3s"), "must not be negative"),
            (json!(".nan"), "must be finite"),
            (json!(".inf"), "must be finite"),
            (json!(1e19), "is longer than 100 years"),
            (json!(1e300), "is too long"),
            (json!("99999999999999999999s"), "is too long"),
            (json!("200years"), "is longer than 100 years"),
            (json!("soon"), "is not a length of time"),
            (json!("5"), "is not a length of time"),
        ] {
            assert_eq!(message::<Span>(value.clone()), says, "{value}");
        }
        assert_eq!(Span::from_json(&json!(0.25)).unwrap(), Span(Duration::from_millis(250)));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(bytes in 1..=MAX_AMOUNT, nanos in 1..=u64::MAX / 8) {
            let size = ByteSize(bytes);
            prop_assert_eq!(ByteSize::from_json(&size.to_json()).unwrap(), size);
            let span = Span(Duration::from_nanos(nanos));
            prop_assert_eq!(Span::from_json(&span.to_json()).unwrap(), span);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,24}") {
            let _ = size(&text);
            let _ = span(&text);
        }
    }
}
