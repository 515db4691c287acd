//! The tests that ran already, given to the judge one by one.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::adapter::{Adapter, Driver, Observed, Scope, Stage};
use crate::evaluate::{Case, Step};
use crate::session::Session;
use crate::spec::LimitsConfig;

/// What was seen of each test, by its id; or what the host failed at.
pub(super) struct Replay {
    pub(super) seen: Arc<HashMap<String, Result<Observed, String>>>,
    pub(super) schema: Value,
}

struct Told {
    seen: Arc<HashMap<String, Result<Observed, String>>>,
    session: Session,
}

#[async_trait]
impl Adapter for Replay {
    fn name(&self) -> &'static str {
        "suite"
    }

    fn schema(&self) -> Value {
        self.schema.clone()
    }

    fn scope(&self) -> Scope {
        Scope::Group
    }

    fn check(&self, _: &Case) -> Vec<String> {
        Vec::new()
    }

    async fn open(&self, stage: &Stage, _: &Case) -> Result<Box<dyn Driver>, ExecutionError> {
        let session = stage.session(&LimitsConfig::default()).await?;
        Ok(Box::new(Told { seen: Arc::clone(&self.seen), session }))
    }
}

#[async_trait]
impl Driver for Told {
    async fn step(&mut self, case: &Case, _: &Step) -> Result<Observed, ExecutionError> {
        match self.seen.get(&case.id) {
            Some(Ok(observed)) => Ok(observed.clone()),
            Some(Err(trouble)) => Err(ExecutionError::new(ErrorKind::Runtime, trouble.clone())),
            None => Err(ExecutionError::new(ErrorKind::Bug, "a test that did not run is judged")),
        }
    }

    fn session(&self) -> &Session {
        &self.session
    }

    async fn close(self: Box<Self>) -> Result<(), ExecutionError> {
        self.session.close().await
    }
}
