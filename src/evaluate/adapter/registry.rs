//! The adapters that there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Adapter, CliAdapter, HttpAdapter, SuiteAdapter};
use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::EvaluateError;

/// The adapters by name. Starts with the built-in ones.
#[derive(Clone)]
pub struct AdapterRegistry {
    adapters: BTreeMap<&'static str, Arc<dyn Adapter>>,
}

impl AdapterRegistry {
    /// Makes a registry of the built-in adapters.
    pub fn with_builtins() -> Self {
        let builtins: [Arc<dyn Adapter>; 3] = [Arc::new(CliAdapter), Arc::new(HttpAdapter), Arc::new(SuiteAdapter)];
        Self { adapters: builtins.into_iter().map(|adapter| (adapter.name(), adapter)).collect() }
    }

    /// Adds an adapter.
    ///
    /// # Errors
    /// A name that is taken.
    pub fn with(mut self, adapter: impl Adapter) -> Result<Self, ExecutionError> {
        let name = adapter.name();
        if self.adapters.insert(name, Arc::new(adapter)).is_some() {
            return Err(ExecutionError::new(ErrorKind::Bug, format!("the adapter `{name}` is registered twice")));
        }
        Ok(self)
    }

    /// Gives an adapter by name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Adapter>> {
        self.adapters.get(name)
    }

    /// Gives an adapter by name, or says which there are.
    ///
    /// # Errors
    /// A name that no adapter has.
    pub fn need(&self, name: &str) -> Result<&Arc<dyn Adapter>, EvaluateError> {
        self.get(name).ok_or_else(|| EvaluateError::UnknownAdapter {
            name: name.to_owned(),
            known: self.names().into_iter().map(str::to_owned).collect(),
        })
    }

    /// Lists the adapters by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Adapter>> {
        self.adapters.values()
    }

    /// Lists the names.
    pub fn names(&self) -> Vec<&'static str> {
        self.adapters.keys().copied().collect()
    }
}

impl Default for AdapterRegistry {
    fn default() -> Self {
        Self::with_builtins()
    }
}

impl std::fmt::Debug for AdapterRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
