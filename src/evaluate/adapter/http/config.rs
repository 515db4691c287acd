//! The section `http` of a suite.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::{ErrorKind, ExecutionError};
use crate::spec::Span;

/// The section `http` of a suite. In its texts `${port}` and `${address}` stand for where the server must listen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HttpConfig {
    /// Words behind the submission's command. Default: none; the variables `PORT` and `HOST` are always there.
    pub(super) args: Vec<String>,
    /// Variables.
    pub(super) env: BTreeMap<String, String>,
    /// The path that is asked until it is answered with a status below 500. Default: `/`.
    #[schemars(length(min = 1))]
    pub(super) ready_path: String,
    /// How long the server may take until it answers. Default: 10 s.
    pub(super) ready_time: Span,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            args: Vec::new(),
            env: BTreeMap::new(),
            ready_path: "/".to_owned(),
            ready_time: Span(Duration::from_secs(10)),
        }
    }
}

impl HttpConfig {
    pub(super) fn schema() -> Value {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        settings.into_generator().into_root_schema_for::<Self>().to_value()
    }

    pub(super) fn read(section: &Map<String, Value>) -> Result<Self, ExecutionError> {
        serde_json::from_value(Value::Object(section.clone()))
            .map_err(|error| ExecutionError::new(ErrorKind::Spec, error))
    }
}

/// Puts the port and the address into a text.
pub(super) fn placed(text: &str, address: IpAddr, port: u16) -> String {
    text.replace("${port}", &port.to_string()).replace("${address}", &address.to_string())
}
