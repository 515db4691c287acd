//! A suite, its cases and its groups.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{PassPolicy, Promise, Step};
use crate::spec::LimitsConfig;
use crate::workspace::ResolvedStaticAsset;

/// Everything that one submission is judged by: cases in their order, ready to run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Suite {
    /// What reports call it.
    pub name: String,
    /// The directory of its files on the host, where it has one: what a test program starts in.
    pub home: Option<std::path::PathBuf>,
    /// The name of the adapter that drives the submission.
    pub adapter: String,
    /// What the adapter was told, as the suite writes it under its name; the adapter types it.
    pub adapter_config: Map<String, Value>,
    /// What spawns are given beyond the spec: options of the runtime.
    pub options: Map<String, Value>,
    /// What every case may read, by `{{static:name}}`.
    pub assets: Vec<ResolvedStaticAsset>,
    /// The groups, in the order in which they first stand.
    pub groups: Vec<Group>,
    /// The cases, in their order; every id is there once.
    pub cases: Vec<Case>,
    /// When a submission has passed.
    pub pass: PassPolicy,
    /// What solutions beside the cases promise, where the suite says it; else their directories do.
    pub promises: Vec<Promise>,
    /// What is accepted but will not do what its author may think; a sentence each.
    pub warnings: Vec<String>,
}

/// One case: one or several steps over one workspace.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Case {
    /// Its name, unique in the suite: `big[n=10]`.
    pub id: String,
    /// The name of its group.
    pub group: String,
    /// What it is worth, finite and not negative. Default: 1.
    pub points: f64,
    /// What somebody who is not of the staff may see of it.
    pub visibility: Visibility,
    /// Limits of spec level, over those of the spec.
    pub limits: LimitsConfig,
    /// What is done, in order; ends at the first step that is not accepted. Never empty.
    pub steps: Vec<Step>,
    /// Where it was written.
    pub origin: Origin,
}

/// Where a case was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The file, as the suite names it.
    pub file: Arc<str>,
    /// The line, from 1; absent where the place is the whole file.
    pub line: Option<usize>,
}

/// What somebody who is not of the staff may see of a case.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Visibility {
    /// Nothing of its own: it is counted.
    Hidden,
    /// Its id, its verdict, and the limit that was met.
    #[default]
    Verdict,
    /// All of it: input, expected output, difference.
    Full,
}

/// Cases that are counted together.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Group {
    /// Its name: `core`, `functionality`, `error`, `regression`, or one of the author's.
    pub name: String,
    /// What its points are multiplied with, finite and not negative. Default: 1.
    pub weight: f64,
    /// How its cases become points.
    pub scoring: GroupScoring,
}

/// How the cases of a group become points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum GroupScoring {
    /// Every accepted case gives its own points.
    #[default]
    Each,
    /// All cases together or nothing: a subtask.
    All,
}

impl Suite {
    /// Makes a suite without cases: the adapter `cli`, no assets, every case must pass.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            home: None,
            adapter: "cli".to_owned(),
            adapter_config: Map::new(),
            options: Map::new(),
            assets: Vec::new(),
            groups: Vec::new(),
            cases: Vec::new(),
            pass: PassPolicy::default(),
            promises: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Gives a group by name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }
}

impl Case {
    /// Makes a case of one step, worth 1 point, in the group `core`, of which others see the verdict.
    pub fn new(id: impl Into<String>, step: Step) -> Self {
        Self {
            id: id.into(),
            group: Group::CORE.to_owned(),
            points: 1.0,
            visibility: Visibility::default(),
            limits: LimitsConfig::default(),
            steps: vec![step],
            origin: Origin::default(),
        }
    }
}

impl Group {
    /// The group of cases that name none.
    pub const CORE: &'static str = "core";
    /// The group of cases that try what must fail.
    pub const ERROR: &'static str = "error";

    /// Makes a group of weight 1 whose cases count each.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), weight: 1.0, scoring: GroupScoring::default() }
    }
}
