//! A checker that is a program: what it is made of, how it is called, how it answers. Data alone; it runs elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use cap_std::fs::Dir;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::read::below;
use super::{CheckConfig, CommandText, collect_files};
use crate::evaluate::Data;
use crate::spec::{LimitsConfig, Problem, split_line};

/// A program that decides, in a sandbox of its own, after the submission is dead.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProgramCheck {
    /// What its workspace holds at first, by path.
    pub files: BTreeMap<String, Data>,
    /// The command that makes it runnable, once for all cases. Default: none.
    pub compile: Option<Vec<String>>,
    /// The command that starts it. What the protocol adds stands behind it.
    pub command: Vec<String>,
    /// Other names of the program that the first word stands for; the first that is there is taken. Default: none.
    pub aliases: Vec<String>,
    /// How it is called, and how it answers.
    pub protocol: Protocol,
    /// Words behind those of the protocol.
    pub flags: Vec<String>,
    /// Its own limits, over those of its spec.
    pub limits: LimitsConfig,
    /// Limits of its compilation, over those of its spec.
    pub compile_limits: LimitsConfig,
    /// The environment spec that it runs in: a file beside the cases, or a name. Default: the submission's.
    pub spec: Option<String>,
    /// Whether only the last lines of the output are given to it.
    pub last: Option<u64>,
}

/// How a program that decides is called, and how it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Protocol {
    /// Called with the paths of three files: input, expected, output; the output stands on its standard input too.
    /// Exit code 0 accepts, 1 rejects, and its standard output says why; anything else is a fault of the checker.
    #[default]
    Exit,
    /// The output validators of problem packages: called with the paths of the input, of the judge's answer and of
    /// a feedback directory, then the flags, with the output on standard input. Exit code 42 accepts, 43 rejects;
    /// anything else is a fault of the validator. `judgemessage.txt` in the directory says why.
    Icpc,
}

/// What a program that decides has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It accepts.
    Accepts,
    /// It rejects.
    Rejects,
    /// It did not answer as its protocol has it: its own fault.
    Broken,
}

impl Protocol {
    /// Reads the answer from the exit code of a program that ended by itself.
    pub fn answer(self, exit_code: i32) -> Answer {
        match (self, exit_code) {
            (Self::Exit, 0) | (Self::Icpc, 42) => Answer::Accepts,
            (Self::Exit, 1) | (Self::Icpc, 43) => Answer::Rejects,
            (Self::Exit | Self::Icpc, _) => Answer::Broken,
        }
    }
}

impl ProgramCheck {
    /// Makes a program of nothing but its command, called and answering by a protocol.
    pub fn new(command: Vec<String>, protocol: Protocol) -> Self {
        Self {
            files: BTreeMap::new(),
            compile: None,
            command,
            aliases: Vec::new(),
            protocol,
            flags: Vec::new(),
            limits: LimitsConfig::default(),
            compile_limits: LimitsConfig::default(),
            spec: None,
            last: None,
        }
    }
}

impl CheckConfig {
    /// Makes the program of a file's checker; its files are looked up in `base`.
    pub(super) fn program(&self, at: &str, base: &Arc<Dir>) -> Result<ProgramCheck, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut words = |key: &str, command: &Option<CommandText>| {
            let read = command.as_ref().map(CommandText::words).transpose();
            read.unwrap_or_else(|why| {
                problems.push(Problem::new(below(at, key), why));
                None
            })
        };
        let (command, compile) = (words("command", &self.command), words("compile", &self.compile));
        if self.command.is_none() {
            problems.push(Problem::new(below(at, "command"), "is missing").with_hint("add `command`"));
        }
        let mut files = BTreeMap::new();
        for (index, path) in self.files.iter().flatten().enumerate() {
            if let Err(why) = collect_files(base, path, &mut files) {
                problems.push(Problem::new(format!("{}[{index}]", below(at, "files")), why));
            }
        }
        match command {
            Some(command) if problems.is_empty() => {
                let (limits, spec) = (self.limits.clone().unwrap_or_default(), self.spec.clone());
                let program = ProgramCheck::new(command, self.protocol.unwrap_or_default());
                Ok(ProgramCheck { files, compile, limits, spec, last: self.last, ..program })
            }
            _ => Err(problems),
        }
    }
}

impl CommandText {
    /// Gives its words.
    ///
    /// # Errors
    /// A line that is none, no words.
    pub fn words(&self) -> Result<Vec<String>, String> {
        let words = match self {
            Self::Words(words) => words.clone(),
            Self::Line(line) => split_line(line).map_err(|error| error.to_string())?,
        };
        if words.first().is_none_or(String::is_empty) { Err("names no program".to_owned()) } else { Ok(words) }
    }
}
