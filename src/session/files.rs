//! Files in and out of the workspace, and what changed in it.

use std::path::Path;

use super::Session;
use crate::error::ExecutionError;
use crate::workspace::{
    Bounds, Changes, Contents, ContentsBounds, CopyReport, DiffBounds, InputFile, SnapshotDiff, Tree,
};
#[cfg(feature = "files")]
use crate::workspace::{FileBounds, TypedContents};

impl Session {
    /// Writes input files, typed ones as their type; whatever stands in their place is replaced.
    ///
    /// Placeholders in them are resolved by [`Self::resolve_input_files`] before.
    ///
    /// # Errors
    /// A session that is not open, a value that has no form in its type, and what the host cannot write.
    pub async fn materialize_input_files(&self, files: Vec<InputFile>) -> Result<(), ExecutionError> {
        let more = files.iter().map(|file| file.content.size_hint()).sum();
        self.with_workspace("materialize_input_files", more, move |_, workspace| {
            Ok(workspace.write_input_files(&files)?)
        })
        .await
    }

    /// Resolves the placeholders of input files, for the runtime of this session: text, bytes and values.
    ///
    /// # Errors
    /// Every name that is no asset's, and keys of a value that become one.
    pub fn resolve_input_files(&self, files: Vec<InputFile>) -> Result<Vec<InputFile>, ExecutionError> {
        let resolved = files.into_iter().map(|file| file.resolve(&self.inner.placeholders));
        Ok(resolved.collect::<Result<_, _>>()?)
    }

    /// Reads files by literal paths, globs and directories, within [`ContentsBounds::default`]; one outcome a path.
    ///
    /// # Errors
    /// A session that is not open, and what the host cannot read. What the submission did is an outcome.
    ///
    /// Cancel safe: nothing is changed.
    pub async fn get_file_contents(&self, patterns: &[&str]) -> Result<Contents, ExecutionError> {
        self.get_file_contents_within(patterns, ContentsBounds::default()).await
    }

    /// Reads files as [`Self::get_file_contents`] does, within these bounds.
    ///
    /// # Errors
    /// As [`Self::get_file_contents`].
    ///
    /// Cancel safe: nothing is changed.
    pub async fn get_file_contents_within(
        &self,
        patterns: &[&str],
        bounds: ContentsBounds,
    ) -> Result<Contents, ExecutionError> {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        self.with_workspace("get_file_contents", 0, move |_, workspace| {
            let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
            Ok(workspace.get_file_contents(&patterns, bounds)?)
        })
        .await
    }

    /// Reads files as what their names say: text, bytes or a parsed value; one outcome a path.
    ///
    /// # Errors
    /// A session that is not open, and what the host cannot read. What the submission did is an outcome, a file that
    /// is not what its name says too.
    ///
    /// Cancel safe: nothing is changed.
    #[cfg(feature = "files")]
    pub async fn get_typed_contents(
        &self,
        patterns: &[&str],
        bounds: ContentsBounds,
        file_bounds: FileBounds,
    ) -> Result<TypedContents, ExecutionError> {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        // A few packed bytes can be long work, so never here.
        self.with_inner("get_typed_contents", move |inner| {
            let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
            Ok(inner.workspace()?.get_typed_contents(&patterns, bounds, &file_bounds)?)
        })
        .await
    }

    /// Lists what changed in the workspace since the session's start or last snapshot, at most so many entries.
    ///
    /// # Errors
    /// A session that is not open, and what the host cannot read.
    pub async fn changes(&self, most: usize) -> Result<Changes, ExecutionError> {
        self.with_workspace("changes", 0, move |inner, workspace| {
            let mut base = inner.base();
            let scan = workspace.scan(&inner.scope, Some(&base.cache), Bounds::default())?;
            base.cache = scan.cache;
            Ok(Changes::between(&base.manifest, &scan.manifest, most))
        })
        .await
    }

    /// Compares the workspace with the session's start or last snapshot, with the lines that changed.
    ///
    /// Where the content from before is not kept, in a session without reset, such a change has no lines.
    ///
    /// # Errors
    /// A session that is not open, and what the host cannot read.
    pub async fn diff(&self, bounds: DiffBounds) -> Result<SnapshotDiff, ExecutionError> {
        self.with_inner("diff", move |inner| {
            let (workspace, mut base) = (inner.workspace()?, inner.base());
            let scan = workspace.scan(&inner.scope, Some(&base.cache), Bounds::default())?;
            base.cache = scan.cache;
            let now = Tree { manifest: &scan.manifest, content: workspace.dir() };
            Ok(SnapshotDiff::between(base.tree(&workspace), now, bounds)?)
        })
        .await
    }

    /// Copies the workspace to a directory that is new or empty.
    ///
    /// # Errors
    /// A session that is not open, a directory that is not empty, and what the host cannot write.
    pub async fn keep(&self, destination: &Path) -> Result<CopyReport, ExecutionError> {
        let destination = destination.to_owned();
        self.with_inner("keep", move |inner| Ok(inner.workspace()?.keep(&destination)?)).await
    }
}
