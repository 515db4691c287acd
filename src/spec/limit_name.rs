//! The names of the limits, and where a value of one can come from.

use std::fmt;

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
    /// A ceiling of the host, which lowered a default.
    Host,
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
            Self::Host => "host",
            Self::Spec => "spec",
            Self::Flag => "flag",
            Self::Case => "case",
            Self::Spawn => "spawn",
            Self::Command => "command",
        }
    }
}
