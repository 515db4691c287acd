//! What was kept of one stream: text where it is UTF-8, base64 where it is not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Serialize;

use crate::runtime::Output;

/// What a guest printed on one stream.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct OutputObject {
    /// What was kept, where it is UTF-8; a character cut by a gap is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// What was kept, where it is not UTF-8, in base64 with padding.
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    /// How many bytes were printed.
    bytes: u64,
    /// Whether anything is missing.
    truncated: bool,
    /// What is missing, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    omitted: Option<OmittedObject>,
}

/// A gap in what was kept.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct OmittedObject {
    /// How many bytes were kept before the gap.
    at: u64,
    /// How many bytes are missing.
    bytes: u64,
}

impl From<&Output> for OutputObject {
    fn from(output: &Output) -> Self {
        let text = output.text();
        let base64 = text.is_none().then(|| STANDARD.encode(&output.kept));
        let omitted = output.omitted.map(|gap| OmittedObject { at: gap.at, bytes: gap.bytes });
        Self { text, base64, bytes: output.bytes, truncated: output.is_truncated(), omitted }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_base64() {
        let output = Output { kept: Bytes::from_static(b"\xff\x00"), bytes: 2, omitted: None };
        let expected = json!({"base64": "/wA=", "bytes": 2, "truncated": false});
        assert_eq!(serde_json::to_value(OutputObject::from(&output)).unwrap(), expected);
    }
}
