//! Where reports go: a form, an audience and a file.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use super::place;
use crate::cli::failure::Usage;
use crate::error::ExecutionError;
use crate::evaluate::{Audience, ClassResults, ReportKind, Results};

/// What writes a report.
type Content<'a> = dyn Fn(&mut dyn Write) -> Result<(), ExecutionError> + 'a;

/// One report that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Target {
    pub(super) kind: ReportKind,
    pub(super) audience: Audience,
    pub(super) path: PathBuf,
}

/// Reads `KIND[@AUDIENCE]=PATH`.
pub(super) fn parse(text: &str) -> Result<Target, String> {
    let (what, path) =
        text.split_once('=').filter(|(_, path)| !path.is_empty()).ok_or("write it as KIND[@AUDIENCE]=PATH")?;
    let (kind, audience) = match what.split_once('@') {
        Some((kind, audience)) => (kind, audience),
        None => (what, Audience::Staff.name()),
    };
    let kinds = ReportKind::ALL.map(ReportKind::name);
    let kind = ReportKind::ALL
        .into_iter()
        .find(|known| known.name() == kind)
        .ok_or_else(|| format!("`{kind}` is no kind of report: {}", kinds.join(", ")))?;
    let audience = [Audience::Staff, Audience::Student]
        .into_iter()
        .find(|known| known.name() == audience)
        .ok_or_else(|| format!("`{audience}` is no audience: staff, student"))?;
    let path = std::path::absolute(path).map_err(|error| format!("cannot make `{path}` absolute: {error}"))?;
    Ok(Target { kind, audience, path })
}

impl Target {
    /// Refuses a place that cannot be written, before anything runs.
    pub(super) fn check(&self, is_class: bool) -> Result<(), Usage> {
        let usage = Usage::new(format!("a report cannot be written to `{}`", self.path.display()));
        if is_class && self.is_each() {
            return match place::fixed(&self.path).is_dir() {
                true => Ok(()),
                false => Err(usage.with_hint("the directory above `{submission}` must be there")),
            };
        }
        if is_class && !self.kind.is_for_classes() {
            let hint =
                format!("`{}` is one file a submission: write `{}` into its name", self.kind.name(), place::EACH);
            return Err(usage.with_hint(hint));
        }
        let parent = self.path.parent().is_some_and(Path::is_dir);
        if parent && !self.path.is_dir() {
            return Ok(());
        }
        Err(usage.with_hint("give --report a file in a directory that is there"))
    }

    /// Says whether there is one such report a submission.
    pub(super) fn is_each(&self) -> bool {
        place::is_each(&self.path)
    }

    /// Writes the report of a run in one piece: a reader sees the old content or the new, never a part.
    pub(super) fn write(&self, results: &Results) -> anyhow::Result<()> {
        self.write_with(&|out| self.kind.write(results, self.audience, out))
    }

    /// Writes the report of one submission of a class.
    pub(super) fn write_of(&self, submission: &str, results: &Results) -> anyhow::Result<()> {
        let own = Self { path: place::fill(&self.path, submission), ..self.clone() };
        place::make_parents(&own.path, &self.path)?;
        own.write(results)
    }

    /// Writes the report of a class, with the addresses of the pages that the submissions have for the same audience.
    pub(super) fn write_class(&self, results: &ClassResults, each: &[Self]) -> anyhow::Result<()> {
        let mut results = results.clone();
        let is_own = |one: &&Self| one.kind == ReportKind::Html && one.audience == self.audience;
        if let Some(pages) = each.iter().find(is_own) {
            for row in &mut results.rows {
                row.page = place::address(&self.path, &place::fill(&pages.path, &row.submission));
            }
        }
        self.write_with(&|out| self.kind.write_class(&results, self.audience, out))
    }

    fn write_with(&self, content: &Content<'_>) -> anyhow::Result<()> {
        let place = || format!("cannot write the report `{}`", self.path.display());
        let (parent, name) = self.path.parent().zip(self.path.file_name()).with_context(place)?;
        if self.path.exists() && !self.path.is_file() {
            let file = std::fs::OpenOptions::new().write(true).open(&self.path).with_context(place)?;
            return put(content, file).with_context(place);
        }
        let dir = Dir::open_ambient_dir(parent, ambient_authority()).with_context(place)?;
        let temporary = format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id());
        let write = || {
            let file = dir.open_with(&temporary, OpenOptions::new().write(true).create_new(true))?;
            put(content, file.into_std())?;
            dir.rename(&temporary, &dir, name)?;
            anyhow::Ok(())
        };
        write().map_err(|error| {
            // The failure before it is the one to tell.
            let _ = dir.remove_file(&temporary);
            error.context(place())
        })
    }
}

fn put(content: &Content<'_>, file: std::fs::File) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(file);
    content(&mut out)?;
    out.flush()?;
    let file = out.into_inner().map_err(|error| anyhow!(error.to_string()))?;
    // A pipe has nothing to sync.
    let _ = file.sync_all();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_its_form_its_audience_and_its_file() {
        let target = parse("junit@student=/tmp/a=b.xml").unwrap();
        assert_eq!((target.kind, target.audience), (ReportKind::Junit, Audience::Student));
        assert_eq!(target.path, Path::new("/tmp/a=b.xml"));
        assert_eq!(parse("json=/x").unwrap().audience, Audience::Staff);
        for wrong in ["json", "json=", "pdf=/x", "json@dean=/x"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
