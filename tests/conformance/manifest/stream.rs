//! What a stream of a result must hold.

use std::collections::BTreeSet;

use serde::Deserialize;

/// What a stream must hold: its whole text, or rules that all hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Stream {
    Exactly(String),
    Rules(Rules),
}

/// Rules for a stream. Without `any`, `truncated` must be false unless it is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    /// Nothing is asked of the stream.
    #[serde(default)]
    pub(crate) any: bool,
    /// The whole, as pairs of hex digits; blanks do not count.
    #[serde(default)]
    pub(crate) hex: Option<String>,
    /// The whole, as a text that repeats.
    #[serde(default)]
    pub(crate) repeat: Option<Repeat>,
    /// The lines of the whole, in any order.
    #[serde(default)]
    pub(crate) lines: Option<BTreeSet<String>>,
    #[serde(default)]
    pub(crate) starts_with: Option<String>,
    #[serde(default)]
    pub(crate) ends_with: Option<String>,
    /// How many bytes the result holds.
    #[serde(default)]
    pub(crate) kept: Option<usize>,
    /// How many bytes the guest printed.
    #[serde(default)]
    pub(crate) bytes: Option<u64>,
    #[serde(default)]
    pub(crate) bytes_at_least: Option<u64>,
    #[serde(default)]
    pub(crate) truncated: bool,
}

/// A text, so many times.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Repeat {
    pub(crate) text: String,
    pub(crate) times: usize,
}

impl Stream {
    /// Checks what a result holds: the bytes kept, how many were printed, and whether some were left out.
    ///
    /// # Errors
    ///
    /// Says which rule does not hold.
    pub(crate) fn check(&self, kept: &[u8], printed: u64, truncated: bool) -> Result<(), String> {
        match self {
            Self::Exactly(text) => {
                if truncated || printed != text.len() as u64 {
                    return Err(format!("{printed} bytes, truncated: {truncated}; expected {} whole", text.len()));
                }
                same(kept, text.as_bytes())
            }
            Self::Rules(rules) => rules.check(kept, printed, truncated),
        }
    }
}

impl Rules {
    fn check(&self, kept: &[u8], printed: u64, truncated: bool) -> Result<(), String> {
        if self.any {
            return Ok(());
        }
        if truncated != self.truncated {
            return Err(format!("truncated: {truncated}"));
        }
        if let Some(digits) = &self.hex {
            same(kept, &unhex(digits))?;
        }
        if let Some(Repeat { text, times }) = &self.repeat {
            same(kept, text.repeat(*times).as_bytes())?;
        }
        if let Some(lines) = &self.lines {
            let text = String::from_utf8_lossy(kept);
            let mut found: Vec<_> = text.lines().collect();
            found.sort_unstable();
            if !found.iter().copied().eq(lines.iter().map(String::as_str)) {
                return Err(format!("the lines are {found:?}"));
            }
        }
        if self.starts_with.as_ref().is_some_and(|text| !kept.starts_with(text.as_bytes())) {
            return Err(format!("it starts with {}", shown(kept)));
        }
        if self.ends_with.as_ref().is_some_and(|text| !kept.ends_with(text.as_bytes())) {
            return Err(format!("it ends with {}", shown(&kept[kept.len().saturating_sub(80)..])));
        }
        if self.kept.is_some_and(|count| count != kept.len()) {
            return Err(format!("{} bytes were kept", kept.len()));
        }
        if self.bytes.is_some_and(|count| count != printed) || self.bytes_at_least.is_some_and(|count| count > printed)
        {
            return Err(format!("{printed} bytes were printed"));
        }
        Ok(())
    }
}

fn same(found: &[u8], expected: &[u8]) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    let at = found.iter().zip(expected).take_while(|(a, b)| a == b).count();
    Err(format!(
        "{} bytes instead of {}, first different at {at}: {}",
        found.len(),
        expected.len(),
        shown(&found[at.min(found.len())..])
    ))
}

fn shown(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(80)]))
}

/// Reads pairs of hex digits; blanks do not count.
pub(crate) fn unhex(digits: &str) -> Vec<u8> {
    let digits: Vec<_> = digits.chars().filter(|c| !c.is_whitespace()).collect();
    let pair = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).expect("pairs of hex digits");
    digits.chunks(2).map(pair).collect()
}
