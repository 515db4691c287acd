//! The `limits` section of a spec, as written: what is set, what is lifted, what is left alone.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::quantity::{Quantity, parse_text};
use super::{ByteSize, LimitName, LimitValue, Problem, Span};

/// What a file says of one limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limit<T> {
    /// Nothing: the default of the mode holds.
    #[default]
    Unset,
    /// `null`: no limit, said out loud.
    None,
    /// A value, never zero.
    Set(T),
}

impl<T> Limit<T> {
    /// Says whether nothing was written.
    pub fn is_unset(&self) -> bool {
        matches!(self, Self::Unset)
    }

    /// Changes the value, if there is one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Limit<U> {
        match self {
            Self::Unset => Limit::Unset,
            Self::None => Limit::None,
            Self::Set(value) => Limit::Set(change(value)),
        }
    }
}

impl<T: Quantity> Serialize for Limit<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unset | Self::None => serializer.serialize_unit(),
            Self::Set(value) => value.to_json().serialize(serializer),
        }
    }
}

impl<'de, T: Quantity> Deserialize<'de> for Limit<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.is_null() {
            return Ok(Self::None);
        }
        T::from_json(&value).map(Self::Set).map_err(|fault| D::Error::custom(fault.message))
    }
}

impl<T: Quantity> JsonSchema for Limit<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Limit_{}", T::FORMAT).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = T::schema();
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.push("null".into());
        }
        schema
    }
}

/// The `limits` section of a spec, as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
#[non_exhaustive]
pub struct LimitsConfig {
    /// How long a command may take from the moment its guest may execute.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub wall_time: Limit<Span>,
    /// How much processor time a command may use.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub cpu_time: Limit<Span>,
    /// How long a command may go without a byte of output.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub idle_time: Limit<Span>,
    /// How much memory a command may hold.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub memory: Limit<ByteSize>,
    /// How much a command may print, on stdout and on stderr each.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub output: Limit<ByteSize>,
    /// How much the commands of a runtime may add to the workspace.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub disk: Limit<ByteSize>,
    /// How many files and directories the workspace may hold.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub entries: Limit<u64>,
    /// How large one file may become.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub file_size: Limit<ByteSize>,
    /// How many files may be open at once.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub open_files: Limit<u64>,
    /// How many processes and threads may live at once.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub processes: Limit<u64>,
    /// How many processors may be used at once; fractions are allowed.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub cpus: Limit<f64>,
    /// How large the stack may become.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub stack: Limit<ByteSize>,
    /// How many instructions a command may execute.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub fuel: Limit<u64>,
    /// What happens at the output limit. Absent: `stop` in evaluation mode, `truncate` in agent mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_overflow: Option<OutputOverflow>,
    /// What happens to a written limit that the runtime cannot hold. Absent: `refuse`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_unsupported: Option<OnUnsupported>,
}

/// What happens when a command prints more than its output limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OutputOverflow {
    /// The command is ended.
    Stop,
    /// The command runs on; the first and the last half of the limit are kept.
    Truncate,
}

/// What happens to a written limit that the runtime cannot hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OnUnsupported {
    /// Nothing runs.
    #[default]
    Refuse,
    /// It runs, and the result lists what was not held.
    BestEffort,
}

impl LimitsConfig {
    /// Gives what is written of one limit.
    pub fn get(&self, name: LimitName) -> Limit<LimitValue> {
        let bytes = |limit: Limit<ByteSize>| limit.map(|ByteSize(bytes)| LimitValue::Bytes(bytes));
        let time = |limit: Limit<Span>| limit.map(|Span(time)| LimitValue::Time(time));
        let count = |limit: Limit<u64>| limit.map(LimitValue::Count);
        match name {
            LimitName::WallTime => time(self.wall_time),
            LimitName::CpuTime => time(self.cpu_time),
            LimitName::IdleTime => time(self.idle_time),
            LimitName::Memory => bytes(self.memory),
            LimitName::Output => bytes(self.output),
            LimitName::Disk => bytes(self.disk),
            LimitName::Entries => count(self.entries),
            LimitName::FileSize => bytes(self.file_size),
            LimitName::OpenFiles => count(self.open_files),
            LimitName::Processes => count(self.processes),
            LimitName::Cpus => self.cpus.map(LimitValue::Cores),
            LimitName::Stack => bytes(self.stack),
            LimitName::Fuel => count(self.fuel),
        }
    }

    /// Writes one limit as a flag gives it: `5s`, `512MiB`, `0.5`, or `null` for no limit.
    ///
    /// # Errors
    /// A value that is no such quantity, zero, negative or too large, with the path `limits.<name>`.
    pub fn set_text(&mut self, name: LimitName, text: &str) -> Result<(), Problem> {
        fn read<T: Quantity>(slot: &mut Limit<T>, name: LimitName, text: &str) -> Result<(), Problem> {
            *slot = match text.trim() {
                "null" => Limit::None,
                text => Limit::Set(parse_text(text).map_err(|fault| fault.at(format!("limits.{name}")))?),
            };
            Ok(())
        }
        match name {
            LimitName::WallTime => read(&mut self.wall_time, name, text),
            LimitName::CpuTime => read(&mut self.cpu_time, name, text),
            LimitName::IdleTime => read(&mut self.idle_time, name, text),
            LimitName::Memory => read(&mut self.memory, name, text),
            LimitName::Output => read(&mut self.output, name, text),
            LimitName::Disk => read(&mut self.disk, name, text),
            LimitName::Entries => read(&mut self.entries, name, text),
            LimitName::FileSize => read(&mut self.file_size, name, text),
            LimitName::OpenFiles => read(&mut self.open_files, name, text),
            LimitName::Processes => read(&mut self.processes, name, text),
            LimitName::Cpus => read(&mut self.cpus, name, text),
            LimitName::Stack => read(&mut self.stack, name, text),
            LimitName::Fuel => read(&mut self.fuel, name, text),
        }
    }

    /// Puts what `other` says over what this one says; what it leaves alone stays.
    pub fn overlay(&mut self, other: &LimitsConfig) {
        fn put<T: Copy>(slot: &mut Limit<T>, over: Limit<T>) {
            if !over.is_unset() {
                *slot = over;
            }
        }
        put(&mut self.wall_time, other.wall_time);
        put(&mut self.cpu_time, other.cpu_time);
        put(&mut self.idle_time, other.idle_time);
        put(&mut self.memory, other.memory);
        put(&mut self.output, other.output);
        put(&mut self.disk, other.disk);
        put(&mut self.entries, other.entries);
        put(&mut self.file_size, other.file_size);
        put(&mut self.open_files, other.open_files);
        put(&mut self.processes, other.processes);
        put(&mut self.cpus, other.cpus);
        put(&mut self.stack, other.stack);
        put(&mut self.fuel, other.fuel);
        self.output_overflow = other.output_overflow.or(self.output_overflow);
        self.on_unsupported = other.on_unsupported.or(self.on_unsupported);
    }
}
