//! One page's bytes, unpacked within the bounds: the library's own decoders know none.

use parquet::basic::Compression;

use super::footer::malformed;
use crate::workspace::files::bounds::Meter;
use crate::workspace::files::{FileCompression, FormatError, codec};

/// Unpacks bytes that are to become `expected` ones.
pub(super) fn unpack(
    compression: Compression,
    packed: &[u8],
    expected: usize,
    meter: &Meter,
) -> Result<Vec<u8>, FormatError> {
    let plain = match compression {
        Compression::UNCOMPRESSED => codec::unpack(FileCompression::None, packed, meter)?.into_owned(),
        Compression::GZIP(_) => codec::unpack(FileCompression::Gzip, packed, meter)?.into_owned(),
        Compression::ZSTD(_) => codec::unpack(FileCompression::Zstd, packed, meter)?.into_owned(),
        Compression::SNAPPY => snappy(packed, meter)?,
        Compression::LZO | Compression::BROTLI(_) | Compression::LZ4 | Compression::LZ4_RAW => {
            return Err(malformed(&format!("its pages are packed with {compression}")));
        }
    };
    if plain.len() != expected {
        return Err(malformed(&format!("a page says {expected} bytes and has {}", plain.len())));
    }
    Ok(plain)
}

fn snappy(packed: &[u8], meter: &Meter) -> Result<Vec<u8>, FormatError> {
    let failed = |error: snap::Error| malformed(&error.to_string());
    let length = snap::raw::decompress_len(packed).map_err(failed)?;
    meter.unpack(length, length, packed.len())?;
    snap::raw::Decoder::new().decompress_vec(packed).map_err(failed)
}
