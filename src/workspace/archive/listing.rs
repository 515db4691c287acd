//! What an archive would make, known whole before any of it is made.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::super::WorkspacePath;
use super::super::snapshot::{Entry, EntryKind, Manifest};
use super::gauge::Gauge;
use super::links;
use super::member::{Member, MemberKind, refused};
use super::{ArchiveError, ArchiveRules, LinkRule};

/// The most bytes of all paths together, as of any manifest.
const PATH_BYTES: u64 = 256 << 20;

/// The permissions of a directory that no member names.
const IMPLIED: u32 = 0o755;

/// The tree of an archive.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// By the bytes of their paths.
    entries: BTreeMap<Vec<u8>, Entry>,
    /// Files with several names: those after the first, by the first.
    also: HashMap<Vec<u8>, Vec<WorkspacePath>>,
    /// For each such name, the first.
    first: HashMap<Vec<u8>, Vec<u8>>,
    bytes: u64,
    path_bytes: u64,
}

impl Listing {
    /// Takes in a member whose content, of a file, has this hash.
    pub(super) fn add(&mut self, member: &Member, hash: [u8; 32], rules: &ArchiveRules) -> Result<(), ArchiveError> {
        let Member { path, kind, mode } = member;
        let name = path.as_bytes();
        let kind = match kind {
            MemberKind::File(size) => EntryKind::File { size: *size, hash },
            MemberKind::Directory => EntryKind::Directory,
            MemberKind::Symlink(target) => EntryKind::Symlink { target: target.clone() },
            MemberKind::Special => EntryKind::Special,
            MemberKind::HardLink(target) => self.linked(name, target, rules)?,
        };
        let there = self.entries.get_mut(name);
        match there {
            Some(there) if there.kind == EntryKind::Directory && kind == EntryKind::Directory => there.mode = *mode,
            Some(_) => return Err(refused(name, "is there twice")),
            None => {
                self.imply_parents(path, rules)?;
                self.insert(path, Entry::new(kind, *mode), rules)?;
            }
        }
        Ok(())
    }

    /// Counts the bytes of a file before they are read.
    pub(super) fn charge(&mut self, bytes: u64, rules: &ArchiveRules) -> Result<(), ArchiveError> {
        self.bytes = self.bytes.saturating_add(bytes);
        let limit = rules.bounds.tree.bytes;
        if self.bytes > limit { Err(ArchiveError::TooLarge { what: "bytes", limit }) } else { Ok(()) }
    }

    /// Makes a hard link a file of its own with the content of the first.
    fn linked(&mut self, name: &[u8], target: &WorkspacePath, rules: &ArchiveRules) -> Result<EntryKind, ArchiveError> {
        let kind = match self.entries.get(target.as_bytes()).map(|entry| entry.kind.clone()) {
            Some(file @ EntryKind::File { .. }) => file,
            Some(EntryKind::Directory | EntryKind::Symlink { .. } | EntryKind::Special) => {
                return Err(refused(name, "is a hard link to what is no file"));
            }
            None => return Err(refused(name, "is a hard link to what is not in the archive before it")),
        };
        let first = self.first.get(target.as_bytes()).cloned().unwrap_or_else(|| target.as_bytes().to_vec());
        self.charge(Entry::new(kind.clone(), 0).size().unwrap_or(0), rules)?;
        self.also.entry(first.clone()).or_default().push(WorkspacePath::from_walk(name));
        self.first.insert(name.to_vec(), first);
        Ok(kind)
    }

    fn imply_parents(&mut self, path: &WorkspacePath, rules: &ArchiveRules) -> Result<(), ArchiveError> {
        let mut missing = Vec::new();
        let mut above = path.parent();
        while let Some(parent) = above {
            match self.entries.get(parent.as_bytes()) {
                Some(Entry { kind: EntryKind::Directory, .. }) => break,
                Some(_) => return Err(refused(path.as_bytes(), "lies below what is no directory")),
                None => {
                    above = parent.parent();
                    missing.push(parent);
                }
            }
        }
        missing.iter().try_for_each(|path| self.insert(path, Entry::new(EntryKind::Directory, IMPLIED), rules))
    }

    fn insert(&mut self, path: &WorkspacePath, entry: Entry, rules: &ArchiveRules) -> Result<(), ArchiveError> {
        self.path_bytes += path.as_bytes().len() as u64;
        let limit = rules.bounds.tree.entries;
        if self.entries.len() as u64 >= limit {
            return Err(ArchiveError::TooLarge { what: "entries", limit });
        }
        if self.path_bytes > PATH_BYTES {
            return Err(ArchiveError::TooLarge { what: "bytes of names", limit: PATH_BYTES });
        }
        self.entries.insert(path.as_bytes().to_vec(), entry);
        Ok(())
    }

    /// Looks at the links, now that everything is known that they may lead over.
    pub(super) fn check_links(&self, rules: &ArchiveRules, gauge: &Gauge) -> Result<(), ArchiveError> {
        match rules.links {
            LinkRule::AsWritten => return Ok(()),
            LinkRule::Inside => {}
        }
        for (path, entry) in &self.entries {
            if let EntryKind::Symlink { target } = &entry.kind {
                gauge.check_time()?;
                if links::leads_out(path, target, &|path| self.target(path)) {
                    return Err(refused(path, "is a link that leads out of the archive"));
                }
            }
        }
        Ok(())
    }

    /// Gives where a path points, when it is a link.
    fn target(&self, path: &[u8]) -> Option<&[u8]> {
        match &self.entries.get(path)?.kind {
            EntryKind::Symlink { target } => Some(target),
            EntryKind::File { .. } | EntryKind::Directory | EntryKind::Special => None,
        }
    }

    /// Gives the tree, and the further names of its files.
    pub(super) fn finish(self) -> (Manifest, HashMap<Vec<u8>, Vec<WorkspacePath>>) {
        let path = |bytes: &[u8]| WorkspacePath::new(OsStr::from_bytes(bytes)).ok();
        let entries = self.entries.into_iter().filter_map(|(name, entry)| Some((path(&name)?, entry)));
        (entries.collect(), self.also)
    }
}
