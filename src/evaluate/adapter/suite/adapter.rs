//! The walk through a run of a test program: a room, a socket, the program, its report, the cases.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use tokio::net::UnixListener;

use super::call::Calls;
use super::config::SuiteConfig;
use super::join::join;
use super::process::Program;
use super::replay::Replay;
use super::report::{self, MOST};
use super::room::{Room, SharedRoom};
use super::serve;
use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::adapter::{Adapter, Collected, Driver, Scope, Stage};
use crate::evaluate::{Case, Suite};

/// The adapter `suite`: a test program of the author judges.
#[derive(Clone, Copy, Debug, Default)]
pub struct SuiteAdapter;

#[async_trait]
impl Adapter for SuiteAdapter {
    fn name(&self) -> &'static str {
        "suite"
    }

    fn schema(&self) -> Value {
        SuiteConfig::schema()
    }

    fn scope(&self) -> Scope {
        Scope::Group
    }

    fn check(&self, _: &Case) -> Vec<String> {
        vec!["stands in the case file, but the cases of the adapter `suite` are the tests of its program".to_owned()]
    }

    fn collects(&self) -> bool {
        true
    }

    async fn collect(&self, stage: &Stage, suite: &Suite) -> Result<Option<Collected>, ExecutionError> {
        let config = SuiteConfig::read(&stage.config)?;
        let no_home =
            || ExecutionError::new(ErrorKind::Spec, "a test program needs a suite that is a file of the host");
        let home = suite.home.as_deref().ok_or_else(no_home)?;
        let room: SharedRoom = Arc::new(Room::open(stage).await?);
        let failed = |error: std::io::Error| ExecutionError::new(ErrorKind::Workspace, error);
        let listener = UnixListener::bind(room.socket()).map_err(failed)?;
        let calls = Calls::new(stage, &config, Arc::clone(&room));
        let path = stage.frozen.registry().host().path.as_deref();
        let mut program = Program::start(&config, &room, home, path)?;
        let code = serve::while_running(&calls, &listener, program.wait(config.wall_time.0)).await?;
        drop(program);
        let wrong = |what: String| {
            let said = [room.tail("stdout"), room.tail("stderr")].join("\n");
            ExecutionError::new(ErrorKind::Runtime, what).with_hint(said.trim().to_owned())
        };
        match code {
            None => return Err(wrong("the test program was ended by its time or by a signal".to_owned())),
            Some(code) if !config.exit_codes.contains(&code) => {
                return Err(wrong(format!("the test program ended with exit code {code}")));
            }
            Some(_) => {}
        }
        let text = room.read_report(MOST).ok_or_else(|| wrong("the test program wrote no report".to_owned()))?;
        let tests = report::read(config.report, &text).map_err(wrong)?;
        if tests.is_empty() {
            return Err(wrong("the test program reports no test".to_owned()));
        }
        let (mut cases, mut seen) = (Vec::new(), HashMap::new());
        for (case, observed) in join(&config, tests, &calls.into_made()) {
            seen.insert(case.id.clone(), observed);
            cases.push(case);
        }
        let adapter: Arc<dyn Adapter> = Arc::new(Replay { seen: Arc::new(seen), schema: self.schema() });
        Ok(Some(Collected { cases, adapter }))
    }

    async fn open(&self, _: &Stage, _: &Case) -> Result<Box<dyn Driver>, ExecutionError> {
        Err(ExecutionError::new(ErrorKind::Bug, "the tests of a suite have run before its cases are judged"))
    }
}
