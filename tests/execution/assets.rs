//! Assets from config to staged tree: what is found, what is refused, and that originals stay untouched.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::Arc;

use bailiwick::{
    AssetError, AssetKind, ErrorKind, ExecutionError, ResolvedStaticAsset, StagedAssets, StaticAssetConfig,
    StaticAssets, resolve_static_assets,
};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::json;

#[expect(clippy::disallowed_methods, reason = "a test lays out the host's files that the library must not touch")]
fn write(path: impl AsRef<Path>, text: &str) {
    std::fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A directory of problem files beside a canary that nothing may read, and an empty directory to stage in.
struct Place {
    top: tempfile::TempDir,
    base: Arc<Dir>,
}

impl Place {
    fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        write(top.path().join("base/data.csv"), "a,b\n");
        write(top.path().join("base/tree/sub/deep.txt"), "deep");
        write(top.path().join("base/tree/run.sh"), "#!/bin/sh\n");
        write(top.path().join("base-secret/canary"), "canary");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(top.path().join("base/tree/run.sh"), mode).unwrap();
        let base = Dir::open_ambient_dir(top.path().join("base"), ambient_authority()).unwrap();
        Self { top, base: Arc::new(base) }
    }

    fn at(&self, path: &str) -> std::path::PathBuf {
        self.top.path().join(path)
    }

    fn dir(&self, name: &str) -> Dir {
        let top = Dir::open_ambient_dir(self.top.path(), ambient_authority()).unwrap();
        top.create_dir_all(name).unwrap();
        top.open_dir(name).unwrap()
    }

    fn one(&self, config: serde_json::Value) -> Result<Vec<ResolvedStaticAsset>, AssetError> {
        let assets: StaticAssets = serde_json::from_value(json!({ "x": config })).unwrap();
        resolve_static_assets(&self.base, &assets, None)
    }

    fn stage(&self, assets: serde_json::Value) -> Result<StagedAssets, AssetError> {
        let assets: StaticAssets = serde_json::from_value(assets).unwrap();
        StagedAssets::stage(self.dir("staged"), &resolve_static_assets(&self.base, &assets, None)?)
    }
}

fn mode(path: impl AsRef<Path>) -> u32 {
    std::fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn assets_stay_below_their_base() {
    let place = Place::new();
    symlink(place.at("base-secret"), place.at("base/out")).unwrap();
    symlink("../base-secret/canary", place.at("base/near")).unwrap();
    symlink("near", place.at("base/chain")).unwrap();
    symlink("tree/", place.at("base/slash")).unwrap();
    for path in ["../base-secret/canary", "out/canary", "near", "chain", "tree/../../base-secret/canary", "out/"] {
        let error = place.one(json!({"path": path, "save_path": "s"})).unwrap_err();
        assert!(matches!(error, AssetError::Outside { .. }), "{path}: {error:?}");
    }
    for path in ["data.csv", "tree/../data.csv", "slash/run.sh", "./data.csv"] {
        assert!(place.one(json!({"path": path, "save_path": "s"})).is_ok(), "{path}");
    }
}

#[test]
fn what_is_not_there_or_no_file_is_refused() {
    let place = Place::new();
    symlink("loop", place.at("base/loop")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, place.at("base/pipe"), rustix::fs::Mode::RWXU).unwrap();
    let error = |path: &str| place.one(json!({"path": path, "save_path": "s"})).unwrap_err();
    assert!(matches!(error("nothing"), AssetError::Missing { .. }));
    assert!(matches!(error("pipe"), AssetError::Special { .. }));
    assert!(matches!(error("loop"), AssetError::Io { .. }));
    for path in ["", "/etc/passwd", "a\0b"] {
        assert!(matches!(error(path), AssetError::Path { .. }), "{path:?}");
    }
    let error = ExecutionError::from(error("nothing"));
    assert_eq!(error.kind(), ErrorKind::Asset);
    assert!(error.hint().is_some_and(|hint| hint.contains("relative")));
}

#[test]
fn save_paths_are_checked_and_do_not_clash() {
    let place = Place::new();
    for save_path in ["../x", "/x", "a//b", ""] {
        let error = place.one(json!({"path": "data.csv", "save_path": save_path})).unwrap_err();
        assert!(matches!(error, AssetError::SavePath { .. }), "{save_path}");
    }
    assert_eq!(place.one(json!({"path": "./data.csv"})).unwrap()[0].save_path(), "data.csv");
    for (one, other) in [("a", "a"), ("a", "a/b"), ("a/b", "./a/")] {
        let assets =
            json!({"one": {"path": "data.csv", "save_path": one}, "two": {"path": "tree", "save_path": other}});
        assert!(matches!(place.stage(assets), Err(AssetError::Clash { .. })), "{one} {other}");
    }
    assert!(
        place
            .stage(json!({"one": {"path": "data.csv", "save_path": "a"}, "two": {"path": "tree", "save_path": "ab"}}))
            .is_ok()
    );
    let twice = json!({"one": {"path": "data.csv", "save_path": "c"}, "two": {"path": "data.csv", "save_path": "d"}});
    let staged = place.stage(twice).unwrap();
    assert_eq!(staged.iter().count(), 2, "two assets of one source are two");
}

#[test]
fn the_digest_is_checked_when_resolved_and_when_staged() {
    let place = Place::new();
    let sha256 = "492d5d612e4e4c07d0171f8c2f5a95b1b1e3f9f1d5a4c8e8f6f0f6b5c3a2d1e0";
    let error = place.one(json!({"path": "data.csv", "sha256": sha256})).unwrap_err();
    let AssetError::Digest { actual, .. } = error else { panic!("{error:?}") };
    let resolved = place.one(json!({"path": "data.csv", "sha256": actual.to_uppercase()})).unwrap();
    write(place.at("base/data.csv"), "changed");
    assert!(matches!(StagedAssets::stage(place.dir("staged"), &resolved), Err(AssetError::Digest { .. })));
    for (path, sha256) in [("tree", sha256), ("data.csv", "abc")] {
        let error = place.one(json!({"path": path, "sha256": sha256})).unwrap_err();
        assert!(matches!(error, AssetError::BadDigest { .. }));
    }
}

#[test]
fn the_staged_tree_is_a_read_only_copy() {
    let place = Place::new();
    symlink("sub/deep.txt", place.at("base/tree/link")).unwrap();
    symlink("../run.sh", place.at("base/tree/sub/up")).unwrap();
    let staged = place
        .stage(
            json!({"t": {"path": "tree", "save_path": "lib/tree"}, "d": {"path": "data.csv", "save_path": "in/d.csv"}}),
        )
        .unwrap();
    let names: Vec<_> = staged.iter().map(|(name, asset)| (name, asset.save_path.as_str(), asset.kind)).collect();
    assert_eq!(names, [("d", "in/d.csv", AssetKind::File), ("t", "lib/tree", AssetKind::Directory)]);
    let root = place.at("staged");
    assert_eq!(std::fs::read_to_string(root.join("lib/tree/link")).unwrap(), "deep");
    assert_eq!(std::fs::read_to_string(root.join("lib/tree/sub/up")).unwrap(), "#!/bin/sh\n");
    for dir in ["", "lib", "in", "lib/tree", "lib/tree/sub"] {
        assert_eq!(mode(root.join(dir)), 0o555, "{dir}");
    }
    assert_eq!((mode(root.join("in/d.csv")), mode(root.join("lib/tree/run.sh"))), (0o444, 0o555));
    let (copy, original) =
        (std::fs::metadata(root.join("in/d.csv")).unwrap(), std::fs::metadata(place.at("base/data.csv")).unwrap());
    assert!(copy.nlink() == 1 && copy.ino() != original.ino());
    let resolve = staged.placeholders("/static");
    assert_eq!(resolve.resolve_str("{{static:d}} {{static:t}}").unwrap(), "/static/in/d.csv /static/lib/tree");
    staged.unlock().unwrap();
    assert_eq!((mode(&root), mode(root.join("lib/tree/sub"))), (0o700, 0o700));
}

#[test]
fn links_and_specials_inside_a_tree_are_refused() {
    for target in ["/etc/passwd", "../data.csv", "sub/../../data.csv"] {
        let place = Place::new();
        symlink(target, place.at("base/tree/link")).unwrap();
        let error = place.stage(json!({"t": {"path": "tree"}})).unwrap_err();
        assert!(matches!(error, AssetError::Link { .. }), "{target}: {error:?}");
        assert_eq!(mode(place.at("staged/tree")), 0o700);
    }
    let place = Place::new();
    rustix::fs::mkfifoat(rustix::fs::CWD, place.at("base/tree/pipe"), rustix::fs::Mode::RWXU).unwrap();
    assert!(matches!(place.stage(json!({"t": {"path": "tree"}})), Err(AssetError::Special { .. })));
}

#[test]
fn an_agent_gets_copies_of_its_own() {
    let place = Place::new();
    let staged = place
        .stage(json!({"t": {"path": "tree", "save_path": "a/tree"}, "d": {"path": "data.csv", "save_path": "a/d.csv"}}))
        .unwrap();
    let workspace = place.dir("workspace");
    write(place.at("workspace/a/tree/old"), "old");
    symlink(place.at("base-secret/canary"), place.at("workspace/a/d.csv")).unwrap();
    staged.copy_into(&workspace).unwrap();
    assert!(!place.at("workspace/a/tree/old").exists());
    assert_eq!((mode(place.at("workspace/a/tree")), mode(place.at("workspace/a/tree/run.sh"))), (0o755, 0o755));
    assert_eq!(mode(place.at("workspace/a/d.csv")), 0o644);
    write(place.at("workspace/a/d.csv"), "mine");
    assert_eq!(std::fs::read_to_string(place.at("base-secret/canary")).unwrap(), "canary");
    assert_eq!(std::fs::read_to_string(place.at("staged/a/d.csv")).unwrap(), "a,b\n");
    staged.unlock().unwrap();
}

#[test]
fn a_workspace_cannot_send_copies_elsewhere() {
    let place = Place::new();
    let staged = place.stage(json!({"d": {"path": "data.csv", "save_path": "a/d.csv"}})).unwrap();
    let workspace = place.dir("workspace");
    symlink(place.at("base-secret"), place.at("workspace/a")).unwrap();
    // A submission causes no error: the link is replaced, and nobody followed it.
    staged.copy_into(&workspace).unwrap();
    assert!(!place.at("base-secret/d.csv").exists());
    assert_eq!(std::fs::read_to_string(place.at("workspace/a/d.csv")).unwrap(), "a,b\n");
    assert!(std::fs::symlink_metadata(place.at("workspace/a")).unwrap().is_dir());
    staged.unlock().unwrap();
}

#[test]
fn names_must_fit_a_placeholder() {
    let place = Place::new();
    for name in ["", "a}b", "{a", "a\nb"] {
        let error = ResolvedStaticAsset::resolve(&place.base, name, &StaticAssetConfig::new("data.csv")).unwrap_err();
        assert!(matches!(error, AssetError::Name { .. }), "{name:?}");
    }
}
