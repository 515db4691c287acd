//! What every container is made of, and what of the host it can see.

use std::io::Write as _;
use std::net::TcpListener;

use bailiwick::{Command, ErrorKind, ExecutionError, SpawnRequest};
use serde_json::json;

use crate::engine::place::Wish;
use crate::engine::{PYTHON, is_there};

#[tokio::test(flavor = "multi_thread")]
async fn d1_the_defaults_are_what_inspect_shows() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({"read_only_root": true})).open().await;
    assert_eq!(
        place.text("id -u; grep -E 'CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status | cut -f2").await.trim(),
        "1000\n0000000000000000\n0000000000000000\n1\n2"
    );
    let container = place.inspect();
    let host = &container["HostConfig"];
    for (key, value) in [
        ("CapDrop", json!(["ALL"])),
        ("CapAdd", json!([])),
        ("SecurityOpt", json!(["no-new-privileges"])),
        ("ReadonlyRootfs", json!(true)),
        ("Privileged", json!(false)),
        ("NetworkMode", json!("none")),
        ("IpcMode", json!("private")),
        ("PidMode", json!("")),
        ("Init", json!(true)),
        ("PidsLimit", json!(66)),
        ("Memory", json!(512 << 20)),
        ("MemorySwap", json!(512 << 20)),
        ("AutoRemove", json!(false)),
    ] {
        assert_eq!(host[key], value, "{key}");
    }
    assert!(host["Devices"].as_array().is_none_or(Vec::is_empty), "{}", host["Devices"]);
    assert_eq!(host["LogConfig"]["Type"], "none");
    let mounts = container["Mounts"].to_string();
    assert!(!mounts.contains("docker.sock") && container["Mounts"].as_array().unwrap().len() == 1, "{mounts}");
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d9_nothing_is_reached() {
    if !is_there() {
        return;
    }
    // Our own hosts alone: a port on loopback, one on the address that containers have us under, an abstract socket.
    let loopback = TcpListener::bind("127.0.0.1:0").unwrap();
    let every = TcpListener::bind("0.0.0.0:0").unwrap();
    let abstract_name = format!("bailiwick-d9-{}", std::process::id());
    let address =
        <std::os::unix::net::SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(&abstract_name)
            .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
    let script = format!(
        "import socket\n\
         def tried(make):\n    try:\n        make(); print('reached')\n    except OSError: print('refused')\n\
         tried(lambda: socket.create_connection(('127.0.0.1', {}), 2))\n\
         tried(lambda: socket.create_connection(('172.17.0.1', {}), 2))\n\
         tried(lambda: socket.getaddrinfo('localhost.example', 80))\n\
         tried(lambda: socket.socket(socket.AF_UNIX).connect('\\0{abstract_name}'))\n\
         tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))\n\
         tried(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).connect(('fe80::1', 80, 0, 2)))\n",
        loopback.local_addr().unwrap().port(),
        every.local_addr().unwrap().port(),
    );
    let place = Wish::new(json!({"image": PYTHON})).open().await;
    assert_eq!(place.text("ls /sys/class/net").await, "lo\n");
    let result = place.run(Command::argv(["python3", "-c", &script])).await;
    assert_eq!(result.stdout.text().as_deref(), Some("refused\n".repeat(6).as_str()), "{result}");
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d11_what_looks_like_frames_is_output() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({})).open().await;
    let frames: [&[u8]; 4] =
        [b"\x01\0\0\0\0\0\0\x05hello", b"\x02\0\0\0\xff\xff\xff\xff", b"\x03\0\0\0\0\0\0\0", b"\0\0\0\0\0\0\x10\0\r\n"];
    let bytes = frames.concat().repeat(1000);
    let result = place.run(Command::line("cat; cat >&2 </dev/null").grant_stdin(bytes.clone())).await;
    assert!(result.stdout.kept == bytes && result.stderr.bytes == 0, "{} bytes", result.stdout.bytes);
    for part in frames {
        let result = place.run(Command::line("tee /dev/stderr").grant_stdin(part.to_vec())).await;
        assert_eq!((&result.stdout.kept[..], &result.stderr.kept[..]), (part, part));
    }
    let mut command = Command::argv(["true"]);
    command.tty = true;
    let error = ExecutionError::from(place.runtime.execute(command).await.unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Unenforceable);
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d12_secrets_are_in_no_description() {
    if !is_there() {
        return;
    }
    const SECRET: &str = "sesame-4711";
    let environment = json!({"env": {"OF_SPEC": SECRET}});
    let mut request = SpawnRequest::default();
    request.env.insert("OF_SPAWN".to_owned(), SECRET.to_owned());
    let place = Wish::new(json!({"user": "0:0"})).with("environment", environment).request(request).open().await;
    let mut command = Command::line("echo $OF_SPEC $OF_SPAWN $OF_COMMAND; tr '\\0' '\\n' </proc/1/environ");
    command.env.insert("OF_COMMAND".to_owned(), SECRET.to_owned());
    let printed = place.run(command).await.stdout.text().unwrap();
    let (own, of_keeper) = printed.split_once('\n').unwrap();
    assert_eq!(own, format!("{SECRET} {SECRET} {SECRET}"));
    assert!(!of_keeper.contains(SECRET), "{of_keeper}");
    let container = place.inspect();
    assert!(!container.to_string().contains(SECRET));
    assert!(!format!("{:?}", place.runtime).contains("/proc/1"), "the canary of the test itself");
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d18_what_shows_the_host_or_the_engine_is_not_mounted() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let link = |name: &str, target: &str| {
        std::os::unix::fs::symlink(target, dir.path().join(name)).unwrap();
        dir.path().join(name).to_str().unwrap().to_owned()
    };
    let links = [link("root", "/"), link("socket", "/var/run/docker.sock"), link("proc", "/proc/self")];
    let named = [
        "/",
        "/var",
        "/var/run/docker.sock",
        "/run",
        "/proc",
        "/sys/fs",
        "/dev",
        "/etc",
        "/etc/shadow",
        "/var/lib/docker",
        "/tmp/../proc",
        "/var/lib",
        "/nowhere/at/all",
        "../..",
        "a/../../b",
    ];
    for host in named.into_iter().map(str::to_owned).chain(links) {
        let extra = json!({&host: {"bind": "/shown", "mode": "ro"}});
        let error = Wish::new(json!({"extra_mounts": extra})).try_open().await.err();
        let error = error.unwrap_or_else(|| panic!("{host} was mounted"));
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{host}: {error:?}");
        if host.starts_with('/') {
            let mut request = SpawnRequest::default();
            request.mounts.push(bailiwick::Mount {
                host: host.clone().into(),
                guest: "/shown".to_owned(),
                writable: true,
            });
            let error = Wish::new(json!({})).request(request).try_open().await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Forbidden, "{host}: {error:?}");
        }
    }
}

/// A link in the workspace, where a mount of the spec leads to, is not followed when the container starts again.
#[tokio::test(flavor = "multi_thread")]
async fn d18_a_guest_cannot_turn_a_mount_into_a_link() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({"extra_mounts": {"inner": {"bind": "/inner", "mode": "ro"}}})).open().await;
    let file = bailiwick::InputFile::new(
        bailiwick::WorkspacePath::new("inner/a").unwrap(),
        bailiwick::InputContent::Bytes(b"own\n".to_vec()),
    );
    place.session.materialize_input_files(vec![file]).await.unwrap();
    assert_eq!(place.text("cat /inner/a; rm -rf inner; ln -s /etc inner; ls -d inner").await, "own\ninner\n");
    place.runtime.kill().await.unwrap();
    // Killed, so that it must be started again: by hand, since nothing ran.
    let id = place.containers().remove(0);
    crate::engine::Raw::call("POST", &format!("/containers/{id}/kill"), None).unwrap();
    let error = ExecutionError::from(place.runtime.execute(Command::line("ls /inner")).await.unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error:?}");
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d20_what_root_made_can_be_read_and_removed_and_no_setuid_counts() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({"user": "0:0"})).open().await;
    place.text("echo secret >a; chmod 0600 a; mkdir -m 0700 d; echo deep >d/e; chmod 0 d; mkdir b; cp /bin/busybox b; chmod 4755 b/busybox").await;
    let contents = place.session.get_file_contents(&["a"]).await.unwrap();
    assert!(format!("{contents:?}").contains("secret"), "{contents:?}");
    let mut request = SpawnRequest::default();
    request.options.insert("user".to_owned(), json!("1000:1000"));
    let other = place.session.spawn(request).await.unwrap();
    let result = other.execute(Command::line("./b/busybox id -u; /bin/busybox id -u")).await.unwrap();
    assert_eq!(result.stdout.text().as_deref(), Some("1000\n1000\n"), "{result}");
    std::io::stdout().flush().unwrap();
    drop(other);
    place.session.close().await.unwrap();
}
