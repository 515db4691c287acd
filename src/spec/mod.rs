//! What is asked: the environment spec and its limits. Pure data, no input or output.
//!
//! Never here: a runtime by name (its section is opaque, see [`Section`]), the file system, the clock.
//! Read next: [`EnvironmentSpec`] for the file, [`load()`] for how it is read, [`Limits`] for how limits combine.

mod amount;
mod environment;
mod helpers;
mod limit_name;
mod limits;
mod limits_config;
mod line;
mod load;
mod meaning;
mod measure;
mod path;
mod problem;
mod quantity;
mod resolve;
mod schema;
mod section;
mod settings;
mod strict;
mod structure;
pub(crate) mod suggest;
mod template;
mod tree;
mod wire;

pub use environment::{
    CommandConfig, CompileConfig, Compression, DEFAULT_IGNORE_GLOBS, EnvironmentConfig, EnvironmentSpec, Mode,
    OnFailure, SetupConfig, SnapshotConfig,
};
pub use limit_name::{LimitName, Provenance};
pub use limits::{Bound, Limits};
pub use limits_config::{Limit, LimitsConfig, OnUnsupported, OutputOverflow};
pub use line::{LineError, split_line};
pub use load::{Loaded, from_value, load, load_with};
pub use measure::{ByteSize, LimitValue, Span};
#[cfg(feature = "cli")]
pub(crate) use path::join_key;
pub use problem::{Position, Problem, ProblemKind, SpecError};
pub(crate) use resolve::is_above;
pub use schema::schema;
pub use section::{Section, SectionTypes};
pub(crate) use strict::read_strict;
#[cfg(feature = "evaluate")]
pub(crate) use strict::{Checked, read_checked};
pub use template::TemplateError;
pub use tree::Positions;
#[cfg(feature = "evaluate")]
pub(crate) use tree::TextBounds;
