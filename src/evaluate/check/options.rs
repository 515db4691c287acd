//! Which options go with which checker.

use super::{CheckConfig, CheckName};

impl CheckName {
    /// All checkers.
    pub const ALL: [Self; 15] = [
        Self::Exact,
        Self::Trimmed,
        Self::Tokens,
        Self::Numbers,
        Self::Float,
        Self::Lines,
        Self::Contains,
        Self::Regex,
        Self::Json,
        Self::JsonSchema,
        Self::Csv,
        Self::Yaml,
        Self::Exists,
        Self::Absent,
        Self::Program,
    ];

    /// The keys that say what is expected.
    pub(super) const SOURCES: [&str; 6] = ["text", "file", "base64", "equal", "subset", "schema"];

    /// Says whether something must be expected.
    pub(super) fn needs_expected(self) -> bool {
        !matches!(self, Self::Exists | Self::Absent | Self::Program)
    }

    /// Says how to write what is expected.
    pub(super) fn source_hint(self) -> &'static str {
        match self {
            Self::Regex => "add `text:` with the expression",
            Self::JsonSchema => "add `schema:`, or `file:` with it",
            Self::Json | Self::Yaml => "add `equal:`, `subset:`, `text:` or `file:`",
            Self::Exact
            | Self::Trimmed
            | Self::Tokens
            | Self::Numbers
            | Self::Float
            | Self::Lines
            | Self::Contains
            | Self::Csv
            | Self::Exists
            | Self::Absent
            | Self::Program => "add `text:` or `file:`",
        }
    }

    /// Says whether what is expected must be read to know that it is sound.
    pub(super) fn reads_expected(self) -> bool {
        matches!(self, Self::Json | Self::Yaml | Self::Csv | Self::Contains)
    }

    /// Says whether a key goes with the checker.
    pub(super) fn takes(self, key: &str) -> bool {
        match key {
            "check" => true,
            "text" | "file" | "base64" => !matches!(self, Self::Exists | Self::Absent),
            "equal" | "subset" => matches!(self, Self::Json | Self::Yaml),
            "schema" => self == Self::JsonSchema,
            "ignore_case" => !matches!(self, Self::JsonSchema | Self::Exists | Self::Absent | Self::Program),
            "last" => !matches!(self, Self::Exists | Self::Absent),
            "relative" | "absolute" | "tolerance" => matches!(self, Self::Float | Self::Json | Self::Csv | Self::Yaml),
            "ignore_order" | "ignore" => matches!(self, Self::Json | Self::Csv | Self::Yaml),
            "delimiter" | "header" => self == Self::Csv,
            _ => self == Self::Program,
        }
    }
}

impl CheckConfig {
    /// Lists the keys that are written, in the order of the shape.
    pub(super) fn written(&self) -> Vec<&'static str> {
        let keys = [
            ("text", self.text.is_some()),
            ("file", self.file.is_some()),
            ("base64", self.base64.is_some()),
            ("equal", self.equal.is_some()),
            ("subset", self.subset.is_some()),
            ("schema", self.schema.is_some()),
            ("ignore_case", self.ignore_case.is_some()),
            ("last", self.last.is_some()),
            ("relative", self.relative.is_some()),
            ("absolute", self.absolute.is_some()),
            ("tolerance", self.tolerance.is_some()),
            ("ignore_order", self.ignore_order.is_some()),
            ("ignore", self.ignore.is_some()),
            ("delimiter", self.delimiter.is_some()),
            ("header", self.header.is_some()),
            ("command", self.command.is_some()),
            ("files", self.files.is_some()),
            ("compile", self.compile.is_some()),
            ("protocol", self.protocol.is_some()),
            ("limits", self.limits.is_some()),
            ("spec", self.spec.is_some()),
        ];
        keys.into_iter().filter(|(_, is_written)| *is_written).map(|(key, _)| key).collect()
    }
}
