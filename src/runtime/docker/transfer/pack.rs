//! A directory of ours as a plain tar: links as links, no specials, everything of one owner.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd as _;

use cap_std::fs::Dir;
use rustix::io::Errno;
use tar::EntryType;

use super::record::{Record, Records};
use crate::workspace::{Bounds, Descend, Kind, Meta, Seen, Visit, WorkspaceError, meta, open_regular, read_link, walk};

/// Whom entries belong to in the container.
pub(in crate::runtime::docker) type Owner = (u32, u32);

/// What modification times entries have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::runtime::docker) enum Times {
    /// Those of the files.
    Kept,
    /// The same for all, so that equal content gives equal bytes.
    Fixed,
}

/// How a directory is packed.
pub(in crate::runtime::docker) struct Packing<'a> {
    /// What every name begins with, without a slash at either end; empty: nothing.
    pub(in crate::runtime::docker) root: &'a [u8],
    pub(in crate::runtime::docker) owner: Owner,
    pub(in crate::runtime::docker) times: Times,
    pub(in crate::runtime::docker) bounds: Bounds,
    /// Says of a path below the directory whether it is taken; what is below a directory is asked for by itself.
    pub(in crate::runtime::docker) takes: &'a dyn Fn(&[u8], Kind) -> bool,
    /// Says of a directory whether something below it may be taken.
    pub(in crate::runtime::docker) enters: &'a dyn Fn(&[u8]) -> bool,
}

/// Writes what a directory holds to a tar, in the order of the names; its own entry first where it has a name.
pub(in crate::runtime::docker) fn pack<W: Write>(
    dir: &Dir,
    to: &mut Records<W>,
    packing: &Packing<'_>,
) -> Result<(), WorkspaceError> {
    let mut packer = Packer { to, packing, bytes: 0 };
    if !packing.root.is_empty() {
        let meta = meta(dir).map_err(|error| WorkspaceError::io("look at", b"", error))?;
        packer.put(b"", &meta, EntryType::Directory, b"")?;
    }
    walk(dir.as_fd(), packing.bounds.entries, &mut packer)
}

struct Packer<'a, W> {
    to: &'a mut Records<W>,
    packing: &'a Packing<'a>,
    bytes: u64,
}

impl<W: Write> Packer<'_, W> {
    /// Writes an entry without content.
    fn put(&mut self, path: &[u8], meta: &Meta, sort: EntryType, target: &[u8]) -> Result<(), WorkspaceError> {
        let name = self.name(path, sort);
        let record = self.record(&name, meta, sort, target);
        self.to.write(record, 0, &mut io::empty()).map_err(|error| WorkspaceError::io("send", path, error))
    }

    fn file(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        let Some((file, meta)) = open_regular(seen)? else { return Ok(()) };
        self.bytes = self.bytes.saturating_add(meta.size);
        let limit = self.packing.bounds.bytes;
        if self.bytes > limit {
            return Err(WorkspaceError::TooLarge { what: "bytes", limit });
        }
        let name = self.name(seen.path, EntryType::Regular);
        let record = self.record(&name, &meta, EntryType::Regular, b"");
        let sent = self.to.write(record, meta.size, &mut File::from(file));
        sent.map_err(|error| WorkspaceError::io("send", seen.path, error))
    }

    fn name(&self, path: &[u8], sort: EntryType) -> Vec<u8> {
        let parts: Vec<&[u8]> = [self.packing.root, path].into_iter().filter(|part| !part.is_empty()).collect();
        let mut name = parts.join(&b'/');
        if sort == EntryType::Directory {
            name.push(b'/');
        }
        name
    }

    fn record<'b>(&self, name: &'b [u8], meta: &Meta, sort: EntryType, target: &'b [u8]) -> Record<'b> {
        let modified = match self.packing.times {
            Times::Kept => meta.modified.seconds,
            Times::Fixed => 0,
        };
        Record { name, sort, mode: meta.mode, owner: self.packing.owner, modified, target }
    }
}

impl<W: Write> Visit for Packer<'_, W> {
    fn enter(&mut self, seen: Seen<'_>) -> Result<Descend, WorkspaceError> {
        if (self.packing.takes)(seen.path, seen.meta.kind) {
            self.put(seen.path, seen.meta, EntryType::Directory, b"")?;
        }
        Ok(if (self.packing.enters)(seen.path) { Descend::Into } else { Descend::Skip })
    }

    fn entry(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        if !(self.packing.takes)(seen.path, seen.meta.kind) {
            return Ok(());
        }
        match seen.meta.kind {
            Kind::File => self.file(seen),
            Kind::Symlink => match read_link(seen.parent, seen.name) {
                Ok(target) => self.put(seen.path, seen.meta, EntryType::Symlink, &target),
                Err(Errno::NOENT | Errno::INVAL) => Ok(()),
                Err(error) => Err(WorkspaceError::io("read the link", seen.path, error)),
            },
            Kind::Directory | Kind::Special => Ok(()),
        }
    }
}
