//! The canonical encoding of a manifest: what its id is the hash of, and what a store keeps.

use super::super::WorkspacePath;
use super::{Entry, EntryKind, Manifest};

/// What begins the encoding. Another version of it has another one.
const HEADER: &[u8] = b"bailiwick manifest 1\n";

/// About how much is handed on at once.
const PART: usize = 64 * 1024;

impl Manifest {
    /// Hands the canonical encoding on in parts; see [`id`](Self::id) for what it is.
    pub(super) fn encode<E>(&self, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut part = HEADER.to_vec();
        for (path, entry) in self.iter() {
            encode(path, entry, &mut part);
            if part.len() >= PART {
                take(&part)?;
                part.clear();
            }
        }
        take(&part)
    }

    /// Reads the canonical encoding, and only what could have been written; the error is the end of a sentence.
    pub(super) fn decode(text: &[u8]) -> Result<Self, &'static str> {
        let mut rest = text.strip_prefix(HEADER).ok_or("is of another version")?;
        let mut entries: Vec<(WorkspacePath, Entry)> = Vec::new();
        while !rest.is_empty() {
            let (path, entry) = decode(&mut rest).ok_or("has an entry that cannot be read")?;
            if entries.last().is_some_and(|(last, _)| *last >= path) {
                return Err("has its entries in disorder");
            }
            entries.push((path, entry));
        }
        let manifest: Self = entries.into_iter().collect();
        manifest.check_parents()?;
        Ok(manifest)
    }

    /// Checks that every entry lies in a directory of the manifest.
    pub(super) fn check_parents(&self) -> Result<(), &'static str> {
        let mut last: Option<WorkspacePath> = None;
        for parent in self.iter().filter_map(|(path, _)| path.parent()) {
            if last.as_ref() == Some(&parent) {
                continue;
            }
            match self.get(&parent) {
                Some(Entry { kind: EntryKind::Directory, .. }) => last = Some(parent),
                Some(_) | None => return Err("has an entry that is in no directory"),
            }
        }
        Ok(())
    }
}

fn encode(path: &WorkspacePath, entry: &Entry, out: &mut Vec<u8>) {
    let (letter, mode) = match entry.kind {
        EntryKind::File { .. } => (b'f', entry.mode),
        EntryKind::Directory => (b'd', entry.mode),
        EntryKind::Symlink { .. } => (b'l', 0),
        EntryKind::Special => return,
    };
    out.push(letter);
    out.extend_from_slice(&mode.to_le_bytes());
    out.extend_from_slice(&(path.as_bytes().len() as u64).to_le_bytes());
    out.extend_from_slice(path.as_bytes());
    match &entry.kind {
        EntryKind::File { size, hash } => {
            out.extend_from_slice(&size.to_le_bytes());
            out.extend_from_slice(hash);
        }
        EntryKind::Symlink { target } => {
            out.extend_from_slice(&(target.len() as u64).to_le_bytes());
            out.extend_from_slice(target);
        }
        EntryKind::Directory | EntryKind::Special => {}
    }
}

fn decode(rest: &mut &[u8]) -> Option<(WorkspacePath, Entry)> {
    use std::os::unix::ffi::OsStrExt;
    let letter = take(rest, 1)?[0];
    let mode = u32::from_le_bytes(take(rest, 4)?.try_into().ok()?);
    let path = WorkspacePath::new(std::ffi::OsStr::from_bytes(text(rest)?)).ok()?;
    let kind = match letter {
        b'f' => EntryKind::File { size: number(rest)?, hash: take(rest, 32)?.try_into().ok()? },
        b'd' => EntryKind::Directory,
        b'l' if mode == 0 => EntryKind::Symlink { target: text(rest)?.to_vec() },
        _ => return None,
    };
    (mode <= 0o777).then(|| (path, Entry::new(kind, mode)))
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(take(rest, 8)?.try_into().ok()?))
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(rest)?).ok()?;
    take(rest, length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(manifest: &Manifest) -> Vec<u8> {
        let mut text = Vec::new();
        let keep = |part: &[u8]| {
            text.extend_from_slice(part);
            Ok::<(), ()>(())
        };
        manifest.encode(keep).unwrap();
        text
    }

    fn path(name: &str) -> WorkspacePath {
        WorkspacePath::new(name).unwrap()
    }

    fn sample() -> Manifest {
        let file = Entry::new(EntryKind::File { size: 3, hash: [5; 32] }, 0o640);
        let link = Entry::new(EntryKind::Symlink { target: b"../\xff".to_vec() }, 0);
        let directory = Entry::new(EntryKind::Directory, 0o700);
        [(path("a"), directory), (path("a/b"), file.clone()), (path("a.txt"), link), (path("z"), file)]
            .into_iter()
            .collect()
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let text = encoded(&sample());
        assert_eq!(Manifest::decode(&text).unwrap(), sample());
        assert_eq!(blake3::hash(&text).to_hex().as_str(), sample().id().to_string());
        assert_eq!(Manifest::decode(HEADER).unwrap(), Manifest::new());
    }

    #[test]
    fn an_entry_outside_of_its_directories_is_refused() {
        let file = Entry::new(EntryKind::File { size: 3, hash: [5; 32] }, 0o640);
        let lost: Manifest = [(path("a/b"), file.clone())].into_iter().collect();
        assert!(Manifest::decode(&encoded(&lost)).is_err());
        let link = Entry::new(EntryKind::Symlink { target: b"/etc".to_vec() }, 0);
        let through: Manifest = [(path("a"), link), (path("a/passwd"), file)].into_iter().collect();
        assert_eq!(Manifest::decode(&encoded(&through)), Err("has an entry that is in no directory"));
    }

    #[test]
    fn h23_a_name_that_leaves_the_tree_is_refused() {
        let mut text = encoded(&sample());
        let at = text.windows(3).position(|three| three == b"a/b").unwrap();
        text[at..at + 3].copy_from_slice(b"../");
        assert!(Manifest::decode(&text).is_err());
        text[at..at + 3].copy_from_slice(b"/ab");
        assert!(Manifest::decode(&text).is_err());
    }

    proptest! {
        #[test]
        fn nothing_else_is_read(flips in proptest::collection::vec((0usize..200, any::<u8>()), 1..4), cut in 0usize..200) {
            let mut text = encoded(&sample());
            for (at, byte) in flips {
                let at = at % text.len();
                text[at] = byte;
            }
            text.truncate(text.len() - cut % 3);
            // Whatever is accepted is canonical: written again it is the same.
            if let Ok(manifest) = Manifest::decode(&text) {
                prop_assert_eq!(encoded(&manifest), text);
            }
        }
    }
}
