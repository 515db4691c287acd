//! Parquet: what is kept, what other writers' columns mean, and files that are made to hurt.

use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use serde_json::{Value, json};

use super::{FileBounds, FileType, FormatError, read, read_within, refused, signature, write};
use crate::workspace::files::value::from_base64;

fn parquet(value: &Value) -> Result<Value, FormatError> {
    read(FileType::Parquet, write(FileType::Parquet, value))
}

/// A file as other programs write one: columns of many types, not packed, in pages of a version.
fn foreign(version: WriterVersion) -> Vec<u8> {
    let schema = "message m {
        required int32 day (DATE);
        optional int64 at (TIMESTAMP(MICROS, true));
        required int64 unzoned (TIMESTAMP(NANOS, false));
        required int32 clock (TIME(MILLIS, true));
        required int32 small (INTEGER(32, false));
        required int32 price (DECIMAL(9, 2));
        required fixed_len_byte_array(3) wide (DECIMAL(6, 3));
        optional binary name (STRING);
        required binary raw;
    }";
    let properties =
        WriterProperties::builder().set_compression(Compression::UNCOMPRESSED).set_writer_version(version).build();
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut put = |write: &dyn Fn(&mut SerializedColumnWriter<'_>) -> usize| {
        let mut column = group.next_column().unwrap().unwrap();
        write(&mut column);
        column.close().unwrap();
    };
    let bytes = |bytes: &'static [u8]| ByteArray::from(bytes.to_vec());
    let int32 = |cells: [i32; 2]| {
        move |column: &mut SerializedColumnWriter<'_>| {
            column.typed::<Int32Type>().write_batch(&cells, None, None).unwrap()
        }
    };
    put(&int32([19_783, -1]));
    put(&|column| column.typed::<Int64Type>().write_batch(&[1_500_000], Some(&[1, 0]), None).unwrap());
    put(&|column| column.typed::<Int64Type>().write_batch(&[-1, 0], None, None).unwrap());
    put(&int32([0, 86_399_999]));
    put(&int32([-1, 1]));
    put(&int32([-5, 123_456]));
    let wide = [vec![0xff, 0xff, 0xff], vec![0, 0x30, 0x39]].map(|wide| FixedLenByteArray::from(ByteArray::from(wide)));
    put(&|column| column.typed::<FixedLenByteArrayType>().write_batch(&wide, None, None).unwrap());
    let (name, raw) = ([bytes("é".as_bytes())], [bytes(b"\x00\xff"), bytes(b"")]);
    put(&|column| column.typed::<ByteArrayType>().write_batch(&name, Some(&[0, 1]), None).unwrap());
    put(&|column| column.typed::<ByteArrayType>().write_batch(&raw, None, None).unwrap());
    group.close().unwrap();
    writer.into_inner().unwrap()
}

/// What PyArrow 26 wrote of one table: packed with Snappy and with gzip, in pages of both versions.
const ARROW: [&str; 4] = [
    "UEFSMRUEFRAVFEwVBBUAEgAACBwBAAAAAwAAABUAFRIVFiwVBhUQFQYVBhwAAAAJIAIAAAADBQEDAhUEFRgVHEwVBBUAEgAADCwBAAAAYQMA \
     AABiw6kVABUSFRYsFQYVEBUGFQYcAAAACSACAAAAAwMBAwIVABUOFRIsFQYVABUGFQYcAAAABxgCAAAAAwUBFQQZTDUAGAZzY2hlbWEVBgAV \
     AiUCGAFpABUMJQIYAXMlAEwcAAAAFQAlAhgBYgAWBhkcGTwmABwVAhk1AAYQGRgBaRUCFgYWZBZsJjgmCCksFQQVABUCABUAFRAVAgA8KQYZ \
     JgIEAAAAJgAcFQwZNQAGEBkYAXMVAhYGFmwWdCasASZ0KSwVBBUAFQIAFQAVEBUCADwWCBkGGSYCBAAAACYAHBUAGSUGABkYAWIVAhYGFjQW \
     OCboAUkcFQAVABUCADwpBhkmAgQAAAAWhAIWBiYIFpgCACggcGFycXVldC1jcHAtYXJyb3cgdmVyc2lvbiAyNi4wLjEZPBwAABwAABwAAAAE \
     AQAAUEFSMQ==",
    "UEFSMRUEFRAVFEwVBBUAEgAACBwBAAAAAwAAABUGFQoVClwVBhUCFQYVEBUEFQASHAAAAAMFAQMCFQQVGBUcTBUEFQASAAAMLAEAAABhAwAA \
     AGLDqRUGFQoVClwVBhUCFQYVEBUEFQASHAAAAAMDAQMCFQYVEBUQXBUGFQIVBhUGFQQVABIcAAAAAwUCAAAAAwEVBBlMNQAYBnNjaGVtYRUG \
     ABUCJQIYAWkAFQwlAhgBcyUATBwAAAAVACUCGAFiABYGGRwZPCYAHBUCGTUABhAZGAFpFQIWBhZmFmomOCYIKSwVBBUAFQIAFQAVEBUCADwp \
     BhkmAgQAAAAmABwVDBk1AAYQGRgBcxUCFgYWbhZyJqoBJnIpLBUEFQAVAgAVABUQFQIAPBYIGQYZJgIEAAAAJgAcFQAZFQYZGAFiFQIWBhZA \
     FkAm5AFJHBUAFQYVAgA8KQYZJgIEAAAAFpQCFgYmCBacAgAoIHBhcnF1ZXQtY3BwLWFycm93IHZlcnNpb24gMjYuMC4xGTwcAAAcAAAcAAAA \
     AwEAAFBBUjE=",
    "UEFSMRUEFRAVNEwVBBUAEgAAH4sIAAAAAAACA2NkYGBgBmIAGXA9uwgAAAAVABUSFTosFQYVEBUGFQYcAAAAH4sIAAAAAAACA2NiYGBgZmVk \
     ZgIAEu5gfAkAAAAVBBUYFT5MFQQVABIAAB+LCAAAAAAAAgNjZGBgSGQGEkmHVwIAN7BXyQwAAAAVABUSFTosFQYVEBUGFQYcAAAAH4sIAAAA \
     AAACA2NiYGBgZmZkZgIAzrELWQkAAAAVABUOFTYsFQYVABUGFQYcAAAAH4sIAAAAAAACA2NiYGBgZmUEAN20xQIHAAAAFQQZTDUAGAZzY2hl \
     bWEVBgAVAiUCGAFpABUMJQIYAXMlAEwcAAAAFQAlAhgBYgAWBhkcGTwmABwVAhk1AAYQGRgBaRUEFgYWZBawASZYJggpLBUEFQAVAgAVABUQ \
     FQIAPCkGGSYCBAAAACYAHBUMGTUABhAZGAFzFQQWBhZsFroBJpICJrgBKSwVBBUAFQIAFQAVEBUCADwWCBkGGSYCBAAAACYAHBUAGSUGABkY \
     AWIVBBYGFjQWXCbyAkkcFQAVABUCADwpBhkmAgQAAAAWhAIWBiYIFsYDACggcGFycXVldC1jcHAtYXJyb3cgdmVyc2lvbiAyNi4wLjEZPBwA \
     ABwAABwAAAAHAQAAUEFSMQ==",
    "UEFSMRUEFRAVNEwVBBUAEgAAH4sIAAAAAAACA2NkYGBgBmIAGXA9uwgAAAAVBhUKFQpcFQYVAhUGFRAVBBUAEhwAAAADBQEDAhUEFRgVPkwV \
     BBUAEgAAH4sIAAAAAAACA2NkYGBIZAYSSYdXAgA3sFfJDAAAABUGFQoVClwVBhUCFQYVEBUEFQASHAAAAAMDAQMCFQYVEBUQXBUGFQIVBhUG \
     FQQVABIcAAAAAwUCAAAAAwEVBBlMNQAYBnNjaGVtYRUGABUCJQIYAWkAFQwlAhgBcyUATBwAAAAVACUCGAFiABYGGRwZPCYAHBUCGTUABhAZ \
     GAFpFQQWBhZmFooBJlgmCCksFQQVABUCABUAFRAVAgA8KQYZJgIEAAAAJgAcFQwZNQAGEBkYAXMVBBYGFm4WlAEm7AEmkgEpLBUEFQAVAgAV \
     ABUQFQIAPBYIGQYZJgIEAAAAJgAcFQAZFQYZGAFiFQQWBhZAFkAmpgJJHBUAFQYVAgA8KQYZJgIEAAAAFpQCFgYmCBbeAgAoIHBhcnF1ZXQt \
     Y3BwLWFycm93IHZlcnNpb24gMjYuMC4xGTwcAAAcAAAcAAAABgEAAFBBUjE=",
];

/// What PyArrow 26 wrote of a column of lists.
const NESTED: &str = "UEFSMRUEFSAVJEwVBBUAEgAAEDwBAAAAAAAAAAIAAAAAAAAAFQAVHhUiLBUEFRAVBhUGHBgIAgAAAAAAAAAYCAEAAAAAAAAAFgAoCAIAAAAA \
     AAAAGAgBAAAAAAAAABERAAAADzgCAAAABAACAAAABAMBAwIVBBlMNQAYBnNjaGVtYRUCADUCGAFhFQIVBkw8AAAANQQYBGxpc3QVAgAVBCUC \
     GAdlbGVtZW50ABYEGRwZHCYAHBUEGTUABhAZOAFhBGxpc3QHZWxlbWVudBUCFgQW2AEW4AEmSCYIHBgIAgAAAAAAAAAYCAEAAAAAAAAAFgAo \
     CAIAAAAAAAAAGAgBAAAAAAAAABERABksFQQVABUCABUAFRAVAgA8KSYEABlGAAAABAAAABbYARYEJggW4AEAKCBwYXJxdWV0LWNwcC1hcnJv \
     dyB2ZXJzaW9uIDI2LjAuMRkcHAAAAOYAAABQQVIx";

const VERSIONS: [WriterVersion; 2] = [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0];

#[test]
fn columns_of_other_writers_mean_what_they_say() {
    let expected = json!([
        {
            "day": "2024-03-01", "at": "1970-01-01T00:00:01.5Z", "unzoned": "1969-12-31T23:59:59.999999999",
            "clock": "00:00:00", "small": 4_294_967_295_u32, "price": "-0.05", "wide": "-0.001",
            "name": null, "raw": {"base64": "AP8="},
        },
        {
            "day": "1969-12-31", "at": null, "unzoned": "1970-01-01T00:00:00",
            "clock": "23:59:59.999", "small": 1, "price": "1234.56", "wide": "12.345",
            "name": "é", "raw": {"base64": ""},
        },
    ]);
    assert_eq!(read(FileType::Parquet, foreign(WriterVersion::PARQUET_1_0)).unwrap(), expected);
    // The newer writer takes an encoding for texts that makes room for as many as it says.
    match read(FileType::Parquet, foreign(WriterVersion::PARQUET_2_0)) {
        Ok(value) => assert_eq!(value, expected),
        Err(error) => assert!(error.to_string().contains("which is not read"), "{error}"),
    }
}

#[test]
fn pages_are_read_however_they_are_packed() {
    for packed in ARROW {
        assert_eq!(
            read(FileType::Parquet, from_base64(packed).unwrap()).unwrap(),
            json!([{"i": 1, "s": "a", "b": true}, {"i": null, "s": "bé", "b": null}, {"i": 3, "s": null, "b": false}])
        );
    }
    let error = read(FileType::Parquet, from_base64(NESTED).unwrap()).unwrap_err();
    assert!(error.to_string().contains("nested columns"), "{error}");
}

#[test]
fn records_have_a_normal_form() {
    for (written, normal) in [
        (json!([]), json!([])),
        (
            json!([{"a": 1}, {"b": "x"}, {}]),
            json!([{"a": 1, "b": null}, {"a": null, "b": "x"}, {"a": null, "b": null}]),
        ),
        (json!([{"a": 1}, {"a": 1.5}]), json!([{"a": 1.0}, {"a": 1.5}])),
        (json!([{"a": null}]), json!([{"a": null}])),
        (json!([{"a": 1}, {"a": u64::MAX}]), json!([{"a": 1}, {"a": u64::MAX}])),
        (json!([{"a": i64::MIN}, {"a": i64::MAX}]), json!([{"a": i64::MIN}, {"a": i64::MAX}])),
    ] {
        assert_eq!(parquet(&written).unwrap(), normal, "{written}");
        assert_eq!(parquet(&normal).unwrap(), normal, "{written}");
    }
    let many: Vec<Value> = (0..5_000).map(|row| json!({"n": row, "t": format!("text {}", row % 7)})).collect();
    assert_eq!(parquet(&json!(many)).unwrap(), json!(many));
}

#[test]
fn what_has_no_flat_form_is_refused() {
    for (wrong, why) in [
        (json!({"a": 1}), "a list of maps, not a map"),
        (json!("a"), "a list of maps, not a text"),
        (json!([1]), "row 1 is a number"),
        (json!([{}]), "no cells"),
        (json!([{"a": [1]}]), "the column `a` holds a list or a map"),
        (json!([{"a": {"b": 1}}]), "the column `a` holds a list or a map"),
        (json!([{"a": 1}, {"a": "x"}]), "the column `a` holds cells of different types"),
        (json!([{"a": true}, {"a": 1}]), "different types"),
        (json!([{"a": -1}, {"a": u64::MAX}]), "more than 64 bits"),
        (json!([{"a": 0.5}, {"a": i64::MAX}]), "no double"),
    ] {
        let told = refused(FileType::Parquet, &wrong);
        assert!(told.contains(why), "{wrong}: {told}");
    }
}

fn bound(outcome: Result<Value, FormatError>) -> &'static str {
    match outcome {
        Err(FormatError::Bound { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn few_bytes_that_mean_much_stop_at_the_bounds() {
    // Nulls and repeated texts take next to nothing, whether their pages are packed or not.
    let nulls = write(FileType::Parquet, &json!(vec![json!({"a": null}); 6_000]));
    assert!(nulls.len() < 1_000, "{}", nulls.len());
    let few = FileBounds { values: 10_000, ..FileBounds::default() };
    assert_eq!(bound(read_within(signature(FileType::Parquet), &nulls, &few)), "values");
    let text = "x".repeat(100_000);
    let repeated = write(FileType::Parquet, &json!(vec![json!({"a": text}); 1_000]));
    assert!(repeated.len() < 20_000, "{}", repeated.len());
    assert_eq!(bound(read(FileType::Parquet, &repeated)), "bytes of text");
    let large = write(FileType::Parquet, &json!([{"a": "x".repeat(17 << 20)}]));
    let ratio = FileBounds { ratio: 100, ..FileBounds::default() };
    assert_eq!(bound(read_within(signature(FileType::Parquet), &large, &ratio)), "times its packed size");
    let small = FileBounds { bytes: 1 << 20, ..FileBounds::default() };
    assert_eq!(bound(read_within(signature(FileType::Parquet), &large, &small)), "bytes when it is unpacked");
}

/// A file that is nothing but a structure.
fn structure(structure: &[u8]) -> Vec<u8> {
    let length = u32::try_from(structure.len()).unwrap();
    [b"PAR1", structure, &length.to_le_bytes(), b"PAR1"].concat()
}

#[test]
fn structures_are_looked_at_before_anything_recurses_or_makes_room() {
    // Version 1, then a list of 15 or more elements, each a group of one child.
    let count = 200_000_u32;
    let head = [0x15, 0x02, 0x19, 0xfc, 0xc0, 0x9a, 0x0c];
    let nested = [&head[..], &[0x55, 0x02, 0x00].repeat(count as usize), &[0]].concat();
    // One element that promises 2,147,483,647 children.
    let promised = [&[0x15, 0x02, 0x19, 0x1c, 0x55][..], &[0xfe, 0xff, 0xff, 0xff, 0x0f], &[0, 0]].concat();
    // Structs within structs, and a list that is longer than the file.
    let deep = [0x1c].repeat(100_000);
    let long = [0x15, 0x02, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f];
    for (bytes, why) in [
        (&nested[..], "nested columns"),
        (&promised, "not as many as it says"),
        (&deep, "its structure is damaged"),
        (&long, "its structure is damaged"),
        (&[], "its structure is damaged"),
    ] {
        let error = read(FileType::Parquet, structure(bytes)).unwrap_err();
        assert!(error.to_string().contains(why), "{why}: {error}");
    }
    let huge = structure(&vec![0; (4 << 20) + 1]);
    assert_eq!(bound(read(FileType::Parquet, huge)), "bytes of structure");
    for (bytes, why) in [(&b""[..], "cut off"), (b"PAR1", "cut off"), (b"PAR1\xff\xff\0\0PAR1", "cut off")] {
        assert!(read(FileType::Parquet, bytes).unwrap_err().to_string().contains(why));
    }
    assert!(read(FileType::Parquet, b"PARE\0\0\0\0PARE").unwrap_err().to_string().contains("encrypted"));
}

#[test]
fn whatever_is_changed_in_a_file_is_an_outcome() {
    let written = write(FileType::Parquet, &json!([{"a": 1, "b": "x"}, {"a": null, "b": "yy"}]));
    let packed = ARROW.map(|packed| from_base64(packed).unwrap());
    for whole in VERSIONS.map(foreign).into_iter().chain([written]).chain(packed) {
        for cut in 0..whole.len() {
            assert!(read(FileType::Parquet, &whole[..cut]).is_err(), "cut at {cut}");
        }
        let bounds = FileBounds { values: 10_000, bytes: 1 << 20, ..FileBounds::default() };
        for at in 0..whole.len() {
            for other in [0x00, 0x7f, 0xff, whole[at] ^ 1, whole[at].wrapping_add(0x10)] {
                let mut changed = whole.clone();
                changed[at] = other;
                // Some of these are files, of other values; none ends the process or takes its memory.
                drop(read_within(signature(FileType::Parquet), &changed, &bounds));
            }
        }
    }
}
