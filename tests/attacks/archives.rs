//! Attacks by archives (section H): nothing of a hostile one is ever written.

#![expect(clippy::disallowed_methods, reason = "archives are written by path")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

#[path = "support/archive_yard.rs"]
mod archive_yard;
#[path = "../execution/support/raw_tar.rs"]
mod raw_tar;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::time::Duration;

use archive_yard::{Yard, gz, zip};
use bailiwick::{
    Archive, ArchiveBounds, ArchiveError, ArchiveRules, Base, BaseNeed, Bounds, CopyIn, EntryKind, Globs, Host, Owner,
    Quota, Reaper, SpecialRule, Workspace, WorkspaceError, WorkspacePath,
};
use raw_tar::{Raw, tar};

#[test]
fn h7_names_follow_the_rule_of_every_path() {
    let yard = Yard::new();
    for name in ["", "..", ".", "a//b", "a/./b", "./", "a/..", "a/b/../../../c", "x/."] {
        let said = yard.refuses(&[Raw::file(name, "x")]);
        assert!(said.contains("component") || said.contains("is empty"), "{name:?}: {said}");
    }
    let long = "n".repeat(256);
    let said = yard.refuses(&[Raw::pax(b'x', &[("path", &long)]), Raw::file("x", "x")]);
    assert!(said.contains("255 bytes"), "{said}");
    let said = yard.refuses(&[Raw::pax(b'x', &[("path", &"n/".repeat(2100))]), Raw::file("x", "x")]);
    assert!(said.contains("too long a path"), "{said}");
    let said = yard.refuses(&[Raw::pax(b'x', &[("path", "a\0b")]), Raw::file("x", "x")]);
    assert!(said.contains("NUL"), "{said}");
    let odd: [&[u8]; 7] = [b"...", b"-rf", b"$(id)", b"C:\\x", b"a\nb", b"\xff\xfe", b" blank "];
    let members = odd.map(|name| Raw::file(name, "x"));
    yard.unpack(&tar(&members)).unwrap();
    assert_eq!(fs::read_dir(yard.to()).unwrap().count(), odd.len());
}

#[test]
fn h10_an_archive_that_leaves_its_root_is_refused_whole() {
    let yard = Yard::new();
    for name in ["../x", "/x", "a/../../x", "../outside/secret", "//x", "./../x"] {
        for ty in [b'0', b'5', b'2', b'1'] {
            yard.refuses(&[Raw::link(ty, name, "harmless")]);
        }
        yard.refuses(&[Raw::pax(b'x', &[("path", name)]), Raw::file("good", "x")]);
        yard.refuses(&[Raw::long(b'L', name), Raw::file("good", "x")]);
        if !name.starts_with("./") {
            yard.refuses_bytes(&zip(&[("harmless", b"first", 0o644), (name, b"x", 0o644)]));
        }
    }
    yard.refuses(&[Raw::pax(b'g', &[("path", "/x")]), Raw::file("good", "x")]);
}

#[test]
fn h11_nothing_is_written_through_a_link() {
    let yard = Yard::new();
    for target in ["../outside", "/", ".", "nowhere"] {
        let said = yard.refuses(&[Raw::link(b'2', "door", target), Raw::file("door/secret", "x")]);
        assert!(said.contains("lies below what is no directory"), "{said}");
        yard.refuses(&[Raw::file("door/secret", "x"), Raw::link(b'2', "door", target)]);
    }
    yard.refuses(&[Raw::file("file", "x"), Raw::file("file/below", "x")]);
}

#[test]
fn h11_links_that_lead_out_are_refused() {
    let yard = Yard::new();
    for (path, target) in [("a", "/etc/passwd"), ("a", ".."), ("a/b", "../.."), ("a", "b/../../c"), ("a", "../to/x")] {
        let said = yard.refuses(&[Raw::link(b'2', path, target)]);
        assert!(said.contains("leads out"), "{said}");
    }
    // Each by its text stays inside; one over the other does not.
    let over = [Raw::link(b'2', "p/q/root", "../.."), Raw::link(b'2', "a", "p/q/root/../outside")];
    assert!(yard.refuses(&over).contains("`a`"));
    let over = [over[1].clone(), over[0].clone()];
    assert!(yard.refuses(&over).contains("`a`"));
    let inside = [Raw::link(b'2', "d/a", "../b"), Raw::link(b'2', "loop", "loop"), Raw::file("b", "x")];
    yard.unpack(&tar(&inside)).unwrap();
    assert_eq!(fs::read_to_string(yard.to().join("d/a")).unwrap(), "x");
}

#[test]
fn h12_a_directory_does_not_chmod_through_a_link() {
    let yard = Yard::new();
    for names in [["door", "door"], ["door", "door/"]] {
        let directory = Raw { mode: 0o777, ..Raw::directory(names[1]) };
        let said = yard.refuses(&[Raw::link(b'2', names[0], "../outside"), directory.clone()]);
        assert!(said.contains("is there twice"), "{said}");
        yard.refuses(&[directory, Raw::link(b'2', names[0], "../outside")]);
    }
    // A link that is there already is replaced, not followed.
    symlink("../outside", yard.to().join("door")).unwrap();
    yard.unpack(&tar(&[Raw { mode: 0o777, ..Raw::directory("door") }, Raw::file("door/secret", "mine")])).unwrap();
    assert!(fs::symlink_metadata(yard.to().join("door")).unwrap().is_dir());
    yard.check();
}

#[test]
fn h13_devices_fifos_and_foreign_hard_links_are_refused() {
    let yard = Yard::new();
    for ty in [b'3', b'4', b'6', b'S', b'V', b'M', b'D', b'N', b'A', b'9', 0x80] {
        yard.refuses(&[Raw::new(ty, "special")]);
    }
    let targets = ["/etc/passwd", "../outside/secret", "missing", "later", "link", "dir", "hard"];
    for target in targets {
        let members = [
            Raw::link(b'2', "link", "harmless"),
            Raw::directory("dir"),
            Raw::link(b'1', "hard", target),
            Raw::file("later", "x"),
        ];
        yard.refuses(&members);
    }
    let sock = zip(&[("harmless", b"", 0o644), ("fifo", b"", 0o644)]);
    // The writer makes no FIFOs: the type is put into the list by hand.
    let at = sock.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap() + 40;
    assert_eq!(sock[at..at + 2], 0o100_644u16.to_le_bytes());
    let fifo = [&sock[..at], &0o010_644u16.to_le_bytes(), &sock[at + 2..]].concat();
    assert!(yard.refuses_bytes(&fifo).contains("FIFO"));
    let listed = ArchiveRules { specials: SpecialRule::List, ..ArchiveRules::submission() };
    let archive = yard.unpack_with(&tar(&[Raw::new(b'6', "fifo"), Raw::file("a", "x")]), listed).unwrap();
    let fifo = archive.manifest().get(&WorkspacePath::new("fifo").unwrap()).unwrap();
    assert_eq!(fifo.kind, EntryKind::Special);
    assert!(!yard.to().join("fifo").exists());
}

fn bounded(change: impl Fn(&mut ArchiveBounds)) -> ArchiveRules {
    let mut rules = ArchiveRules::submission();
    change(&mut rules.bounds);
    rules
}

#[test]
fn h14_bombs_are_stopped_by_bytes_entries_depth_ratio_and_time() {
    let yard = Yard::new();
    let too_large = |bytes: &[u8], rules, wanted: &str| {
        let error = yard.unpack_with(bytes, rules).unwrap_err();
        assert!(matches!(error, ArchiveError::TooLarge { what, .. } if what == wanted), "{wanted}: {error}");
        assert_eq!(fs::read_dir(yard.to()).unwrap().count(), 0);
    };
    // A gibibyte of zeros in a mebibyte: the ratio stops it long before the bytes do.
    let zeros = vec![0; 1 << 20];
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    let mut header = tar(&[Raw { size: Some(b"10000000000".to_vec()), ..Raw::new(b'0', "bomb") }]);
    header.truncate(512);
    encoder.write_all(&header).unwrap();
    (0..1024).for_each(|_| encoder.write_all(&zeros).unwrap());
    encoder.write_all(&[0; 1024]).unwrap();
    too_large(&encoder.finish().unwrap(), ArchiveRules::submission(), "times its own size");
    let plain = tar(&[Raw::file("a", [1; 600]), Raw::file("b", [2; 600])]);
    let few = bounded(|bounds| bounds.tree = Bounds { entries: 9, bytes: 1000 });
    too_large(&plain, few, "bytes");
    too_large(&zip(&[("a", &[1; 600], 0o644), ("b", &[2; 600], 0o644)]), few, "bytes");
    // What is said to be large is not waited for.
    let vast = tar(&[Raw { size: Some(b"\x80\0\0\0\x7f\0\0\0\0\0\0\0".to_vec()), ..Raw::new(b'0', "vast") }]);
    too_large(&vast, ArchiveRules::submission(), "bytes");
    let linked = [Raw::file("a", [1; 600]), Raw::link(b'1', "b", "a")];
    too_large(&tar(&linked), few, "bytes");
    let many: Vec<Raw> = (0..200).map(|at| Raw::new(b'0', format!("{at}"))).collect();
    let hundred = bounded(|bounds| bounds.tree.entries = 100);
    too_large(&gz(&tar(&many)), hundred, "entries");
    let implied = [Raw::pax(b'x', &[("path", &("d/".repeat(120) + "x"))]), Raw::file("x", "")];
    too_large(&tar(&implied), hundred, "entries");
    let names: Vec<String> = (0..200).map(|at| at.to_string()).collect();
    let entries: Vec<(&str, &[u8], u32)> = names.iter().map(|name| (name.as_str(), &b""[..], 0o644)).collect();
    too_large(&zip(&entries), hundred, "entries");
    let comments = vec![Raw::pax(b'g', &[("comment", "again")]); 1000];
    too_large(&tar(&comments), hundred, "headers");
    let long = Raw { content: vec![b'n'; 2 << 20], ..Raw::new(b'L', "long") };
    too_large(&tar(&[long]), ArchiveRules::submission(), "bytes of names");
    let deep = yard.unpack(&tar(&[Raw::pax(b'x', &[("path", &("d/".repeat(300) + "x"))]), Raw::file("x", "")]));
    assert!(matches!(deep, Err(ArchiveError::Refused { problem: "lies too deep", .. })), "{deep:?}");
    let slow = yard.unpack_with(&plain, bounded(|bounds| bounds.time = Duration::ZERO));
    assert!(matches!(slow, Err(ArchiveError::TooSlow { .. })), "{slow:?}");
    assert_eq!(fs::read_dir(yard.to()).unwrap().count(), 0);
}

#[test]
fn h14_a_window_that_needs_gigabytes_is_refused() {
    let yard = Yard::new();
    // A frame whose header asks for a window of two gibibytes.
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (31 - 10) << 3, 0x01, 0x00, 0x00];
    let error = yard.unpack(&window).unwrap_err();
    assert!(matches!(error, ArchiveError::Damaged { .. }), "{error}");
}

#[test]
fn h14_members_of_a_zip_share_no_bytes() {
    let yard = Yard::new();
    let bytes = zip(&[("aa", &[7; 4000], 0o644), ("bb", &[7; 4000], 0o644)]);
    // The second entry of the list gets the place of the first one's bytes.
    let lists: Vec<usize> = (0..bytes.len() - 4).filter(|at| bytes[*at..].starts_with(b"PK\x01\x02")).collect();
    let (first, second) = (lists[0] + 42, lists[1] + 42);
    let mut shared = bytes.clone();
    shared.copy_within(first..first + 4, second);
    yard.refuses_bytes(&shared);
    // One that the list does not have, and one that the list has twice.
    let mut twice = bytes.clone();
    twice[lists[1] + 46..lists[1] + 48].copy_from_slice(b"aa");
    yard.refuses_bytes(&twice);
    let before = [b"#!/bin/sh\n", &bytes[..]].concat();
    assert!(yard.unpack(&before).is_err());
    yard.unpack(&bytes).unwrap();
}

#[test]
fn h15_tars_that_say_two_things_are_refused() {
    let yard = Yard::new();
    let sized = |size: &str| [Raw::pax(b'x', &[("size", size)]), Raw::file("a", "12345")];
    assert!(yard.refuses(&sized("4")).contains("two sizes"));
    yard.refuses(&sized("512"));
    yard.refuses(&sized("-5"));
    yard.refuses(&[Raw::pax(b'x', &[("path", "a")]), Raw::pax(b'x', &[("path", "b")]), Raw::file("c", "")]);
    yard.refuses(&[Raw::pax(b'x', &[("path", "a"), ("path", "b")]), Raw::file("c", "")]);
    yard.refuses(&[Raw::long(b'L', "a"), Raw::long(b'L', "b"), Raw::file("c", "")]);
    yard.refuses(&[Raw::long(b'L', "a"), Raw::pax(b'x', &[("path", "b")]), Raw::file("c", "")]);
    yard.refuses(&[Raw::pax(b'x', &[("path", "b")]), Raw::long(b'L', "a"), Raw::file("c", "")]);
    yard.refuses(&[Raw::long(b'L', "a\0b"), Raw::file("c", "")]);
    yard.refuses(&[Raw::pax(b'g', &[("size", "0")]), Raw::file("c", "12345")]);
    yard.refuses(&[Raw::pax(b'x', &[("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0")]), Raw::file("c", "")]);
    yard.refuses(&[Raw::long(b'L', "of nobody")]);
    for size in ["-0000000001", "0000000008 ", "1 2", "\u{7f}", "77777777777777"] {
        yard.refuses(&[Raw { size: Some(size.as_bytes().to_vec()), ..Raw::file("a", "12345") }]);
    }
    yard.refuses(&[Raw { size: Some(vec![0xff; 12]), ..Raw::file("a", "12345") }]);
    for ty in [b'1', b'2', b'5'] {
        let with_content = Raw { content: vec![0; 512], ..Raw::link(ty, "a", "harmless") };
        assert!(yard.refuses(&[with_content]).contains("has content"));
    }
    // What a header says of an extended one's member holds for the member, whatever stands between.
    let between = [Raw::pax(b'x', &[("size", "5")]), Raw::long(b'L', "named"), Raw::file("c", "12345")];
    yard.unpack(&tar(&between)).unwrap();
    assert_eq!(fs::read_to_string(yard.to().join("named")).unwrap(), "12345");
}

#[test]
fn h15_a_tar_ends_where_it_ends() {
    let yard = Yard::new();
    let good = tar(&[Raw::file("a", "x")]);
    let second = [&good[..], &tar(&[Raw::file("b", "hidden")])].concat();
    assert!(yard.refuses_bytes(&second).contains("something follows"));
    for length in [0, 100, 511, 512, 700, 1024] {
        yard.refuses_bytes(&good[..length]);
    }
    yard.refuses_bytes(&[&good[..], &vec![0; 2 << 20]].concat());
    let mut wrong = good.clone();
    wrong[0] = b'b';
    // Without a right first header, its bytes are those of anything.
    assert!(matches!(yard.unpack(&wrong), Err(ArchiveError::NotAnArchive)));
    yard.refuses_bytes(&[&gz(&good)[..], b"garbage"].concat());
    yard.refuses_bytes(&gz(b"no tar at all"));
    yard.refuses_bytes(b"");
    yard.unpack(&[&good[..], &vec![0; 8704]].concat()).unwrap();
}

#[test]
fn h16_a_name_twice_is_refused_and_case_makes_another_name() {
    let yard = Yard::new();
    assert!(yard.refuses(&[Raw::file("a", "1"), Raw::file("a", "2")]).contains("is there twice"));
    assert!(yard.refuses(&[Raw::file("a", "1"), Raw::file("./a", "2")]).contains("is there twice"));
    let both =
        [Raw::directory("d"), Raw { mode: 0o700, ..Raw::directory("d/") }, Raw::file("A", "1"), Raw::file("a", "2")];
    let forms = [Raw::file("\u{e9}", "composed"), Raw::file("e\u{301}", "decomposed")];
    yard.unpack(&tar(&[&both[..], &forms].concat())).unwrap();
    assert_eq!(fs::metadata(yard.to().join("d")).unwrap().mode() & 0o7777, 0o700);
    assert_eq!(fs::read_to_string(yard.to().join("A")).unwrap(), "1");
    assert_eq!(fs::read_to_string(yard.to().join("e\u{301}")).unwrap(), "decomposed");
}

#[test]
fn h17_set_id_bits_and_attributes_are_dropped() {
    let yard = Yard::new();
    let attributes = Raw::pax(b'x', &[("SCHILY.xattr.user.note", "x"), ("uid", "0"), ("uname", "root")]);
    yard.unpack(&tar(&[attributes, Raw { mode: 0o6777, ..Raw::file("a", "x") }])).unwrap();
    let made = yard.to().join("a");
    let meta = fs::metadata(&made).unwrap();
    assert_eq!(meta.mode() & 0o7777, 0o777);
    assert_eq!(meta.uid(), rustix::process::getuid().as_raw());
    let mut names = [0u8; 1024];
    assert_eq!(rustix::fs::listxattr(&made, &mut names[..]).unwrap_or(0), 0);
}

#[test]
fn a_hard_link_becomes_a_file_of_its_own() {
    let yard = Yard::new();
    let members =
        [Raw::file("a", "shared"), Raw::link(b'1', "b", "a"), Raw { mode: 0o755, ..Raw::link(b'1', "c", "./b") }];
    yard.unpack(&tar(&members)).unwrap();
    for name in ["a", "b", "c"] {
        let path = yard.to().join(name);
        assert_eq!(fs::read_to_string(&path).unwrap(), "shared");
        assert_eq!(fs::metadata(path).unwrap().nlink(), 1);
    }
    // The first name is left out, the content is not.
    let yard = Yard::new();
    let archive = Archive::open(yard.save(&tar(&members)), ArchiveRules::submission()).unwrap();
    archive.unpack(&yard.dir(), &Globs::new(["a"])).unwrap();
    assert_eq!(fs::read_to_string(yard.to().join("c")).unwrap(), "shared");
    assert!(!yard.to().join("a").exists());
}

/// The workspace of a session is as it was, and the submission is to blame.
#[test]
fn h10_a_hostile_submission_leaves_the_workspace_alone() {
    let yard = Yard::new();
    let mut host = Host::default();
    host.dirs.temp = Some(yard.to());
    host.dirs.state = Some(yard.to());
    let (owner, reaper) = (Owner::open(&host).unwrap(), Reaper::new());
    for need in [BaseNeed::Directory, BaseNeed::Detached] {
        let base = Base::choose(&host, need).unwrap();
        let quota = Quota { bytes: Some(1 << 20), entries: Some(100) };
        let workspace = Workspace::open(&base, &owner, quota, &reaper).unwrap();
        workspace.dir().write("there", "before").unwrap();
        let archive = yard.path().join("submission.tar.gz");
        fs::write(&archive, tar(&[Raw::file("a", "x"), Raw::file("../x", "x")])).unwrap();
        let error = workspace.copy_in(&archive, CopyIn::default()).unwrap_err();
        let WorkspaceError::Archive { source, .. } = error else { panic!("{error}") };
        assert!(source.is_fault_of_archive(), "{source}");
        assert_eq!(workspace.dir().entries().unwrap().count(), 1);
        // A plain tar under the name of a compressed one: what it is, its bytes say.
        fs::write(&archive, tar(&[Raw { mode: 0o400, ..Raw::file("a.py", "x") }, Raw::file("a.pyc", "x")])).unwrap();
        let mut options = CopyIn::default();
        options.ignore = Globs::new(["*.pyc"]);
        let report = workspace.copy_in(&archive, options).unwrap();
        assert_eq!((report.files, report.ignored), (1, 1));
        assert_eq!(cap_std::fs::MetadataExt::mode(&workspace.dir().metadata("a.py").unwrap()) & 0o777, 0o600);
        fs::remove_file(archive).unwrap();
        workspace.close().unwrap();
    }
}
