//! What the shim and the engine say to each other over their socket: one call, one answer.

use std::io;

use serde::{Deserialize, Serialize};

/// The most bytes of one part of a message.
pub(super) const MOST: u64 = 256 << 20;

/// A call of the command that stands for the submission; standard input follows.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Call {
    pub(super) args: Vec<String>,
    pub(super) cwd: String,
    /// The test that is running, as the test program says it.
    pub(super) test: Option<String>,
}

/// What came of a call; both streams follow.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) code: i32,
    /// What the engine itself has to say, for standard error.
    pub(super) message: Option<String>,
}

/// Writes one part behind its length.
pub(super) fn frame(part: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(part.len() as u64).to_le_bytes());
    out.extend_from_slice(part);
}

/// Writes a head and the parts behind it.
pub(super) fn message(head: &impl Serialize, parts: &[&[u8]]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    frame(&serde_json::to_vec(head)?, &mut out);
    parts.iter().for_each(|part| frame(part, &mut out));
    Ok(out)
}

/// Reads the length of a part.
pub(super) fn length(bytes: [u8; 8]) -> io::Result<usize> {
    let length = u64::from_le_bytes(bytes);
    let fits = usize::try_from(length).ok().filter(|_| length <= MOST);
    fits.ok_or_else(|| io::Error::other("a part is longer than is allowed"))
}
