//! The limits: their names, how a file writes them, and what is in force with where it came from.

use std::fmt;
use std::time::Duration;

use super::{ByteSize, LimitValue, Mode, Span};

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

/// The `limits` section of a spec, as written.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LimitsConfig {
    /// How long a command may take from the moment its guest may execute.
    pub wall_time: Limit<Span>,
    /// How much processor time a command may use.
    pub cpu_time: Limit<Span>,
    /// How long a command may go without a byte of output.
    pub idle_time: Limit<Span>,
    /// How much memory a command may hold.
    pub memory: Limit<ByteSize>,
    /// How much a command may print, on stdout and on stderr each.
    pub output: Limit<ByteSize>,
    /// How much the commands of a runtime may add to the workspace.
    pub disk: Limit<ByteSize>,
    /// How many files and directories the workspace may hold.
    pub entries: Limit<u64>,
    /// How large one file may become.
    pub file_size: Limit<ByteSize>,
    /// How many files may be open at once.
    pub open_files: Limit<u64>,
    /// How many processes and threads may live at once.
    pub processes: Limit<u64>,
    /// How many processors may be used at once; fractions are allowed.
    pub cpus: Limit<f64>,
    /// How large the stack may become.
    pub stack: Limit<ByteSize>,
    /// How many instructions a command may execute.
    pub fuel: Limit<u64>,
    /// What happens at the output limit. Absent: `stop` in evaluation mode, `truncate` in agent mode.
    pub output_overflow: Option<OutputOverflow>,
    /// What happens to a written limit that the runtime cannot hold. Default: `refuse`.
    pub on_unsupported: OnUnsupported,
}

/// What happens when a command prints more than its output limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputOverflow {
    /// The command is ended.
    Stop,
    /// The command runs on; the first and the last half of the limit are kept.
    Truncate,
}

/// What happens to a written limit that the runtime cannot hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnsupported {
    /// Nothing runs.
    #[default]
    Refuse,
    /// It runs, and the result lists what was not held.
    BestEffort,
}

/// The name of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the fields of `LimitsConfig` of the same names carry the text")]
pub enum LimitName {
    WallTime,
    CpuTime,
    IdleTime,
    Memory,
    Output,
    Disk,
    Entries,
    FileSize,
    OpenFiles,
    Processes,
    Cpus,
    Stack,
    Fuel,
}

impl LimitName {
    /// All limits, in the order in which they are printed.
    pub const ALL: [Self; 13] = [
        Self::WallTime,
        Self::CpuTime,
        Self::IdleTime,
        Self::Memory,
        Self::Output,
        Self::Disk,
        Self::Entries,
        Self::FileSize,
        Self::OpenFiles,
        Self::Processes,
        Self::Cpus,
        Self::Stack,
        Self::Fuel,
    ];

    /// Gives the name as specs and results write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::WallTime => "wall_time",
            Self::CpuTime => "cpu_time",
            Self::IdleTime => "idle_time",
            Self::Memory => "memory",
            Self::Output => "output",
            Self::Disk => "disk",
            Self::Entries => "entries",
            Self::FileSize => "file_size",
            Self::OpenFiles => "open_files",
            Self::Processes => "processes",
            Self::Cpus => "cpus",
            Self::Stack => "stack",
            Self::Fuel => "fuel",
        }
    }

    /// Says whether the limit may differ from command to command; the others are fixed when a runtime is spawned.
    pub fn is_per_command(self) -> bool {
        matches!(self, Self::WallTime | Self::CpuTime | Self::IdleTime | Self::Output | Self::Fuel)
    }
}

impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where the value of a limit came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Provenance {
    /// The default of the mode.
    Default,
    /// The spec's own text.
    Spec,
    /// A flag or `--set` of the command line.
    Flag,
    /// A case or a problem package.
    Case,
    /// The request that spawned the runtime.
    Spawn,
    /// The command itself.
    Command,
}

impl Provenance {
    /// Gives the word used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Spec => "spec",
            Self::Flag => "flag",
            Self::Case => "case",
            Self::Spawn => "spawn",
            Self::Command => "command",
        }
    }
}

/// One limit in force: its value, none for no limit, and where that came from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// The value; `None` is no limit.
    pub value: Option<LimitValue>,
    /// Where the value came from.
    pub from: Provenance,
}

/// Every limit in force, with its provenance, and the two policies.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    bounds: [Bound; LimitName::ALL.len()],
    /// What happens at the output limit.
    pub output_overflow: OutputOverflow,
    /// What happens to a written limit that the runtime cannot hold.
    pub on_unsupported: OnUnsupported,
}

impl Limits {
    /// Gives the defaults of a mode; `docs/execution/specs.md` has the table.
    pub fn defaults(mode: Mode) -> Self {
        let evaluation = mode == Mode::Evaluation;
        let bounds =
            LimitName::ALL.map(|name| Bound { value: default_value(name, evaluation), from: Provenance::Default });
        let output_overflow = if evaluation { OutputOverflow::Stop } else { OutputOverflow::Truncate };
        Self { bounds, output_overflow, on_unsupported: OnUnsupported::Refuse }
    }

    /// Gives the bound of one limit.
    pub fn get(&self, name: LimitName) -> Bound {
        self.bounds[name as usize]
    }

    /// Replaces the bound of one limit.
    pub fn set(&mut self, name: LimitName, bound: Bound) {
        self.bounds[name as usize] = bound;
    }

    /// Lists every limit with its bound.
    pub fn iter(&self) -> impl Iterator<Item = (LimitName, Bound)> + '_ {
        LimitName::ALL.into_iter().zip(self.bounds)
    }

    /// Gives a limit of time.
    pub fn time(&self, name: LimitName) -> Option<Duration> {
        match self.get(name).value? {
            LimitValue::Time(time) => Some(time),
            LimitValue::Bytes(_) | LimitValue::Count(_) | LimitValue::Cores(_) => None,
        }
    }

    /// Gives a limit that is a whole number: of bytes or of things.
    pub fn amount(&self, name: LimitName) -> Option<u64> {
        match self.get(name).value? {
            LimitValue::Bytes(amount) | LimitValue::Count(amount) => Some(amount),
            LimitValue::Time(_) | LimitValue::Cores(_) => None,
        }
    }
}

fn default_value(name: LimitName, evaluation: bool) -> Option<LimitValue> {
    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;
    let pick = |in_evaluation, in_agent| if evaluation { in_evaluation } else { in_agent };
    match name {
        LimitName::WallTime => evaluation.then_some(LimitValue::Time(Duration::from_secs(60))),
        LimitName::Memory => Some(LimitValue::Bytes(pick(512 * MIB, 8 * GIB))),
        LimitName::Output => Some(LimitValue::Bytes(16 * MIB)),
        LimitName::Disk => Some(LimitValue::Bytes(pick(GIB, 20 * GIB))),
        LimitName::Entries => Some(LimitValue::Count(pick(100_000, 1_000_000))),
        LimitName::OpenFiles => Some(LimitValue::Count(pick(256, 4096))),
        LimitName::Processes => Some(LimitValue::Count(pick(64, 1024))),
        LimitName::Stack => Some(LimitValue::Bytes(MIB)),
        LimitName::CpuTime | LimitName::IdleTime | LimitName::FileSize | LimitName::Cpus | LimitName::Fuel => None,
    }
}
