//! The server: started, asked until it answers, watched, and killed for certain.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use tokio::sync::watch;

use super::client::{Answer, Ask, NoAnswer, ask, connect};
use super::config::{HttpConfig, placed};
use super::port::Port;
use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::adapter::{Stage, inputs};
use crate::runtime::{Running, RuntimeEvent, RuntimeResult, SolutionRuntimeError, SubmissionRuntime};
use crate::session::Session;
use crate::spec::{Limit, LimitsConfig};

/// The most that is kept of what a server prints in one step.
const MOST_KEPT: usize = 64 << 10;
/// How long a server that broke a connection may take to be seen as ended.
const LAST_BREATH: Duration = Duration::from_millis(200);

/// How the server's command ended: with its result, or by trouble of the host.
type Ended = Option<Result<Arc<RuntimeResult>, SolutionRuntimeError>>;

/// Where a server can be started: session, runtime, port and the address at which it is reached.
pub(super) type Ground = (Session, Arc<dyn SubmissionRuntime>, (Port, SocketAddr));

/// How a server was found when it was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It answers.
    Ready,
    /// It has ended.
    Ended,
    /// It did not answer in the time that it was given.
    Late(Duration),
    /// Somebody else answers in its place.
    Stranger,
}

/// A server that was started.
pub(super) struct Server {
    ended: watch::Receiver<Ended>,
    printed: Arc<Mutex<[Vec<u8>; 2]>>,
    /// Reads what the server prints; aborted with this, which drops the command and so ends it.
    reader: tokio::task::JoinHandle<()>,
    runtime: Arc<dyn SubmissionRuntime>,
    pub(super) session: Session,
    pub(super) address: SocketAddr,
    pub(super) found: Found,
    pub(super) command: String,
    port: Port,
}

impl Server {
    /// Spawns a runtime on which a server can be reached.
    pub(super) async fn spawn(stage: &Stage, limits: &LimitsConfig) -> Result<Ground, ExecutionError> {
        // Its time is bounded by the requests, each by the limits of its case; it may be silent for as long as it likes.
        let lifted = LimitsConfig { wall_time: Limit::None, idle_time: Limit::None, ..limits.clone() };
        let session = stage.session(&lifted).await?;
        let port = Port::take()?;
        let mut request = stage.request();
        request.ports.insert(port.0, port.0);
        let runtime = session.spawn(request).await?;
        match runtime.address(port.0) {
            Some(address) => Ok((session, runtime, (port, address))),
            None => {
                let message = "the runtime gives no address for the submission's port";
                let error = ExecutionError::new(ErrorKind::Unenforceable, message);
                Err(error.with_hint("choose a runtime that publishes ports"))
            }
        }
    }

    /// Starts the server and waits until it answers, has ended, or its time is up; at another port where somebody else
    /// has taken the first meanwhile.
    pub(super) async fn start(
        stage: &Stage,
        config: &HttpConfig,
        limits: &LimitsConfig,
    ) -> Result<Self, ExecutionError> {
        /// A port that is taken again and again is the submission's own doing.
        const PORTS: usize = 4;
        let mut left = PORTS;
        loop {
            let mut server = Self::begin(stage, config, limits).await?;
            server.found = server.wait_until_ready(config).await;
            left -= 1;
            if left == 0 || !server.is_port_lost() {
                return Ok(server);
            }
            server.close().await?;
        }
    }

    async fn begin(stage: &Stage, config: &HttpConfig, limits: &LimitsConfig) -> Result<Self, ExecutionError> {
        let (session, runtime, (port, address)) = Self::spawn(stage, limits).await?;
        // Where nothing stands between it and the host, it must not be reached from elsewhere.
        let listen = IpAddr::V4(if session.is_bare() { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED });
        let words = inputs::words(&session, &config.args)?;
        let words: Vec<String> = words.iter().map(|word| placed(word, listen, port.0)).collect();
        let mut command = stage.command.with(&words);
        command.env.insert("PORT".to_owned(), port.0.to_string());
        command.env.insert("HOST".to_owned(), listen.to_string());
        for (name, value) in inputs::map(&session, &config.env)? {
            command.env.insert(name, placed(&value, listen, port.0));
        }
        let running = runtime.stream(command).await?;
        let (sender, ended) = watch::channel(None);
        let printed = Arc::default();
        let reader = tokio::spawn(read(running, Arc::clone(&printed), sender));
        let text = stage.command.text();
        let command = if words.is_empty() { text } else { format!("{text} {}", shell_words::join(&words)) };
        let found = Found::Ended;
        Ok(Self { ended, printed, reader, runtime, session, address, found, command, port })
    }

    async fn wait_until_ready(&self, config: &HttpConfig) -> Found {
        const PATIENCE: Duration = Duration::from_secs(1);
        let (began, allowed) = (Instant::now(), config.ready_time.0);
        let mut pause = Duration::from_millis(2);
        while began.elapsed() < allowed {
            let request = Ask { method: "GET", target: &config.ready_path, headers: Vec::new(), body: None };
            let asked = tokio::time::timeout(PATIENCE.min(allowed), self.ask(&request));
            tokio::select! {
                biased;
                _ = self.has_ended() => return Found::Ended,
                answer = asked => match answer {
                    Ok(Ok(answer)) if answer.status < 500 => return Found::Ready,
                    Ok(Err(NoAnswer::Stranger)) => return Found::Stranger,
                    Ok(_) | Err(_) => {}
                },
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
        Found::Late(allowed)
    }

    /// Says whether somebody else has the port, and that is why the server was not found there.
    fn is_port_lost(&self) -> bool {
        match self.found {
            Found::Ready | Found::Late(_) => false,
            Found::Stranger => true,
            // Nothing of it is alive: what is still there is not its own. An address of the guest's own is nobody else's.
            Found::Ended => self.address.ip().is_loopback() && self.port.is_taken(),
        }
    }

    /// Asks the server, and nobody else.
    pub(super) async fn ask(&self, request: &Ask<'_>) -> Result<Answer, NoAnswer> {
        ask(connect(&*self.runtime, self.address).await?, request).await
    }

    /// Waits for the end of the server.
    ///
    /// Cancel safe.
    async fn has_ended(&self) -> Ended {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(ended) => ended.clone(),
            // The reader is gone without an end: it was aborted.
            Err(_) => Some(Err(SolutionRuntimeError::Cancelled)),
        }
    }

    /// Gives how the server ended, if it has, or does within the blink of an eye where a connection broke.
    pub(super) async fn end(&self, broke: bool) -> Result<Option<Arc<RuntimeResult>>, ExecutionError> {
        let now = self.ended.borrow().clone();
        let ended = match now {
            None if broke => tokio::time::timeout(LAST_BREATH, self.has_ended()).await.unwrap_or_default(),
            now => now,
        };
        Ok(ended.transpose()?)
    }

    /// Takes what the server printed since the last call.
    pub(super) fn take_printed(&self) -> [Vec<u8>; 2] {
        std::mem::take(&mut *self.printed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Kills the server and everything that it started.
    pub(super) async fn close(self) -> Result<(), ExecutionError> {
        let killed = self.runtime.kill().await.map_err(ExecutionError::from).err();
        let cleaned = self.runtime.cleanup().await.err();
        self.reader.abort();
        let closed = self.session.close().await.err();
        ExecutionError::first_of(killed.into_iter().chain(cleaned).chain(closed)).map_or(Ok(()), Err)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read(mut running: Running, printed: Arc<Mutex<[Vec<u8>; 2]>>, ended: watch::Sender<Ended>) {
    let put = |index: usize, bytes: &[u8]| {
        let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MOST_KEPT.saturating_sub(printed[index].len()).min(bytes.len());
        printed[index].extend_from_slice(&bytes[..room]);
    };
    while let Some(event) = running.next().await {
        match event {
            Ok(RuntimeEvent::Stdout(bytes)) => put(0, &bytes),
            Ok(RuntimeEvent::Stderr(bytes)) => put(1, &bytes),
            Ok(RuntimeEvent::Finished(result)) => drop(ended.send(Some(Ok(result)))),
            Err(error) => drop(ended.send(Some(Err(error)))),
        }
    }
}
