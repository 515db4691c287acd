//! What is asked of a submission that is a server.

use std::collections::BTreeMap;

use super::Data;

/// One request of HTTP.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The method. Default: `GET`.
    pub method: String,
    /// The path with its query, from the first slash. Default: `/`.
    pub path: String,
    /// Header fields, by name.
    pub headers: BTreeMap<String, String>,
    /// The body. Default: none.
    pub body: Option<Data>,
}

impl Default for Request {
    fn default() -> Self {
        Self { method: "GET".to_owned(), path: "/".to_owned(), headers: BTreeMap::new(), body: None }
    }
}
