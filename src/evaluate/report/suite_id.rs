//! The name of cases by what they ask and how they decide: what was judged of other cases is never gone on with.

use std::collections::HashMap;
use std::sync::Arc;

use cap_std::fs::Dir;

use crate::evaluate::check::{Check, ProgramCheck};
use crate::evaluate::{Case, Data, Expectation, Step};

/// Names cases: the same cases have the same name. Files count by path and content, checkers with all their options.
pub(super) fn suite_id(cases: &[Case]) -> String {
    let mut naming = Naming { hasher: blake3::Hasher::new(), files: HashMap::new() };
    for case in cases {
        naming.put(&format!("{} {} {} {:?} {:?}", case.id, case.group, case.points, case.visibility, case.limits));
        case.steps.iter().for_each(|step| naming.step(step));
    }
    naming.hasher.finalize().to_hex().to_string()
}

struct Naming<'c> {
    hasher: blake3::Hasher,
    /// The contents of files that were read: many cases may name one.
    files: HashMap<(*const Dir, &'c str), String>,
}

impl<'c> Naming<'c> {
    /// Adds a text that ends where it ends.
    fn put(&mut self, text: &str) {
        self.hasher.update(&(text.len() as u64).to_le_bytes());
        self.hasher.update(text.as_bytes());
    }

    fn data(&mut self, data: &'c Data) {
        let name = match data {
            Data::Inline(_) => content(data),
            Data::File(file) => {
                let place = (Arc::as_ptr(&file.base), file.path.as_str());
                let content = self.files.entry(place).or_insert_with(|| content(data));
                format!("{} {content}", file.path)
            }
        };
        self.put(&name);
    }

    fn step(&mut self, step: &'c Step) {
        self.put(&format!("{:?} {:?} {:?} {:?}", step.args, step.env, step.cwd, step.executables));
        self.put(&format!("{:?} {:?}", step.stdin.is_some(), step.files.keys()));
        step.stdin.iter().chain(step.files.values()).for_each(|data| self.data(data));
        if let Some(request) = &step.request {
            self.put(&format!("{} {} {:?}", request.method, request.path, request.headers));
            request.body.iter().for_each(|data| self.data(data));
        }
        let expect = &step.expect;
        self.put(&format!("{:?} {:?}", expect.exit_code, expect.status));
        let streams = [("stdout", &expect.stdout), ("stderr", &expect.stderr), ("body", &expect.body)];
        for (name, expectation) in streams.iter().filter_map(|(name, one)| Some((name, one.as_ref()?))) {
            self.expectation(name, expectation);
        }
        for (name, expectation) in expect.files.iter().chain(&expect.headers) {
            self.expectation(name, expectation);
        }
    }

    fn expectation(&mut self, name: &str, expectation: &'c Expectation) {
        self.put(&format!("{name} {} {}", expectation.check.name(), expectation.expected.is_some()));
        expectation.expected.iter().for_each(|data| self.data(data));
        match &expectation.check {
            Check::Compare(comparison) => self.put(&format!("{comparison:?}")),
            Check::Program(program) => self.program(program),
        }
    }

    fn program(&mut self, program: &'c ProgramCheck) {
        let ProgramCheck { files, compile, command, aliases, protocol, flags, limits, compile_limits, spec, last } =
            program;
        self.put(&format!("{compile:?} {command:?} {aliases:?} {protocol:?} {flags:?} {spec:?} {last:?}"));
        self.put(&format!("{limits:?} {compile_limits:?} {:?}", files.keys()));
        files.values().for_each(|data| self.data(data));
    }
}

/// Names bytes. What cannot be read now cannot be judged with either, and has a name of its own.
fn content(data: &Data) -> String {
    data.read().map_or_else(|_| "unreadable".to_owned(), |bytes| blake3::hash(&bytes).to_hex().to_string())
}
