//! The compressions that archives are written in, with nothing of the machine or the moment in them.

use std::io::{self, Write};

use super::{ArchiveError, ArchiveFormat};

/// The level of each compression: what its own command takes by default. Another level makes other bytes.
const GZIP: u32 = 6;
const BZIP2: u32 = 9;
const XZ: u32 = 6;
const ZSTD: i32 = 3;

/// A compressor over what is written to.
pub(super) enum Encoder<W: Write> {
    Plain(W),
    Gz(flate2::write::GzEncoder<W>),
    Bz2(bzip2::write::BzEncoder<W>),
    Xz(liblzma::write::XzEncoder<W>),
    Zst(zstd::stream::write::Encoder<'static, W>),
}

impl<W: Write> Encoder<W> {
    pub(super) fn new(out: W, format: ArchiveFormat) -> Result<Self, ArchiveError> {
        Ok(match format {
            ArchiveFormat::Tar => Self::Plain(out),
            // Without a name and a time, and of no system in particular.
            ArchiveFormat::TarGz => {
                let builder = flate2::GzBuilder::new().mtime(0).operating_system(255);
                Self::Gz(builder.write(out, flate2::Compression::new(GZIP)))
            }
            ArchiveFormat::TarBz2 => Self::Bz2(bzip2::write::BzEncoder::new(out, bzip2::Compression::new(BZIP2))),
            ArchiveFormat::TarXz => Self::Xz(liblzma::write::XzEncoder::new(out, XZ)),
            ArchiveFormat::TarZst => {
                let encoder = zstd::stream::write::Encoder::new(out, ZSTD).and_then(|mut encoder| {
                    encoder.include_checksum(true)?;
                    Ok(encoder)
                });
                Self::Zst(encoder.map_err(|source| ArchiveError::Write { source })?)
            }
            ArchiveFormat::Zip => return Err(ArchiveError::NotWritten { format: "zip" }),
        })
    }

    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(out) => Ok(out),
            Self::Gz(encoder) => encoder.finish(),
            Self::Bz2(encoder) => encoder.finish(),
            Self::Xz(encoder) => encoder.finish(),
            Self::Zst(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gz(encoder) => encoder.write(bytes),
            Self::Bz2(encoder) => encoder.write(bytes),
            Self::Xz(encoder) => encoder.write(bytes),
            Self::Zst(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Gz(encoder) => encoder.flush(),
            Self::Bz2(encoder) => encoder.flush(),
            Self::Xz(encoder) => encoder.flush(),
            Self::Zst(encoder) => encoder.flush(),
        }
    }
}
