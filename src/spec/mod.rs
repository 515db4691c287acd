//! What is asked: the environment spec and its limits. Pure data, no input or output.
//!
//! Never here: a runtime by name (its section is opaque, see [`Section`]), the file system, the clock.
//! Read next: [`EnvironmentSpec`] for the file, [`Limits`] for how limits combine.

mod environment;
mod limits;
mod measure;
mod problem;
mod section;

pub use environment::{
    CommandConfig, CompileConfig, Compression, EnvironmentConfig, EnvironmentSpec, Mode, OnFailure, SetupConfig,
    SnapshotConfig,
};
pub use limits::{Bound, Limit, LimitName, Limits, LimitsConfig, OnUnsupported, OutputOverflow, Provenance};
pub use measure::{ByteSize, LimitValue, Span};
pub use problem::{Position, Problem, SpecError};
pub use section::{Section, SectionTypes};
