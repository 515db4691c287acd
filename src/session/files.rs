//! Files in and out of the workspace, and what changed in it.

use std::path::Path;

use super::Session;
use crate::error::ExecutionError;
use crate::workspace::{Bounds, Changes, Contents, ContentsBounds, CopyReport, InputFile};

impl Session {
    /// Writes input files; whatever stands in their place is replaced.
    ///
    /// # Errors
    /// A session that is not open, and what the host cannot write.
    pub async fn materialize_input_files(&self, files: Vec<InputFile>) -> Result<(), ExecutionError> {
        self.inner.state.need_open("materialize_input_files")?;
        let more = files.iter().map(|file| file.content.size_hint()).sum();
        self.with_workspace(more, move |_, workspace| Ok(workspace.write_input_files(&files)?)).await
    }

    /// Reads files by literal paths, globs and directories; one outcome a path.
    ///
    /// # Errors
    /// A session that is not open, and what the host cannot read. What the submission did is an outcome.
    pub async fn get_file_contents(&self, patterns: &[&str]) -> Result<Contents, ExecutionError> {
        self.inner.state.need_open("get_file_contents")?;
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        self.with_workspace(0, move |_, workspace| {
            let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
            Ok(workspace.get_file_contents(&patterns, ContentsBounds::default())?)
        })
        .await
    }

    /// Lists what changed in the workspace since the session's start or last snapshot, at most so many entries.
    ///
    /// # Errors
    /// A session that is not open, and what the host cannot read.
    pub async fn changes(&self, most: usize) -> Result<Changes, ExecutionError> {
        self.inner.state.need_open("changes")?;
        self.with_workspace(0, move |inner, workspace| {
            let mut base = inner.base();
            let scan = workspace.scan(&inner.scope, Some(&base.cache), Bounds::default())?;
            base.cache = scan.cache;
            Ok(Changes::between(&base.manifest, &scan.manifest, most))
        })
        .await
    }

    /// Copies the workspace to a directory that is new or empty.
    ///
    /// # Errors
    /// A session that is not open, a directory that is not empty, and what the host cannot write.
    pub async fn keep(&self, destination: &Path) -> Result<CopyReport, ExecutionError> {
        self.inner.state.need_open("keep")?;
        let destination = destination.to_owned();
        self.with_inner(move |inner| Ok(inner.workspace()?.keep(&destination)?)).await
    }
}
