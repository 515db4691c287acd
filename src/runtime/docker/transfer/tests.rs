//! Archives that nobody should send, and those that come.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, MetadataExt as _, PermissionsExt as _};
use proptest::prelude::*;
use tar::EntryType;

use super::pack::{Packing, Times, pack};
use super::record::{Record, Records};
use super::unpack::{Refusal, Unfit, unpack};
use crate::host::Host;
use crate::runtime::docker::DockerError;
use crate::workspace::{Base, BaseNeed, Bounds, Owner, Quota, Reaper, Workspace};

fn workspace(temp: &tempfile::TempDir) -> Arc<Workspace> {
    reaped_workspace(temp, &Reaper::new())
}

fn reaped_workspace(temp: &tempfile::TempDir, reaper: &Arc<Reaper>) -> Arc<Workspace> {
    let mut host = Host::default();
    host.dirs.base = Some(temp.path().to_owned());
    let base = Base::choose(&host, BaseNeed::Directory).unwrap();
    let owner = Owner::open(&host).unwrap();
    Arc::new(Workspace::open(&base, &owner, Quota::default(), reaper).unwrap())
}

/// Writes a file that says its own name.
fn plant_in(dir: &tempfile::TempDir, name: &str) {
    Dir::open_ambient_dir(dir.path(), ambient_authority()).unwrap().write(name, name).unwrap();
}

/// One entry: name, sort, link's target, content.
type Line<'a> = (&'a str, EntryType, &'a str, &'a [u8]);

const ROOT: Line<'_> = ("work/", EntryType::Directory, "", b"");

fn archive(lines: &[Line<'_>]) -> Vec<u8> {
    let mut records = Records::new(Vec::new());
    for (name, sort, target, content) in lines {
        let (name, target) = (name.as_bytes(), target.as_bytes());
        let record = Record { name, sort: *sort, mode: 0o6755, owner: (0, 0), modified: 7, target };
        records.write(record, content.len() as u64, &mut &content[..]).unwrap();
    }
    records.finish().unwrap()
}

fn try_unpack(workspace: &Arc<Workspace>, bytes: &[u8], bounds: Bounds) -> Result<(), Unfit> {
    let incoming = unpack(bytes, b"work", workspace.clone(), bounds)?;
    incoming.replace().map_err(|error| Unfit::Failed(error.into())).map(drop)
}

/// Everything in a directory, links as links.
fn listed(dir: &Dir) -> Vec<String> {
    let mut names = Vec::new();
    for entry in dir.entries().unwrap() {
        let (entry, name) = {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (entry, name)
        };
        if entry.file_type().unwrap().is_dir() {
            names.extend(listed(&dir.open_dir(&name).unwrap()).iter().map(|below| format!("{name}/{below}")));
        }
        names.push(name);
    }
    names.sort();
    names
}

/// A workspace with a canary in it and one beside it; what is refused leaves both as they were.
fn refused(bytes: &[u8], bounds: Bounds) -> Unfit {
    let temp = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    plant_in(&outside, "canary");
    let reaper = Reaper::new();
    let workspace = reaped_workspace(&temp, &reaper);
    workspace.dir().write("kept", "kept").unwrap();
    let unfit = try_unpack(&workspace, bytes, bounds).unwrap_err();
    assert_eq!(listed(workspace.dir()), ["kept"]);
    assert_eq!(workspace.dir().read_to_string("kept").unwrap(), "kept");
    assert_eq!(std::fs::read_to_string(outside.path().join("canary")).unwrap(), "canary");
    // Nothing is left beside the workspace but the workspace.
    assert_eq!(reaper.flush(Duration::from_secs(30)).unfinished, 0);
    assert_eq!(workspace.parent_dir().entries().unwrap().count(), 1);
    unfit
}

fn is_failed(unfit: &Unfit) -> bool {
    matches!(unfit, Unfit::Failed(DockerError::Transfer { .. }))
}

#[test]
fn d6_names_that_lead_out_are_refused_whole() {
    let file = EntryType::Regular;
    for name in
        ["work/../out", "../out", "/out", "/work/a", "other/a", "work2/a", "work/a/../../out", "work/./a", "work//a"]
    {
        let unfit = refused(&archive(&[ROOT, ("work/ok", file, "", b"1"), (name, file, "", b"2")]), Bounds::default());
        assert!(is_failed(&unfit), "{name}: {unfit:?}");
    }
    let long = format!("work/{}", "n".repeat(256));
    assert!(is_failed(&refused(&archive(&[ROOT, (&long, file, "", b"")]), Bounds::default())));
}

#[test]
fn d6_nothing_is_written_through_a_link() {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().to_str().unwrap();
    let through = [
        vec![ROOT, ("work/out", EntryType::Symlink, target, &b""[..]), ("work/out/a", EntryType::Regular, "", b"1")],
        vec![ROOT, ("work/out", EntryType::Symlink, target, b""), ("work/out/d/", EntryType::Directory, "", b"")],
        vec![ROOT, ("work/out", EntryType::Symlink, target, b""), ("work/out/l", EntryType::Symlink, "x", b"")],
        vec![ROOT, ("work/f", EntryType::Regular, "", b""), ("work/f/a", EntryType::Regular, "", b"1")],
        vec![ROOT, ("work/out", EntryType::Symlink, target, b""), ("work/out/", EntryType::Directory, "", b"")],
    ];
    for lines in through {
        let unfit = refused(&archive(&lines), Bounds::default());
        assert!(matches!(unfit, Unfit::Refused(Refusal::Changing)), "{lines:?}: {unfit:?}");
    }
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_hard_link_through_a_link_gives_nothing_away() {
    let outside = tempfile::tempdir().unwrap();
    plant_in(&outside, "secret");
    let temp = tempfile::tempdir().unwrap();
    let workspace = workspace(&temp);
    let target = outside.path().to_str().unwrap();
    let lines = [
        ROOT,
        ("work/out", EntryType::Symlink, target, &b""[..]),
        ("work/direct", EntryType::Symlink, "/etc/passwd", b""),
        ("work/a", EntryType::Link, "work/out/secret", b""),
        ("work/b", EntryType::Link, "work/direct", b""),
        ("work/c", EntryType::Link, "work/later", b""),
        ("work/d", EntryType::Link, "work/d", b""),
        ("work/later", EntryType::Regular, "", b"1"),
        ("work/twin", EntryType::Link, "work/later", b""),
    ];
    try_unpack(&workspace, &archive(&lines), Bounds::default()).unwrap();
    assert_eq!(listed(workspace.dir()), ["direct", "later", "out", "twin"]);
    let twin = workspace.dir().symlink_metadata("twin").unwrap();
    assert_eq!((twin.nlink(), twin.mode() & 0o7777), (1, 0o755));
    let unfit = refused(&archive(&[ROOT, ("work/a", EntryType::Link, "../../etc/passwd", b"")]), Bounds::default());
    assert!(is_failed(&unfit), "{unfit:?}");
}

#[test]
fn devices_and_pipes_are_dropped_and_bits_too() {
    let temp = tempfile::tempdir().unwrap();
    let workspace = workspace(&temp);
    let lines = [
        ROOT,
        ("work/null", EntryType::Char, "", &b""[..]),
        ("work/disk", EntryType::Block, "", b""),
        ("work/pipe", EntryType::Fifo, "", b""),
        ("work/set", EntryType::Regular, "", b"#!"),
        ("work/dir/", EntryType::Directory, "", b""),
    ];
    try_unpack(&workspace, &archive(&lines), Bounds::default()).unwrap();
    assert_eq!(listed(workspace.dir()), ["dir", "set"]);
    for name in ["set", "dir"] {
        assert_eq!(workspace.dir().symlink_metadata(name).unwrap().permissions().mode() & 0o7777, 0o755, "{name}");
    }
}

#[test]
fn bounds_hold_before_anything_is_written() {
    let file = EntryType::Regular;
    let many = archive(&[ROOT, ("work/a", file, "", b"1"), ("work/b", file, "", b"2"), ("work/c", file, "", b"3")]);
    let of = |unfit| {
        let Unfit::Refused(Refusal::TooLarge { what, limit }) = unfit else { panic!("{unfit:?}") };
        (what, limit)
    };
    assert_eq!(of(refused(&many, Bounds { entries: 2, bytes: 99 })), ("entries", 2));
    assert_eq!(of(refused(&many, Bounds { entries: 9, bytes: 2 })), ("bytes", 2));
    // Content is counted again for every hard link to it.
    let links = archive(&[ROOT, ("work/a", file, "", b"12345"), ("work/b", EntryType::Link, "work/a", b"")]);
    assert_eq!(of(refused(&links, Bounds { entries: 9, bytes: 9 })).0, "bytes");
    // A size that nothing can hold is refused from its header alone.
    let mut header = tar::Header::new_gnu();
    header.set_size(u64::MAX / 2);
    header.set_mode(0o644);
    header.set_entry_type(file);
    header.as_old_mut().name[..6].copy_from_slice(b"work/a");
    header.set_cksum();
    let mut huge = archive(&[ROOT]);
    huge.truncate(512);
    huge.extend_from_slice(header.as_bytes());
    assert_eq!(of(refused(&huge, Bounds::default())).0, "bytes");
    let deep = format!("work/{}", "d/".repeat(3000));
    let unfit = refused(&archive(&[ROOT, (&deep, EntryType::Directory, "", b"")]), Bounds::default());
    assert!(matches!(unfit, Unfit::Refused(Refusal::TooDeep)), "{unfit:?}");
}

#[test]
fn what_is_not_whole_is_refused_at_every_byte() {
    let whole =
        archive(&[ROOT, ("work/a", EntryType::Regular, "", &[7; 700]), ("work/l", EntryType::Symlink, "a", b"")]);
    for cut in (0..whole.len() - 1024).step_by(37).chain([512, 1024, whole.len() - 1024]) {
        let unfit = refused(&whole[..cut], Bounds::default());
        assert!(is_failed(&unfit), "{cut}: {unfit:?}");
    }
    for flipped in [0, 100, 150, 156, 512] {
        let mut wrong = whole.clone();
        wrong[flipped] ^= 1;
        assert!(is_failed(&refused(&wrong, Bounds::default())), "{flipped}");
    }
    let sparse = archive(&[ROOT, ("work/a", EntryType::GNUSparse, "", b"")]);
    assert!(is_failed(&refused(&sparse, Bounds::default())));
    let fat = archive(&[ROOT, ("work/a", EntryType::Symlink, "x", b"content")]);
    assert!(is_failed(&refused(&fat, Bounds::default())));
}

#[test]
fn a_workspace_that_is_no_directory_any_more_is_refused() {
    for lines in [
        vec![("work", EntryType::Symlink, "/etc", &b""[..])],
        vec![("work", EntryType::Regular, "", b"1")],
        vec![("work/a", EntryType::Regular, "", b"1")],
    ] {
        let unfit = refused(&archive(&lines), Bounds::default());
        assert!(matches!(unfit, Unfit::Refused(Refusal::NoDirectory)), "{unfit:?}");
    }
    assert!(is_failed(&refused(&archive(&[]), Bounds::default())));
}

/// Attributes as engines write them: names, sizes and times beyond the header.
#[test]
fn attributes_before_an_entry_win() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut entry = |extensions: &[(&str, &[u8])], name: &str, content: &[u8]| {
        builder.append_pax_extensions(extensions.iter().copied()).unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_entry_type(if name.ends_with('/') { EntryType::Directory } else { EntryType::Regular });
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, content).unwrap();
    };
    let long = format!("work/{}", "n".repeat(200));
    entry(&[("SCHILY.xattr.security.capability", b"\x01\x00\xff\n=3")], "work/", b"");
    let newline = format!("work/a\n12 path=..\n{}", "n".repeat(100));
    entry(&[("path", newline.as_bytes())], "work/other", b"");
    entry(&[("path", long.as_bytes()), ("mtime", b"-1.25"), ("comment", b"x")], "work/short", b"abc");
    let bytes = builder.into_inner().unwrap();
    let temp = tempfile::tempdir().unwrap();
    let workspace = workspace(&temp);
    try_unpack(&workspace, &bytes, Bounds::default()).unwrap();
    let meta = workspace.dir().symlink_metadata("n".repeat(200)).unwrap();
    assert_eq!((meta.len(), meta.mtime(), meta.mtime_nsec()), (3, -2, 750_000_000));
    assert!(workspace.dir().symlink_metadata(&newline["work/".len()..]).unwrap().is_file());
}

#[test]
fn attributes_before_the_end_are_refused() {
    let mut builder = tar::Builder::new(archive(&[ROOT, ("work/a", EntryType::Regular, "", b"1")]));
    builder.get_mut().truncate(3 * 512);
    builder.append_pax_extensions([("path", &b"work/b"[..])]).unwrap();
    let unfit = refused(&builder.into_inner().unwrap(), Bounds::default());
    assert!(is_failed(&unfit), "{unfit:?}");
}

/// A tree to be packed: directories by their depth, files with their content, links.
fn trees() -> impl Strategy<Value = Vec<(String, u8, Vec<u8>)>> {
    let part = "[a-c]{1,3}|n{120}|\\PC{1,4}"
        .prop_filter("a component", |part| !part.contains(['/', '\0']) && part != "." && part != "..");
    let path = proptest::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"));
    proptest::collection::vec((path, 0u8..3, proptest::collection::vec(any::<u8>(), 0..1500)), 0..12)
}

fn plant(dir: &Dir, tree: &[(String, u8, Vec<u8>)]) {
    for (path, sort, content) in tree {
        // Paths that meet each other leave what came first.
        if let Some((above, _)) = path.rsplit_once('/')
            && dir.create_dir_all(above).is_err()
        {
            continue;
        }
        let _ = match sort {
            0 => dir.create_dir(path),
            1 if dir.symlink_metadata(path).is_err() => dir.write(path, content),
            _ => dir.symlink_contents(format!("/x/{}", content.len()), path),
        };
    }
}

fn everything(dir: &Dir) -> Vec<(String, u32, Vec<u8>)> {
    let describe = |name: String| {
        let meta = dir.symlink_metadata(&name).unwrap();
        let content = if meta.is_file() {
            dir.read(&name).unwrap()
        } else if meta.is_symlink() {
            dir.read_link_contents(&name).unwrap().into_os_string().into_encoded_bytes()
        } else {
            Vec::new()
        };
        (name, meta.mode(), content)
    };
    listed(dir).into_iter().map(describe).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// What is packed and unpacked is what it was, and the well-known reader finds the same entries.
    #[test]
    fn there_and_back_again(tree in trees()) {
        let (temp, source) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let from = Dir::open_ambient_dir(source.path(), ambient_authority()).unwrap();
        plant(&from, &tree);
        let packing = Packing {
            root: b"work",
            owner: (1000, 1000),
            times: Times::Kept,
            bounds: Bounds::default(),
            takes: &|_, _| true,
            enters: &|_| true,
        };
        let mut records = Records::new(Vec::new());
        pack(&from, &mut records, &packing).unwrap();
        let bytes = records.finish().unwrap();
        let workspace = workspace(&temp);
        workspace.dir().write("before", "before").unwrap();
        try_unpack(&workspace, &bytes, Bounds::default()).unwrap();
        prop_assert_eq!(everything(workspace.dir()), everything(&from));
        let mut archive = tar::Archive::new(&bytes[..]);
        let found: Vec<_> = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            prop_assert_eq!((entry.header().uid().unwrap(), entry.header().gid().unwrap()), (1000, 1000));
            Ok(entry.path_bytes().into_owned())
        }).collect::<Result<_, _>>()?;
        prop_assert_eq!(found.len(), listed(&from).len() + 1);
    }

    /// Whatever bytes come, it ends, and the workspace is whole.
    #[test]
    fn noise_never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..4096), at in 0usize..3000, with in any::<u8>()) {
        let temp = tempfile::tempdir().unwrap();
        let workspace = workspace(&temp);
        workspace.dir().write("kept", "kept").unwrap();
        let few = Bounds { entries: 99, bytes: 1 << 20 };
        let is_refused = try_unpack(&workspace, &bytes, few).is_err();
        prop_assert!(is_refused);
        bytes = archive(&[ROOT, ("work/a", EntryType::Regular, "", &[1; 600]), ("work/l", EntryType::Symlink, "a", b"")]);
        let at = at % bytes.len();
        bytes[at] = with;
        let outcome = try_unpack(&workspace, &bytes, few);
        prop_assert!(outcome.is_ok() || listed(workspace.dir()) == ["kept"]);
    }
}

/// A reader that breaks where the engine went away.
struct Broken<'a>(&'a [u8]);

impl Read for Broken<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { Err(io::ErrorKind::ConnectionAborted.into()) } else { self.0.read(buffer) }
    }
}

#[test]
fn a_connection_that_breaks_in_a_file_is_the_engines_fault() {
    let temp = tempfile::tempdir().unwrap();
    let workspace = workspace(&temp);
    let whole = archive(&[ROOT, ("work/a", EntryType::Regular, "", &[7; 9000])]);
    let unfit = unpack(Broken(&whole[..3000]), b"work", workspace, Bounds::default()).unwrap_err();
    assert!(is_failed(&unfit), "{unfit:?}");
}
