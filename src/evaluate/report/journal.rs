//! The journal: a header, then a line a case, written as the verdicts come. Reports are read back from it, so that a
//! hundred thousand cases take no room in memory.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::suite_id::suite_id;
use super::{CaseRecord, RunFacts};
use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::{Case, EvaluateError, Verdict};

/// The version of the journal's form.
const VERSION: u32 = 1;
/// What the header says that the file is.
const KIND: &str = "bailiwick journal";
/// The longest line that is read back.
const MAX_LINE: u64 = 64 << 20;

/// What a journal begins with: by it a later run knows whether it may go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct JournalHeader {
    /// The version of the form.
    pub version: u32,
    /// `bailiwick journal`.
    pub kind: String,
    /// The name of the suite.
    pub suite: String,
    /// The hash of the cases that are judged.
    pub suite_id: String,
    /// How many cases are judged.
    pub cases: usize,
    /// The hash of the spec.
    pub spec_id: String,
    /// The id of the submission's files.
    pub submission_id: String,
    /// How the submission is started.
    pub command: String,
}

/// A journal that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// It cannot be written.
    #[error("the journal cannot be written")]
    Write {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be read back.
    #[error("the journal cannot be read")]
    Read {
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl From<JournalError> for ExecutionError {
    fn from(error: JournalError) -> Self {
        Self::new(ErrorKind::Workspace, error)
    }
}

/// The verdicts of a run on disk, and where each stands.
#[derive(Debug)]
pub struct Journal {
    file: File,
    end: u64,
    places: Vec<Option<Place>>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    offset: u64,
    bytes: u64,
    verdict: Verdict,
}

impl JournalHeader {
    pub(in crate::evaluate) fn new(facts: &RunFacts, cases: &[Case]) -> Self {
        Self {
            version: VERSION,
            kind: KIND.to_owned(),
            suite: facts.suite.clone(),
            suite_id: suite_id(cases),
            cases: cases.len(),
            spec_id: facts.spec_id.clone(),
            submission_id: facts.submission.id.clone(),
            command: facts.submission.command.clone(),
        }
    }

    /// Says what keeps a run from going on with a journal of this header.
    fn differs(&self, other: &Self) -> Option<&'static str> {
        let same = [
            (self.version == other.version && self.kind == other.kind, "it is of another version"),
            (self.suite_id == other.suite_id && self.cases == other.cases, "the cases are others"),
            (self.spec_id == other.spec_id, "the spec is another"),
            (self.submission_id == other.submission_id, "the submission is another"),
            (self.command == other.command, "the submission is started otherwise"),
        ];
        same.into_iter().find(|(is_same, _)| !is_same).map(|(_, why)| why)
    }
}

impl Journal {
    /// Begins a journal in an empty file that can be read and written.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn create(mut file: File, header: &JournalHeader) -> Result<Self, ExecutionError> {
        let failed = |source| JournalError::Write { source };
        let line = line(header)?;
        file.write_all(&line).and_then(|()| file.flush()).map_err(failed)?;
        Ok(Self { file, end: line.len() as u64, places: vec![None; header.cases] })
    }

    /// Goes on with a journal: what has a verdict there is not judged again.
    ///
    /// A last line that was cut is thrown away. Of two lines of one case the later counts.
    ///
    /// # Errors
    /// A file that cannot be read, or that is the journal of another run.
    pub fn resume(file: File, header: &JournalHeader) -> Result<Self, ExecutionError> {
        let mut journal = Self { file, end: 0, places: vec![None; header.cases] };
        journal.index(header)?;
        let end = journal.end;
        let failed = |source| JournalError::Write { source };
        journal.file.set_len(end).and_then(|()| journal.file.seek(SeekFrom::Start(end))).map_err(failed)?;
        Ok(journal)
    }

    /// Begins a journal in a file without a name below a directory; it is gone with this value.
    ///
    /// # Errors
    /// A directory that cannot be written.
    pub fn open_ambient_temporary(dir: &Path, header: &JournalHeader) -> Result<Self, ExecutionError> {
        let make = || {
            let dir = Dir::open_ambient_dir(dir, ambient_authority())?;
            static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
            let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let name = format!(".bailiwick-journal-{}-{number}", std::process::id());
            let mut options = OpenOptions::new();
            let file = dir.open_with(&name, options.read(true).write(true).create_new(true).mode(0o600))?;
            dir.remove_file(&name)?;
            Ok(file.into_std())
        };
        let file = make().map_err(|source| JournalError::Write { source })?;
        Self::create(file, header)
    }

    /// Says whether a case has a verdict of its own: neither `IE` nor `SK`.
    pub fn is_judged(&self, index: usize) -> bool {
        self.verdict(index).is_some_and(Verdict::is_judged)
    }

    /// Gives the verdict of a case, where there is one.
    pub fn verdict(&self, index: usize) -> Option<Verdict> {
        self.places.get(index).copied().flatten().map(|place| place.verdict)
    }

    /// Gives the first case, in order, that was judged and not accepted.
    pub(in crate::evaluate) fn first_failed(&self) -> Option<usize> {
        (0..self.places.len()).find(|index| self.is_judged(*index) && self.verdict(*index) != Some(Verdict::Ac))
    }

    /// Writes what came of a case, and flushes it.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn append(&mut self, record: &CaseRecord) -> Result<(), ExecutionError> {
        self.append_line(record, &Self::line(record)?)
    }

    /// Makes the line of a record, which takes longer than to write it and needs no journal.
    pub(in crate::evaluate) fn line(record: &CaseRecord) -> Result<Vec<u8>, ExecutionError> {
        line(record)
    }

    /// Writes the line of a record, and flushes it.
    pub(in crate::evaluate) fn append_line(&mut self, record: &CaseRecord, line: &[u8]) -> Result<(), ExecutionError> {
        let failed = |source| JournalError::Write { source };
        self.file.write_all(line).and_then(|()| self.file.flush()).map_err(failed)?;
        self.put(record, self.end, line.len() as u64);
        self.end += line.len() as u64;
        Ok(())
    }

    /// Reads back what came of a case; none where it has not been judged.
    ///
    /// # Errors
    /// A file that cannot be read, or was changed meanwhile.
    pub fn read(&self, index: usize) -> Result<Option<CaseRecord>, ExecutionError> {
        let Some(place) = self.places.get(index).copied().flatten() else { return Ok(None) };
        let failed = |source| JournalError::Read { source };
        let mut line = vec![0; usize::try_from(place.bytes).unwrap_or(usize::MAX)];
        self.file.read_exact_at(&mut line, place.offset).map_err(failed)?;
        let record = serde_json::from_slice(&line).map_err(|error| failed(error.into()))?;
        Ok(Some(record))
    }

    fn put(&mut self, record: &CaseRecord, offset: u64, bytes: u64) {
        if let Some(place) = self.places.get_mut(record.index) {
            *place = Some(Place { offset, bytes, verdict: record.verdict });
        }
    }

    fn index(&mut self, header: &JournalHeader) -> Result<(), ExecutionError> {
        let failed = |source| JournalError::Read { source };
        let mut file = self.file.try_clone().map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        let mut is_first = true;
        loop {
            line.clear();
            let read = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(failed)? as u64;
            if !line.ends_with(b"\n") {
                break;
            }
            if is_first {
                let found: JournalHeader = serde_json::from_slice(&line).map_err(|error| failed(error.into()))?;
                if let Some(why) = found.differs(header) {
                    return Err(EvaluateError::Journal { why: why.to_owned() }.into());
                }
                is_first = false;
            } else if let Ok(record) = serde_json::from_slice::<CaseRecord>(&line) {
                self.put(&record, self.end, read);
            }
            self.end += read;
        }
        match is_first {
            true => Err(EvaluateError::Journal { why: "it has no header".to_owned() }.into()),
            false => Ok(()),
        }
    }
}

fn line(value: &impl Serialize) -> Result<Vec<u8>, ExecutionError> {
    let mut line = serde_json::to_vec(value).map_err(|error| ExecutionError::new(ErrorKind::Bug, error))?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Visibility;

    fn header() -> JournalHeader {
        JournalHeader { version: VERSION, kind: KIND.into(), suite_id: "s".into(), cases: 3, ..Default::default() }
    }

    fn record(index: usize, verdict: Verdict) -> CaseRecord {
        CaseRecord {
            index,
            id: format!("c{index}"),
            group: "core".into(),
            points: 1.0,
            visibility: Visibility::Verdict,
            verdict,
            facts: Vec::new(),
            steps: Vec::new(),
            tries: 1,
            seconds: Some(0.5),
            file: None,
            line: None,
        }
    }

    #[test]
    fn what_was_written_is_read_back_and_gone_on_with() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("journal.jsonl");
        let open = || File::options().read(true).write(true).create(true).truncate(false).open(&path).unwrap();
        let mut journal = Journal::create(open(), &header()).unwrap();
        journal.append(&record(2, Verdict::Wa)).unwrap();
        journal.append(&record(0, Verdict::Ie)).unwrap();
        assert_eq!(journal.read(2).unwrap().unwrap(), record(2, Verdict::Wa));
        drop(journal);
        File::options().append(true).open(&path).unwrap().write_all(b"{\"index\":1,\"id\":\"cu").unwrap();
        let mut journal = Journal::resume(open(), &header()).unwrap();
        assert!(journal.is_judged(2) && !journal.is_judged(0) && !journal.is_judged(1));
        journal.append(&record(0, Verdict::Ac)).unwrap();
        drop(journal);
        let journal = Journal::resume(open(), &header()).unwrap();
        assert_eq!(journal.read(0).unwrap().unwrap().verdict, Verdict::Ac, "the later line counts");
        assert!(journal.read(1).unwrap().is_none());
        assert_eq!(journal.first_failed(), Some(2));
    }

    #[test]
    fn the_journal_of_another_run_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let mut journal = Journal::open_ambient_temporary(temp.path(), &header()).unwrap();
        journal.append(&record(0, Verdict::Ac)).unwrap();
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0, "it has no name");
        let other = JournalHeader { spec_id: "x".into(), ..header() };
        let error = Journal::resume(journal.file.try_clone().unwrap(), &other).unwrap_err();
        assert!(error.to_string().contains("the spec is another"), "{error}");
        let empty = File::options().read(true).write(true).create_new(true).open(temp.path().join("x")).unwrap();
        assert!(Journal::resume(empty, &header()).is_err());
    }
}
