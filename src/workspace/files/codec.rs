//! Packing and unpacking, bounded.

use std::borrow::Cow;
use std::io::{self, Read, Write as _};

use liblzma::stream::{CONCATENATED, Check, Stream};

use super::bounds::Meter;
use super::{FileCompression, FormatError};

/// The most memory that an xz decoder may ask for: `xz -9` makes files that need 65 MiB.
const XZ_MEMORY: u64 = 128 << 20;

/// The largest window of zstd, as a power of two: what `zstd --long` makes, 128 MiB.
const ZSTD_WINDOW: u32 = 27;

/// The presets that files are written with: those of the tools.
const XZ_PRESET: u32 = 6;
const ZSTD_LEVEL: i32 = 3;

/// How much is unpacked at a time.
const STEP: usize = 64 << 10;

/// Unpacks bytes; several members or frames behind each other are one file, as the tools read them.
pub(super) fn unpack<'a>(
    compression: FileCompression,
    packed: &'a [u8],
    meter: &Meter,
) -> Result<Cow<'a, [u8]>, FormatError> {
    let failed = |error: io::Error| FormatError::packed(compression, &error.to_string());
    let mut reader: Box<dyn Read + 'a> = match compression {
        FileCompression::None => {
            meter.unpack(packed.len(), packed.len(), packed.len())?;
            return Ok(Cow::Borrowed(packed));
        }
        FileCompression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        FileCompression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
        FileCompression::Xz => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED).map_err(|error| failed(error.into()))?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(packed, stream))
        }
        FileCompression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(failed)?;
            decoder.window_log_max(ZSTD_WINDOW).map_err(failed)?;
            Box::new(decoder)
        }
    };
    let mut plain = Vec::new();
    let mut buffer = vec![0; STEP];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(Cow::Owned(plain)),
            Ok(read) => {
                meter.unpack(read, plain.len() + read, packed.len())?;
                plain.extend_from_slice(&buffer[..read]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Packs bytes: the same bytes give the same file, without names and times.
pub(super) fn pack(compression: FileCompression, plain: Vec<u8>) -> Result<Vec<u8>, FormatError> {
    let failed = |error: io::Error| FormatError::packed(compression, &error.to_string());
    match compression {
        FileCompression::None => Ok(plain),
        FileCompression::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(&plain).and_then(|()| encoder.finish()).map_err(failed)
        }
        FileCompression::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
            encoder.write_all(&plain).and_then(|()| encoder.finish()).map_err(failed)
        }
        FileCompression::Xz => {
            let stream = Stream::new_easy_encoder(XZ_PRESET, Check::Crc64).map_err(|error| failed(error.into()))?;
            let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
            encoder.write_all(&plain).and_then(|()| encoder.finish()).map_err(failed)
        }
        FileCompression::Zstd => zstd::stream::encode_all(plain.as_slice(), ZSTD_LEVEL).map_err(failed),
    }
}
