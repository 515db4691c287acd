//! One step: its wire form, the defaults, and what comes of both.

use std::collections::BTreeMap;
use std::sync::Arc;

use cap_std::fs::Dir;

use super::data::data;
use super::wire::{Any, CodesWire, DataWire, DefaultsWire, ExpectWire, RequestWire, StepWire};
use crate::evaluate::check::{CheckConfig, CommandText, ExpectationConfig};
use crate::evaluate::{Data, ExitCodes, Expect, Expectation, Request, StatusCodes, Step};
use crate::spec::{Problem, split_line};

/// Reads steps of one file.
pub(super) struct Steps<'a> {
    pub(super) base: &'a Arc<Dir>,
    pub(super) defaults: &'a DefaultsWire,
    pub(super) problems: Vec<Problem>,
}

impl Steps<'_> {
    /// Makes one step; what is wrong is kept with the problems.
    pub(super) fn step(&mut self, wire: StepWire, at: &str) -> Step {
        let mut env = self.defaults.env.clone();
        env.extend(wire.env);
        let mut step = Step { env, cwd: wire.cwd.or_else(|| self.defaults.cwd.clone()), ..Step::default() };
        step.args = self.words(wire.args, &join(at, "args"));
        step.stdin = wire.stdin.as_ref().and_then(|wire| self.data(wire, "stdin", &join(at, "stdin")));
        step.files = self.files(&wire.files, &join(at, "files"));
        let is_executable = |wire: &DataWire| matches!(wire, DataWire::Map(config) if config.executable);
        step.executables =
            wire.files.iter().filter(|(_, wire)| is_executable(wire)).map(|(path, _)| path.clone()).collect();
        step.request = wire.request.map(|wire| self.request(wire, &join(at, "request")));
        step.expect = self.expect(wire.expect.unwrap_or_default(), &join(at, "expect"));
        step
    }

    fn words(&mut self, args: Option<CommandText>, at: &str) -> Vec<String> {
        match args {
            None => Vec::new(),
            Some(CommandText::Words(words)) => words,
            Some(CommandText::Line(line)) => match split_line(&line) {
                Ok(words) => words,
                Err(error) => {
                    self.problems.push(Problem::new(at, error.to_string()).with_hint("write a list of words"));
                    Vec::new()
                }
            },
        }
    }

    fn data(&mut self, wire: &DataWire, name: &str, at: &str) -> Option<Data> {
        data(wire, name, at, self.base).map_err(|problem| self.problems.push(problem)).ok()
    }

    fn files(&mut self, files: &BTreeMap<String, DataWire>, at: &str) -> BTreeMap<String, Data> {
        let mut made = BTreeMap::new();
        for (path, wire) in files {
            if let Some(data) = self.data(wire, path, &join_key(at, path)) {
                made.insert(path.clone(), data);
            }
        }
        made
    }

    fn request(&mut self, wire: RequestWire, at: &str) -> Request {
        let mut request = Request::default();
        request.method = wire.method.unwrap_or(request.method);
        request.path = wire.path.unwrap_or(request.path);
        if !request.path.starts_with('/') {
            let problem = Problem::new(join(at, "path"), "must begin with a slash");
            self.problems.push(problem.with_hint(format!("write `/{}`", request.path)));
        }
        request.headers = wire.headers;
        let is_json = matches!(&wire.body, Some(DataWire::Map(map)) if map.json.is_some());
        let has_type = request.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
        if is_json && !has_type {
            request.headers.insert("content-type".to_owned(), "application/json".to_owned());
        }
        request.body = wire.body.as_ref().and_then(|wire| self.data(wire, "body", &join(at, "body")));
        request
    }

    fn expect(&mut self, wire: ExpectWire, at: &str) -> Expect {
        let defaults = self.defaults;
        let exit_code = match wire.exit_code.or_else(|| defaults.exit_code.clone()) {
            None => ExitCodes::default(),
            Some(CodesWire::One(code)) => ExitCodes::OneOf(vec![i32::from(code)]),
            Some(CodesWire::Several(codes)) => ExitCodes::OneOf(codes.into_iter().map(i32::from).collect()),
            Some(CodesWire::Word(Any::Any)) => ExitCodes::Any,
        };
        let status = match wire.status {
            None => StatusCodes::default(),
            Some(CodesWire::One(code)) => StatusCodes::OneOf(vec![code]),
            Some(CodesWire::Several(codes)) => StatusCodes::OneOf(codes),
            Some(CodesWire::Word(Any::Any)) => StatusCodes::Any,
        };
        let headers = wire.headers.into_iter().map(|(name, config)| (name.to_ascii_lowercase(), config)).collect();
        Expect {
            exit_code,
            status,
            stdout: self.stream(wire.stdout, defaults.stdout.as_ref(), &join(at, "stdout")),
            stderr: self.stream(wire.stderr, defaults.stderr.as_ref(), &join(at, "stderr")),
            body: self.stream(wire.body, defaults.body.as_ref(), &join(at, "body")),
            files: self.named(wire.files, defaults.files.as_ref(), &join(at, "files")),
            headers: self.named(headers, None, &join(at, "headers")),
        }
    }

    fn named(
        &mut self,
        configs: BTreeMap<String, ExpectationConfig>,
        defaults: Option<&CheckConfig>,
        at: &str,
    ) -> BTreeMap<String, Expectation> {
        let mut made = BTreeMap::new();
        for (name, config) in configs {
            let here = join_key(at, &name);
            if let Some(expectation) = self.stream(Some(config), defaults, &here) {
                made.insert(name, expectation);
            }
        }
        made
    }

    fn stream(
        &mut self,
        config: Option<ExpectationConfig>,
        defaults: Option<&CheckConfig>,
        at: &str,
    ) -> Option<Expectation> {
        let config = config.filter(|config| !config.is_any())?.into_config();
        let config = match defaults {
            Some(defaults) => config.over(defaults),
            None => config,
        };
        config.expectation(at, self.base).map_err(|problems| self.problems.extend(problems)).ok()
    }
}

pub(super) fn join(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}

/// Adds a key that may hold anything, quoted as paths of problems quote it.
fn join_key(at: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|sign| sign.is_alphanumeric() || "_-".contains(sign));
    if plain { join(at, key) } else { format!("{at}[{}]", serde_json::Value::from(key)) }
}
