//! An engine that is none: it answers what a client needs to run one command, and one answer is hostile.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Runtime;

use super::driver::Chance;

/// How often an answer is hostile, before it is as it should be: what never changes is waited for, which takes a minute.
const HOSTILE: u32 = 3;

/// Which answer is hostile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Attach,
    Archive,
    Exec,
    Inspect,
    Events,
    Stats,
    Image,
    Info,
    Version,
    Create,
}

const PLACES: [(&str, Place); 10] = [
    ("attach", Place::Attach),
    ("archive", Place::Archive),
    ("exec", Place::Exec),
    ("inspect", Place::Inspect),
    ("events", Place::Events),
    ("stats", Place::Stats),
    ("image", Place::Image),
    ("info", Place::Info),
    ("version", Place::Version),
    ("create", Place::Create),
];

/// One hostile answer, and where it is cut into pieces on the way.
#[derive(Clone, Debug)]
pub(crate) struct Says {
    pub(crate) place: Place,
    pub(crate) bytes: Vec<u8>,
    pieces: Vec<usize>,
}

impl Place {
    /// Says whether a client asks it once for all sessions.
    pub(crate) fn is_asked_once(self) -> bool {
        matches!(self, Self::Info | Self::Version)
    }

    /// Says whether it is asked of every command.
    pub(crate) fn is_of_commands(self) -> bool {
        matches!(self, Self::Attach | Self::Archive | Self::Exec | Self::Events | Self::Stats)
    }
}

impl Says {
    /// Reads an input: a line that names the place, and what is said there.
    pub(crate) fn read(input: &[u8], chance: &mut Chance) -> Self {
        let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        let named = PLACES.iter().find(|(name, _)| name.as_bytes() == &input[..end]);
        // What names no place are frames, or an archive.
        let place = named.map_or(PLACES[chance.below(2)].1, |(_, place)| *place);
        let bytes = if named.is_some() { input[end + 1..].to_vec() } else { input.to_vec() };
        let pieces = (0..chance.below(4)).map(|_| 1 + chance.below(bytes.len() + 1)).collect();
        Self { place, bytes, pieces }
    }
}

pub(crate) struct Engine {
    dir: tempfile::TempDir,
    says: Arc<Mutex<Option<(Says, u32)>>>,
}

impl Engine {
    pub(crate) fn start(runtime: &Runtime) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let says = Arc::new(Mutex::new(None));
        let (path, told) = (dir.path().join("sock"), Arc::clone(&says));
        let listener = runtime.block_on(async { UnixListener::bind(path).unwrap() });
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&told)));
            }
        });
        Self { dir, says }
    }

    pub(crate) fn endpoint(&self) -> String {
        let path: PathBuf = self.dir.path().join("sock");
        format!("unix://{}", path.display())
    }

    /// Says nothing hostile from now on.
    pub(crate) fn be_sound(&self) {
        *self.says.lock().unwrap() = None;
    }

    /// Says this from now on, at first.
    pub(crate) fn say(&self, says: Says) {
        *self.says.lock().unwrap() = Some((says, 0));
    }
}

async fn serve(mut client: UnixStream, says: Arc<Mutex<Option<(Says, u32)>>>) {
    let Some(line) = request(&mut client).await else { return };
    let (place, status, kind, usual) = answer(&line);
    let said = says.lock().unwrap().as_mut().filter(|(says, _)| Some(says.place) == place).and_then(|(says, times)| {
        *times += 1;
        (*times <= HOSTILE).then(|| says.clone())
    });
    let head = if place == Some(Place::Attach) {
        "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n".to_owned()
    } else {
        format!("HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n")
    };
    if client.write_all(head.as_bytes()).await.is_err() {
        return;
    }
    let (bytes, pieces) = said.map_or((usual.to_vec(), Vec::new()), |says| (says.bytes, says.pieces));
    let mut rest = &bytes[..];
    for piece in pieces {
        let (now, later) = rest.split_at(piece.min(rest.len()));
        let _ = client.write_all(now).await;
        tokio::task::yield_now().await;
        rest = later;
    }
    let _ = client.write_all(rest).await;
    if line.contains("/events") {
        // It tells for as long as somebody listens.
        let _ = client.read(&mut [0; 16]).await;
    }
    let _ = client.shutdown().await;
}

/// Reads a request to its end; gives its first line.
async fn request(client: &mut UnixStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let count = client.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        read.extend_from_slice(&buffer[..count]);
        let Some(end) = read.windows(4).position(|end| end == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
        let is_chunked = head.contains("transfer-encoding: chunked");
        let is_whole =
            if is_chunked { read.ends_with(b"\r\n0\r\n\r\n") } else { read.len() >= end + 4 + length.unwrap_or(0) };
        if is_whole {
            return Some(String::from_utf8_lossy(&read).lines().next()?.to_owned());
        }
    }
}

/// Gives what a sound engine answers: its place, a status, the type and the body.
fn answer(line: &str) -> (Option<Place>, u16, &'static str, &'static [u8]) {
    const JSON: &str = "application/json";
    const TAR: &[u8] = include_bytes!("../data/fuzz/frames/archive-gnu");
    let json = |place, text: &'static str| (place, 200, JSON, text.as_bytes());
    let is = |method: &str, part: &str| line.starts_with(method) && line.contains(part);
    if is("GET", "/version") {
        json(Some(Place::Version), r#"{"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12","Os":"linux"}"#)
    } else if is("GET", "/images/") {
        json(Some(Place::Image), r#"{"Id":"sha256:42fd7d32","Config":{"User":""}}"#)
    } else if is("GET", "/info") {
        json(
            Some(Place::Info),
            r#"{"ServerVersion":"20.10.24","Driver":"overlay2","MemoryLimit":true,"SwapLimit":true,"PidsLimit":true,"CpuCfsQuota":true,"CgroupVersion":"1","OSType":"linux"}"#,
        )
    } else if is("POST", "/containers/create?name=") {
        (Some(Place::Create), 201, JSON, br#"{"Id":"08cc7dea43c2","Warnings":[]}"#)
    } else if is("POST", "/containers/create") {
        (None, 404, JSON, br#"{"message":"No such image: sha256:0"}"#)
    } else if is("GET", "/archive?") {
        (Some(Place::Archive), 200, "application/x-tar", TAR.split_at(b"archive\n".len()).1)
    } else if is("PUT", "/archive?") {
        json(None, "")
    } else if is("GET", "/stats") {
        json(
            Some(Place::Stats),
            "{\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":15371000}},\"memory_stats\":{\"max_usage\":1}}\n",
        )
    } else if is("GET", "/top") {
        json(None, r#"{"Titles":["PID"],"Processes":[["1"],["2"]]}"#)
    } else if is("GET", "/events") {
        json(Some(Place::Events), "")
    } else if is("GET", "/containers/") {
        json(Some(Place::Inspect), r#"{"Id":"08cc7dea43c2","State":{"Running":false,"Pid":0}}"#)
    } else if is("POST", "/start") && line.contains("/exec/") {
        (Some(Place::Attach), 101, JSON, b"\x01\0\0\0\0\0\0\x03hi\n")
    } else if is("POST", "/exec") {
        (None, 201, JSON, br#"{"Id":"e1"}"#)
    } else if is("GET", "/exec/") {
        json(Some(Place::Exec), r#"{"ID":"e1","Running":false,"ExitCode":0,"Pid":4229}"#)
    } else {
        (None, 204, JSON, b"")
    }
}
