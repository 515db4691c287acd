//! Forks: what the set-up made outside of the workspace is there too, in an image that goes with the last session.

use bailiwick::{Command, Session, SpawnRequest};
use serde_json::json;

use crate::engine::place::{Wish, show};
use crate::engine::{Raw, is_there};

fn images(owner: &str) -> usize {
    let all = Raw::get("/images/json").unwrap();
    all.as_array().unwrap().iter().filter(|image| image["Labels"]["bailiwick.owner"] == owner).count()
}

async fn made(session: &Session) -> Option<String> {
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    assert!(runtime.setup().is_empty(), "a fork runs no set-up");
    let result =
        runtime.execute(Command::line("cat /made in; echo own >/own; ls /own; cat /later 2>/dev/null")).await.unwrap();
    assert!(result.stderr.bytes == 0, "{}", show(&result));
    // Dropped instead, its container would go a little later than the session.
    runtime.cleanup().await.unwrap();
    result.stdout.text()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_has_what_the_setup_made_anywhere() {
    if !is_there() {
        return;
    }
    let setup = json!({"commands": ["echo set-up >/made", "echo inside >in"], "on_failure": "fail"});
    let place = Wish::new(json!({"user": "0:0"})).with("setup", setup).open().await;
    let owner = place.label.trim_start_matches("bailiwick.owner=").to_owned();
    let forks = [place.session.fork().await.unwrap(), place.session.fork().await.unwrap()];
    assert_eq!(images(&owner), 1, "forks of one state share an image");
    place.text("echo later >/later").await;
    for fork in &forks {
        assert_eq!(made(fork).await.as_deref(), Some("set-up\ninside\n/own\n"));
    }
    let grandchild = forks[0].fork().await.unwrap();
    assert_eq!(made(&grandchild).await.as_deref(), Some("set-up\ninside\n/own\n"));
    let registry = place.registry.clone();
    for session in forks.into_iter().chain([grandchild]) {
        session.close().await.unwrap();
    }
    place.close().await;
    registry.shutdown(std::time::Duration::from_secs(60)).await.unwrap();
    assert_eq!(images(&owner), 0);
}
