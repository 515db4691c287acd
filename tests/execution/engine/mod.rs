//! What the tests of Docker share: whether there is an engine, the images that they run in, and a look past the runtime.

#![expect(dead_code, reason = "each test program uses its part")]
#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]

pub(crate) mod place;
pub(crate) mod proxy;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;

/// The small image: one static binary with a shell and its tools.
pub(crate) const SMALL: &str = "bailiwick-test/busybox:latest";
/// A Debian with Python.
pub(crate) const PYTHON: &str = "bailiwick-test/python:latest";
/// Where the engine of the tests listens.
pub(crate) const SOCKET: &str = "/var/run/docker.sock";

/// Says whether the tests of Docker can run here; prints one line where they cannot, and fails in CI.
pub(crate) fn is_there() -> bool {
    let missing = match Raw::get("/images/json") {
        Err(error) => Some(format!("no engine answers at {SOCKET}: {error}")),
        Ok(images) => {
            let has = |name: &str| images.to_string().contains(name);
            let missing = [SMALL, PYTHON].into_iter().find(|name| !has(name));
            missing.map(|name| format!("there is no image {name}"))
        }
    };
    let Some(why) = missing else { return true };
    let how = "start dockerd, then `bash tests/data/docker/images.sh`";
    assert!(std::env::var_os("CI").is_none(), "the tests of Docker must run in CI: {why}; {how}");
    println!("skipped: {why}; to have it, {how}");
    false
}

/// The engine's API, spoken by hand: the tests do not see the engine through the eyes of what they test.
#[derive(Debug)]
pub(crate) struct Raw;

impl Raw {
    /// Asks for something.
    pub(crate) fn get(path: &str) -> std::io::Result<Value> {
        Self::call("GET", path, None).map(|(_, body)| body)
    }

    /// Asks with a method and a body; gives the status and the answer.
    pub(crate) fn call(method: &str, path: &str, body: Option<&Value>) -> std::io::Result<(u16, Value)> {
        let mut stream = UnixStream::connect(SOCKET)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let head = format!(
            "{method} /v1.41{path} HTTP/1.0\r\nHost: engine\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
    }

    /// Lists the containers of ours that exist, running or not, with a label of this value.
    pub(crate) fn containers(label: &str) -> Vec<Value> {
        let filters =
            format!("{{\"label\":[\"{label}\"]}}").replace('"', "%22").replace('{', "%7B").replace('}', "%7D");
        let listed = Self::get(&format!("/containers/json?all=1&filters={filters}")).unwrap();
        listed.as_array().unwrap().clone()
    }

    /// Describes a container.
    pub(crate) fn inspect(container: &str) -> Value {
        Self::get(&format!("/containers/{container}/json")).unwrap()
    }
}

/// An image that a test made, removed with it.
pub(crate) struct Made(pub(crate) String);

impl Made {
    /// Makes an image of the small one: what a script leaves, and the settings that these lines of a Dockerfile give.
    pub(crate) fn new(name: &str, script: &str, changes: &[&str]) -> Self {
        let name = format!("bailiwick-test/{name}-{}", std::process::id());
        let body = serde_json::json!({
            "Image": SMALL, "User": "0:0", "Cmd": ["/bin/sh", "-c", script], "Labels": {"bailiwick-test": "made"},
        });
        let (_, made) = Raw::call("POST", "/containers/create", Some(&body)).unwrap();
        let id = made["Id"].as_str().unwrap().to_owned();
        Raw::call("POST", &format!("/containers/{id}/start"), None).unwrap();
        let (_, waited) = Raw::call("POST", &format!("/containers/{id}/wait"), None).unwrap();
        assert_eq!(waited["StatusCode"], 0, "{script}");
        let encode = |text: &str| {
            let one = |byte: u8| {
                if byte.is_ascii_alphanumeric() { (byte as char).to_string() } else { format!("%{byte:02X}") }
            };
            text.bytes().map(one).collect::<String>()
        };
        let changes: String = changes.iter().map(|change| format!("&changes={}", encode(change))).collect();
        let (repo, none) = (encode(&name), serde_json::json!({}));
        let path = format!("/commit?container={id}&repo={repo}&tag=latest{changes}");
        let (status, said) = Raw::call("POST", &path, Some(&none)).unwrap();
        assert_eq!(status, 201, "{said}");
        Raw::call("DELETE", &format!("/containers/{id}?force=1"), None).unwrap();
        Self(name)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = Raw::call("DELETE", &format!("/images/{}?force=1", self.0), None);
    }
}
