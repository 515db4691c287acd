//! Every call to the engine fails once: nothing hangs, nothing is left, nothing that was stored is lost, and no fault
//! turns into a success.
//!
//! `BAILIWICK_FAULTS=every` lets each call fail in every way, and not in two in turn.

mod fault;
mod life;

use std::sync::Arc;
use std::time::Duration;

use bailiwick::{GcMode, GcScope, Restore, SnapshotStore, Take};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use self::fault::{Calls, How};
use self::life::{Course, Life, end, is_empty};
use crate::engine::proxy::{Do, Proxy};
use crate::engine::{Made, Raw, is_there};

/// Longer than anything here takes: an engine that never answers costs half a minute a call.
const LONG: Duration = Duration::from_secs(300);
/// How many lives go on at once.
const AT_ONCE: usize = 4;

/// Ways to fail, of which each call meets one pair.
const WAYS: [[How; 2]; 2] = [[How::Refused, How::Lost], [How::Cut, How::Away]];

/// A place of its own for one life, with a snapshot that was stored before.
struct Yard {
    temp: tempfile::TempDir,
    kept: bailiwick::SnapshotId,
}

impl Yard {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        for name in ["base", "state", "data", "before"] {
            std::fs::create_dir(temp.path().join(name)).unwrap();
        }
        let before =
            cap_std::fs::Dir::open_ambient_dir(temp.path().join("before"), cap_std::ambient_authority()).unwrap();
        before.write("kept", "kept").unwrap();
        let store = SnapshotStore::open_ambient(&temp.path().join("data/snapshots")).unwrap();
        let taken = store.take(&before, Take::default()).unwrap();
        let kept = store.keep(&taken.snapshot, "before", 0).unwrap().id;
        Self { temp, kept }
    }

    fn wish(&self, life: Life, endpoint: &Value, image: &str) -> crate::engine::place::Wish {
        let mut wish = life.wish(endpoint, image);
        let path = |name: &str| Some(self.temp.path().join(name));
        let dirs = &mut wish.host.dirs;
        (dirs.base, dirs.state, dirs.data) = (path("base"), path("state"), path("data"));
        wish
    }

    fn assert_stored(&self, id: bailiwick::SnapshotId, name: &str, text: &str) {
        let store = SnapshotStore::open_ambient(&self.temp.path().join("data/snapshots")).unwrap();
        let to = self.temp.path().join("restored");
        store.open(id).unwrap().restore_ambient(&to, Restore::Mirror, None).unwrap();
        assert_eq!(std::fs::read_to_string(to.join(name)).unwrap(), text);
    }
}

/// Gives what of an owner is at the engine.
fn left(owner: &str) -> Vec<String> {
    let label = format!("bailiwick.owner={owner}");
    let containers = Raw::containers(&label);
    let images = Raw::get("/images/json").unwrap();
    let images = images.as_array().unwrap().iter().filter(|image| image["Labels"]["bailiwick.owner"] == owner);
    containers.iter().map(|one| one["Names"].to_string()).chain(images.map(|image| image["Id"].to_string())).collect()
}

/// Lives a life of which one call fails; gives how many calls it made, whether that one was among them, and what it
/// came to.
async fn round(life: Life, image: &str, fault: Option<(usize, How)>) -> (usize, bool, Course) {
    let proxy = Proxy::start();
    let calls = Calls::watch(&proxy, fault);
    let what = || format!("{life:?} {fault:?} {:?}", calls.failed());
    let course = through(&proxy, (life, image), &what).await;
    (calls.count(), calls.failed().is_some(), course)
}

/// Lives a life through a proxy, and asserts that nothing of it is left.
async fn through(proxy: &Proxy, (life, image): (Life, &str), what: &(dyn Fn() -> String + Sync)) -> Course {
    let yard = Yard::new();
    // What is baked is found again by all that it was made of.
    let wish = yard.wish(life, &proxy.endpoint(), image).with("environment", json!({"env": {"ROUND": what()}}));
    let registry = wish.registry();
    let owner = registry.owner().unwrap().id().to_string();
    let lived = async {
        let mut course = life.live(&registry, &wish).await;
        end(&mut course, registry).await;
        course
    };
    let mut course = tokio::time::timeout(LONG, lived).await.unwrap_or_else(|_| panic!("{} hangs", what()));
    let what = format!("{} {:?}", what(), course.errors);
    if course.errors.is_empty() {
        assert_eq!(left(&owner), [""; 0], "{what}: it said that it had cleaned up");
    }
    // Whoever comes later finds what could not be removed.
    proxy.rule(|_| Do::Forward);
    let later = wish.registry();
    let report = later.gc(GcMode::Remove, GcScope::DeadOwners).await;
    assert!(report.failures.is_empty() && report.failed_elsewhere.is_empty(), "{what}: {report:?}");
    assert_eq!(left(&owner), [""; 0], "{what}: it outlived gc");
    drop(later);
    for name in ["base", "state/owners"] {
        assert!(is_empty(&yard.temp.path().join(name)), "{what}: something is left in {name}");
    }
    yard.assert_stored(yard.kept, "kept", "kept");
    if let Some(stored) = course.stored.take() {
        // What succeeded is there, with all that was written by then.
        yard.assert_stored(stored, "in", "inside\n");
    }
    course
}

/// Lets every call of a life fail.
async fn every_call(life: Life, image: &str) {
    let (count, _, course) = round(life, image, None).await;
    assert!(course.errors.is_empty() && count > 20, "{count} calls: {:?}", course.errors);
    let is_every = std::env::var_os("BAILIWICK_FAULTS").is_some_and(|value| value == "every");
    let ways = |number: usize| if is_every { WAYS.concat() } else { WAYS[number % WAYS.len()].to_vec() };
    let rounds = (1..=count).flat_map(|number| ways(number).into_iter().map(move |how| (number, how)));
    let (image, mut running, mut hits) = (Arc::<str>::from(image), JoinSet::new(), 0);
    for fault in rounds {
        if running.len() == AT_ONCE {
            hits += finished(running.join_next().await);
        }
        let image = Arc::clone(&image);
        running.spawn(async move { (fault, round(life, &image, Some(fault)).await) });
    }
    while let Some(done) = running.join_next().await {
        hits += finished(Some(done));
    }
    assert!(hits >= count, "{hits} faults in {count} calls");
}

type Done = Result<((usize, How), (usize, bool, Course)), tokio::task::JoinError>;

fn finished(done: Option<Done>) -> usize {
    let (fault, (_, is_hit, course)) = done.unwrap().unwrap();
    let told = course.errors.iter().any(|(step, _)| *step != "shutdown");
    // An engine that is gone is no success, but for the last calls of a clean-up.
    assert!(fault.1 != How::Away || !is_hit || told || !course.errors.is_empty(), "{fault:?} was not told");
    usize::from(is_hit)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_a_mounted_session_fails_once() {
    if is_there() {
        every_call(Life::Mounted, "").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_a_carried_session_fails_once() {
    if is_there() {
        every_call(Life::Carried, "").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_a_baked_session_fails_once() {
    if !is_there() {
        return;
    }
    let script = format!("mkdir -m 777 /kit; echo {} >/name", std::process::id());
    let base = Made::new("bake-faults", &script, &[]);
    every_call(Life::Baked, &base.0).await;
    // What was baked has a name, by which it is found and removed; what has none would be there for ever.
    let baked = made_of(&base.0);
    let nameless: Vec<_> = baked.iter().filter(|(_, tags)| tags.is_empty()).collect();
    assert!(nameless.is_empty(), "{nameless:?}");
    assert!(!baked.is_empty());
    for (_, tags) in baked {
        for tag in tags {
            Raw::call("DELETE", &format!("/images/{tag}?force=1"), None).unwrap();
        }
    }
    assert_eq!(made_of(&base.0), []);
}

/// Lists the images that were made of an image: ids, and names.
fn made_of(base: &str) -> Vec<(String, Vec<String>)> {
    let layers =
        |image: &str| Raw::get(&format!("/images/{image}/json")).unwrap()["RootFS"]["Layers"].as_array().cloned();
    let own = layers(base).unwrap();
    let all = Raw::get("/images/json").unwrap();
    let tags = |image: &Value| {
        let tags = image["RepoTags"].as_array().into_iter().flatten().filter_map(Value::as_str);
        tags.filter(|tag| !tag.starts_with("<none>")).map(str::to_owned).collect::<Vec<_>>()
    };
    let ids = all.as_array().unwrap().iter().map(|image| (image["Id"].as_str().unwrap().to_owned(), tags(image)));
    let above = |id: &str| layers(id).is_some_and(|layers| layers.len() > own.len() && layers.starts_with(&own));
    ids.filter(|(id, _)| above(id)).collect()
}

/// An engine that never answers one call costs the time that this call has. They wait for nothing, so many wait at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_never_answered_is_an_error_in_bounded_time() {
    if !is_there() {
        return;
    }
    let mut running = JoinSet::new();
    for number in (1..50).step_by(7) {
        running.spawn(
            async move { ((number, How::Stalled), round(Life::Mounted, "", Some((number, How::Stalled))).await) },
        );
    }
    let mut hits = 0;
    while let Some(done) = running.join_next().await {
        hits += finished(Some(done));
    }
    assert!(hits >= 5, "{hits}");
}

/// An engine may take longer to make an image of a container than to answer a question.
#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_takes_long_for_an_image_is_waited_for() {
    if !is_there() {
        return;
    }
    let proxy = Proxy::start();
    proxy.rule(|line| if line.contains("/commit") { Do::Late(Duration::from_secs(40)) } else { Do::Forward });
    let course = through(&proxy, (Life::Mounted, ""), &|| "a late image".to_owned()).await;
    assert!(course.errors.is_empty(), "{:?}", course.errors);
}
