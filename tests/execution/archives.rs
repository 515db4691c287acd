//! Archives: what goes in comes out, the same tree gives the same bytes, and other readers and writers agree.

#![expect(clippy::disallowed_methods, reason = "trees and archives are made by path")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]
#![expect(clippy::print_stdout, reason = "a skip is printed with its reason")]

#[path = "support/raw_tar.rs"]
mod raw_tar;
#[path = "support/readers.rs"]
mod readers;
#[path = "support/trees.rs"]
mod trees;

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use bailiwick::spec::{Compression, SnapshotConfig};
use bailiwick::{
    Archive, ArchiveError, ArchiveFormat, ArchiveRules, Bounds, Capture, Manifest, WorkspacePath, archive_snapshot,
    pack, save_archive, scan,
};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use proptest::prelude::*;
use raw_tar::{Raw, tar};
use readers::{by_library, by_us, unpacked};
use trees::{ANY, Node, Nodes, build, nodes, read};

const WRITTEN: [ArchiveFormat; 5] =
    [ArchiveFormat::Tar, ArchiveFormat::TarGz, ArchiveFormat::TarBz2, ArchiveFormat::TarXz, ArchiveFormat::TarZst];

fn open(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

fn manifest(dir: &Dir) -> Manifest {
    scan(dir, &Capture::All, None, Bounds::default()).unwrap().manifest
}

fn packed(dir: &Dir, format: ArchiveFormat) -> Vec<u8> {
    pack(&manifest(dir), dir, format, Vec::new()).unwrap()
}

fn opened(temp: &Path, bytes: &[u8], rules: ArchiveRules) -> Result<Archive, ArchiveError> {
    let path = temp.join("archive");
    fs::write(&path, bytes).unwrap();
    Archive::open(File::open(path).unwrap(), rules)
}

fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(count) }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn what_is_packed_is_unpacked(tree in nodes(ANY)) {
        let temp = tempfile::tempdir().unwrap();
        build(&temp.path().join("from"), &tree);
        let from = open(&temp.path().join("from"));
        let before = manifest(&from);
        for format in WRITTEN {
            let bytes = packed(&from, format);
            let archive = opened(temp.path(), &bytes, ArchiveRules::snapshot()).unwrap();
            prop_assert_eq!(archive.format(), format);
            prop_assert_eq!(archive.manifest().id(), before.id());
            let to = temp.path().join(format!("to{}", format.ending()));
            prop_assert_eq!(&unpacked(&archive, &to), &read(&temp.path().join("from")));
            prop_assert_eq!(manifest(&open(&to)).id(), before.id());
            // Another place, another moment, the same bytes.
            prop_assert_eq!(packed(&open(&to), format), bytes);
        }
    }

    /// The library finds in our tars what we find in them.
    #[test]
    fn the_library_reads_what_is_written(tree in nodes(ANY)) {
        let temp = tempfile::tempdir().unwrap();
        build(&temp.path().join("from"), &tree);
        let from = open(&temp.path().join("from"));
        let bytes = packed(&from, ArchiveFormat::Tar);
        let archive = opened(temp.path(), &bytes, ArchiveRules::snapshot()).unwrap();
        prop_assert_eq!(by_library(&bytes).unwrap(), by_us(&archive, &temp.path().join("to")));
    }

    /// Where a tar that somebody tampered with is still accepted, both find the same in it.
    #[test]
    fn a_tampered_tar_is_refused_or_read_alike(
        changes in proptest::collection::vec((0usize..6000, any::<u8>()), 1..4), mend in any::<bool>()
    ) {
        let mut bytes = sample();
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        if mend {
            mend_checksums(&mut bytes);
        }
        let temp = tempfile::tempdir().unwrap();
        if let Ok(archive) = opened(temp.path(), &bytes, ArchiveRules::snapshot()) {
            let ours = by_us(&archive, &temp.path().join("to"));
            prop_assert_eq!(by_library(&bytes).unwrap(), ours);
        }
    }

    /// Compressed archives and zips that somebody tampered with are refused or read, and nothing panics or hangs.
    #[test]
    fn a_tampered_archive_of_any_format_never_panics(
        which in 0usize..6, changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6), cut in any::<u16>()
    ) {
        let temp = tempfile::tempdir().unwrap();
        let mut bytes = tampered_source(which, temp.path());
        let length = bytes.len();
        for (at, byte) in changes {
            bytes[at % length] = byte;
        }
        if cut % 4 == 0 {
            bytes.truncate(usize::from(cut) % length);
        }
        if let Ok(archive) = opened(temp.path(), &bytes, ArchiveRules::submission()) {
            unpacked(&archive, &temp.path().join("to"));
        }
    }
}

/// A tar with every header that there is.
fn sample() -> Vec<u8> {
    tar(&[
        Raw::directory("d/"),
        Raw::file("d/a", "content of a"),
        Raw::pax(b'x', &[("path", "d/named by an extended header"), ("mtime", "1700000000.5")]),
        Raw::file("short", "b".repeat(600)),
        Raw::long(b'L', "d/named by a long name"),
        Raw { gnu: true, ..Raw::file("short", "c") },
        Raw::link(b'2', "link", "d/a"),
        Raw::link(b'1', "hard", "d/a"),
    ])
}

/// Makes the checksums right again, so that what was tampered with is looked at.
fn mend_checksums(bytes: &mut [u8]) {
    for block in bytes.chunks_mut(512).filter(|block| block.len() == 512 && block[257..262] == *b"ustar") {
        block[148..156].copy_from_slice(b"        ");
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}

fn tampered_source(which: usize, temp: &Path) -> Vec<u8> {
    let tree = Nodes::from([
        ("a".into(), Node::File("text\n".repeat(50).into(), 0o644)),
        ("b".into(), Node::Link("a".into())),
    ]);
    let from = temp.join("from");
    build(&from, &tree);
    if let Some(format) = WRITTEN.get(which) {
        return packed(&open(&from), *format);
    }
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("a", options).unwrap();
    std::io::Write::write_all(&mut zip, &b"text\n".repeat(50)).unwrap();
    zip.add_symlink("b", "a", options).unwrap();
    zip.finish().unwrap().into_inner()
}

/// A tree with what archives differ about: a long name, a long link, an empty directory, a name that is not UTF-8.
fn odd_tree() -> Nodes {
    let long = format!("{}/{}", "d".repeat(120), "n".repeat(200));
    let name: std::ffi::OsString = std::os::unix::ffi::OsStringExt::from_vec(b"not\xffutf8".to_vec());
    Nodes::from([
        ("a.txt".into(), Node::File("text\n".into(), 0o644)),
        ("bin/run".into(), Node::File("#!/bin/sh\n".into(), 0o755)),
        ("bin".into(), Node::Directory(0o700)),
        ("empty".into(), Node::Directory(0o755)),
        ("link".into(), Node::Link("a.txt".into())),
        ("far".into(), Node::Link("t/".repeat(80).into())),
        (long.into(), Node::File(vec![7; 3000], 0o600)),
        (name.into(), Node::File(vec![], 0o444)),
    ])
}

/// Another version that writes other bytes fails here. For gz, bz2 and xz nothing is promised across versions.
#[test]
fn the_bytes_of_tar_and_tar_zst_never_change() {
    let temp = tempfile::tempdir().unwrap();
    build(&temp.path().join("from"), &odd_tree());
    fs::set_permissions(
        temp.path().join("from").join("d".repeat(120)),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let from = open(&temp.path().join("from"));
    let hash = |format| blake3::hash(&packed(&from, format)).to_hex().to_string();
    assert_eq!(hash(ArchiveFormat::Tar), TAR);
    assert_eq!(hash(ArchiveFormat::TarZst), TAR_ZST);
}

const TAR: &str = "4f37af3293b0e84e52a782564517361bdafb35ed7ea31a3a2a4507ba1a8790f3";
const TAR_ZST: &str = "7d8a9906eda54d0554331e465cb48a637452802c03e8e060360f0059b531a1ca";

#[test]
fn every_format_holds_an_odd_tree() {
    let temp = tempfile::tempdir().unwrap();
    build(&temp.path().join("from"), &odd_tree());
    let from = open(&temp.path().join("from"));
    for format in WRITTEN {
        let archive = opened(temp.path(), &packed(&from, format), ArchiveRules::submission()).unwrap();
        assert_eq!(archive.manifest().id(), manifest(&from).id());
        assert_eq!(unpacked(&archive, &temp.path().join(format.ending())), read(&temp.path().join("from")));
    }
    assert!(matches!(
        pack(&manifest(&from), &from, ArchiveFormat::Zip, Vec::new()),
        Err(ArchiveError::NotWritten { format: "zip" })
    ));
}

#[test]
fn an_archive_is_there_whole_or_not_at_all() {
    let temp = tempfile::tempdir().unwrap();
    build(&temp.path().join("from"), &odd_tree());
    fs::create_dir(temp.path().join("to")).unwrap();
    let to = temp.path().join("to/tree.tar.gz");
    fs::write(&to, "what was there").unwrap();
    let from = open(&temp.path().join("from"));
    let before = manifest(&from);
    fs::write(temp.path().join("from/a.txt"), "changed since\n").unwrap();
    save_archive(&before, &from, ArchiveFormat::TarGz, &to).unwrap_err();
    assert_eq!(fs::read_to_string(&to).unwrap(), "what was there");
    assert_eq!(fs::read_dir(temp.path().join("to")).unwrap().count(), 1, "a draft is left");
    save_archive(&manifest(&from), &from, ArchiveFormat::TarGz, &to).unwrap();
    assert_eq!(fs::read_dir(temp.path().join("to")).unwrap().count(), 1);
    let archive = Archive::open(File::open(&to).unwrap(), ArchiveRules::submission()).unwrap();
    assert_eq!(archive.manifest().id(), manifest(&from).id());
    let nowhere = temp.path().join("nowhere/tree.tar");
    assert!(matches!(save_archive(&before, &from, ArchiveFormat::Tar, &nowhere), Err(ArchiveError::Write { .. })));
}

#[test]
fn a_spec_says_where_archives_of_snapshots_go() {
    let temp = tempfile::tempdir().unwrap();
    build(&temp.path().join("from"), &odd_tree());
    let from = open(&temp.path().join("from"));
    let before = manifest(&from);
    let mut config = SnapshotConfig::default();
    assert_eq!(archive_snapshot(&config, &before, &from).unwrap(), None);
    config.archive_save_dir = Some(temp.path().join("saved/archives"));
    for (compression, ending) in [
        (Compression::None, ".tar"),
        (Compression::Gz, ".tar.gz"),
        (Compression::Bz2, ".tar.bz2"),
        (Compression::Xz, ".tar.xz"),
        (Compression::Zst, ".tar.zst"),
    ] {
        config.compression = compression;
        let saved = archive_snapshot(&config, &before, &from).unwrap().unwrap();
        assert_eq!(saved, temp.path().join("saved/archives").join(format!("{}{ending}", before.id())));
        let archive = Archive::open(File::open(&saved).unwrap(), ArchiveRules::snapshot()).unwrap();
        assert_eq!(archive.manifest().id(), before.id());
        let bytes = fs::read(&saved).unwrap();
        archive_snapshot(&config, &before, &from).unwrap();
        assert_eq!(fs::read(&saved).unwrap(), bytes);
    }
}

/// Says whether a program is there; where it must be, it is an error that it is not.
fn has(program: &str) -> bool {
    let is_there = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        assert!(std::env::var_os("CI").is_none(), "{program} is missing");
        println!("skipped: no {program} on this host");
    }
    is_there
}

/// As the reference system writes: files in no order, under their names, with the time of day in it; no directories.
const REFERENCE: &str = r#"
import os, sys, tarfile
root, to, mode = sys.argv[1:]
with tarfile.open(to, mode) as tar:
    names = [os.path.relpath(os.path.join(up, name), root) for up, _, files in os.walk(root) for name in files]
    for name in sorted(set(names), key=lambda name: hash(name)):
        tar.add(os.path.join(root, name), arcname=name, recursive=False)
"#;

#[test]
fn archives_of_the_reference_system_are_read() {
    if !has("python3") {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("from");
    build(&root, &odd_tree());
    fs::hard_link(root.join("a.txt"), root.join("z.txt")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, root.join("fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    for (mode, ending) in [("w", ".tar"), ("w:gz", ".tar.gz"), ("w:bz2", ".tar.bz2"), ("w:xz", ".tar.xz")] {
        let to = temp.path().join(format!("20260131T120000.0123abcd.from{ending}"));
        let output = Command::new("python3").args(["-c", REFERENCE]).args([&root, &to]).arg(mode).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(ArchiveFormat::from_name(&to).unwrap().ending(), ending);
        let archive = Archive::open(File::open(&to).unwrap(), ArchiveRules::snapshot()).unwrap();
        let found = unpacked(&archive, &temp.path().join(ending));
        let mut wanted = read(&root);
        // It writes no directories, so the empty one is lost and the others have no permissions of their own.
        wanted.remove(Path::new("empty"));
        wanted.insert("bin".into(), Node::Directory(0o755));
        assert_eq!(found, wanted);
        assert!(archive.manifest().get(&WorkspacePath::new("fifo").unwrap()).is_some());
        let strict = Archive::open(File::open(&to).unwrap(), ArchiveRules::submission());
        assert!(matches!(strict, Err(ArchiveError::Refused { .. })), "{strict:?}");
    }
}

const LIST: &str = r#"
import sys, tarfile
with tarfile.open(sys.argv[1]) as tar:
    for member in tar:
        content = tar.extractfile(member).read() if member.isreg() else b""
        print(member.name, member.type.decode(), oct(member.mode), len(content), member.linkname[:5])
"#;

/// Other tools read what is written here.
#[test]
fn python_and_tar_read_what_is_written() {
    let temp = tempfile::tempdir().unwrap();
    let mut tree = odd_tree();
    tree.retain(|path, _| path.to_str().is_some());
    build(&temp.path().join("from"), &tree);
    let from = open(&temp.path().join("from"));
    for format in [ArchiveFormat::Tar, ArchiveFormat::TarGz, ArchiveFormat::TarBz2, ArchiveFormat::TarXz] {
        let to = temp.path().join(format!("tree{}", format.ending()));
        save_archive(&manifest(&from), &from, format, &to).unwrap();
        if has("python3") {
            let listed = Command::new("python3").args(["-c", LIST]).arg(&to).output().unwrap();
            let listed = String::from_utf8(listed.stdout).unwrap();
            assert_eq!(listed.lines().count(), manifest(&from).len(), "{listed}");
            assert!(listed.contains("a.txt 0 0o644 5 \n") && listed.contains("bin 5 0o700 0 \n"), "{listed}");
            assert!(listed.contains("link 2 0o777 0 a.txt\n"), "{listed}");
        }
        if has("tar") {
            let out = temp.path().join(format!("out{}", format.ending()));
            fs::create_dir(&out).unwrap();
            let output = Command::new("tar").arg("-xpf").arg(&to).arg("-C").arg(&out).output().unwrap();
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
            assert_eq!(read(&out), read(&temp.path().join("from")));
        }
    }
}
