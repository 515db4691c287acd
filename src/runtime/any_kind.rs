//! A kind without its types: what a registry holds, and the one door between the two.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{
    BuiltinSpec, Cached, EnforcementTable, Launch, Progress, RuntimeInfo, RuntimeKind, StaticRoot, SubmissionRuntime,
    Trial, TrialGuest,
};
use crate::error::{ErrorKind, ExecutionError};
use crate::spec::{Mode, Problem, Section};
use crate::workspace::{BaseNeed, GcMode, OwnerId};

/// A [`RuntimeKind`] without its types: what a registry holds. Implemented for every kind, by nobody else.
#[async_trait]
pub trait AnyRuntimeKind: Send + Sync + sealed::Sealed {
    /// Gives the value of `type`.
    fn ty(&self) -> &'static str;
    /// Gives the JSON Schema of the section.
    fn section_schema(&self) -> Value;
    /// Gives the JSON Schema of the spawn options.
    fn options_schema(&self) -> Value;
    /// Parses and checks a section.
    ///
    /// # Errors
    /// Every problem found.
    fn parse(&self, section: Option<&Value>) -> Result<Arc<dyn Section>, Vec<Problem>>;
    /// See [`RuntimeKind::warnings`], with a mode [`RuntimeKind::mode_warnings`]; none for a section of another kind.
    fn warnings(&self, section: &dyn Section, mode: Option<Mode>) -> Vec<Problem>;
    /// See [`RuntimeKind::release`].
    ///
    /// # Errors
    /// What cannot be asked or removed.
    async fn release(&self, owner: &OwnerId, place: &str, mode: GcMode) -> Result<Vec<String>, ExecutionError>;
    /// See [`RuntimeKind::enforcement`].
    ///
    /// # Errors
    /// A section of another kind.
    fn enforcement(&self, section: &Arc<dyn Section>) -> Result<EnforcementTable, ExecutionError>;
    /// See [`RuntimeKind::isolation`].
    ///
    /// # Errors
    /// A section of another kind.
    fn isolation(&self, section: &Arc<dyn Section>) -> Result<&'static str, ExecutionError>;
    /// See [`RuntimeKind::needs_consent`].
    fn needs_consent(&self) -> bool;
    /// See [`RuntimeKind::is_default_for_run`].
    fn is_default_for_run(&self) -> bool;
    /// See [`RuntimeKind::base_need`].
    fn base_need(&self) -> BaseNeed;
    /// See [`RuntimeKind::static_root`].
    ///
    /// # Errors
    /// A section of another kind.
    fn static_root(&self, section: &Arc<dyn Section>) -> Result<StaticRoot, ExecutionError>;
    /// See [`RuntimeKind::builtin_specs`].
    fn builtin_specs(&self) -> Vec<BuiltinSpec>;
    /// See [`RuntimeKind::prepare`].
    async fn prepare(&self, section: &Arc<dyn Section>, progress: &dyn Progress) -> Result<(), ExecutionError>;
    /// See [`RuntimeKind::cached`].
    ///
    /// # Errors
    /// What cannot be looked at.
    async fn cached(&self) -> Result<Vec<Cached>, ExecutionError>;
    /// See [`RuntimeKind::evict`].
    ///
    /// # Errors
    /// What cannot be removed.
    async fn evict(&self, cached: &Cached) -> Result<(), ExecutionError>;
    /// See [`RuntimeKind::probe`].
    async fn probe(&self) -> Result<RuntimeInfo, ExecutionError>;
    /// See [`RuntimeKind::trial`].
    ///
    /// # Errors
    /// A section of another kind.
    fn trial(&self, section: &Arc<dyn Section>, trial: &Trial) -> Result<Option<TrialGuest>, ExecutionError>;
    /// See [`RuntimeKind::spawn`]; the section is the spec's, the options are the request's.
    async fn spawn(&self, launch: Launch) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError>;
}

mod sealed {
    pub trait Sealed {}
    impl<K: super::RuntimeKind> Sealed for K {}
}

fn schema_of<T: schemars::JsonSchema>() -> Value {
    schemars::schema_for!(T).to_value()
}

fn config<K: RuntimeKind>(section: &Arc<dyn Section>) -> Result<Arc<K::Config>, ExecutionError> {
    let any: Arc<dyn Any + Send + Sync> = Arc::<dyn Section>::clone(section);
    any.downcast().map_err(|_| {
        ExecutionError::new(ErrorKind::Bug, format!("the spec's section is not one of the runtime `{}`", K::TYPE))
    })
}

#[async_trait]
impl<K: RuntimeKind> AnyRuntimeKind for K {
    fn ty(&self) -> &'static str {
        K::TYPE
    }

    fn section_schema(&self) -> Value {
        schema_of::<K::Config>()
    }

    fn options_schema(&self) -> Value {
        schema_of::<K::Options>()
    }

    fn parse(&self, section: Option<&Value>) -> Result<Arc<dyn Section>, Vec<Problem>> {
        let value = section.cloned().unwrap_or_else(|| Value::Object(Map::new()));
        let config: K::Config =
            serde_json::from_value(value).map_err(|error| vec![Problem::new("", error.to_string())])?;
        let problems = self.check(&config);
        if problems.is_empty() { Ok(Arc::new(config)) } else { Err(problems) }
    }

    fn warnings(&self, section: &dyn Section, mode: Option<Mode>) -> Vec<Problem> {
        match ((section as &dyn Any).downcast_ref::<K::Config>(), mode) {
            (None, _) => Vec::new(),
            (Some(config), None) => RuntimeKind::warnings(self, config),
            (Some(config), Some(mode)) => self.mode_warnings(config, mode),
        }
    }

    async fn release(&self, owner: &OwnerId, place: &str, mode: GcMode) -> Result<Vec<String>, ExecutionError> {
        RuntimeKind::release(self, owner, place, mode).await
    }

    fn enforcement(&self, section: &Arc<dyn Section>) -> Result<EnforcementTable, ExecutionError> {
        Ok(RuntimeKind::enforcement(self, &*config::<K>(section)?))
    }

    fn isolation(&self, section: &Arc<dyn Section>) -> Result<&'static str, ExecutionError> {
        Ok(RuntimeKind::isolation(self, &*config::<K>(section)?))
    }

    fn needs_consent(&self) -> bool {
        RuntimeKind::needs_consent(self)
    }

    fn is_default_for_run(&self) -> bool {
        RuntimeKind::is_default_for_run(self)
    }

    fn base_need(&self) -> BaseNeed {
        RuntimeKind::base_need(self)
    }

    fn static_root(&self, section: &Arc<dyn Section>) -> Result<StaticRoot, ExecutionError> {
        Ok(RuntimeKind::static_root(self, &*config::<K>(section)?))
    }

    fn builtin_specs(&self) -> Vec<BuiltinSpec> {
        RuntimeKind::builtin_specs(self)
    }

    async fn prepare(&self, section: &Arc<dyn Section>, progress: &dyn Progress) -> Result<(), ExecutionError> {
        RuntimeKind::prepare(self, &*config::<K>(section)?, progress).await
    }

    async fn cached(&self) -> Result<Vec<Cached>, ExecutionError> {
        RuntimeKind::cached(self).await
    }

    async fn evict(&self, cached: &Cached) -> Result<(), ExecutionError> {
        RuntimeKind::evict(self, cached).await
    }

    async fn probe(&self) -> Result<RuntimeInfo, ExecutionError> {
        RuntimeKind::probe(self).await
    }

    fn trial(&self, section: &Arc<dyn Section>, trial: &Trial) -> Result<Option<TrialGuest>, ExecutionError> {
        Ok(RuntimeKind::trial(self, &*config::<K>(section)?, trial))
    }

    async fn spawn(&self, launch: Launch) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError> {
        let config = config::<K>(&launch.spec.section)?;
        let options = Value::Object(launch.request.options.clone());
        let options: K::Options = serde_json::from_value(options).map_err(|error| {
            let message = format!("the spawn options of the runtime `{}` are not valid: {error}", K::TYPE);
            ExecutionError::new(ErrorKind::Spec, message).with_hint("`bailiwick schema spec` lists the options")
        })?;
        RuntimeKind::spawn(self, launch, config, options).await
    }
}
