//! A workspace in parts: what of it a compilation may see, what of it came of that, and that put over another one.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::Session;
use crate::error::ExecutionError;
use crate::workspace::{Bounds, Capture, CopyIn, Entry, Globs, Manifest, Workspace, WorkspacePath};

impl Session {
    /// Removes what none of the globs describes, and gives what is left. A glob that describes a directory describes
    /// all that it holds; the directories above what stays do too.
    pub(crate) async fn keep_only(&self, globs: Globs) -> Result<Manifest, ExecutionError> {
        self.with_workspace("keep_only", 0, move |_, workspace| {
            retain(workspace, |path, _| is_described(&globs, path))?;
            workspace.renew_quota()?;
            scan(workspace)
        })
        .await
    }

    /// Removes what is as it was before, and what none of the globs describes where there are any.
    pub(crate) async fn keep_made(&self, before: Arc<Manifest>, globs: Globs) -> Result<(), ExecutionError> {
        self.with_workspace("keep_made", 0, move |_, workspace| {
            retain(workspace, |path, entry| match globs.is_empty() {
                true => before.get(path).is_none_or(|old| (&old.kind, old.mode) != (&entry.kind, entry.mode)),
                false => is_described(&globs, path),
            })
        })
        .await
    }

    /// Copies a directory's content over the workspace; what stands in the way is replaced.
    pub(crate) async fn put_over(&self, source: &Path) -> Result<(), ExecutionError> {
        let source = source.to_owned();
        self.with_inner("put_over", move |inner| {
            let workspace = inner.workspace()?;
            workspace.copy_in(&source, CopyIn::default())?;
            Ok(workspace.renew_quota()?)
        })
        .await
    }
}

/// Says whether a glob describes a path, or a directory above it.
pub(crate) fn is_described(globs: &Globs, path: &WorkspacePath) -> bool {
    std::iter::successors(Some(path.clone()), WorkspacePath::parent).any(|path| globs.matches(path.as_bytes()))
}

fn scan(workspace: &Workspace) -> Result<Manifest, ExecutionError> {
    Ok(workspace.scan(&Capture::All, None, Bounds::default())?.manifest)
}

/// Removes everything but what is wanted, and the directories above that.
fn retain(workspace: &Workspace, is_wanted: impl Fn(&WorkspacePath, &Entry) -> bool) -> Result<(), ExecutionError> {
    let manifest = scan(workspace)?;
    let mut stays: BTreeSet<WorkspacePath> = BTreeSet::new();
    for (path, _) in manifest.iter().filter(|(path, entry)| is_wanted(path, entry)) {
        // Whatever is above something that stays is there with all that is above it.
        let way = std::iter::successors(Some(path.clone()), WorkspacePath::parent);
        for step in way.take_while(|step| !stays.contains(step)).collect::<Vec<_>>() {
            stays.insert(step);
        }
    }
    // Those below come first, so that nothing is looked for in what is gone.
    for (path, _) in manifest.iter().rev().filter(|(path, _)| !stays.contains(*path)) {
        workspace.remove(path)?;
    }
    Ok(())
}
