//! The runtimes that are known: an open list, each entry behind one private door.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::gc::collect;
use super::places::Places;
use super::registration::{check_closed, check_name};
use super::shutdown::{Spawned, shutdown};
use super::{
    Admission, BuiltinSpec, Cached, EnforcementTable, Launch, Progress, RuntimeInfo, RuntimeKind, StaticRoot,
    SubmissionRuntime,
};
use crate::error::{ErrorKind, ExecutionError};
use crate::host::Host;
use crate::spec::{EnvironmentSpec, Mode, Problem, Section, SectionTypes};
use crate::workspace::{Base, BaseNeed, GcMode, GcReport, GcScope, Owner, OwnerId, Reaper, SnapshotStore};

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

/// The runtimes that are known, and what they share: the host, the places to run, the reaper, the owner.
#[derive(Clone)]
pub struct RuntimeRegistry {
    inner: Arc<Inner>,
}

struct Inner {
    kinds: BTreeMap<&'static str, Arc<dyn AnyRuntimeKind>>,
    host: Arc<Host>,
    admission: Admission,
    reaper: Arc<Reaper>,
    owner: OnceLock<Arc<Owner>>,
    places: Places,
    spawned: Spawned,
}

/// A registry in the making.
#[derive(Default)]
pub struct RegistryBuilder {
    kinds: Vec<Arc<dyn AnyRuntimeKind>>,
    host: Host,
}

impl RegistryBuilder {
    /// Adds a kind.
    #[must_use]
    pub fn with<K: RuntimeKind>(mut self, kind: K) -> Self {
        self.kinds.push(Arc::new(kind));
        self
    }

    /// Adds every kind that this build of bailiwick has.
    #[must_use]
    pub fn with_builtins(self) -> Self {
        let builder = self;
        #[cfg(feature = "wasi")]
        let builder = {
            let wasi = super::wasi::Wasi::new(&builder.host);
            builder.with(wasi)
        };
        #[cfg(feature = "docker")]
        let builder = {
            let docker = super::docker::Docker::new(&builder.host);
            builder.with(docker)
        };
        #[cfg(feature = "local")]
        let builder = {
            let local = super::local::Local::new(&builder.host);
            builder.with(local)
        };
        builder
    }

    /// Builds the registry.
    ///
    /// # Errors
    /// Two kinds of one name, a name that a spec could not hold, a section or options schema that accepts unknown keys
    /// anywhere, and two built-in specs of one name.
    pub fn build(self) -> Result<RuntimeRegistry, ExecutionError> {
        let (mut kinds, mut specs) = (BTreeMap::new(), BTreeSet::new());
        for kind in self.kinds {
            let ty = kind.ty();
            check_name(ty)?;
            for (what, schema) in [("section", kind.section_schema()), ("options", kind.options_schema())] {
                check_closed(ty, what, &schema)?;
            }
            for spec in kind.builtin_specs() {
                if !specs.insert(spec.name) {
                    let message = format!("two built-in specs are called `{}`", spec.name);
                    return Err(ExecutionError::new(ErrorKind::Spec, message));
                }
            }
            if kinds.insert(ty, kind).is_some() {
                return Err(ExecutionError::new(ErrorKind::Spec, format!("the runtime `{ty}` is registered twice")));
            }
        }
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let most = self.host.policy.max_running.as_ref().map_or(usize::MAX, |ruled| ruled.value);
        let admission = Admission::new(self.host.max_running.unwrap_or(2 * cores).min(most));
        let (host, reaper, owner) = (Arc::new(self.host), Reaper::new(), OnceLock::new());
        let (places, spawned) = (Places::default(), Spawned::default());
        Ok(RuntimeRegistry { inner: Arc::new(Inner { kinds, host, admission, reaper, owner, places, spawned }) })
    }
}

impl RuntimeRegistry {
    /// Starts a registry that knows no runtime, for a host that is given as a value.
    pub fn builder(host: Host) -> RegistryBuilder {
        RegistryBuilder { kinds: Vec::new(), host }
    }

    /// Gives the kind of that name.
    ///
    /// # Errors
    /// An unknown name, with the known ones.
    pub fn kind(&self, ty: &str) -> Result<&Arc<dyn AnyRuntimeKind>, ExecutionError> {
        self.inner.kinds.get(ty).ok_or_else(|| {
            let known = self.names().join(", ");
            ExecutionError::new(ErrorKind::Spec, format!("no runtime of type `{ty}` is known"))
                .with_hint(format!("known types: {known}"))
        })
    }

    /// Lists the kinds by name.
    pub fn kinds(&self) -> impl Iterator<Item = &Arc<dyn AnyRuntimeKind>> {
        self.inner.kinds.values()
    }

    /// Gives the host that the registry was built for.
    pub fn host(&self) -> &Arc<Host> {
        &self.inner.host
    }

    /// Gives the places to run that all sessions of this registry share.
    pub fn admission(&self) -> &Admission {
        &self.inner.admission
    }

    /// Gives the thread that cleans up off the callers' paths.
    pub fn reaper(&self) -> &Arc<Reaper> {
        &self.inner.reaper
    }

    /// Spawns a runtime of the launch's kind, and remembers it for [`shutdown`](Self::shutdown).
    pub(crate) async fn spawn(&self, launch: Launch) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError> {
        self.inner.spawned.need_open()?;
        let runtime = self.kind_of(&launch.spec)?.spawn(launch).await?;
        self.inner.spawned.remember(&runtime);
        // A shutdown that came meanwhile did not see it.
        if let Err(closed) = self.inner.spawned.need_open() {
            runtime.cleanup().await?;
            return Err(closed.into());
        }
        Ok(runtime)
    }

    /// Ends every running command, cleans every runtime up and waits for what is cleaned up behind the scenes, at most
    /// until the deadline. Afterwards nothing can be spawned. Idempotent.
    ///
    /// # Errors
    /// Everything that could not be ended, cleaned up or waited for.
    ///
    /// Cancel safe: what is left is done as on drop.
    pub async fn shutdown(&self, deadline: Duration) -> Result<(), ExecutionError> {
        shutdown(&self.inner.spawned, &self.inner.reaper, deadline).await
    }

    /// Finds what dead owners left and removes it, beside running engines at any time: their workspaces, and what they
    /// had at the places that runtimes know.
    ///
    /// Cancel safe: what is left is found again.
    pub async fn gc(&self, mode: GcMode, scope: GcScope) -> GcReport {
        let kind = |ty: &str| self.kind(ty).cloned();
        collect(&self.inner.host, kind, (mode, scope)).await
    }

    /// Gives the owner under which this registry makes things; taken at the first call.
    ///
    /// # Errors
    /// A state directory that cannot be written.
    pub fn owner(&self) -> Result<Arc<Owner>, ExecutionError> {
        if let Some(owner) = self.inner.owner.get() {
            return Ok(Arc::clone(owner));
        }
        let taken = Owner::open(&self.inner.host)?;
        Ok(Arc::clone(self.inner.owner.get_or_init(|| taken)))
    }

    /// Gives the place of workspaces with that need; chosen at the first call.
    ///
    /// # Errors
    /// A base directory that cannot be used.
    pub fn base(&self, need: BaseNeed) -> Result<Base, ExecutionError> {
        self.inner.places.base(&self.inner.host, need)
    }

    /// Gives the snapshot store of the host, in its data directory; opened at the first call. `None`: the host has none.
    ///
    /// # Errors
    /// A store that cannot be opened or made, or that a later version made.
    pub fn snapshot_store(&self) -> Result<Option<SnapshotStore>, ExecutionError> {
        self.inner.places.snapshots(&self.inner.host)
    }

    /// Gives the kind of a spec.
    ///
    /// # Errors
    /// A type that is not registered here, or that the host's policy forbids.
    pub fn kind_of(&self, spec: &EnvironmentSpec) -> Result<&Arc<dyn AnyRuntimeKind>, ExecutionError> {
        let kind = self.kind(&spec.ty)?;
        self.inner.host.policy.check_runtime(kind.ty())?;
        Ok(kind)
    }
}

impl fmt::Debug for RuntimeRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeRegistry").field("kinds", &self.names()).finish_non_exhaustive()
    }
}

impl fmt::Debug for RegistryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.kinds.iter().map(|kind| kind.ty()).collect();
        f.debug_struct("RegistryBuilder").field("kinds", &names).finish_non_exhaustive()
    }
}
