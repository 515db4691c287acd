//! The one part of a spec that belongs to a runtime: opaque here, typed where the runtime is.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::Problem;

/// The section of a spec that its `type` names, as the runtime's own config type.
///
/// Implemented for every type that can be one; downcast it through [`Any`] to read it.
pub trait Section: Any + Debug + Send + Sync {
    /// Gives the section as it would stand in a file, with every default written out.
    fn to_value(&self) -> Value;
}

impl<T: Any + Debug + Send + Sync + Serialize> Section for T {
    fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

/// The section types that are known, asked for by the loader: what a registry tells the spec.
pub trait SectionTypes {
    /// Lists the known values of `type`, sorted.
    fn names(&self) -> Vec<&str>;

    /// Gives the JSON Schema of the section of that type, or none when the type is unknown.
    fn schema(&self, ty: &str) -> Option<Value>;

    /// Parses the section of that type; an absent section stands for its defaults.
    ///
    /// # Errors
    /// Every problem found, each with its path below the section.
    fn parse(&self, ty: &str, section: Option<&Value>) -> Result<Arc<dyn Section>, Vec<Problem>>;

    /// Lists what a section says that will not do what its author may think. Default: nothing.
    fn warnings(&self, ty: &str, section: &dyn Section) -> Vec<Problem> {
        let _ = (ty, section);
        Vec::new()
    }
}
