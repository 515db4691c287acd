//! The formats, by name and by bytes.

use std::path::Path;

use crate::spec::Compression;

/// A format of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArchiveFormat {
    /// tar, not compressed.
    Tar,
    /// tar in gzip.
    TarGz,
    /// tar in bzip2.
    TarBz2,
    /// tar in xz.
    TarXz,
    /// tar in Zstandard.
    TarZst,
    /// zip; it is read, not written.
    Zip,
}

/// What the names of archives end in.
const ENDINGS: [(&str, ArchiveFormat); 13] = [
    (".tar", ArchiveFormat::Tar),
    (".tar.gz", ArchiveFormat::TarGz),
    (".tgz", ArchiveFormat::TarGz),
    (".tar.bz2", ArchiveFormat::TarBz2),
    (".tbz2", ArchiveFormat::TarBz2),
    (".tbz", ArchiveFormat::TarBz2),
    (".tar.xz", ArchiveFormat::TarXz),
    (".txz", ArchiveFormat::TarXz),
    (".tar.zst", ArchiveFormat::TarZst),
    (".tar.zstd", ArchiveFormat::TarZst),
    (".tzst", ArchiveFormat::TarZst),
    (".taz", ArchiveFormat::TarGz),
    (".zip", ArchiveFormat::Zip),
];

impl ArchiveFormat {
    /// Tells by a file's name that it is meant to be an archive, and of which format; letters of either case.
    ///
    /// What it is indeed, its bytes say: `Archive::open` reads them.
    pub fn from_name(name: impl AsRef<Path>) -> Option<Self> {
        let name = name.as_ref().file_name()?.to_string_lossy().to_ascii_lowercase();
        let is_end = |ending: &str| name.len() > ending.len() && name.ends_with(ending);
        ENDINGS.iter().find(|(ending, _)| is_end(ending)).map(|(_, format)| *format)
    }

    /// Gives what names of this format end in, with the dot.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Tar => ".tar",
            Self::TarGz => ".tar.gz",
            Self::TarBz2 => ".tar.bz2",
            Self::TarXz => ".tar.xz",
            Self::TarZst => ".tar.zst",
            Self::Zip => ".zip",
        }
    }
}

impl From<Compression> for ArchiveFormat {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::Tar,
            Compression::Gz => Self::TarGz,
            Compression::Bz2 => Self::TarBz2,
            Compression::Xz => Self::TarXz,
            Compression::Zst => Self::TarZst,
        }
    }
}

/// How the first bytes of each format read; tar has none, and is told by its first header.
#[cfg(feature = "files")]
pub(super) fn from_signature(head: &[u8]) -> Option<ArchiveFormat> {
    const SIGNATURES: [(&[u8], ArchiveFormat); 6] = [
        (b"\x1f\x8b", ArchiveFormat::TarGz),
        (b"BZh", ArchiveFormat::TarBz2),
        (b"\xfd7zXZ\0", ArchiveFormat::TarXz),
        (b"\x28\xb5\x2f\xfd", ArchiveFormat::TarZst),
        (b"PK\x03\x04", ArchiveFormat::Zip),
        (b"PK\x05\x06", ArchiveFormat::Zip),
    ];
    SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature)).map(|(_, format)| *format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_archives_are_known() {
        for (name, format) in [
            ("a.tar", ArchiveFormat::Tar),
            ("/x/A.TAR.GZ", ArchiveFormat::TarGz),
            ("20260131T120000.0123abcd.snapshot.tar.bz2", ArchiveFormat::TarBz2),
            ("a.tzst", ArchiveFormat::TarZst),
            ("a.zip", ArchiveFormat::Zip),
        ] {
            assert_eq!(ArchiveFormat::from_name(name), Some(format), "{name}");
        }
        for name in ["a.gz", "tar", ".tar", "a.tar.gz.txt", "a.jar", "main.wasm", ""] {
            assert_eq!(ArchiveFormat::from_name(name), None, "{name}");
        }
    }
}
