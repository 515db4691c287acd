//! A checker that is a program: what it is made of, how it is called, how it answers. Data alone; it runs elsewhere.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evaluate::Data;
use crate::spec::LimitsConfig;

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
