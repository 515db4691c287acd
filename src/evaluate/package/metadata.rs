//! What `problem.yaml` says of people, origin and licence: it judges nothing, and its form is checked.
//!
//! Source: the problem package format, version `2025-09`, "Problem metadata".

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::file::{Package, Read};
use crate::spec::Problem;

/// The licences that the format knows.
const LICENCES: [&str; 7] = ["unknown", "public domain", "cc0", "cc by", "cc by-sa", "educational", "permission"];

/// A text, or a list of texts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    pub(super) fn words(&self) -> &[String] {
        match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::More(words) => words,
        }
    }
}

/// The name of a problem: of the English statement, or of each.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(super) enum Name {
    One(String),
    ByLanguage(BTreeMap<String, String>),
}

impl Name {
    /// Gives the English name, else the first.
    pub(super) fn english(&self) -> Option<&str> {
        match self {
            Self::One(name) => Some(name),
            Self::ByLanguage(names) => names.get("en").or_else(|| names.values().next()).map(String::as_str),
        }
    }
}

/// Somebody: `Full Name <mail@host>`, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[expect(dead_code, reason = "read for its form alone")]
pub(super) enum Person {
    Short(String),
    Long(LongPerson),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct LongPerson {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "email")]
    _email: Option<String>,
    #[serde(rename = "orcid")]
    _orcid: Option<String>,
    #[serde(rename = "kattis")]
    _kattis: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[expect(dead_code, reason = "read for its form alone")]
pub(super) enum People {
    One(Person),
    More(Vec<Person>),
}

/// Who made a problem.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[expect(dead_code, reason = "read for its form alone")]
pub(super) enum Credits {
    Author(String),
    All(Box<AllCredits>),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct AllCredits {
    #[serde(rename = "authors")]
    _authors: Option<People>,
    #[serde(rename = "contributors")]
    _contributors: Option<People>,
    #[serde(rename = "testers")]
    _testers: Option<People>,
    #[serde(rename = "translators")]
    _translators: Option<BTreeMap<String, People>>,
    #[serde(rename = "packagers")]
    _packagers: Option<People>,
    #[serde(rename = "acknowledgements")]
    _acknowledgements: Option<People>,
}

/// Where a problem was first used.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[expect(dead_code, reason = "read for its form alone")]
pub(super) enum Source {
    Name(String),
    One(NamedSource),
    More(Vec<EachSource>),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[expect(dead_code, reason = "read for its form alone")]
pub(super) enum EachSource {
    Name(String),
    Named(NamedSource),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct NamedSource {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "url")]
    _url: Option<String>,
}

/// Tells a licence that the format does not know.
pub(super) fn check_licence<T>(licence: Option<&str>, read: &Read<T>, package: &mut Package) {
    let Some(licence) = licence.filter(|licence| !LICENCES.contains(licence)) else { return };
    let problem = Problem::new("license", format!("`{}` is no licence of the format", licence.escape_debug()));
    read.tell(package, problem.with_hint(format!("known: {}", LICENCES.join(", "))));
}

/// Tells an embargo that is neither a date nor a moment of UTC.
pub(super) fn check_embargo<T>(until: Option<&str>, read: &Read<T>, package: &mut Package) {
    let is_date = |text: &str| text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok();
    let is_moment = |text: &str| text.len() == 20 && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok();
    if until.is_some_and(|text| !is_date(text) && !is_moment(text)) {
        read.tell(package, Problem::new("embargo_until", "must be `YYYY-MM-DD` or `YYYY-MM-DDThh:mm:ssZ`"));
    }
}
