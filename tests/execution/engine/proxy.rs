//! A socket between the runtime and the engine: it writes down what is asked, and can answer, stall or cut.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::SOCKET;

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Do {
    /// It goes to the engine.
    Forward,
    /// It is answered here: a status, and a body.
    Answer(u16, String),
    /// It is never answered.
    Stall,
    /// It goes to the engine after a while.
    Late(Duration),
    /// The connection is closed.
    Cut,
    /// It goes to the engine, and the connection is closed when the engine answers.
    Lose,
    /// It goes to the engine, and its answer to nobody.
    Hold,
}

type Rule = Arc<dyn Fn(&str) -> Do + Send + Sync>;

/// A way to the engine that the test holds in its hand.
pub(crate) struct Proxy {
    dir: tempfile::TempDir,
    rule: Arc<Mutex<Rule>>,
    seen: Arc<Mutex<Vec<String>>>,
    state: watch::Sender<State>,
}

/// What becomes of connections that are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Stalled,
    Cut,
}

impl Proxy {
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("sock")).unwrap();
        let rule: Arc<Mutex<Rule>> = Arc::new(Mutex::new(Arc::new(|_: &str| Do::Forward)));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (state, states) = watch::channel(State::Open);
        let (rules, requests) = (Arc::clone(&rule), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (rules, requests, states) = (Arc::clone(&rules), Arc::clone(&requests), states.clone());
                tokio::spawn(async move { serve(stream, rules, requests, states).await });
            }
        });
        Self { dir, rule, seen, state }
    }

    /// Gives the endpoint, as a spec writes it.
    pub(crate) fn endpoint(&self) -> Value {
        let path: PathBuf = self.dir.path().join("sock");
        format!("unix://{}", path.display()).into()
    }

    /// Decides from now on: by the request line, as `GET /v1.41/exec/…/json`.
    pub(crate) fn rule(&self, rule: impl Fn(&str) -> Do + Send + Sync + 'static) {
        *self.rule.lock().unwrap() = Arc::new(rule);
    }

    /// Lists the requests so far, without ids and versions.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Closes every connection, and takes no more.
    pub(crate) fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Passes nothing on any more, and closes nothing.
    pub(crate) fn stall(&self) {
        self.state.send_replace(State::Stalled);
    }
}

async fn serve(
    mut client: UnixStream,
    rules: Arc<Mutex<Rule>>,
    seen: Arc<Mutex<Vec<String>>>,
    mut states: watch::Receiver<State>,
) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut byte = [0; 4096];
        match client.read(&mut byte).await {
            Ok(count @ 1..) => head.extend_from_slice(&byte[..count]),
            _ => return,
        }
    }
    let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
    seen.lock().unwrap().push(line.clone());
    let decided = match *states.borrow() {
        State::Open => (rules.lock().unwrap())(&line),
        State::Stalled => Do::Stall,
        State::Cut => Do::Cut,
    };
    match decided {
        Do::Cut => {}
        Do::Stall => {
            let _ = states.wait_for(|state| *state == State::Cut).await;
        }
        Do::Answer(status, body) => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = client.write_all(head.as_bytes()).await;
            let _ = client.write_all(body.as_bytes()).await;
        }
        Do::Lose | Do::Hold => {
            let Ok(engine) = UnixStream::connect(SOCKET).await else { return };
            let ((mut from_client, _to_client), (mut answer, mut engine)) = (client.into_split(), engine.into_split());
            if engine.write_all(&head).await.is_err() {
                return;
            }
            let mut first = [0; 1];
            let rest = async {
                let _ = tokio::io::copy(&mut from_client, &mut engine).await;
                // A request that has ended is still to be answered.
                std::future::pending::<()>().await;
            };
            tokio::select! {
                _ = answer.read(&mut first) => {}
                () = rest => {}
            }
            if let Do::Hold = decided {
                let _ = states.wait_for(|state| *state == State::Cut).await;
            }
        }
        Do::Forward | Do::Late(_) => {
            if let Do::Late(late) = decided {
                tokio::time::sleep(late).await;
            }
            let Ok(mut engine) = UnixStream::connect(SOCKET).await else { return };
            if engine.write_all(&head).await.is_err() {
                return;
            }
            let stopped = async {
                let _ = states.wait_for(|state| *state != State::Open).await;
            };
            let is_stopped = tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut client, &mut engine) => false,
                () = stopped => true,
            };
            if is_stopped {
                // The engine's end stays open too: it is the way that is broken.
                let _ = states.wait_for(|state| *state == State::Cut).await;
            }
        }
    }
}
