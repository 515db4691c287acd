//! The extended header of a tar member: records of a length, a key and a value.

/// What an extended header may say of its member that matters here. Times, owners and attributes do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extended {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
}

/// Reads the records. What is wrong with one is the end of a sentence.
pub(super) fn read(mut bytes: &[u8]) -> Result<Extended, &'static str> {
    let mut extended = Extended::default();
    while !bytes.is_empty() {
        let (key, value, rest) = record(bytes).ok_or("has an extended header that cannot be read")?;
        bytes = rest;
        let slot = match key {
            b"path" => &mut extended.path,
            b"linkpath" => &mut extended.link,
            b"size" => {
                let size = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
                let size = size.and_then(|text| text.parse().ok()).ok_or("has a size that is no number")?;
                if extended.size.replace(size).is_some() {
                    return Err("says something twice");
                }
                continue;
            }
            // Sparse files: what they hold is not what stands in the archive.
            sparse if sparse.starts_with(b"GNU.sparse.") => return Err("is a sparse file"),
            _ => continue,
        };
        if value.is_empty() {
            return Err("takes back its name");
        }
        if slot.replace(value.to_vec()).is_some() {
            return Err("says something twice");
        }
    }
    Ok(extended)
}

/// Cuts off the first record: `LENGTH KEY=VALUE\n`, the length that of all of it.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let digits = std::str::from_utf8(&bytes[..blank]).ok()?;
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let length: usize = is_plain.then(|| digits.parse().ok())??;
    let (whole, rest) = bytes.split_at_checked(length)?;
    let said = whole.get(blank + 1..)?.strip_suffix(b"\n")?;
    let equals = said.iter().position(|byte| *byte == b'=')?;
    Some((&said[..equals], &said[equals + 1..], rest))
}

/// Writes a record.
pub(super) fn write(key: &str, value: &[u8], out: &mut Vec<u8>) {
    let rest = key.len() + value.len() + 3;
    // The length counts its own digits.
    let mut length = rest + 1;
    while length.to_string().len() + rest != length {
        length = length.to_string().len() + rest;
    }
    out.extend_from_slice(format!("{length} {key}=").as_bytes());
    out.extend_from_slice(value);
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn records_that_lie_are_refused() {
        assert_eq!(read(b"12 path=abc\n").unwrap().path.unwrap(), b"abc");
        assert_eq!(read(b"28 mtime=1700000000.1234567\n").unwrap(), Extended::default());
        for lie in [
            "13 path=abc\n",
            "11 path=abc\n",
            " path=abc\n",
            "12 path abc\n",
            "99999999999999999999 a=b\n",
            "8 path=\n",
            "11 size=-1\n",
            "12 path=abc\n12 path=abd\n",
            "22 GNU.sparse.major=1\n",
            "x",
        ] {
            assert!(read(lie.as_bytes()).is_err(), "{lie:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in proptest::collection::vec(any::<u8>(), 1..300)) {
            let mut out = Vec::new();
            write("path", &value, &mut out);
            write("size", b"17", &mut out);
            let read = read(&out).unwrap();
            prop_assert_eq!((read.path, read.size), (Some(value), Some(17)));
        }

        #[test]
        fn nothing_makes_it_panic(bytes in "[0-9]{0,3} ?(path|size)?=?[a\n]{0,3}".prop_map(String::into_bytes)) {
            let _ = read(&bytes);
        }
    }
}
