//! What a registry tells of specs: the sections of its runtimes, and the specs that they bring along.

use std::sync::Arc;

use serde_json::Value;

use super::{BuiltinSpec, RuntimeRegistry};
use crate::spec::{Problem, Section, SectionTypes};

impl RuntimeRegistry {
    /// Finds a built-in spec by name.
    pub fn builtin_spec(&self, name: &str) -> Option<BuiltinSpec> {
        self.builtin_specs().into_iter().find(|spec| spec.name == name)
    }

    /// Lists the built-in specs of every kind.
    pub fn builtin_specs(&self) -> Vec<BuiltinSpec> {
        self.kinds().flat_map(|kind| kind.builtin_specs()).collect()
    }
}

impl SectionTypes for RuntimeRegistry {
    fn names(&self) -> Vec<&str> {
        self.kinds().map(|kind| kind.ty()).collect()
    }

    fn schema(&self, ty: &str) -> Option<Value> {
        self.kind(ty).ok().map(|kind| kind.section_schema())
    }

    fn parse(&self, ty: &str, section: Option<&Value>) -> Result<Arc<dyn Section>, Vec<Problem>> {
        match self.kind(ty) {
            Ok(kind) => kind.parse(section),
            Err(unknown) => Err(vec![Problem::new("", unknown.to_string())]),
        }
    }

    fn warnings(&self, ty: &str, section: &dyn Section) -> Vec<Problem> {
        self.kind(ty).map(|kind| kind.warnings(section, None)).unwrap_or_default()
    }
}
