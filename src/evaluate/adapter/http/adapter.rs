//! What the adapter tells of itself, and what it refuses in a case.

use async_trait::async_trait;
use serde_json::Value;

use super::config::HttpConfig;
use super::driver::Http;
use super::server::Server;
use crate::error::ExecutionError;
use crate::evaluate::adapter::{Adapter, Driver, Scope, Stage, inputs};
use crate::evaluate::{Case, ExitCodes, Step};
use crate::spec::{LimitName, LimitsConfig};

/// The adapter `http`: the submission is a server.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpAdapter;

#[async_trait]
impl Adapter for HttpAdapter {
    fn name(&self) -> &'static str {
        "http"
    }

    fn schema(&self) -> Value {
        HttpConfig::schema()
    }

    fn scope(&self) -> Scope {
        Scope::Group
    }

    fn check(&self, case: &Case) -> Vec<String> {
        case.steps.iter().flat_map(check_step).collect()
    }

    async fn check_stage(&self, stage: &Stage) -> Result<(), ExecutionError> {
        HttpConfig::read(&stage.config)?;
        let (session, runtime, _) = Server::spawn(stage, &LimitsConfig::default()).await?;
        runtime.cleanup().await?;
        session.close().await
    }

    async fn open(&self, stage: &Stage, first: &Case) -> Result<Box<dyn Driver>, ExecutionError> {
        let config = HttpConfig::read(&stage.config)?;
        let limits = LimitsConfig { wall_time: Default::default(), ..first.limits.clone() };
        let request_time = stage.frozen.limits(&limits)?.time(LimitName::WallTime);
        let server = Server::start(stage, &config, &limits).await?;
        Ok(Box::new(Http { server, request_time }))
    }
}

fn check_step(step: &Step) -> Vec<String> {
    let mut wrong = inputs::check_paths(&step.files);
    let expect = &step.expect;
    let of_commands = [
        (!step.args.is_empty(), "args"),
        (!step.env.is_empty(), "env"),
        (step.cwd.is_some(), "cwd"),
        (step.stdin.is_some(), "stdin"),
        (expect.stdout.is_some(), "expect.stdout"),
        (expect.stderr.is_some(), "expect.stderr"),
        (expect.exit_code != ExitCodes::default(), "expect.exit_code"),
    ];
    let used = of_commands.into_iter().filter(|(is_used, _)| *is_used);
    wrong.extend(used.map(|(_, name)| format!("`{name}` is for commands; the adapter `http` takes `request`")));
    if let Some(request) = &step.request {
        let is_token = |text: &str| {
            !text.is_empty()
                && text.chars().all(|sign| sign.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(sign))
        };
        let has_break = |text: &str| text.contains(['\r', '\n', '\0']);
        if !is_token(&request.method) || request.path.contains(char::is_whitespace) || has_break(&request.path) {
            wrong.push("the method or the path of the request is not one of HTTP".to_owned());
        }
        let headers = request.headers.iter().filter(|(name, value)| !is_token(name) || has_break(value));
        wrong.extend(headers.map(|(name, _)| format!("the header field `{}` is not one of HTTP", name.escape_debug())));
    }
    wrong
}
