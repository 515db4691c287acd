//! The bytes of a tar out of what it is compressed in.

use std::fs::File;
use std::io::{BufReader, Read};
use std::rc::Rc;

use super::gauge::{self, Gauge, Gauged, Side};
use super::{ArchiveError, ArchiveFormat};

/// The most memory that a decompressor may take: xz presets up to 9 need 65 MiB.
const XZ_MEMORY: u64 = 128 << 20;

/// The largest window of Zstandard, as a power of two: 128 MiB, what its own command takes unless told otherwise.
const ZSTD_WINDOW: u32 = 27;

/// Opens the tar inside; `None` for a zip, which has none.
pub(super) fn tar(
    file: File,
    format: ArchiveFormat,
    gauge: &Rc<Gauge>,
) -> Result<Option<Gauged<Box<dyn Read>>>, ArchiveError> {
    let packed = BufReader::new(Gauged::new(file, gauge, Side::Packed));
    let unpacked: Box<dyn Read> = match format {
        ArchiveFormat::Tar => Box::new(packed),
        ArchiveFormat::TarGz => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        ArchiveFormat::TarBz2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
        ArchiveFormat::TarXz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED);
            let stream = stream.map_err(|error| gauge::told_apart(error.into()))?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(packed, stream))
        }
        ArchiveFormat::TarZst => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(gauge::told_apart)?;
            decoder.window_log_max(ZSTD_WINDOW).map_err(gauge::told_apart)?;
            Box::new(decoder)
        }
        ArchiveFormat::Zip => return Ok(None),
    };
    Ok(Some(Gauged::new(unpacked, gauge, Side::Unpacked)))
}
