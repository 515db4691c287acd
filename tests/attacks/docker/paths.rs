//! Directories and images that lead elsewhere.

use bailiwick::{Command, NotStarted, Termination};
use serde_json::json;

use crate::engine::place::Wish;
use crate::engine::proxy::Proxy;
use crate::engine::{Made, is_there};

#[tokio::test(flavor = "multi_thread")]
async fn d2_a_working_directory_leads_nowhere_else() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({"user": "0:0"})).open().await;
    place
        .text(
            "mkdir in; ln -s /proc/self/fd fds; ln -s /etc out; ln -s in ok; ln -s /proc/self/fd /image; mkdir /plain",
        )
        .await;
    let run = |cwd: &str| {
        let mut command = Command::argv(["pwd"]);
        command.cwd = Some(cwd.to_owned());
        command
    };
    for bad in [
        "/proc/self/fd/8",
        "/proc/self/../self/fd/7",
        "fds/8",
        "out",
        "/image/8",
        "/image",
        "../proc/self/cwd",
        "absent",
        "/sys",
        "/dev/fd/7",
    ] {
        let result = place.run(run(bad)).await;
        let is_refused = matches!(result.termination, Termination::NotStarted { reason: NotStarted::Missing, .. });
        assert!(is_refused, "{bad}: {result}");
    }
    for (good, gives) in
        [("in", "/workspace/in\n"), ("in/../in/.", "/workspace/in\n"), ("/plain", "/plain\n"), ("..", "/\n")]
    {
        assert_eq!(place.run(run(good)).await.stdout.text().as_deref(), Some(gives), "{good}");
    }
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d3_an_image_full_of_links_leads_nowhere_else() {
    if !is_there() {
        return;
    }
    let script = "rm -rf /tmp && ln -s /etc /tmp && ln -s /etc /workspace && mkdir /else && rm -rf /var && ln -s /../../../../etc /var \
                  && ln -s /proc/1/root/etc /static && rm /etc/passwd && ln -s /proc/1/environ /etc/passwd";
    let image = Made::new("d3", script, &[]);
    let before = std::fs::read_dir("/etc").unwrap().count();
    let place = Wish::new(json!({"image": image.0, "user": "0:0"})).open().await;
    // The mounts are made within the image's own files, wherever its links point there.
    match place
        .runtime
        .execute(Command::line("echo x >/workspace/canary-d3; echo x >/tmp/canary-d3; ls /workspace"))
        .await
    {
        Ok(result) => assert!(result.termination.is_success(), "{result}"),
        Err(refused) => println!("refused: {refused}"),
    }
    assert_eq!(std::fs::read_dir("/etc").unwrap().count(), before);
    assert!(!std::path::Path::new("/etc/canary-d3").exists());
    place.close().await;
    let named = Wish::new(json!({"image": image.0, "user": "agent"})).open().await;
    assert!(
        named.runtime.execute(Command::argv(["true"])).await.is_err(),
        "a list of users that is a link names nobody"
    );
    named.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d7_nothing_is_copied_into_a_container_that_runs() {
    if !is_there() {
        return;
    }
    let proxy = Proxy::start();
    let place = Wish::new(json!({"host": proxy.endpoint(), "mount_workspace": false})).open().await;
    place.text("echo one >a").await;
    let file = bailiwick::InputFile::new(
        bailiwick::WorkspacePath::new("b").unwrap(),
        bailiwick::InputContent::Bytes(b"two\n".to_vec()),
    );
    place.session.materialize_input_files(vec![file]).await.unwrap();
    assert_eq!(place.text("cat a b").await, "one\ntwo\n");
    let (mut running, mut paused, mut puts) = (false, false, 0);
    for line in proxy.seen() {
        let does =
            |part: &str| line.split(' ').nth(1).is_some_and(|path| path.split('?').next().unwrap().ends_with(part));
        match line.split(' ').next().unwrap() {
            "POST" if does("/unpause") => paused = false,
            "POST" if does("/pause") => paused = true,
            "POST" if does("/start") && line.contains("/containers/") => running = true,
            "POST" if does("/kill") => running = false,
            "PUT" if does("/archive") => {
                puts += 1;
                assert!(!running || paused, "{line}");
            }
            _ => {}
        }
    }
    assert!(puts >= 2, "{puts}");
    place.close().await;
}
