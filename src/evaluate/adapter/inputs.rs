//! What every adapter does with the fields of a step: placeholders resolved, inputs put in, outputs read back.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Part, Seen};
use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::{Case, Data, Expectation, Step};
use crate::session::Session;
use crate::workspace::{FileOutcome, InputContent, InputFile, WorkspacePath};

/// What placeholders begin with.
const PLACEHOLDER: &str = "{{static:";

/// Resolves the placeholders of a text.
pub(super) fn text<'a>(session: &Session, text: &'a str) -> Result<Cow<'a, str>, ExecutionError> {
    match text.contains(PLACEHOLDER) {
        true => session.resolve_static_placeholder(text).map(Cow::Owned),
        false => Ok(Cow::Borrowed(text)),
    }
}

/// Resolves the placeholders of every word.
pub(super) fn words(session: &Session, words: &[String]) -> Result<Vec<String>, ExecutionError> {
    words.iter().map(|word| text(session, word).map(Cow::into_owned)).collect()
}

/// Resolves the placeholders of every name and value.
pub(super) fn map(
    session: &Session,
    map: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ExecutionError> {
    map.iter()
        .map(|(name, value)| Ok((text(session, name)?.into_owned(), text(session, value)?.into_owned())))
        .collect()
}

/// Reads bytes of a case and resolves their placeholders.
pub(crate) fn bytes(session: &Session, data: &Data) -> Result<Bytes, ExecutionError> {
    let bytes = data.read()?;
    session.resolve_static_bytes(bytes)
}

/// Puts input files into the workspace; whatever the submission put in their place is replaced.
pub(super) async fn put(session: &Session, step: &Step) -> Result<(), ExecutionError> {
    if step.files.is_empty() {
        return Ok(());
    }
    let files = step.files.iter().map(|(name, data)| {
        let path = text(session, name)?;
        let path = WorkspacePath::new(&*path).map_err(|error| ExecutionError::new(ErrorKind::Spec, error))?;
        let mut file = InputFile::new(path, InputContent::Bytes(bytes(session, data)?.into()));
        file.mode = step.executables.contains(name).then_some(0o755);
        Ok(file)
    });
    let files = files.collect::<Result<Vec<_>, ExecutionError>>()?;
    session.materialize_input_files(files).await
}

/// Reads the files on which something is expected.
pub(super) async fn take(
    session: &Session,
    expected: &BTreeMap<String, Expectation>,
    parts: &mut Vec<(Part, Seen)>,
) -> Result<(), ExecutionError> {
    for path in expected.keys() {
        let resolved = text(session, path)?;
        let contents = session.get_file_contents(&[&*resolved]).await?;
        // A literal name that is not there may be read as a pattern: only the name itself counts.
        let name = resolved.trim_start_matches("./");
        let seen = match contents.get(name) {
            Some(FileOutcome::Content(content)) => Seen::Bytes(Bytes::copy_from_slice(content.as_bytes())),
            Some(FileOutcome::Missing) | None => Seen::Missing,
            Some(FileOutcome::NotRegular) => Seen::Unusable("is not a regular file".to_owned()),
            Some(FileOutcome::Outside) => Seen::Unusable("leads out of the workspace".to_owned()),
            Some(FileOutcome::TooLarge { size }) => {
                Seen::Unusable(format!("has {size} bytes, more than are looked at"))
            }
        };
        parts.push((Part::File(path.clone()), seen));
    }
    Ok(())
}

/// Says what is wrong with the paths of input files.
pub(super) fn check_paths(files: &BTreeMap<String, Data>) -> Vec<String> {
    let plain = files.keys().filter(|path| !path.contains(PLACEHOLDER));
    plain
        .filter_map(|path| WorkspacePath::new(path).err().map(|error| format!("the input file `{path}`: {error}")))
        .collect()
}

/// Sees that every placeholder in the texts of a case names an asset.
pub(crate) fn check_placeholders(session: &Session, case: &Case) -> Result<(), ExecutionError> {
    let inline = |data: &Data| match data {
        Data::Inline(bytes) => session.resolve_static_bytes(bytes.clone()).map(drop),
        // Files are looked at when they are read.
        Data::File(_) => Ok(()),
    };
    for step in &case.steps {
        words(session, &step.args)?;
        map(session, &step.env)?;
        step.stdin.iter().chain(step.files.values()).try_for_each(inline)?;
        for path in step.files.keys().chain(step.expect.files.keys()).chain(&step.cwd) {
            text(session, path)?;
        }
        if let Some(request) = &step.request {
            text(session, &request.path)?;
            map(session, &request.headers)?;
            request.body.iter().try_for_each(inline)?;
        }
        let expect = &step.expect;
        let streams = [&expect.stdout, &expect.stderr, &expect.body].into_iter().flatten();
        let all = streams.chain(expect.files.values()).chain(expect.headers.values());
        all.filter_map(|expectation| expectation.expected.as_ref()).try_for_each(inline)?;
    }
    Ok(())
}
