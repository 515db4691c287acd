//! Random trees, made and read the obvious way.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use proptest::prelude::*;

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    File(Vec<u8>, u32),
    Directory(u32),
    Link(OsString),
}

/// A tree; parents that are not named are there with mode 0755.
pub(crate) type Nodes = BTreeMap<PathBuf, Node>;

/// What a random tree may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kinds {
    pub(crate) links: bool,
    pub(crate) binary: bool,
    pub(crate) modes: bool,
}
pub(crate) const ANY: Kinds = Kinds { links: true, binary: true, modes: true };

fn component() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => "[abc]".prop_map(String::into_bytes),
        1 => "[ab \"\\\\\t\né]{1,3}".prop_map(String::into_bytes),
        1 => Just(b"x\xff".to_vec()),
        1 => Just(b"-rf".to_vec()),
    ]
}

fn path() -> impl Strategy<Value = PathBuf> {
    proptest::collection::vec(component(), 1..4).prop_map(|parts| OsString::from_vec(parts.join(&b'/')).into())
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => "[abc]{0,2}",
        1 => Just("--- a/x".to_owned()),
        1 => Just("++ b".to_owned()),
        1 => Just("-- c".to_owned()),
        1 => Just("@@ -1 +1 @@".to_owned()),
        1 => Just("\\ No newline at end of file".to_owned()),
        1 => Just("é\u{2028}\r".to_owned()),
    ];
    (proptest::collection::vec(line, 0..12), any::<bool>(), any::<bool>()).prop_map(|(lines, ends, latin)| {
        let mut text = lines.join("\n").into_bytes();
        if ends && !text.is_empty() {
            text.push(b'\n');
        }
        if latin && text.len() > 3 {
            text.insert(1, 0xe9);
        }
        text
    })
}

fn node(kinds: Kinds) -> impl Strategy<Value = Node> {
    let mode = if kinds.modes {
        prop_oneof![Just(0o644u32), Just(0o755), Just(0o400), Just(0o600), Just(0o111)].boxed()
    } else {
        prop_oneof![Just(0o644u32), Just(0o755)].boxed()
    };
    let content = if kinds.binary {
        prop_oneof![3 => text(), 1 => proptest::collection::vec(any::<u8>(), 0..300)].boxed()
    } else {
        text().boxed()
    };
    let file = (content, mode).prop_map(|(content, mode)| Node::File(content, mode));
    let directory = prop_oneof![Just(0o755u32), Just(0o700), Just(0o555)].prop_map(Node::Directory);
    let link = prop_oneof![Just("."), Just("../b"), Just("/nowhere"), Just("x\ny")];
    let (links, directories) = (u32::from(kinds.links), u32::from(kinds.modes));
    prop_oneof![
        6 => file,
        links => link.prop_map(|target| Node::Link(target.into())),
        directories => directory,
    ]
}

/// Gives random trees in which nothing lies below a file or a link.
pub(crate) fn nodes(kinds: Kinds) -> impl Strategy<Value = Nodes> {
    proptest::collection::btree_map(path(), node(kinds), 0..8).prop_map(|found| {
        let mut kept = Nodes::new();
        for (path, node) in found {
            let blocked =
                path.ancestors().skip(1).any(|above| !matches!(kept.get(above), None | Some(Node::Directory(_))));
            let used = kept.keys().any(|below| below.starts_with(&path));
            if !blocked && (!used || matches!(node, Node::Directory(_))) {
                kept.insert(path, node);
            }
        }
        kept
    })
}

/// Makes a tree in a directory that is not there yet.
pub(crate) fn build(root: &Path, nodes: &Nodes) {
    fs::create_dir(root).unwrap();
    for (path, node) in nodes {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match node {
            Node::File(content, mode) => {
                fs::write(&path, content).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
            }
            Node::Directory(_) => fs::create_dir_all(&path).unwrap(),
            Node::Link(target) => symlink(target, &path).unwrap(),
        }
    }
    for (path, node) in nodes.iter().rev() {
        if let Node::Directory(mode) = node {
            fs::set_permissions(root.join(path), fs::Permissions::from_mode(*mode)).unwrap();
        }
    }
}

/// Reads a tree, every directory named; FIFOs are left out.
pub(crate) fn read(root: &Path) -> Nodes {
    let mut nodes = Nodes::new();
    let mut left = vec![root.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let mode = meta.permissions().mode() & 0o7777;
            let node = if meta.is_symlink() {
                Node::Link(fs::read_link(&path).unwrap().into())
            } else if meta.is_dir() {
                left.push(path.clone());
                Node::Directory(mode)
            } else if meta.is_file() {
                Node::File(fs::read(&path).unwrap(), mode)
            } else {
                continue;
            };
            let below = path.strip_prefix(root).unwrap();
            nodes.insert(OsString::from_vec(below.as_os_str().as_bytes().to_vec()).into(), node);
        }
    }
    nodes
}
