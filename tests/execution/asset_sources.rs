//! Assets that are no plain files: secrets, urls, archives; and what is told about many at once.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use bailiwick::{
    AssetError, AssetKind, AssetResolver, ErrorKind, ExecutionError, PlaceholderError, ResolvedStaticAsset,
    StagedAssets, StaticAssets,
};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::{Value, json};

/// The digest of `a,b\n`, as `sha256sum` prints it.
const TABLE: &str = "5be08c9684a1d25efcee09318204824278b08bbfb4aef973ffefd0b9d7478313";

const HIDDEN: &str = "hunter2-d41d8cd9";

struct Place {
    top: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { top: tempfile::tempdir().unwrap() };
        for dir in ["base", "outside", "cache", "staged", "workspace"] {
            Dir::create_ambient_dir_all(place.at(dir), ambient_authority()).unwrap();
        }
        place.dir("outside").write("table.csv", "a,b\n").unwrap();
        place.dir("base").write("table.csv", "a,b\n").unwrap();
        place
    }

    fn at(&self, path: &str) -> PathBuf {
        self.top.path().join(path)
    }

    fn dir(&self, path: &str) -> Dir {
        Dir::open_ambient_dir(self.at(path), ambient_authority()).unwrap()
    }

    /// Resolves with nothing granted.
    fn closed(&self) -> AssetResolver {
        AssetResolver::new(Arc::new(self.dir("base")))
    }

    /// Resolves with everything granted.
    fn open(&self) -> AssetResolver {
        let env = BTreeMap::from([("KEY".to_owned(), HIDDEN.to_owned()), ("EMPTY".to_owned(), String::new())]);
        self.closed().grant_secrets(Arc::new(env)).grant_file_urls(Some(self.at("cache")))
    }

    fn url(&self, path: &str) -> String {
        format!("file://{}", self.at(path).display())
    }

    fn stage(&self, assets: &[ResolvedStaticAsset]) -> Result<StagedAssets, AssetError> {
        StagedAssets::stage(self.dir("staged"), assets)
    }
}

fn one(resolver: &AssetResolver, config: Value) -> Result<Vec<ResolvedStaticAsset>, AssetError> {
    all(resolver, json!({ "x": config }), None)
}

fn all(
    resolver: &AssetResolver,
    assets: Value,
    ordering: Option<&[String]>,
) -> Result<Vec<ResolvedStaticAsset>, AssetError> {
    let assets: StaticAssets = serde_json::from_value(assets).unwrap();
    resolver.resolve_all(&assets, ordering)
}

#[test]
fn a_secret_is_a_file_of_the_guest_and_nowhere_else() {
    let place = Place::new();
    let config = json!({"secret": {"env": "KEY"}, "save_path": "keys/api"});
    let resolved = one(&place.open(), config).unwrap();
    assert!(resolved[0].is_secret() && resolved[0].kind() == AssetKind::File);
    let staged = place.stage(&resolved).unwrap();
    let file = place.at("staged/keys/api");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), HIDDEN);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o444);
    assert_eq!(staged.placeholders("/static").resolve_str("{{static:x}}").unwrap(), "/static/keys/api");
    // An agent gets no copy that a snapshot could take.
    staged.copy_into(&place.dir("workspace")).unwrap();
    assert_eq!(std::fs::read_dir(place.at("workspace")).unwrap().count(), 0);
    for shown in [format!("{:?}", place.open()), format!("{resolved:?}"), format!("{staged:?}")] {
        assert!(!shown.contains(HIDDEN), "{shown}");
    }
    staged.unlock().unwrap();
}

#[test]
fn an_empty_secret_is_one() {
    let place = Place::new();
    let resolved = one(&place.open(), json!({"secret": {"env": "EMPTY"}, "save_path": "s"})).unwrap();
    let staged = place.stage(&resolved).unwrap();
    assert_eq!(std::fs::read(place.at("staged/s")).unwrap(), b"");
    staged.unlock().unwrap();
}

#[test]
fn secrets_are_closed_by_default_and_their_errors_name_the_variable_alone() {
    let place = Place::new();
    let granted = json!({"secret": {"env": "KEY"}, "save_path": "s"});
    let error = one(&place.closed(), granted).unwrap_err();
    assert!(matches!(&error, AssetError::Secret { variable, .. } if variable == "KEY"), "{error}");
    let missing = json!({"secret": {"env": "NOT_THERE"}, "save_path": "s"});
    let error = ExecutionError::from(one(&place.open(), missing).unwrap_err());
    assert_eq!((error.kind(), error.to_string().contains("NOT_THERE")), (ErrorKind::Asset, true));
    for wrong in [
        json!({"secret": {"env": "KEY"}}),
        json!({"secret": {"env": "KEY"}, "save_path": "s", "sha256": TABLE}),
        json!({"secret": {"env": "KEY"}, "save_path": "s", "extract": true}),
        json!({"secret": {"env": "KEY"}, "save_path": "s", "path": "table.csv"}),
    ] {
        let error = one(&place.open(), wrong.clone()).unwrap_err();
        assert!(matches!(error, AssetError::Keys { .. }), "{wrong}: {error}");
        assert!(!format!("{error} {error:?}").contains(HIDDEN));
    }
}

#[test]
fn a_file_url_is_read_once_and_then_from_the_cache() {
    let place = Place::new();
    let sha256 = TABLE;
    let config = json!({"url": place.url("outside/table.csv"), "sha256": sha256.to_uppercase(), "save_path": "t.csv"});
    let resolved = one(&place.open(), config.clone()).unwrap();
    assert_eq!(std::fs::read_to_string(place.at("cache/assets").join(sha256)).unwrap(), "a,b\n");
    let staged = place.stage(&resolved).unwrap();
    assert_eq!(std::fs::read_to_string(place.at("staged/t.csv")).unwrap(), "a,b\n");
    staged.unlock().unwrap();
    // The original is not needed any more.
    place.dir("outside").remove_file("table.csv").unwrap();
    assert!(one(&place.open(), config.clone()).is_ok());
    // What somebody has changed in the cache is found out.
    let folder = place.dir("cache/assets");
    folder.remove_file(sha256).unwrap();
    folder.write(sha256, "a,c\n").unwrap();
    assert!(matches!(one(&place.open(), config.clone()), Err(AssetError::Missing { .. })));
    place.dir("outside").write("table.csv", "a,b\n").unwrap();
    assert!(one(&place.open(), config).is_ok());
    assert_eq!(std::fs::read_dir(place.at("cache/assets")).unwrap().count(), 1, "no drafts are left");
}

#[test]
fn a_cache_that_cannot_be_used_is_passed_over() {
    let place = Place::new();
    place.dir("cache").write("assets", "in the way").unwrap();
    let config = json!({"url": place.url("outside/table.csv"), "sha256": TABLE, "save_path": "t.csv"});
    let staged = place.stage(&one(&place.open(), config).unwrap()).unwrap();
    assert_eq!(std::fs::read_to_string(place.at("staged/t.csv")).unwrap(), "a,b\n");
    staged.unlock().unwrap();
}

#[test]
fn urls_need_a_grant_a_digest_and_a_place() {
    let place = Place::new();
    let (url, sha256) = (place.url("outside/table.csv"), TABLE);
    let error = one(&place.closed(), json!({"url": url, "sha256": sha256, "save_path": "t"})).unwrap_err();
    assert!(error.to_string().contains("not granted"), "{error}");
    let error = one(&place.open(), json!({"url": url, "save_path": "t"})).unwrap_err();
    assert!(error.to_string().contains("needs `sha256`"), "{error}");
    let error = one(&place.open(), json!({"url": url, "sha256": sha256})).unwrap_err();
    assert!(error.to_string().contains("needs a `save_path`"), "{error}");
    let other = "0".repeat(64);
    let error = one(&place.open(), json!({"url": url, "sha256": other, "save_path": "t"})).unwrap_err();
    assert!(matches!(error, AssetError::Digest { .. }), "{error}");
    let missing = place.url("outside/nothing");
    let error = one(&place.open(), json!({"url": missing, "sha256": other, "save_path": "t"})).unwrap_err();
    assert!(matches!(error, AssetError::Missing { .. }), "{error}");
    let signed = "https://example.com/table.csv?signature=hunter2";
    let error = one(&place.open(), json!({"url": signed, "sha256": sha256, "save_path": "t"})).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("network") && !shown.contains("hunter2") && !shown.contains("example"), "{shown}");
    assert!(!place.at("cache/assets").join(&other).exists());
}

#[test]
fn everything_that_is_wrong_is_told_together() {
    let place = Place::new();
    let assets = json!({
        "a": {"path": "nothing"},
        "b": {"path": "../outside/table.csv", "save_path": "b"},
        "c": {"secret": {"env": "NOT_THERE"}, "save_path": "c"},
        "d": {"path": "table.csv", "save_path": "same"},
        "e": {"path": "table.csv", "save_path": "same/below"},
        "f": {"path": "table.csv", "save_path": "same/below/more"},
    });
    let error = all(&place.open(), assets, None).unwrap_err();
    let AssetError::Several { problems } = &error else { panic!("{error}") };
    assert_eq!(problems.len(), 6, "{error}");
    assert_eq!(problems.iter().filter(|problem| matches!(problem, AssetError::Clash { .. })).count(), 3);
    assert!(error.to_string().starts_with("6 assets cannot be used\n  the asset `a` is not at `nothing`\n"), "{error}");
}

#[test]
fn a_placeholder_names_an_asset_and_never_a_group() {
    let place = Place::new();
    let assets = json!({
        "base": {"table": {"path": "table.csv"}, "old": {"path": "table.csv", "save_path": "old.csv"}},
        "more": {"old": {"path": "table.csv", "save_path": "new.csv"}},
        "unused": {"other": {"path": "nothing"}},
    });
    let order = ["base".to_owned(), "more".to_owned()];
    let staged = place.stage(&all(&place.closed(), assets, Some(&order)).unwrap()).unwrap();
    let placeholders = staged.placeholders("/static");
    assert_eq!(placeholders.resolve_str("{{static:old}}").unwrap(), "/static/new.csv");
    for group in ["base", "more", "unused"] {
        let error = placeholders.resolve_str(&format!("{{{{static:{group}}}}}")).unwrap_err();
        assert!(matches!(&error, PlaceholderError::Group { known, .. } if known == &["old", "table"]), "{error}");
    }
    let data = json!({"{{static:nope}}": ["{{static:base}}", "{{static:table}}"], "b": "{{static:tabel}}"});
    let error = placeholders.resolve_value(&data).unwrap_err();
    let PlaceholderError::Several { problems } = &error else { panic!("{error}") };
    assert_eq!(problems.len(), 3, "{error}");
    let shown = error.to_string();
    assert!(shown.starts_with("3 placeholders cannot be resolved\n  `{{static:"), "{shown}");
    staged.unlock().unwrap();
}

/// Makes a tar of two files, one that can be executed, and a link between them.
fn tar() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content, mode) in [("tree/data.txt", "data", 0o600), ("tree/run.sh", "#!/bin/sh\n", 0o755)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(mode);
        builder.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "tree/link", "data.txt").unwrap();
    builder.into_inner().unwrap()
}

fn zip() -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer.start_file("tree/data.txt", options).unwrap();
    writer.write_all(b"data").unwrap();
    writer.start_file("tree/run.sh", options.unix_permissions(0o755)).unwrap();
    writer.write_all(b"#!/bin/sh\n").unwrap();
    writer.add_symlink("tree/link", "data.txt", options).unwrap();
    writer.finish().unwrap().into_inner()
}

/// Packs bytes as a file of this name says.
fn packed(name: &str, plain: Vec<u8>) -> Vec<u8> {
    let compression = bailiwick::FileSignature::detect(&name.replace(".tar", ".bin"));
    compression.write(&bailiwick::FileValue::Bytes(plain)).unwrap()
}

#[test]
fn an_archive_is_a_directory_when_it_is_extracted_and_a_file_when_not() {
    for name in ["a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz", "a.tar.zst", "a.zip"] {
        let place = Place::new();
        let bytes = if name == "a.zip" { zip() } else { packed(name, tar()) };
        place.dir("base").write(name, &bytes).unwrap();
        let assets = json!({
            "dir": {"path": name, "extract": true, "save_path": "in/dir"},
            "file": {"path": name},
        });
        let staged = place.stage(&all(&place.closed(), assets, None).unwrap()).unwrap();
        let kinds: Vec<_> = staged.iter().map(|(name, asset)| (name, asset.kind)).collect();
        assert_eq!(kinds, [("dir", AssetKind::Directory), ("file", AssetKind::File)], "{name}");
        let at = |path: &str| place.at("staged/in/dir").join(path);
        assert_eq!(std::fs::read_to_string(at("tree/link")).unwrap(), "data", "{name}");
        assert_eq!(std::fs::read(place.at("staged").join(name)).unwrap(), bytes, "{name}");
        for (path, mode) in [("tree/data.txt", 0o444), ("tree/run.sh", 0o555), ("tree", 0o555), (".", 0o555)] {
            assert_eq!(std::fs::metadata(at(path)).unwrap().permissions().mode() & 0o7777, mode, "{name} {path}");
        }
        let resolved = staged.placeholders("/static").resolve_str("{{static:dir}} {{static:file}}").unwrap();
        assert_eq!(resolved, format!("/static/in/dir /static/{name}"));
        staged.copy_into(&place.dir("workspace")).unwrap();
        assert_eq!(std::fs::read_to_string(place.at("workspace/in/dir/tree/link")).unwrap(), "data");
        staged.unlock().unwrap();
    }
}

#[test]
fn an_archive_may_come_by_url() {
    let place = Place::new();
    place.dir("outside").write("a.tar.gz", packed("a.tar.gz", tar())).unwrap();
    let config = |sha256: &str| json!({"url": place.url("outside/a.tar.gz"), "sha256": sha256, "extract": true, "save_path": "dir"});
    let Err(AssetError::Digest { actual, .. }) = one(&place.open(), config(TABLE)) else { panic!("a wrong digest") };
    let staged = place.stage(&one(&place.open(), config(&actual)).unwrap()).unwrap();
    assert_eq!(std::fs::read_to_string(place.at("staged/dir/tree/data.txt")).unwrap(), "data");
    staged.unlock().unwrap();
}

#[test]
fn h10_h11_h13_h14_a_hostile_archive_is_refused_whole() {
    let hostile = |entry: tar::EntryType, name: &str, link: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(entry);
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_size(0);
        header.set_mode(0o644);
        header.set_cksum();
        let mut builder = tar::Builder::new(Vec::new());
        let mut good = tar::Header::new_gnu();
        good.set_size(4);
        builder.append_data(&mut good, "good.txt", &b"good"[..]).unwrap();
        builder.append(&header, &b""[..]).unwrap();
        builder.into_inner().unwrap()
    };
    let bomb = packed("a.tar.gz", vec![0; 100 << 20]);
    for (what, bytes) in [
        ("up", hostile(tar::EntryType::Regular, "../outside/x", "")),
        ("root", hostile(tar::EntryType::Regular, "/outside", "")),
        ("link", hostile(tar::EntryType::Symlink, "link", "/etc/passwd")),
        ("hard link", hostile(tar::EntryType::Link, "hard", "../outside/table.csv")),
        ("fifo", hostile(tar::EntryType::Fifo, "fifo", "")),
        ("twice", hostile(tar::EntryType::Regular, "good.txt", "")),
        ("no archive", b"plain text".to_vec()),
        ("empty", Vec::new()),
        ("cut", tar()[..700].to_vec()),
        ("bomb", bomb),
    ] {
        let place = Place::new();
        place.dir("base").write("a.tar", &bytes).unwrap();
        let resolved = one(&place.closed(), json!({"path": "a.tar", "extract": true, "save_path": "d"})).unwrap();
        let error = place.stage(&resolved).unwrap_err();
        assert!(matches!(error, AssetError::Archive { .. }), "{what}: {error}");
        // Nothing of it was written, and what is left can be removed.
        assert_eq!(std::fs::read_dir(place.at("staged/d")).unwrap().count(), 0, "{what}");
        assert_eq!(std::fs::read_dir(place.at("outside")).unwrap().count(), 1, "{what}");
    }
    let place = Place::new();
    let error = one(&place.closed(), json!({"path": ".", "extract": true, "save_path": "d"})).unwrap_err();
    assert!(matches!(error, AssetError::Keys { .. }), "{error}");
}
