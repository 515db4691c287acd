//! Every key of the section and of a spawn, seen by a look at the container or from inside.

use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bailiwick::{Command, ErrorKind, Mount, RuntimeEvent, SpawnRequest};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::engine::place::Wish;
use crate::engine::{PYTHON, Raw, SMALL, is_there};

#[tokio::test(flavor = "multi_thread")]
async fn image_and_user_and_workdir() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({"user": "1500:1600", "workdir": "/deep/er"})).open().await;
    assert_eq!(place.text("pwd; id -u; id -g; touch here; stat -c %u here").await, "/deep/er\n1500\n1600\n1500\n");
    let container = place.inspect();
    let image = Raw::get(&format!("/images/{SMALL}/json")).unwrap();
    assert_eq!(container["Image"], image["Id"]);
    assert_eq!(container["Config"]["User"], "0:0", "the keeper is root, without capabilities");
    place.close().await;
    let named = Wish::new(json!({"user": "nobody"})).open().await;
    assert_eq!(named.text("id -u; touch here; stat -c %u here").await, "65534\n65534\n");
    named.close().await;
    let nobody = Wish::new(json!({"user": "no-such-user"})).open().await;
    let error = bailiwick::ExecutionError::from(nobody.runtime.execute(Command::argv(["true"])).await.unwrap_err());
    assert!(error.to_string().contains("no-such-user") && error.hint().is_some(), "{error:?}");
    nobody.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_options_of_a_spawn_win() {
    if !is_there() {
        return;
    }
    let mut request = SpawnRequest::default();
    request.options.insert("image".to_owned(), json!(PYTHON));
    request.options.insert("user".to_owned(), json!("1234:5678"));
    let place = Wish::new(json!({"user": "0:0"})).request(request).open().await;
    assert_eq!(place.text("id -u; id -g; python3 -c 'print(6 * 7)'").await, "1234\n5678\n42\n");
    place.close().await;
    let mut unknown = SpawnRequest::default();
    unknown.options.insert("imag".to_owned(), json!(PYTHON));
    let error = Wish::new(json!({})).request(unknown).try_open().await.err().unwrap();
    assert!(error.to_string().contains("imag"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_root_cap_add_tmpfs_and_runtime() {
    if !is_there() {
        return;
    }
    let section = json!({"read_only_root": true, "cap_add": ["CHOWN"], "tmpfs": {"/scratch": "1MiB"}, "runtime": "runc", "user": "0:0"});
    let place = Wish::new(section).open().await;
    let host = place_host(
        &place.text("touch /x 2>/dev/null || echo closed; touch /tmp/x /scratch/x w && echo open").await,
        &place,
    );
    assert_eq!(host["ReadonlyRootfs"], true);
    assert_eq!((&host["CapDrop"], &host["CapAdd"]), (&json!(["ALL"]), &json!(["CHOWN"])));
    assert_eq!(host["Runtime"], "runc");
    assert_eq!(place.text("touch c && chown 7 c && stat -c %u c").await, "7\n");
    let full = place.text("head -c 2000000 /dev/zero >/scratch/big 2>/dev/null || stat -c %s /scratch/big").await;
    assert_eq!(full, "1048576\n");
    place.close().await;
}

fn place_host(printed: &str, place: &crate::engine::place::Place) -> Value {
    assert_eq!(printed, "closed\nopen\n");
    place.inspect()["HostConfig"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn mounts_of_the_spec_and_of_the_spawn() {
    if !is_there() {
        return;
    }
    let dirs: Vec<tempfile::TempDir> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    for (n, dir) in dirs.iter().enumerate() {
        std::io::Write::write_all(&mut std::fs::File::create(dir.path().join("n")).unwrap(), n.to_string().as_bytes())
            .unwrap();
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    }
    let path = |n: usize| dirs[n].path().to_str().unwrap().to_owned();
    let mut request = SpawnRequest::default();
    request.mounts = vec![Mount { host: PathBuf::from(path(2)), guest: "/two".to_owned(), writable: true }];
    let extra = json!({path(0): "/zero", path(1): {"bind": "/two", "mode": "ro"}});
    let place = Wish::new(json!({"extra_mounts": extra})).request(request).open().await;
    assert_eq!(
        place.text("cat /zero/n /two/n; touch /zero/x 2>/dev/null || echo closed; touch /two/x && echo open").await,
        "02closed\nopen\n"
    );
    assert!(dirs[2].path().join("x").exists() && !dirs[1].path().join("x").exists());
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relative_mount_lies_in_the_workspace() {
    if !is_there() {
        return;
    }
    let place =
        Wish::new(json!({"extra_mounts": {"vendor": {"bind": "/vendor", "mode": "rw"}}})).try_open().await.unwrap();
    let error = bailiwick::ExecutionError::from(place.runtime.execute(Command::argv(["true"])).await.unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("no such path"), "{error}");
    let file = bailiwick::InputFile::new(
        bailiwick::WorkspacePath::new("vendor/a").unwrap(),
        bailiwick::InputContent::Bytes(b"in\n".to_vec()),
    );
    place.session.materialize_input_files(vec![file]).await.unwrap();
    assert_eq!(place.text("cat /vendor/a; echo out >/vendor/b; cat vendor/b").await, "in\nout\n");
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_about_the_network_means_none_but_for_the_setup() {
    if !is_there() {
        return;
    }
    const LINKS: &str = "ls /sys/class/net";
    let place = Wish::new(json!({})).open().await;
    assert_eq!(place.text(LINKS).await, "lo\n");
    assert_eq!(place.inspect()["HostConfig"]["NetworkMode"], "none");
    place.close().await;
    let setup = json!({"commands": [LINKS], "on_failure": "fail"});
    let place = Wish::new(json!({})).with("setup", setup.clone()).open().await;
    assert_eq!(place.runtime.setup()[0].stdout.text().as_deref(), Some("eth0\nlo\n"));
    assert_eq!(place.text(LINKS).await, "lo\n");
    place.close().await;
    let place = Wish::new(json!({"network": "bridge"})).with("setup", setup).open().await;
    assert_eq!(place.text(LINKS).await, "eth0\nlo\n");
    place.close().await;
    let place = Wish::new(json!({"network": "no-such-network"})).open().await;
    let error = bailiwick::ExecutionError::from(place.runtime.execute(Command::argv(["true"])).await.unwrap_err());
    assert!(error.hint().is_some() && error.kind() == ErrorKind::Unenforceable, "{error:?}");
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_command_waits_for_the_network_of_the_setup_to_be_left() {
    if !is_there() {
        return;
    }
    let wish = Wish::new(json!({})).with("setup", json!({"commands": ["true"]}));
    let registry = wish.registry();
    let session = bailiwick::Session::builder(&registry, wish.spec(&registry)).open().await.unwrap();
    // Nothing that is done later gets its turn before the command.
    let (release, held) = std::sync::mpsc::channel::<()>();
    registry.reaper().enqueue(move || {
        let _ = held.recv();
        Ok(())
    });
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let result = runtime.execute(Command::line("ls /sys/class/net")).await.unwrap();
    assert_eq!(result.stdout.text().as_deref(), Some("lo\n"), "{result}");
    drop(release);
    session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_port_is_reached_on_loopback_or_at_the_container() {
    if !is_there() {
        return;
    }
    for network in [Some("bridge"), None] {
        let mut request = SpawnRequest::default();
        request.ports.insert(free_port(), 8080);
        let section = network.map_or(json!({}), |network| json!({"network": network}));
        let place = Wish::new(section).request(request).open().await;
        let address = place.runtime.address(8080).unwrap();
        assert_eq!(address.ip().is_loopback(), network.is_some());
        assert!(place.runtime.listens_on().is_unspecified());
        let serve = "echo up; while :; do echo served | nc -l -p 8080; done";
        let mut running = place.runtime.stream(Command::line(serve)).await.unwrap();
        assert!(matches!(running.next().await, Some(Ok(RuntimeEvent::Stdout(_)))));
        assert_eq!(read_from(address), "served\n", "{address}");
        drop(running);
        place.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_said_to_be() {
    if !is_there() {
        return;
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut request = SpawnRequest::default();
    request.ports.insert(taken.local_addr().unwrap().port(), 80);
    let wish = Wish::new(json!({"network": "bridge"})).request(request);
    let error = wish.try_open().await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.hint().unwrap().contains("another port"), "{error:?}");
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Reads what a server sends, which may not listen yet.
fn read_from(address: std::net::SocketAddr) -> String {
    let began = Instant::now();
    loop {
        let mut text = String::new();
        let read = TcpStream::connect_timeout(&address, Duration::from_secs(1)).and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            std::io::Read::read_to_string(&mut stream, &mut text)
        });
        if read.is_ok() && !text.is_empty() {
            return text;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{read:?}");
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_may_be_kept() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({"keep_container_after_clean": true})).open().await;
    place.text("true").await;
    let id = place.containers().remove(0);
    place.session.close().await.unwrap();
    drop(place.runtime);
    assert_eq!(Raw::inspect(&id)["State"]["Running"], false);
    assert_eq!(Raw::call("DELETE", &format!("/containers/{id}?force=1"), None).unwrap().0, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_are_granted_and_the_images_own_are_kept() {
    if !is_there() {
        return;
    }
    let environment = json!({"env": {"A": "one", "LANG": "C"}});
    let place = Wish::new(json!({})).with("environment", environment).open().await;
    let mut command = Command::line("echo $HOME $TMPDIR $PWD $LANG $A $B; echo $PATH");
    command.env.insert("B".to_owned(), "two".to_owned());
    let result = place.run(command).await;
    let text = result.stdout.text().unwrap();
    assert!(text.starts_with("/tmp /tmp /workspace C one two\n/usr/local/sbin:"), "{text}");
    let mut inside = Command::line("echo $PWD; pwd");
    inside.cwd = Some("/tmp".to_owned());
    assert_eq!(place.run(inside).await.stdout.text().as_deref(), Some("/tmp\n/tmp\n"));
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn assets_are_mounted_read_only() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    std::io::Write::write_all(&mut std::fs::File::create(dir.path().join("t.csv")).unwrap(), b"a,b\n").unwrap();
    let base =
        std::sync::Arc::new(cap_std::fs::Dir::open_ambient_dir(dir.path(), cap_std::ambient_authority()).unwrap());
    let config = bailiwick::StaticAssetConfig::new("t.csv");
    let asset = bailiwick::ResolvedStaticAsset::resolve(&base, "table", &config).unwrap();
    let wish = Wish::new(json!({}));
    let registry = wish.registry();
    let session =
        bailiwick::Session::builder(&registry, wish.spec(&registry)).grant_assets(vec![asset]).open().await.unwrap();
    assert_eq!(session.resolve_static_placeholder("{{static:table}}").unwrap(), "/static/t.csv");
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let line = "cat /static/t.csv; echo x >/static/t.csv || echo closed; touch /static/y || echo closed";
    let result = runtime.execute(Command::line(line)).await.unwrap();
    assert_eq!(result.stdout.text().as_deref(), Some("a,b\nclosed\nclosed\n"));
    drop(runtime);
    session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_not_there_and_an_engine_that_does_not_answer() {
    if !is_there() {
        return;
    }
    let error = Wish::new(json!({"image": "bailiwick-test/no-such-image"})).try_open().await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.to_string().contains("no-such-image") && error.hint().is_some(), "{error:?}");
    let error = Wish::new(json!({"host": "unix:///nowhere/at/all.sock"})).try_open().await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.to_string().contains("/nowhere/at/all.sock") && error.hint().is_some(), "{error:?}");
    let error = Wish::new(json!({"host": "tcp://127.0.0.1:1"})).try_open().await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_looked_up_in_the_container() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({})).open().await;
    assert!(place.runtime.resolve("sh").await.is_ok());
    assert!(place.runtime.resolve("/bin/cat").await.is_ok());
    assert!(place.runtime.resolve("no-such-program").await.is_err());
    assert!(place.runtime.resolve("./absent").await.is_err());
    place.close().await;
}
