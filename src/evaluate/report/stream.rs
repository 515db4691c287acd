//! What is kept of a stream: a bounded part, with its full length and its hash.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::runtime::{Output, text_around};

/// The most bytes of one stream that a report keeps.
pub const MAX_KEPT: usize = 64 << 10;

/// What is kept of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StreamRecord {
    /// The first and, where it is longer than what is kept, the last part as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The same in base64, where it is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// How many bytes there were.
    pub bytes: u64,
    /// The BLAKE3 hash of all bytes, in hex; absent where the runtime did not keep them all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blake3: Option<String>,
    /// What is not there: how many bytes of what is kept stand before the gap, and how many are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub omitted: Option<Gap>,
}

/// A gap in what was kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Gap {
    /// How many bytes stand before it.
    pub at: u64,
    /// How many bytes are missing.
    pub bytes: u64,
}

impl StreamRecord {
    /// Keeps at most so many bytes of something that is all there.
    pub fn of(bytes: &[u8], most: usize) -> Self {
        let blake3 = Some(blake3::hash(bytes).to_hex().to_string());
        Self { blake3, ..Self::cut(bytes, bytes.len() as u64, None, most) }
    }

    /// Gives the text that is kept, or what stands for bytes that are none.
    pub fn shown(&self) -> String {
        match (&self.text, &self.base64) {
            (Some(text), _) => text.clone(),
            (None, Some(coded)) => format!("base64:{coded}"),
            (None, None) => String::new(),
        }
    }

    fn cut(kept: &[u8], bytes: u64, gap: Option<Gap>, most: usize) -> Self {
        let (kept, gap) = match gap {
            // What the runtime left out already is one gap with what is left out here.
            gap if kept.len() > most => {
                let at = gap.map_or(most / 2, |gap| usize::try_from(gap.at).unwrap_or(usize::MAX).min(most / 2));
                let tail = &kept[kept.len() - (most - most / 2)..];
                let joined = [&kept[..at], tail].concat();
                let missing = bytes - joined.len() as u64;
                (joined, Some(Gap { at: at as u64, bytes: missing }))
            }
            gap => (kept.to_vec(), gap),
        };
        let text = text_around(&kept, gap.map(|gap| gap.at));
        let base64 = text.is_none().then(|| STANDARD.encode(&kept));
        Self { text, base64, bytes, blake3: None, omitted: gap }
    }
}

impl From<&Output> for StreamRecord {
    fn from(output: &Output) -> Self {
        let gap = output.omitted.map(|gap| Gap { at: gap.at, bytes: gap.bytes });
        match gap {
            None => Self::of(&output.kept, MAX_KEPT),
            Some(_) => Self::cut(&output.kept, output.bytes, gap, MAX_KEPT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_stream_keeps_both_ends_and_says_what_is_missing() {
        let long: Vec<u8> = (0..100_u8).map(|index| b'a' + index % 26).collect();
        let record = StreamRecord::of(&long, 10);
        assert_eq!(record.text.as_deref(), Some("abcderstuv"));
        assert_eq!((record.bytes, record.omitted), (100, Some(Gap { at: 5, bytes: 90 })));
        assert_eq!(record.blake3, Some(blake3::hash(&long).to_hex().to_string()));
        let whole = StreamRecord::of(b"abc", 10);
        assert_eq!((whole.text.as_deref(), whole.omitted), (Some("abc"), None));
    }

    #[test]
    fn bytes_that_are_no_text_are_coded_and_cut_characters_are_left_out() {
        let record = StreamRecord::of(b"\xff\x00", 10);
        assert_eq!((record.text.as_deref(), record.base64.as_deref()), (None, Some("/wA=")));
        let record = StreamRecord::of("ééééééé".as_bytes(), 6);
        assert_eq!(record.text.as_deref(), Some("éé"));
    }
}
