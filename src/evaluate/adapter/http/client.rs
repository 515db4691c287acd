//! A client of HTTP/1.1 (RFC 9112) for one request a connection: everything that a server sends is bounded.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::runtime::{Connection, SubmissionRuntime};

/// The most bytes of a head, interim answers counted.
const MAX_HEAD: usize = 64 << 10;
/// The most bytes of a body, as it arrives.
const MAX_BODY: usize = 64 << 20;

/// One request.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a str,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Bytes>,
}

/// One answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Names in lower case; several of one name are joined by a comma.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

/// Why there is no answer: the server's doing.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("no connection to the server: {0}")]
    Connect(std::io::Error),
    #[error("another process than the submission answers at its port")]
    Stranger,
    #[error("the connection broke: {0}")]
    Broken(std::io::Error),
    #[error("the server closed the connection before its answer was whole")]
    Cut,
    #[error("the answer is not HTTP: {0}")]
    Malformed(&'static str),
    #[error("the {0} of the answer is too large")]
    TooLarge(&'static str),
}

/// Connects to a server of this runtime, and to nobody else. The caller bounds the time.
pub(super) async fn connect(runtime: &dyn SubmissionRuntime, to: SocketAddr) -> Result<TcpStream, NoAnswer> {
    let stream = TcpStream::connect(to).await.map_err(NoAnswer::Connect)?;
    let from = stream.local_addr().map_err(NoAnswer::Connect)?;
    match runtime.is_peer(Connection { from, to }).await {
        true => Ok(stream),
        false => Err(NoAnswer::Stranger),
    }
}

/// Asks a server and reads its whole answer. The caller bounds the time.
pub(super) async fn ask(mut stream: TcpStream, ask: &Ask<'_>) -> Result<Answer, NoAnswer> {
    let address = stream.peer_addr().map_err(NoAnswer::Broken)?;
    let head = head(address, ask);
    // A server may answer, and close, before it has read everything: what it said still counts.
    let sent = async {
        stream.write_all(head.as_bytes()).await?;
        if let Some(body) = &ask.body {
            stream.write_all(body).await?;
        }
        stream.flush().await
    };
    let sent = sent.await;
    let mut reader = Reader { stream, buffer: BytesMut::new(), ended: false };
    match (reader.answer(ask.method).await, sent) {
        (Err(NoAnswer::Cut | NoAnswer::Broken(_)), Err(error)) => Err(NoAnswer::Broken(error)),
        (answer, _) => answer,
    }
}

fn head(address: SocketAddr, ask: &Ask<'_>) -> String {
    let has = |name: &str| ask.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let mut head = format!("{} {} HTTP/1.1\r\n", ask.method, ask.target);
    if !has("host") {
        head += &format!("host: {address}\r\n");
    }
    if let Some(body) = &ask.body {
        head += &format!("content-length: {}\r\n", body.len());
    }
    for (name, value) in &ask.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head + "connection: close\r\n\r\n"
}

struct Reader {
    stream: TcpStream,
    buffer: BytesMut,
    ended: bool,
}

impl Reader {
    /// Reads more; says whether there was more.
    async fn more(&mut self) -> Result<bool, NoAnswer> {
        if self.ended {
            return Ok(false);
        }
        let read = self.stream.read_buf(&mut self.buffer).await.map_err(NoAnswer::Broken)?;
        self.ended = read == 0;
        Ok(read > 0)
    }

    async fn answer(&mut self, method: &str) -> Result<Answer, NoAnswer> {
        let mut room = MAX_HEAD;
        loop {
            let head = self.head(&mut room).await?;
            let (status, headers) = parse_head(&head)?;
            // Interim answers come before the one that counts; 101 would change the protocol, which nobody asked for.
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            let body = match method == "HEAD" || matches!(status, 101 | 204 | 304) {
                true => Bytes::new(),
                false => self.body(&headers).await?,
            };
            return Ok(Answer { status, headers, body });
        }
    }

    async fn head(&mut self, room: &mut usize) -> Result<Bytes, NoAnswer> {
        let mut looked = 0;
        loop {
            let from = looked;
            if let Some(at) = self.buffer[from..].windows(4).position(|four| four == b"\r\n\r\n") {
                let head = self.buffer.split_to(from + at + 4).freeze();
                *room = room.checked_sub(head.len()).ok_or(NoAnswer::TooLarge("head"))?;
                return Ok(head);
            }
            looked = self.buffer.len().saturating_sub(3);
            if self.buffer.len() > *room {
                return Err(NoAnswer::TooLarge("head"));
            }
            if !self.more().await? {
                return Err(NoAnswer::Cut);
            }
        }
    }

    async fn body(&mut self, headers: &[(String, String)]) -> Result<Bytes, NoAnswer> {
        let value = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
        if let Some(coding) = value("transfer-encoding") {
            return match coding.eq_ignore_ascii_case("chunked") {
                true => self.chunks().await,
                false => Err(NoAnswer::Malformed("a transfer coding other than chunked")),
            };
        }
        if let Some(length) = value("content-length") {
            let length: usize = length.parse().map_err(|_| NoAnswer::Malformed("its content-length"))?;
            return self.exactly(length).await;
        }
        while self.more().await? {
            if self.buffer.len() > MAX_BODY {
                return Err(NoAnswer::TooLarge("body"));
            }
        }
        Ok(self.buffer.split().freeze())
    }

    async fn exactly(&mut self, length: usize) -> Result<Bytes, NoAnswer> {
        if length > MAX_BODY {
            return Err(NoAnswer::TooLarge("body"));
        }
        while self.buffer.len() < length {
            if !self.more().await? {
                return Err(NoAnswer::Cut);
            }
        }
        Ok(self.buffer.split_to(length).freeze())
    }

    async fn chunks(&mut self) -> Result<Bytes, NoAnswer> {
        let mut body = BytesMut::new();
        loop {
            let line = self.line().await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| NoAnswer::Malformed("the size of a chunk"))?;
            if size == 0 {
                // Trailers are read up to the empty line, and thrown away.
                while !self.line().await?.is_empty() {}
                return Ok(body.freeze());
            }
            if size > MAX_BODY - body.len() {
                return Err(NoAnswer::TooLarge("body"));
            }
            body.extend_from_slice(&self.exactly(size).await?);
            if !self.line().await?.is_empty() {
                return Err(NoAnswer::Malformed("the end of a chunk"));
            }
        }
    }

    async fn line(&mut self) -> Result<String, NoAnswer> {
        const MAX_LINE: usize = 8 << 10;
        loop {
            if let Some(at) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line = self.buffer.split_to(at + 2);
                return Ok(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            if self.buffer.len() > MAX_LINE {
                return Err(NoAnswer::TooLarge("line"));
            }
            if !self.more().await? {
                return Err(NoAnswer::Cut);
            }
        }
    }
}

fn parse_head(head: &[u8]) -> Result<(u16, Vec<(String, String)>), NoAnswer> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.trim_end_matches("\r\n").split("\r\n");
    let status = lines.next().unwrap_or_default();
    let rest = status.strip_prefix("HTTP/1.").ok_or(NoAnswer::Malformed("its first line"))?;
    let code = rest.split(' ').nth(1).and_then(|code| code.parse().ok());
    let code = code.filter(|code| (100..1000).contains(code)).ok_or(NoAnswer::Malformed("its status"))?;
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(NoAnswer::Malformed("a header field"))?;
        let (name, value) = (name.to_ascii_lowercase(), value.trim());
        match headers.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => *values = format!("{values}, {value}"),
            None => headers.push((name, value.to_owned())),
        }
    }
    Ok((code, headers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// Serves one connection with these bytes, and gives what came of asking.
    async fn asked(method: &str, answer: &'static [u8]) -> Result<Answer, NoAnswer> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = BytesMut::new();
            while !head.ends_with(b"\r\n\r\n") {
                stream.read_buf(&mut head).await.unwrap();
            }
            stream.write_all(answer).await.unwrap();
        });
        let stream = TcpStream::connect(address).await.unwrap();
        let answer = ask(stream, &Ask { method, target: "/", headers: Vec::new(), body: None }).await;
        server.await.unwrap();
        answer
    }

    async fn body(answer: &'static [u8]) -> Bytes {
        asked("GET", answer).await.unwrap().body
    }

    #[tokio::test]
    async fn bodies_end_where_their_heads_say() {
        assert_eq!(body(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef").await, "abc");
        assert_eq!(body(b"HTTP/1.0 200 OK\r\n\r\nto the end").await, "to the end");
        let chunked =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n";
        assert_eq!(body(chunked).await, "abcde");
        assert_eq!(body(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx").await, "x");
        let head = asked("HEAD", b"HTTP/1.1 204\r\nA: 1\r\na: 2\r\nContent-Length: 9\r\n\r\n").await.unwrap();
        assert_eq!((head.status, head.body.len()), (204, 0));
        assert_eq!(head.headers[0], ("a".to_owned(), "1, 2".to_owned()));
    }

    #[tokio::test]
    async fn what_is_no_answer_is_said() {
        for wrong in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"[..],
            b"SSH-2.0-x\r\n\r\n",
            b"HTTP/1.1 20 OK\r\n\r\n",
            b"",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        ] {
            assert!(asked("GET", wrong).await.is_err(), "{}", String::from_utf8_lossy(wrong));
        }
    }
}
