//! Submissions baked into images: the set-up runs once, and later runtimes begin with all that it made.

use std::sync::Arc;

use bailiwick::{
    AnyRuntimeKind, Cached, Command, ErrorKind, ResolvedStaticAsset, RuntimeRegistry, RuntimeResult, Session,
    SpawnRequest, StaticAssetConfig,
};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::{Value, json};

use crate::engine::place::{Wish, show};
use crate::engine::{Made, Raw, is_there};

/// Nobody's but one test's image, so that what is baked of it is found again.
struct Bakery {
    base: Made,
    known: Vec<String>,
}

impl Bakery {
    fn new(name: &str) -> Self {
        // A guest can write there; the name makes the layer this test's own.
        let base = Made::new(name, &format!("mkdir -m 777 /kit; echo {name}-{} >/name", std::process::id()), &[]);
        Self { base, known: baked() }
    }

    fn wish(&self, more: &Value, setup: &Value) -> Wish {
        let mut section = json!({"image": self.base.0, "build": {"bake": true}});
        for (key, value) in more.as_object().into_iter().flatten() {
            section[key] = value.clone();
        }
        Wish::new(section).with("setup", setup.clone())
    }

    /// The tags that this test's spawns have made.
    fn made(&self) -> Vec<String> {
        let layers = |image: &str| {
            let found = Raw::get(&format!("/images/{image}/json")).unwrap();
            found["RootFS"]["Layers"].as_array().unwrap().clone()
        };
        let own = layers(&self.base.0);
        baked().into_iter().filter(|tag| !self.known.contains(tag) && layers(tag).starts_with(&own)).collect()
    }
}

impl Drop for Bakery {
    fn drop(&mut self) {
        for tag in self.made() {
            let _ = Raw::call("DELETE", &format!("/images/{tag}?force=1"), None);
        }
    }
}

fn baked() -> Vec<String> {
    let all = Raw::get("/images/json").unwrap();
    let tags =
        all.as_array().unwrap().iter().flat_map(|image| image["RepoTags"].as_array().cloned().unwrap_or_default());
    let tags = tags.filter_map(|tag| Some(tag.as_str()?.to_owned()));
    tags.filter(|tag| tag.starts_with("bailiwick/submission:")).collect()
}

/// A submission of one file, with one asset.
struct Files(tempfile::TempDir);

impl Files {
    fn new(text: &str) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        dir.create_dir("submission").unwrap();
        dir.write("submission/main", text).unwrap();
        dir.write("asset", "asset").unwrap();
        Self(temp)
    }

    async fn open(&self, wish: &Wish, registry: &RuntimeRegistry) -> Session {
        let base = Arc::new(Dir::open_ambient_dir(self.0.path(), ambient_authority()).unwrap());
        let asset = ResolvedStaticAsset::resolve(&base, "asset", &StaticAssetConfig::new("asset")).unwrap();
        let builder = Session::builder(registry, wish.spec(registry)).mode(wish.mode).grant_assets(vec![asset]);
        builder.submission(self.0.path().join("submission")).open().await.unwrap()
    }
}

async fn run(session: &Session, line: &str) -> Arc<RuntimeResult> {
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap_or_else(|error| panic!("{error:?}"));
    let result = runtime.execute(Command::line(line)).await.unwrap_or_else(|error| panic!("{error:?}"));
    runtime.cleanup().await.unwrap();
    result
}

fn text(result: &RuntimeResult) -> String {
    assert!(result.termination.is_success(), "{result}\n{}", show(result));
    result.stdout.text().unwrap()
}

fn was_found(result: &RuntimeResult) -> bool {
    result.notes.iter().any(|note| note.contains("part of the image"))
}

const UNIQUE: &str = "cat /proc/sys/kernel/random/uuid | tee /kit/id >id; echo told; echo beside >&2; mkdir -p d/e";
const LOOK: &str = "cat /kit/id id main; ls -d d/e; cat /static/asset; ls /sys/class/net";

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_runs_once_and_its_image_has_everything() {
    if !is_there() {
        return;
    }
    let (bakery, files) = (Bakery::new("bake-once"), Files::new("one\n"));
    let wish = bakery.wish(&json!({}), &json!({"commands": ["true"], "eval_commands": [UNIQUE]}));
    let registry = wish.registry();
    let session = files.open(&wish, &registry).await;
    let first = run(&session, LOOK).await;
    session.close().await.unwrap();
    assert!(!was_found(&first), "{:?}", first.notes);
    let tags = bakery.made();
    assert_eq!(tags.len(), 1, "{tags:?}");

    let session = files.open(&wish, &registry).await;
    let second = run(&session, LOOK).await;
    assert!(was_found(&second), "{:?}", second.notes);
    assert_eq!(text(&first), text(&second));
    assert!(text(&second).ends_with("one\nd/e\nassetlo\n"), "{}", text(&second));
    assert_eq!(format!("{:?}", first.setup), format!("{:?}", second.setup));
    let told = [second.setup[1].stdout.text(), second.setup[1].stderr.text()].map(Option::unwrap);
    assert_eq!(told, ["told\n", "beside\n"]);
    session.close().await.unwrap();
    // What a fork begins with is the same, though no container was ever made.
    let session = files.open(&wish, &registry).await;
    let idle = session.spawn(SpawnRequest::default()).await.unwrap();
    let fork = session.fork().await.unwrap();
    let in_fork = run(&fork, LOOK).await;
    assert_eq!(text(&in_fork), text(&second));
    fork.close().await.unwrap();
    session.close().await.unwrap();
    drop(idle);
    assert_eq!(bakery.made(), tags);

    // The image by itself: nobody's but the guest's, with what was told of the set-up out of its reach.
    let found = Raw::get(&format!("/images/{}/json", tags[0])).unwrap();
    let config = &found["Config"];
    assert_eq!((&config["User"], &config["WorkingDir"]), (&json!("1000:1000"), &json!("/workspace")), "{config}");
    assert_eq!((&config["Labels"]["bailiwick.owner"], &config["Cmd"]), (&json!(""), &json!(["/bin/sh"])), "{config}");
    let place = Wish::new(json!({"image": tags[0], "workdir": "/elsewhere"})).open().await;
    let line = "cat /kit/id /workspace/id /workspace/main; stat -c %u:%g /workspace/main /static/asset; \
                cat /.bailiwick-setup 2>/dev/null || echo closed";
    let id = text(&second).lines().next().unwrap().to_owned();
    assert_eq!(place.text(line).await, format!("{id}\n{id}\none\n1000:1000\n0:0\nclosed\n"));
    place.close().await;

    let kind: &Arc<dyn AnyRuntimeKind> = registry.kind("docker").unwrap();
    let cached = kind.cached().await.unwrap();
    let own: Vec<&Cached> = cached.iter().filter(|cached| cached.name == tags[0]).collect();
    assert_eq!(own.len(), 1, "{cached:?}");
    kind.evict(own[0]).await.unwrap();
    assert_eq!(bakery.made(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_decides_over_the_setup_makes_another_image() {
    if !is_there() {
        return;
    }
    let (bakery, one, two) = (Bakery::new("bake-key"), Files::new("one\n"), Files::new("two\n"));
    let setup = json!({"commands": [UNIQUE]});
    let plain = bakery.wish(&json!({}), &setup);
    let registry = plain.registry();
    let same = plain.clone().with("environment", json!({}));
    let cases = [
        (plain.clone(), &one, 1),
        (same, &one, 1),
        (plain.clone(), &two, 2),
        (plain.clone().with("environment", json!({"env": {"A": "1"}})), &one, 3),
        (bakery.wish(&json!({"user": "1001:1001"}), &setup), &one, 4),
        (bakery.wish(&json!({}), &json!({"commands": [UNIQUE, "true"]})), &one, 5),
        (bakery.wish(&json!({}), &json!({})), &one, 6),
        (bakery.wish(&json!({}), &json!({})), &one, 6),
        // A set-up of which a line fails is none to begin with.
        (bakery.wish(&json!({}), &json!({"commands": [UNIQUE, "exit 3", "true"]})), &one, 6),
        // An agent's is its own.
        (plain.clone().agent(), &one, 6),
    ];
    for (number, (wish, files, images)) in cases.into_iter().enumerate() {
        let session = files.open(&wish, &registry).await;
        let result = run(&session, "cat main").await;
        session.close().await.unwrap();
        assert_eq!(bakery.made().len(), images, "{number}: {}", show(&result));
    }
    let mut request = SpawnRequest::default();
    request.disable_setup = true;
    plain.request(request).open().await.close().await;
    assert_eq!(bakery.made().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carried_workspace_is_the_images_and_then_ours() {
    if !is_there() {
        return;
    }
    let (bakery, files) = (Bakery::new("bake-carried"), Files::new("one\n"));
    let setup = json!({"commands": [format!("{UNIQUE}; echo gone >gone")]});
    let wish = bakery.wish(&json!({"mount_workspace": false}), &setup);
    let registry = wish.registry();
    let mut seen = Vec::new();
    for is_found in [false, true] {
        let session = files.open(&wish, &registry).await;
        let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
        assert_eq!(runtime.setup().len(), 1);
        // Before a container was ever made of the image: what is ours by then is what the guest finds.
        let later = Files::new("later\n");
        session.restore_from_snapshot_dir(&later.0.path().join("submission")).await.unwrap();
        let result = runtime.execute(Command::line("ls -A; cat main /kit/id /static/asset; echo more >more")).await;
        let result = result.unwrap();
        assert_eq!(was_found(&result), is_found);
        assert!(text(&result).starts_with("main\nlater\n"), "{}", text(&result));
        seen.push(text(&result));
        let contents = session.update_snapshot().await.unwrap();
        let paths: Vec<String> = contents.manifest().iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(paths, ["main", "more"]);
        session.close().await.unwrap();
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn root_is_refused_and_a_changed_record_is_not_believed() {
    if !is_there() {
        return;
    }
    let bakery = Bakery::new("bake-refused");
    let setup = json!({"commands": ["echo mine"]});
    for user in ["0:0", "root"] {
        let error = bakery.wish(&json!({"user": user}), &setup).try_open().await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unenforceable, "{error:?}");
        assert!(error.to_string().contains("root") && error.hint().is_some(), "{error:?}");
    }
    let wish = bakery.wish(&json!({}), &setup);
    wish.clone().open().await.close().await;
    let tag = bakery.made().remove(0);
    // Somebody writes into the image and gives the result its name.
    let body = json!({"Image": tag, "User": "0:0", "Cmd": ["/bin/sh", "-c", "echo >>/.bailiwick-setup"]});
    let (_, made) = Raw::call("POST", "/containers/create", Some(&body)).unwrap();
    let id = made["Id"].as_str().unwrap();
    Raw::call("POST", &format!("/containers/{id}/start"), None).unwrap();
    Raw::call("POST", &format!("/containers/{id}/wait"), None).unwrap();
    let (repo, tag) = tag.split_once(':').unwrap();
    Raw::call("POST", &format!("/commit?container={id}&repo={repo}&tag={tag}"), Some(&json!({}))).unwrap();
    Raw::call("DELETE", &format!("/containers/{id}?force=1"), None).unwrap();
    let error = wish.try_open().await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.to_string().contains(tag) && error.hint().is_some(), "{error:?}");
}
