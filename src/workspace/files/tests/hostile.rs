//! Files that are made to hurt whoever reads them.

use serde_json::json;

use super::{FileBounds, FileSignature, FileType, FileValue, FormatError, read, read_within, signature};
use crate::workspace::files::FileCompression;

fn bound(error: &FormatError) -> &'static str {
    match error {
        FormatError::Bound { what, .. } => what,
        FormatError::Malformed { .. } | FormatError::Shape { .. } => panic!("{error}"),
    }
}

#[test]
fn h14_bombs_stop_at_the_bytes_and_at_the_ratio() {
    let zeros = vec![0; 17 << 20];
    for compression in [FileCompression::Gzip, FileCompression::Bzip2, FileCompression::Xz, FileCompression::Zstd] {
        let signature = FileSignature::new(FileType::Binary, compression);
        let bomb = signature.write(&FileValue::Bytes(zeros.clone())).unwrap();
        let bytes = FileBounds { bytes: 1 << 20, ..FileBounds::default() };
        assert_eq!(bound(&read_within(signature, &bomb, &bytes).unwrap_err()), "bytes when it is unpacked");
        let ratio = FileBounds { ratio: 100, ..FileBounds::default() };
        assert_eq!(bound(&read_within(signature, &bomb, &ratio).unwrap_err()), "times its packed size");
    }
    // Nested: only the outer packing is undone.
    let inner = FileSignature::new(FileType::Binary, FileCompression::Gzip).write(&FileValue::Bytes(zeros)).unwrap();
    let outer = FileSignature::new(FileType::Binary, FileCompression::Gzip);
    let nested = outer.write(&FileValue::Bytes(inner.clone())).unwrap();
    assert_eq!(outer.read(&nested, &FileBounds::default()).unwrap(), FileValue::Bytes(inner));
}

#[test]
fn h14_windows_and_dictionaries_are_bounded() {
    // A zstd frame whose header asks for a window of 2 GiB.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00];
    let zstd = FileSignature::new(FileType::Binary, FileCompression::Zstd);
    let error = read_within(zstd, &frame, &FileBounds::default()).unwrap_err();
    assert!(matches!(error, FormatError::Malformed { format: "zstd", .. }), "{error}");
    // An xz file whose only block asks for a dictionary of 1.5 GiB.
    let xz = FileSignature::new(FileType::Binary, FileCompression::Xz);
    let mut small = xz.write(&FileValue::Bytes(b"x".to_vec())).unwrap();
    // Byte 16 of the file is the size of the dictionary in the filter's flags; the check sum of the header follows.
    let at = 12 + 4;
    small[at] = 39;
    let mut sum = flate2::Crc::new();
    sum.update(&small[12..20]);
    small[20..24].copy_from_slice(&sum.sum().to_le_bytes());
    let error = read_within(xz, &small, &FileBounds::default()).unwrap_err();
    assert!(error.to_string().contains("emory"), "{error}");
}

#[test]
fn what_is_cut_or_changed_is_malformed_and_never_a_panic() {
    for compression in [FileCompression::Gzip, FileCompression::Bzip2, FileCompression::Xz, FileCompression::Zstd] {
        let signature = FileSignature::new(FileType::Binary, compression);
        let whole = signature.write(&FileValue::Bytes(b"abc".repeat(100))).unwrap();
        for cut in 1..whole.len() {
            let error = read_within(signature, &whole[..cut], &FileBounds::default()).unwrap_err();
            assert!(matches!(error, FormatError::Malformed { .. }), "{signature} cut at {cut}: {error}");
        }
        let mut junk = whole.clone();
        junk.extend_from_slice(b"junk");
        assert!(read_within(signature, &junk, &FileBounds::default()).is_err(), "{signature}");
        let twice = [whole.clone(), whole.clone()].concat();
        let twice = signature.read(&twice, &FileBounds::default()).unwrap();
        assert_eq!(twice, FileValue::Bytes(b"abc".repeat(200)), "{signature}");
        assert!(read_within(signature, b"plain text", &FileBounds::default()).is_err(), "{signature}");
    }
}

#[test]
fn nesting_is_bounded_in_every_type() {
    let deep = |open: &str, close: &str| [open.repeat(100_000), close.repeat(100_000)].concat();
    for (file_type, bytes) in [
        (FileType::Json, deep("[", "]")),
        (FileType::Json, "{\"a\":".repeat(100_000)),
        (FileType::Jsonl, deep("[", "]")),
        (FileType::Yaml, deep("[", "]")),
        (FileType::Yaml, "- ".repeat(100_000)),
        (FileType::Yaml, (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect()),
        (FileType::Yaml, "? ".repeat(100_000)),
        (FileType::Toml, format!("a = {}", deep("[", "]"))),
        (FileType::Toml, format!("a = {}", "{a=".repeat(100_000))),
        (FileType::Toml, format!("{} = 1", vec!["a"; 100_000].join("."))),
        (FileType::Toml, format!("[{}]", vec!["a"; 100_000].join("."))),
    ] {
        assert!(read(file_type, &bytes).is_err(), "{file_type:?}");
    }
    let fits = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    assert!(read(FileType::Json, &fits).is_ok());
    let one_more = format!("[{fits}]");
    assert_eq!(bound(&read(FileType::Json, one_more).unwrap_err()), "levels of nesting");
}

#[test]
fn billion_laughs_are_not_funny() {
    let mut text = "a0: &a0 lol\n".to_owned();
    for level in 1..30 {
        let below = level - 1;
        text += &format!("a{level}: &a{level} [*a{below}, *a{below}, *a{below}, *a{below}, *a{below}, *a{below}]\n");
    }
    let error = read(FileType::Yaml, &text).unwrap_err();
    assert!(matches!(error, FormatError::Bound { .. }), "{error}");
    // Few aliases of one large text are as bad.
    let large = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 200].join(","));
    let error = read(FileType::Yaml, &large).unwrap_err();
    assert!(matches!(error, FormatError::Bound { .. }), "{error}");
    // And merges, which are no aliases.
    let mut merges = "m0: &m0 {k0: 1}\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        merges += &format!("m{level}: &m{level} {{<<: [*m{below}, *m{below}], k{level}: 1}}\n");
    }
    assert!(read(FileType::Yaml, &merges).is_err());
}

#[test]
fn values_and_texts_are_counted_in_every_type() {
    let few = FileBounds { values: 50, ..FileBounds::default() };
    let rows: Vec<_> = (0..60).map(|number| json!({"a": number, "b": "x"})).collect();
    for &file_type in FileType::ALL {
        let value = match file_type {
            FileType::Text | FileType::Binary => continue,
            FileType::Toml => json!({"rows": rows}),
            FileType::Json | FileType::Jsonl | FileType::Csv | FileType::Tsv | FileType::Yaml | FileType::Sqlite => {
                json!(rows)
            }
            #[cfg(feature = "parquet")]
            FileType::Parquet => json!(rows),
        };
        let bytes = super::write(file_type, &value);
        let error = read_within(signature(file_type), &bytes, &few).unwrap_err();
        assert!(bound(&error).contains("values") || bound(&error).contains("parts"), "{file_type:?}: {error}");
        let short = FileBounds { bytes: 40, ..FileBounds::default() };
        assert!(matches!(read_within(signature(file_type), &bytes, &short), Err(FormatError::Bound { .. })));
    }
}

#[test]
fn one_row_of_a_million_cells_is_counted() {
    let wide = ",".repeat(3_000_000);
    let error = read(FileType::Csv, format!("{wide}\n{wide}\n")).unwrap_err();
    assert!(error.to_string().contains("two columns are called ``"), "{error}");
    let names: Vec<String> = (0..300_000).map(|number| number.to_string()).collect();
    let rows = ",".repeat(299_999);
    let error = read(FileType::Csv, format!("{}\n{}", names.join(","), format!("{rows}\n").repeat(10))).unwrap_err();
    assert_eq!(bound(&error), "values");
}

#[test]
fn what_a_guest_wrote_is_escaped_and_cut_in_messages() {
    let error = read(FileType::Csv, format!("{0},{0}\n", "\u{1b}[31m\u{202e}".repeat(1_000))).unwrap_err().to_string();
    assert!(error.len() < 2_000 && !error.contains('\u{1b}') && !error.contains('\u{202e}'), "{error}");
    for file_type in [FileType::Json, FileType::Yaml, FileType::Toml] {
        let error = read(file_type, format!("\u{1b}{}", "é".repeat(100_000))).unwrap_err().to_string();
        assert!(error.len() < 2_000 && !error.contains('\u{1b}'), "{error}");
    }
}
