//! One group of cases against one server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;

use super::client::{Answer, Ask, NoAnswer};
use super::server::{Found, Server};
use crate::error::ExecutionError;
use crate::evaluate::adapter::{Driver, Observed, Part, Seen, inputs};
use crate::evaluate::{Case, Evidence, Figure, Request, Step, Verdict};
use crate::runtime::{RuntimeResult, Termination};
use crate::session::Session;
use crate::spec::{Limit, Span};

/// Asks one server.
pub(super) struct Http {
    pub(super) server: Server,
    /// How long a request may take where its case does not say.
    pub(super) request_time: Option<Duration>,
}

#[async_trait]
impl Driver for Http {
    async fn step(&mut self, case: &Case, step: &Step) -> Result<Observed, ExecutionError> {
        let session = &self.server.session;
        let fallback = Request::default();
        let request = step.request.as_ref().unwrap_or(&fallback);
        let mut observed = Observed { command: format!("{} {}", request.method, request.path), ..Observed::default() };
        if let Some(fact) = self.never_ready() {
            observed.command.clone_from(&self.server.command);
            observed.facts.push(fact);
            return Ok(self.with_output(observed));
        }
        if let Some(result) = self.server.end(false).await? {
            observed.command.clone_from(&self.server.command);
            return Ok(self.with_output(ended(observed, &result, "before")));
        }
        inputs::put(session, step).await?;
        let began = Instant::now();
        let answer = self.ask(case, request).await?;
        observed.seconds = Some(began.elapsed().as_secs_f64());
        match answer {
            Asked::Answered(answer) => {
                take_answer(&mut observed, step, answer);
                inputs::take(&self.server.session, &step.expect.files, &mut observed.parts).await?;
            }
            Asked::Late(allowed) => {
                let value = Figure::Seconds(began.elapsed().as_secs_f64());
                let allowed = Figure::Seconds(allowed.as_secs_f64());
                let limit = "wall_time".to_owned();
                observed.facts.push((Verdict::Tle, Evidence::Limit { limit, value, allowed }));
            }
            Asked::Silent(why) => {
                if let Some(result) = self.server.end(true).await? {
                    observed = ended(observed, &result, "while");
                }
                if observed.facts.is_empty() {
                    observed.facts.push((Verdict::Rte, Evidence::NoAnswer { message: why.to_string() }));
                }
            }
        }
        Ok(self.with_output(observed))
    }

    fn session(&self) -> &Session {
        &self.server.session
    }

    async fn close(self: Box<Self>) -> Result<(), ExecutionError> {
        self.server.close().await
    }
}

/// What came of a request.
enum Asked {
    Answered(Answer),
    Late(Duration),
    Silent(NoAnswer),
}

impl Http {
    /// Gives what speaks against a server that was never ready; one that ended says so itself.
    fn never_ready(&self) -> Option<(Verdict, Evidence)> {
        match self.server.found {
            Found::Ready | Found::Ended => None,
            Found::Late(allowed) => {
                let seconds = Figure::Seconds(allowed.as_secs_f64());
                let evidence = Evidence::Limit { limit: "ready_time".to_owned(), value: seconds, allowed: seconds };
                Some((Verdict::Tle, evidence))
            }
            Found::Stranger => Some((Verdict::Rte, Evidence::NoAnswer { message: NoAnswer::Stranger.to_string() })),
        }
    }

    async fn ask(&self, case: &Case, request: &Request) -> Result<Asked, ExecutionError> {
        let session = &self.server.session;
        let target = inputs::text(session, &request.path)?;
        let headers = inputs::map(session, &request.headers)?.into_iter().collect();
        let body = request.body.as_ref().map(|data| inputs::bytes(session, data)).transpose()?;
        let request = Ask { method: &request.method, target: &target, headers, body };
        let allowed = match case.limits.wall_time {
            Limit::Set(Span(time)) => Some(time),
            Limit::None => None,
            Limit::Unset => self.request_time,
        };
        let asked = self.server.ask(&request);
        let answer = match allowed {
            None => asked.await,
            Some(allowed) => match tokio::time::timeout(allowed, asked).await {
                Ok(answer) => answer,
                Err(_) => return Ok(Asked::Late(allowed)),
            },
        };
        Ok(answer.map_or_else(Asked::Silent, Asked::Answered))
    }

    fn with_output(&self, mut observed: Observed) -> Observed {
        let [stdout, stderr] = self.server.take_printed();
        for (part, bytes) in [(Part::Stdout, stdout), (Part::Stderr, stderr)] {
            if !bytes.is_empty() {
                observed.parts.push((part, Seen::Bytes(bytes.into())));
            }
        }
        observed
    }
}

fn take_answer(observed: &mut Observed, step: &Step, answer: Answer) {
    let Answer { status, headers, body } = answer;
    observed.status = Some(status);
    for name in step.expect.headers.keys() {
        let value = headers.iter().find(|(known, _)| known == name);
        let seen = value.map_or(Seen::Missing, |(_, value)| Seen::Bytes(Bytes::from(value.clone())));
        observed.parts.push((Part::Header(name.clone()), seen));
    }
    observed.parts.push((Part::Body, Seen::Bytes(body)));
}

/// A server that ended cannot be asked; how it ended is what speaks against it.
fn ended(mut observed: Observed, result: &Arc<RuntimeResult>, when: &str) -> Observed {
    if matches!(result.termination, Termination::Exited { .. }) {
        let message = format!("the server ended {when} it was asked: {}", result.termination);
        observed.facts.push((Verdict::Rte, Evidence::NoAnswer { message }));
    }
    observed.result = Some(Arc::clone(result));
    observed
}
