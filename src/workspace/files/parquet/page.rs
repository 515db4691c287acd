//! The pages of one column in one row group, all unpacked before the library decodes them.

use std::collections::VecDeque;

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::ColumnChunkMetaData;

use super::footer::malformed;
use super::thrift::{Item, walk};
use super::unpack::unpack;
use crate::workspace::files::FormatError;
use crate::workspace::files::bounds::Meter;

/// Pages in memory, in order.
pub(super) struct Pages(VecDeque<Page>);

impl Iterator for Pages {
    type Item = ParquetResult<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.pop_front().map(Ok)
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> ParquetResult<Option<Page>> {
        Ok(self.0.pop_front())
    }

    fn peek_next_page(&mut self) -> ParquetResult<Option<PageMetadata>> {
        Err(ParquetError::NYI("looking ahead".to_owned()))
    }

    fn skip_next_page(&mut self) -> ParquetResult<()> {
        Err(ParquetError::NYI("skipping".to_owned()))
    }
}

/// Unpacks the pages of a column chunk.
pub(super) fn pages(bytes: &[u8], chunk: &ColumnChunkMetaData, meter: &Meter) -> Result<Pages, FormatError> {
    if chunk.file_path().is_some() {
        return Err(malformed("a column stands in another file"));
    }
    let begin = chunk.dictionary_page_offset().filter(|at| *at > 0).unwrap_or_else(|| chunk.data_page_offset());
    let place = usize::try_from(begin).ok().zip(usize::try_from(chunk.compressed_size()).ok());
    let place = place.and_then(|(begin, length)| bytes.get(begin..begin.checked_add(length)?));
    let mut rest = place.ok_or_else(|| malformed("a column lies outside of it"))?;
    let mut pages = VecDeque::new();
    while !rest.is_empty() {
        let mut head = Head::default();
        let length = walk(rest, &mut |place, item| head.take(place, item));
        let length = length.ok_or_else(|| malformed("the head of a page is damaged"))?;
        // The heads are counted too: the same ones may be pointed at again and again.
        meter.unpack(length, length, length)?;
        let end = size(head.packed).and_then(|packed| length.checked_add(packed)).filter(|end| *end <= rest.len());
        let end = end.ok_or_else(|| malformed("a page is cut off"))?;
        pages.extend(head.page(&rest[length..end], chunk, meter)?);
        rest = &rest[end..];
    }
    Ok(Pages(pages))
}

/// What the head of a page says. Numbers that are not there are -1, which is a size of nothing.
struct Head {
    kind: i64,
    plain: i64,
    packed: i64,
    values: i64,
    encoding: i64,
    levels_encoding: i64,
    nulls: i64,
    rows: i64,
    definition_bytes: i64,
    repetition_bytes: i64,
    is_packed: bool,
}

impl Default for Head {
    fn default() -> Self {
        let none = -1;
        Self {
            kind: none,
            plain: none,
            packed: none,
            values: none,
            encoding: none,
            levels_encoding: none,
            nulls: none,
            rows: none,
            definition_bytes: none,
            repetition_bytes: none,
            is_packed: true,
        }
    }
}

/// The kinds of pages, and where the heads of each stand.
const DATA: i64 = 0;
const INDEX: i64 = 1;
const DICTIONARY: i64 = 2;
const DATA_2: i64 = 3;
const DATA_HEAD: usize = 5;
const DICTIONARY_HEAD: usize = 7;
const DATA_2_HEAD: usize = 8;

impl Head {
    fn take(&mut self, place: &[usize], item: Item) {
        let Item::Number(number) = item else { return };
        match place {
            [1] => self.kind = number,
            [2] => self.plain = number,
            [3] => self.packed = number,
            [DATA_HEAD | DICTIONARY_HEAD | DATA_2_HEAD, 1] => self.values = number,
            [DATA_HEAD | DICTIONARY_HEAD, 2] | [DATA_2_HEAD, 4] => self.encoding = number,
            [DATA_HEAD, 3] => self.levels_encoding = number,
            [DATA_2_HEAD, 2] => self.nulls = number,
            [DATA_2_HEAD, 3] => self.rows = number,
            [DATA_2_HEAD, 5] => self.definition_bytes = number,
            [DATA_2_HEAD, 6] => self.repetition_bytes = number,
            [DATA_2_HEAD, 7] => self.is_packed = number == 1,
            _ => {}
        }
    }

    /// Makes the page that the library takes; an index is passed over.
    fn page(&self, packed: &[u8], chunk: &ColumnChunkMetaData, meter: &Meter) -> Result<Option<Page>, FormatError> {
        if self.kind == INDEX {
            return Ok(None);
        }
        let expected = size(self.plain).ok_or_else(|| malformed("a page has no size"))?;
        let count = |number: i64| u32::try_from(number).map_err(|_| malformed("the head of a page is incomplete"));
        let num_values = count(self.values)?;
        let encoding = encoding(self.encoding)?;
        let plain = |packed| unpack(chunk.compression(), packed, expected, meter).map(Bytes::from);
        Ok(Some(match self.kind {
            DICTIONARY => {
                let buf = plain(packed)?;
                // Room is made for each value at once.
                if num_values as usize > buf.len() {
                    return Err(malformed("a dictionary has more values than bytes"));
                }
                Page::DictionaryPage { buf, num_values, encoding, is_sorted: false }
            }
            DATA => {
                let levels = Encoding::RLE;
                if chunk.column_descr().max_def_level() > 0 && self.levels_encoding != 3 {
                    return Err(malformed("its levels have an encoding that is not read"));
                }
                let (def_level_encoding, rep_level_encoding) = (levels, levels);
                let (buf, statistics) = (plain(packed)?, None);
                Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, statistics }
            }
            DATA_2 => Page::DataPageV2 {
                buf: self.levels_and_values(packed, expected, chunk, meter)?,
                num_values,
                encoding,
                num_nulls: count(self.nulls)?,
                num_rows: count(self.rows)?,
                def_levels_byte_len: count(self.definition_bytes)?,
                rep_levels_byte_len: count(self.repetition_bytes)?,
                is_compressed: false,
                statistics: None,
            },
            _ => return Err(malformed("it has a page of an unknown kind")),
        }))
    }

    /// Unpacks a page whose levels stand in front and are never packed.
    fn levels_and_values(
        &self,
        packed: &[u8],
        expected: usize,
        chunk: &ColumnChunkMetaData,
        meter: &Meter,
    ) -> Result<Bytes, FormatError> {
        let levels = size(self.definition_bytes).zip(size(self.repetition_bytes)).and_then(|(a, b)| a.checked_add(b));
        let levels = levels.filter(|levels| *levels <= packed.len() && *levels <= expected);
        let levels = levels.ok_or_else(|| malformed("the levels of a page are cut off"))?;
        let (levels, values) = packed.split_at(levels);
        meter.unpack(levels.len(), levels.len(), levels.len())?;
        let left = expected - levels.len();
        let compression = if self.is_packed { chunk.compression() } else { parquet::basic::Compression::UNCOMPRESSED };
        // A page of nulls alone has no values, not even packed ones.
        let values = if left == 0 { Vec::new() } else { unpack(compression, values, left, meter)? };
        Ok(Bytes::from([levels, &values].concat()))
    }
}

fn size(number: i64) -> Option<usize> {
    usize::try_from(number).ok()
}

/// Gives the encodings that are read. Those of texts by their differences make room for as many as they say.
fn encoding(number: i64) -> Result<Encoding, FormatError> {
    Ok(match number {
        0 => Encoding::PLAIN,
        2 | 8 => Encoding::RLE_DICTIONARY,
        3 => Encoding::RLE,
        5 => Encoding::DELTA_BINARY_PACKED,
        9 => Encoding::BYTE_STREAM_SPLIT,
        other => return Err(malformed(&format!("a page has the encoding {other}, which is not read"))),
    })
}
