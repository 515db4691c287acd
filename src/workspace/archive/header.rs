//! The header of a tar member: 512 bytes, read strictly.

/// How long a header is, and what content is padded to.
pub(super) const BLOCK: usize = 512;

/// A header of a tar, its fields as they stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) mode: u32,
    pub(super) size: u64,
    pub(super) ty: u8,
    pub(super) link: Vec<u8>,
}

/// Reads a header. What is wrong with one is the end of a sentence.
pub(super) fn read(block: &[u8; BLOCK]) -> Result<Header, &'static str> {
    if !has_checksum(block) {
        return Err("has a header with a wrong checksum");
    }
    let magic = &block[257..265];
    let (is_posix, is_gnu) = (magic == b"ustar\x0000", magic == b"ustar  \0");
    if !is_posix && !is_gnu && magic.iter().any(|byte| *byte != 0) {
        return Err("has a header of an unknown kind");
    }
    let mut name = text(&block[..100]).to_vec();
    let prefix = text(&block[345..500]);
    if is_posix && !prefix.is_empty() {
        name = [prefix, b"/", &name].concat();
    }
    let mode = number(&block[100..108]).ok_or("has a mode that is no number")?;
    Ok(Header {
        name,
        mode: u32::try_from(mode & 0o777).unwrap_or(0),
        size: number(&block[124..136]).ok_or("has a size that is no number")?,
        ty: block[156],
        link: text(&block[157..257]).to_vec(),
    })
}

/// Says whether a block is a header, whatever is in it: its bytes add up to what it says.
pub(super) fn has_checksum(block: &[u8; BLOCK]) -> bool {
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    let own: u64 = block[148..156].iter().map(|byte| u64::from(*byte)).sum();
    octal(&block[148..156]) == Some(sum - own + 8 * u64::from(b' '))
}

/// Cuts a field at its first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Reads a number: octal digits, or, with the highest bit set, the bytes of a number that is not negative.
fn number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    match first {
        0x80 => rest.iter().try_fold(0u64, |number, byte| {
            let shifted = number.checked_mul(256)?;
            Some(shifted | u64::from(*byte))
        }),
        0x81.. => None,
        _ => octal(field),
    }
}

/// Reads octal digits between blanks or NULs; an empty field is 0.
fn octal(field: &[u8]) -> Option<u64> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !is_blank(byte)).unwrap_or(field.len());
    let digits = &field[start..];
    let end = digits.iter().position(is_blank).unwrap_or(digits.len());
    if !digits[end..].iter().all(is_blank) {
        return None;
    }
    digits[..end].iter().try_fold(0u64, |number, byte| match byte {
        b'0'..=b'7' => number.checked_mul(8)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary_and_never_negative() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"   644 \0"), Some(0o644));
        assert_eq!(number(b"\0\0\0\0\0\0\0\0"), Some(0));
        assert_eq!(number(b"\x80\0\0\0\0\0\0\x02\0\0\0\0"), Some(1 << 33));
        assert_eq!(number(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), None);
        assert_eq!(number(b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), None);
        assert_eq!(number(b"64\x004\0\0\0\0"), None);
        assert_eq!(number(b"0000648\0"), None);
        assert_eq!(number(b"-000001\0"), None);
        assert_eq!(number(b"7777777777777777777777777777"), None);
    }
}
