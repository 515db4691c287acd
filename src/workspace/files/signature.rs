//! What sort of file a name stands for: its type and its compression.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a file's content means, once it is decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FileType {
    /// Text, and whatever has no type of its own.
    Text,
    /// Bytes.
    Binary,
    /// One JSON value.
    Json,
    /// One JSON value a line.
    Jsonl,
    /// Rows with commas between cells.
    Csv,
    /// Rows with tabs between cells.
    Tsv,
    /// One YAML document.
    Yaml,
    /// A TOML document.
    Toml,
    /// A SQLite database.
    Sqlite,
    /// Flat records in columns; with the feature `parquet`.
    #[cfg(feature = "parquet")]
    Parquet,
}

/// How a file's content is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FileCompression {
    /// Not at all.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// bzip2.
    Bzip2,
    /// The container format of XZ Utils.
    Xz,
    /// RFC 8878.
    Zstd,
}

/// A type and a compression. Every pair can be read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileSignature {
    /// What the content means.
    pub file_type: FileType,
    /// How it is packed.
    pub compression: FileCompression,
}

/// The endings of names, in lower case.
const TYPES: &[(&str, FileType)] = &[
    ("txt", FileType::Text),
    ("md", FileType::Text),
    ("py", FileType::Text),
    ("js", FileType::Text),
    ("html", FileType::Text),
    ("css", FileType::Text),
    ("xml", FileType::Text),
    ("bin", FileType::Binary),
    ("tar", FileType::Binary),
    ("zip", FileType::Binary),
    ("json", FileType::Json),
    ("jsonl", FileType::Jsonl),
    ("ndjson", FileType::Jsonl),
    ("csv", FileType::Csv),
    ("tsv", FileType::Tsv),
    ("yaml", FileType::Yaml),
    ("yml", FileType::Yaml),
    ("toml", FileType::Toml),
    ("sqlite", FileType::Sqlite),
    ("sqlite3", FileType::Sqlite),
    ("db", FileType::Sqlite),
    ("wasm", FileType::Binary),
    #[cfg(feature = "parquet")]
    ("parquet", FileType::Parquet),
];

/// Endings of archives, which are bytes as they stand, packed or not.
const ARCHIVES: [&str; 4] = ["tgz", "tbz2", "txz", "tzst"];

/// The endings of compressions.
const COMPRESSIONS: [(&str, FileCompression); 4] = [
    ("gz", FileCompression::Gzip),
    ("bz2", FileCompression::Bzip2),
    ("xz", FileCompression::Xz),
    ("zst", FileCompression::Zstd),
];

impl FileType {
    /// All types.
    pub const ALL: &[Self] = &[
        Self::Text,
        Self::Binary,
        Self::Json,
        Self::Jsonl,
        Self::Csv,
        Self::Tsv,
        Self::Yaml,
        Self::Toml,
        Self::Sqlite,
        #[cfg(feature = "parquet")]
        Self::Parquet,
    ];

    /// Gives the name that files of cases use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Yaml => "yaml",
            Self::Toml => "toml",
            Self::Sqlite => "sqlite",
            #[cfg(feature = "parquet")]
            Self::Parquet => "parquet",
        }
    }
}

impl FileCompression {
    /// All compressions, none among them.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Bzip2, Self::Xz, Self::Zstd];

    /// Gives the name that files of cases use.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }
}

impl FileSignature {
    /// Puts a type and a compression together.
    pub fn new(file_type: FileType, compression: FileCompression) -> Self {
        Self { file_type, compression }
    }

    /// Tells the sort of a file from the last two endings of its name, else from the last, in any case of letters.
    ///
    /// Unknown endings, and a compression behind an unknown one, are plain text: `notes.gz` is no typed file. An
    /// archive is binary and not unpacked, `.tar.gz` too. A name that begins with its only dot has no ending.
    pub fn detect(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path).trim_start_matches('.').to_lowercase();
        let plain = |ending: &str| TYPES.iter().find(|(known, _)| *known == ending).map(|(_, file_type)| *file_type);
        let mut endings = name.rsplit('.').take(name.matches('.').count());
        let last = endings.next().unwrap_or_default();
        let before = endings.next().unwrap_or_default();
        if before == "tar" || ARCHIVES.contains(&last) {
            return Self::new(FileType::Binary, FileCompression::None);
        }
        let packed = COMPRESSIONS.iter().find(|(known, _)| *known == last).map(|(_, compression)| *compression);
        match (packed, plain(before), plain(last)) {
            (Some(compression), Some(file_type), _) => Self::new(file_type, compression),
            (None, _, Some(file_type)) => Self::new(file_type, FileCompression::None),
            (Some(_), None, _) | (None, _, None) => Self::new(FileType::Text, FileCompression::None),
        }
    }
}

impl fmt::Display for FileSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.compression {
            FileCompression::None => f.write_str(self.file_type.name()),
            packed @ (FileCompression::Gzip | FileCompression::Bzip2 | FileCompression::Xz | FileCompression::Zstd) => {
                write!(f, "{} packed with {}", self.file_type.name(), packed.name())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(name: &str) -> (&'static str, &'static str) {
        let found = FileSignature::detect(name);
        (found.file_type.name(), found.compression.name())
    }

    #[test]
    fn the_last_two_endings_decide() {
        for (name, expected) in [
            ("a.json", ("json", "none")),
            ("dir.csv/a.JSON", ("json", "none")),
            ("data.v1.json", ("json", "none")),
            ("a.json.gz", ("json", "gzip")),
            ("a.ndjson.bz2", ("jsonl", "bzip2")),
            ("a.csv.xz", ("csv", "xz")),
            ("a.tsv.zst", ("tsv", "zstd")),
            ("a.yml.gz", ("yaml", "gzip")),
            ("a.toml", ("toml", "none")),
            ("a.db", ("sqlite", "none")),
            ("a.sqlite3.zst", ("sqlite", "zstd")),
            #[cfg(feature = "parquet")]
            ("a.parquet.gz", ("parquet", "gzip")),
            #[cfg(not(feature = "parquet"))]
            ("a.parquet", ("text", "none")),
            ("a.txt.gz", ("text", "gzip")),
            ("a.bin.xz", ("binary", "xz")),
            ("a.tar", ("binary", "none")),
            ("a.tar.gz", ("binary", "none")),
            ("a.tgz", ("binary", "none")),
            ("a.tar.zst", ("binary", "none")),
            // Nothing is known of these.
            ("Makefile", ("text", "none")),
            (".json", ("text", "none")),
            (".json.gz", ("text", "none")),
            ("x.gz", ("text", "none")),
            ("x.unknown.gz", ("text", "none")),
            ("json", ("text", "none")),
            ("a.", ("text", "none")),
            ("", ("text", "none")),
        ] {
            assert_eq!(detected(name), expected, "{name}");
        }
    }

    #[test]
    fn every_pair_has_a_name_that_means_it() {
        for &file_type in FileType::ALL {
            for (ending, compression) in COMPRESSIONS.into_iter().chain([("", FileCompression::None)]) {
                let known = TYPES.iter().find(|(known, of)| *of == file_type && *known != "tar").unwrap().0;
                let name = format!("file.{known}.{ending}");
                let expected = FileSignature::new(file_type, compression);
                assert_eq!(FileSignature::detect(name.trim_end_matches('.')), expected, "{name}");
            }
        }
    }
}
