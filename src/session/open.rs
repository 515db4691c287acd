//! How a session comes to be: limits, workspace, submission, assets, in that order.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use super::blocking::blocking;
use super::inner::{BasePoint, Inner, Staged};
use super::state::StateCell;
use super::{Session, SessionBuilder};
use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::{AnyRuntimeKind, InForce, RuntimeRegistry, StaticRoot};
use crate::spec::{EnvironmentSpec, LimitName, Limits, LimitsConfig, Mode, Provenance, SpecError};
use crate::workspace::{
    Base, Bounds, Capture, CopyIn, Globs, Placeholders, Quota, ResolvedStaticAsset, Snapshot, StagedAssets, Workspace,
};

pub(super) async fn open(builder: SessionBuilder) -> Result<Session, ExecutionError> {
    // Both are long only when there is something to copy.
    if builder.submission.is_some() || builder.snapshot.is_some() || !builder.assets.is_empty() {
        return blocking(move || open_here(builder)).await;
    }
    open_here(builder)
}

fn open_here(builder: SessionBuilder) -> Result<Session, ExecutionError> {
    let SessionBuilder { registry, spec, mode, assets, bounds, limits: levels, queue_timeout, resettable, .. } =
        builder;
    let kind = Arc::clone(registry.kind_of(&spec)?);
    let limits = registry.host().policy.bound(resolve(&spec, mode, &levels)?)?;
    let enforcement = Arc::new(kind.enforcement(&spec.section)?);
    let InForce { limits, unenforced, .. } = enforcement.admit(limits, kind.ty())?;
    let base = registry.base(kind.base_need())?;
    let ignored = spec.ignore_globs(assets.iter().map(ResolvedStaticAsset::save_path));
    let workspace = Workspace::open(&base, &registry.owner()?, quota(&limits), registry.reaper())?;
    let ignore = if builder.is_filtered { &ignored[..] } else { &[] };
    bring_in(&workspace, builder.snapshot.as_ref(), builder.submission.as_deref(), ignore, bounds)?;
    let staged = stage(&registry, &base, &assets)?;
    if let (Some(staged), Mode::Agent) = (&staged, mode) {
        staged.assets.copy_into(workspace.dir())?;
    }
    workspace.renew_quota()?;
    let placeholders = placeholders(&*kind, &spec, staged.as_deref())?;
    let scope = scope(&spec, &ignored);
    let scan = workspace.scan(&scope, None, Bounds::default())?;
    let captured = resettable.then(|| workspace.capture(&Capture::All, Bounds::default())).transpose()?;
    let inner = Inner {
        isolation: kind.isolation(&spec.section)?,
        admission: registry.admission().group(queue_timeout),
        queue_timeout,
        reaper: registry.reaper().scope(),
        registry,
        spec: Arc::new(spec),
        mode,
        levels,
        limits,
        enforcement,
        unenforced,
        scope,
        assets: assets.into(),
        staged: Mutex::new(staged),
        placeholders,
        state: StateCell::open(),
        resettable,
        forked: false,
        seed: None,
        store: builder.store.map_or_else(OnceLock::new, OnceLock::from),
        runtimes: Mutex::default(),
        base: Mutex::new(BasePoint::at(scan, captured)),
        workspace: Mutex::new(Some(Arc::new(workspace))),
    };
    Ok(Session { inner: Arc::new(inner) })
}

/// Puts into a new workspace what the session starts from, and the submission over it.
fn bring_in(
    workspace: &Workspace,
    snapshot: Option<&Snapshot>,
    submission: Option<&Path>,
    ignored: &[String],
    bounds: Bounds,
) -> Result<(), ExecutionError> {
    if let Some(snapshot) = snapshot {
        workspace.restore_snapshot(snapshot)?;
    }
    if let Some(source) = submission {
        let mut options = CopyIn::default();
        (options.ignore, options.bounds) = (Globs::new(ignored), bounds);
        workspace.copy_in(source, options)?;
    }
    Ok(())
}

pub(super) fn resolve(
    spec: &EnvironmentSpec,
    mode: Mode,
    more: &[(Provenance, LimitsConfig)],
) -> Result<Limits, ExecutionError> {
    let more: Vec<(Provenance, &LimitsConfig)> = more.iter().map(|(from, limits)| (*from, limits)).collect();
    spec.resolve_limits(mode, &more)
        .map_err(|problems| SpecError::Invalid { origin: spec.name.clone(), problems }.into())
}

/// Gives what snapshots of a session take.
fn scope(spec: &EnvironmentSpec, ignored: &[String]) -> Capture {
    let keep = spec.snapshot.keep_globs.as_ref().filter(|globs| !globs.is_empty());
    Capture::Spec { keep: keep.map(Globs::new), ignore: Globs::new(ignored) }
}

pub(super) fn quota(limits: &Limits) -> Quota {
    Quota { bytes: limits.amount(LimitName::Disk), entries: limits.amount(LimitName::Entries) }
}

/// Copies the assets once, into a tree of their own.
pub(super) fn stage(
    registry: &RuntimeRegistry,
    base: &Base,
    assets: &[ResolvedStaticAsset],
) -> Result<Option<Arc<Staged>>, ExecutionError> {
    if assets.is_empty() {
        return Ok(None);
    }
    let home = Workspace::open(base, &registry.owner()?, Quota::default(), registry.reaper())?;
    let root = home.dir().try_clone().map_err(|error| ExecutionError::new(ErrorKind::Workspace, error))?;
    let staged = StagedAssets::stage(root, assets)?;
    Ok(Some(Arc::new(Staged { assets: Arc::new(staged), home })))
}

/// Says where each placeholder leads on this runtime.
pub(super) fn placeholders(
    kind: &dyn AnyRuntimeKind,
    spec: &EnvironmentSpec,
    staged: Option<&Staged>,
) -> Result<Placeholders, ExecutionError> {
    let Some(staged) = staged else { return Ok(Placeholders::default()) };
    let root = match kind.static_root(&spec.section)? {
        StaticRoot::Guest(root) => root,
        StaticRoot::Host => match staged.home.open_ambient_path() {
            Some(path) => path.to_string_lossy().into_owned(),
            None => return Err(ExecutionError::new(ErrorKind::Bug, "the staged assets have no path on the host")),
        },
    };
    Ok(staged.assets.placeholders(&root))
}
