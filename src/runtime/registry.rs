//! The runtimes that are known: an open list, each entry behind one private door.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::gc::collect;
use super::places::Places;
use super::registration::{check_closed, check_name};
use super::shutdown::{Spawned, shutdown};
use super::{Admission, AnyRuntimeKind, Launch, RuntimeKind, SubmissionRuntime};
use crate::error::{ErrorKind, ExecutionError};
use crate::host::Host;
use crate::spec::{EnvironmentSpec, SectionTypes as _};
use crate::workspace::{Base, BaseNeed, GcMode, GcReport, GcScope, Owner, Reaper, SnapshotStore};

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
