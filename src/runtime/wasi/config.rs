//! The `wasi` section of a spec, and what a spawn may pass.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::compile::ModuleBounds;
use super::determinism::DeterminismConfig;
use super::program::{Program, ProgramConfig, UnknownImports};
use crate::spec::{Limit, Problem};

/// The `wasi` section of a spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WasiConfig {
    /// Where the guest finds the workspace. Default: `/workspace`.
    pub workdir: String,
    /// Where the guest finds the staged assets. Default: `/static`.
    pub static_root: String,
    /// Programs by name, beside and above those of the catalogue. Default: none.
    pub programs: BTreeMap<String, ProgramConfig>,
    /// How much of the submission's own modules is compiled. Default: see [`ModuleBounds`].
    pub compile: ModuleBounds,
    /// How many calls a command may make to the host. Default: no limit.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub host_calls: Limit<u64>,
    /// What becomes of imports of the submission's own modules that nothing provides. Default: refuse.
    pub unknown_imports: UnknownImports,
    /// Where guests run: in this process, or each in a sealed worker process of its own. Default: `in_process`.
    pub containment: Containment,
    /// Whether every run finds the same clock, the same random bytes and the same order of files. Default: null, no.
    pub determinism: Option<DeterminismConfig>,
}

impl Default for WasiConfig {
    fn default() -> Self {
        Self {
            workdir: "/workspace".to_owned(),
            static_root: "/static".to_owned(),
            programs: BTreeMap::new(),
            compile: ModuleBounds::default(),
            host_calls: Limit::Unset,
            unknown_imports: UnknownImports::default(),
            containment: Containment::default(),
            determinism: None,
        }
    }
}

/// Where guests run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Containment {
    /// In this process: the least latency. A hole in the engine is a hole in the host.
    #[default]
    InProcess,
    /// In a worker process, sealed before any guest: a second wall, and code that nothing slows down to be interrupted.
    Worker,
}

/// What a spawn on WASI may pass beyond the common arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WasiOptions {
    /// A module on the host, found under exactly this name when the guest's own view has no such file.
    pub program_file: Option<String>,
}

impl WasiConfig {
    /// Gives how many calls a command may make to the host.
    pub(super) fn most_calls(&self) -> Option<u64> {
        match self.host_calls {
            Limit::Unset | Limit::None => None,
            Limit::Set(most) => Some(most),
        }
    }

    /// Finds what the schema cannot say.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (path, value) in [("workdir", &self.workdir), ("static_root", &self.static_root)] {
            if !is_guest_dir(value) {
                let message = format!("`{value}` is not an absolute path of the guest");
                problems.push(Problem::new(path, message).with_hint("write it as `/name`, without `.`, `..` or `//`"));
            }
        }
        if first_component(&self.workdir) == first_component(&self.static_root) {
            problems.push(
                Problem::new("static_root", "it begins with the same directory as `workdir`")
                    .with_hint("a guest would take one for the other: choose another first component"),
            );
        }
        for (path, value) in [("workdir", &self.workdir), ("static_root", &self.static_root)] {
            if first_component(value) == first_component(TEMP) {
                problems.push(Problem::new(path, format!("`{TEMP}` holds the guest's temporary files")));
            }
        }
        for (name, program) in &self.programs {
            if name.contains('/') || name.is_empty() {
                problems.push(Problem::new(format!("programs.{name}"), "a program's name has no slash"));
            }
            problems.extend(program_problem(name, program));
            let hosts = program.program.mounts.iter().map(|mount| &mount.host);
            for host in hosts.chain(&program.module).filter(|host| !host.starts_with('/')) {
                let message = format!("`{host}` is not an absolute path of the host");
                problems.push(Problem::new(format!("programs.{name}"), message));
            }
            for (index, mount) in program.program.mounts.iter().enumerate() {
                if !is_guest_dir(&mount.guest) {
                    let path = format!("programs.{name}.mounts[{index}].guest");
                    problems.push(Problem::new(path, "not an absolute path of the guest"));
                }
            }
        }
        problems
    }
}

/// Finds what is wrong with where a program comes from.
fn program_problem(name: &str, config: &ProgramConfig) -> Option<Problem> {
    let path = format!("programs.{name}");
    match (&config.module, &config.installed) {
        (Some(_), None) => None,
        (None, Some(_)) if config.program == Program::default() => None,
        (None, Some(_)) => Some(
            Problem::new(path, "a program of the catalogue is used as it was installed")
                .with_hint("leave the keys beside `use` out; variables of its own go to `environment.env`"),
        ),
        (None, None) => Some(
            Problem::new(path, "nothing says where the program is")
                .with_hint("`module: FILE` is a file of the host, `use: NAME@VERSION` a program of the catalogue"),
        ),
        (Some(_), Some(_)) => Some(Problem::new(path, "`module` and `use` both say where the program is")),
    }
}

/// The directory of temporary files that every guest has.
pub(super) const TEMP: &str = "/tmp";

/// Says whether a text is an absolute path of a guest in its only spelling.
pub(super) fn is_guest_dir(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|rest| {
        rest.split('/').all(|part| !part.is_empty() && part != "." && part != ".." && !part.contains('\0'))
    })
}

/// Gives the first directory of an absolute path of a guest.
pub(super) fn first_component(path: &str) -> &str {
    path.trim_start_matches('/').split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guest_directories_have_one_spelling() {
        assert!(is_guest_dir("/work") && is_guest_dir("/a/b"));
        for bad in ["", "/", "work", "/a//b", "/a/../b", "/a/.", "/a/"] {
            assert!(!is_guest_dir(bad), "{bad}");
        }
    }

    #[test]
    fn a_program_comes_from_one_place() {
        let (module, installed) = (Some("/m.wasm".to_owned()), Some("m@1".to_owned()));
        let good = [(module.clone(), None), (None, installed.clone())];
        let bad = [(None, None), (module, installed.clone())];
        let problem = |(module, installed)| {
            program_problem("m", &ProgramConfig { module, installed, ..ProgramConfig::default() })
        };
        assert!(good.into_iter().all(|one| problem(one).is_none()));
        assert!(bad.into_iter().all(|one| problem(one).is_some()));
        let program = Program { args: vec!["-I".to_owned()], ..Program::default() };
        assert!(program_problem("m", &ProgramConfig { module: None, installed, program }).is_some());
    }

    #[test]
    fn clashing_roots_are_a_problem() {
        let config = WasiConfig { static_root: "/workspace/static".to_owned(), ..WasiConfig::default() };
        assert_eq!(config.problems()[0].path, "static_root");
    }
}
