//! A place with cases and a submission, and a run over it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bailiwick::evaluate::{
    AdapterRegistry, Audience, CaseRecord, Evaluation, Journal, Progress, ReportKind, Results, RunOptions, Selection,
    Start, Suite, Verdict, open_ambient_suite,
};
use bailiwick::spec::{EnvironmentSpec, load};
use bailiwick::{ExecutionError, Host, RuntimeRegistry};
use serde_json::Value;

/// The spec of submissions that are shell scripts.
pub(crate) const SH: &str = "
type: local
name: sh
commands: {entry_file: '{entry_file}.sh', command: sh}
";

/// A place of its own, with a base for workspaces that must be empty at the end.
pub(crate) struct Place {
    pub(crate) home: tempfile::TempDir,
    pub(crate) spec: String,
}

/// What came of a run.
pub(crate) struct Run {
    pub(crate) results: Results,
}

impl Place {
    /// Makes a place with these cases, and a submission with this script.
    pub(crate) fn new(cases: &str, script: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        for dir in ["base", "temp", "cases", "submission"] {
            std::fs::create_dir(home.path().join(dir)).unwrap();
        }
        let place = Self { home, spec: SH.to_owned() };
        place.write("cases/cases.yaml", &format!("version: 1\n{cases}"));
        place.write("submission/main.sh", script);
        place
    }

    /// Puts more into the spec.
    pub(crate) fn with_spec(mut self, more: &str) -> Self {
        self.spec += more;
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn registry(&self) -> RuntimeRegistry {
        let mut host = Host::default();
        host.dirs.base = Some(self.path("base"));
        host.dirs.temp = Some(self.path("temp"));
        host.dirs.cache = Some(self.path("cache"));
        RuntimeRegistry::builder(host).with_builtins().build().unwrap()
    }

    pub(crate) fn environment(&self, registry: &RuntimeRegistry) -> EnvironmentSpec {
        load(&self.spec, "spec", registry).unwrap().spec
    }

    pub(crate) fn suite(&self) -> Result<Suite, ExecutionError> {
        open_ambient_suite(&self.path("cases"), &AdapterRegistry::with_builtins())
    }

    pub(crate) async fn prepare(&self, registry: &RuntimeRegistry) -> Result<Evaluation, ExecutionError> {
        let suite = Arc::new(self.suite()?);
        let builder = Evaluation::builder(registry, self.environment(registry), suite);
        builder.submission(self.path("submission")).start(Start::Entry(None)).prepare().await
    }

    /// Judges every case, two at once, and asserts that nothing is left behind.
    pub(crate) async fn judge(&self) -> Run {
        self.judge_with(RunOptions::jobs(2)).await
    }

    pub(crate) async fn judge_with(&self, options: RunOptions) -> Run {
        let registry = self.registry();
        let evaluation = self.prepare(&registry).await.unwrap();
        let journal = self.journal(&evaluation);
        let results = evaluation.run(options, journal, Arc::new(()), std::future::pending()).await.unwrap();
        self.is_clean(&registry).await;
        Run { results }
    }

    pub(crate) fn journal(&self, evaluation: &Evaluation) -> Journal {
        Journal::open_ambient_temporary(&self.path("temp"), &evaluation.journal_header()).unwrap()
    }

    /// Asserts that no workspace and no temporary file is left.
    pub(crate) async fn is_clean(&self, registry: &RuntimeRegistry) {
        registry.shutdown(std::time::Duration::from_secs(20)).await.unwrap();
        for dir in ["base", "temp"] {
            let left: Vec<_> = std::fs::read_dir(self.path(dir)).unwrap().map(|entry| entry.unwrap().path()).collect();
            assert!(left.is_empty(), "left behind: {left:?}");
        }
    }
}

impl Run {
    pub(crate) fn records(&self) -> Vec<CaseRecord> {
        self.results.records().collect::<Result<_, _>>().unwrap()
    }

    pub(crate) fn record(&self, id: &str) -> CaseRecord {
        self.records().into_iter().find(|record| record.id == id).unwrap()
    }

    #[track_caller]
    pub(crate) fn expect(&self, expected: &[(&str, Verdict)]) {
        let records = self.records();
        let given: Vec<_> = records.iter().map(|record| (record.id.as_str(), record.verdict)).collect();
        let facts: Vec<_> = records.iter().map(|record| (&record.id, &record.facts, &record.steps)).collect();
        assert_eq!(given, expected, "{facts:#?}");
    }

    pub(crate) fn report(&self, kind: ReportKind, audience: Audience) -> String {
        let mut text = Vec::new();
        kind.write(&self.results, audience, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    /// Gives the report as JSON without what differs from run to run: times, and memory, which is sampled.
    pub(crate) fn timeless(&self) -> serde_json::Value {
        let mut report: serde_json::Value =
            serde_json::from_str(&self.report(ReportKind::Json, Audience::Staff)).unwrap();
        strip(&mut report);
        report
    }
}

/// Takes times and memory out of a report.
pub(crate) fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for key in ["seconds", "wall_time", "cpu_time", "peak_memory"] {
                map.remove(key);
            }
            map.values_mut().for_each(strip);
        }
        Value::Array(values) => values.iter_mut().for_each(strip),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Tells a test when so many cases are judged.
pub(crate) struct After {
    pub(crate) cases: usize,
    pub(crate) reached: tokio::sync::Notify,
}

impl Progress for After {
    fn judged(&self, _: &CaseRecord, done: usize, _: usize) {
        if done == self.cases {
            self.reached.notify_one();
        }
    }

    fn trouble(&self, message: &str) {
        panic!("{message}");
    }
}

pub(crate) fn only(ids: &[&str]) -> Selection {
    Selection { cases: ids.iter().map(|id| (*id).to_owned()).collect(), groups: Vec::new() }
}

pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_bailiwick"))
}
