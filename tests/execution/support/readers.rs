//! What an archive holds, by two readers that know nothing of each other.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use bailiwick::{Archive, Globs};
use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::trees::{Node, Nodes, read};

/// Unpacks into a new directory and reads what came of it.
pub(crate) fn unpacked(archive: &Archive, to: &Path) -> Nodes {
    fs::create_dir(to).unwrap();
    archive.unpack(&Dir::open_ambient_dir(to, ambient_authority()).unwrap(), &Globs::default()).unwrap();
    read(to)
}

/// What a reader finds: for each path its type, its content or target, and its mode.
pub(crate) type Found = BTreeMap<Vec<u8>, (char, Vec<u8>, u32)>;

/// What the library finds in a tar.
pub(crate) fn by_library(bytes: &[u8]) -> std::io::Result<Found> {
    let mut found = Found::new();
    for entry in ::tar::Archive::new(bytes).entries()? {
        let mut entry = entry?;
        let path = entry.path_bytes().into_owned();
        let path = path.strip_prefix(b"./").unwrap_or(&path);
        let path = path.strip_suffix(b"/").unwrap_or(path).to_vec();
        let mode = entry.header().mode()? & 0o777;
        let link = entry.link_name_bytes().map(|link| link.into_owned()).unwrap_or_default();
        let ty = entry.header().entry_type();
        let value = if ty.is_dir() {
            ('d', Vec::new(), mode)
        } else if ty.is_symlink() {
            ('l', link, 0o777)
        } else if ty.is_hard_link() {
            let link = link.strip_prefix(b"./").unwrap_or(&link).to_vec();
            let first = found.get(&link).cloned().ok_or(std::io::ErrorKind::NotFound)?;
            ('f', first.1, mode)
        } else if ty.is_file() || ty.is_contiguous() {
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            ('f', content, mode)
        } else {
            ('s', Vec::new(), mode)
        };
        found.insert(path, value);
    }
    Ok(found)
}

/// The same by us, directories that are only implied left out.
pub(crate) fn by_us(archive: &Archive, to: &Path) -> Found {
    let on_disk = unpacked(archive, to);
    let mut found = Found::new();
    for (path, entry) in archive.manifest().iter() {
        let value = match on_disk.get(path.as_path()) {
            Some(Node::File(content, mode)) => ('f', content.clone(), *mode),
            Some(Node::Directory(mode)) => ('d', Vec::new(), *mode),
            Some(Node::Link(target)) => ('l', target.clone().into_encoded_bytes(), 0o777),
            None => ('s', Vec::new(), entry.mode),
        };
        found.insert(path.as_bytes().to_vec(), value);
    }
    found
}
