//! Comparing the lines of two texts.

use std::ops::Range;

use imara_diff::{Hunk, InternedInput};

use super::bounds::{GoOn, Halt};
use super::{TextDiff, segments};

/// Lines of context round a change, as `diff -u` and `git diff` give by default.
const CONTEXT: u32 = 3;

/// How much of a file's beginning is looked at for control characters.
const HEAD: usize = 8192;

/// Says whether bytes are text: no NUL anywhere, and at most 30 % of the first 8,192 bytes are control characters
/// other than tab, line feed and carriage return. The rule of the field's reference system.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD)];
    let control = head.iter().filter(|byte| **byte < 0x20 && !b"\t\n\r".contains(byte)).count();
    control * 10 <= head.len() * 3 && !bytes.contains(&0)
}

/// Compares two texts line by line. Only line feeds end lines.
pub(super) fn compare(old: &[u8], new: &[u8], go_on: GoOn<'_>) -> Result<TextDiff, Halt> {
    let input = InternedInput::new(old, new);
    let changes = segments::hunks(&input, go_on)?;
    let sum = |side: fn(&Hunk) -> &Range<u32>| changes.iter().map(|hunk| side(hunk).len() as u64).sum();
    let (added, removed) = (sum(|hunk| &hunk.after), sum(|hunk| &hunk.before));
    let mut text = TextDiff { added, removed, ..TextDiff::default() };
    for group in changes.chunk_by(|one, next| next.before.start - one.before.end <= 2 * CONTEXT) {
        write_hunk(&input, group, &mut text.hunks);
    }
    Ok(text)
}

fn write_hunk(input: &InternedInput<&[u8]>, changes: &[Hunk], out: &mut Vec<u8>) {
    let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return };
    let lines = u32::try_from(input.before.len()).unwrap_or(u32::MAX);
    let (start, end) = (first.before.start.saturating_sub(CONTEXT), lines.min(last.before.end + CONTEXT));
    let (lead, trail) = (first.before.start - start, end - last.before.end);
    let after = first.after.start - lead..last.after.end + trail;
    let header = format!("@@ -{} +{} @@\n", range(&(start..end)), range(&after));
    out.extend_from_slice(header.as_bytes());
    let mut at = start;
    for change in changes {
        write_lines(input, b' ', at..change.before.start, &input.before, out);
        write_lines(input, b'-', change.before.clone(), &input.before, out);
        write_lines(input, b'+', change.after.clone(), &input.after, out);
        at = change.before.end;
    }
    write_lines(input, b' ', at..end, &input.before, out);
}

/// Writes lines as a hunk's header counts them: from 1; an empty range names the line before it.
fn range(lines: &Range<u32>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        many => format!("{},{many}", lines.start + 1),
    }
}

fn write_lines(
    input: &InternedInput<&[u8]>,
    sign: u8,
    lines: Range<u32>,
    side: &[imara_diff::Token],
    out: &mut Vec<u8>,
) {
    for token in &side[lines.start as usize..lines.end as usize] {
        let line = input.interner[*token];
        out.push(sign);
        out.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            out.extend_from_slice(b"\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(old: &str, new: &str) -> String {
        String::from_utf8(compare(old.as_bytes(), new.as_bytes(), &mut || Ok(())).unwrap().hunks).unwrap()
    }

    #[test]
    fn lines_are_shown_with_three_of_context() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        assert_eq!(shown(old, &old.replace('5', "five")), "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
        assert_eq!(shown("", "a\n"), "@@ -0,0 +1 @@\n+a\n");
        assert_eq!(shown("a\n", ""), "@@ -1 +0,0 @@\n-a\n");
        assert_eq!(shown("a", "a"), "");
        let missing = "\\ No newline at end of file\n";
        assert_eq!(shown("a\nb", "a\nb\n"), format!("@@ -1,2 +1,2 @@\n a\n-b\n{missing}+b\n"));
        assert_eq!(shown("a\nb", "x\nb"), format!("@@ -1,2 +1,2 @@\n-a\n+x\n b\n{missing}"));
    }

    #[test]
    fn changes_far_apart_are_hunks_of_their_own() {
        let old: String = (0..20).map(|line| format!("{line}\n")).collect();
        let near = old.replace("\n5\n", "\nx\n").replace("\n12\n", "\ny\n");
        let far = old.replace("\n5\n", "\nx\n").replace("\n13\n", "\ny\n");
        assert_eq!(shown(&old, &near).matches("@@ -").count(), 1);
        assert_eq!(shown(&old, &far).matches("@@ -").count(), 2);
    }

    #[test]
    fn lines_that_look_like_headers_are_counted() {
        let text = compare(b"-- a comment\nb\n", b"++ more\n+++ b/x\nb\n", &mut || Ok(())).unwrap();
        assert_eq!((text.added, text.removed), (2, 1));
    }

    #[test]
    fn only_line_feeds_end_lines() {
        assert_eq!(shown("a\x0cb\u{2028}c\r\n", "a\n"), "@@ -1 +1 @@\n-a\x0cb\u{2028}c\r\n+a\n");
    }

    #[test]
    fn text_is_told_from_the_rest() {
        assert!(is_text(b"") && is_text(b"a\tb\r\n") && is_text(b"\xff\xfe\x7f"));
        assert!(!is_text(&[vec![b'a'; 100_000], vec![0]].concat()));
        assert!(is_text(b"\x01\x01\x01aaaaaaa") && !is_text(b"\x01\x01\x01\x01aaaaaa"));
    }

    /// Applies hunks the slow and obvious way.
    fn apply(old: &[u8], hunks: &[u8]) -> Vec<u8> {
        let old: Vec<&[u8]> = old.split_inclusive(|byte| *byte == b'\n').collect();
        let (mut out, mut at) = (Vec::new(), 0);
        for line in hunks.split_inclusive(|byte| *byte == b'\n') {
            match line[0] {
                b'@' => {
                    let text = std::str::from_utf8(line).unwrap();
                    let range = text.split(['-', ' ']).nth(2).unwrap();
                    let (start, length) = range.split_once(',').unwrap_or((range, "1"));
                    let start: usize = start.parse().unwrap();
                    let start = if length == "0" { start } else { start - 1 };
                    out.extend(old[at..start].concat());
                    at = start;
                }
                b' ' | b'-' => {
                    assert!(old[at].starts_with(line[1..].strip_suffix(b"\n").unwrap()));
                    if line[0] == b' ' {
                        out.extend(old[at]);
                    }
                    at += 1;
                }
                b'+' => out.extend(&line[1..]),
                _ => {
                    if out.last() == Some(&b'\n') && old.get(at.wrapping_sub(1)).is_none_or(|last| *last != b"\n") {
                        // It speaks of the line before it, which came if it is the end of what was written.
                        out.pop_if(|byte| *byte == b'\n');
                    }
                }
            }
        }
        out.extend(old[at..].concat());
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn hunks_turn_one_text_into_the_other(old in "[ab\n]{0,30}\n?", new in "[ab\n]{0,30}\n?") {
            let (old, new) = (format!("{old}\n"), format!("{new}\n"));
            let text = compare(old.as_bytes(), new.as_bytes(), &mut || Ok(())).unwrap();
            prop_assert_eq!(apply(old.as_bytes(), &text.hunks), new.as_bytes());
            let signs = |sign: &str| text.hunks.split(|b| *b == b'\n').filter(|l| l.starts_with(sign.as_bytes())).count();
            prop_assert_eq!((text.added, text.removed), (signs("+") as u64, signs("-") as u64));
        }
    }
}
