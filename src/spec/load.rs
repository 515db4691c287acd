//! Text to spec: every problem of a file at once, each with its place and a way out.

use serde_json::Value;

use super::path::{self, Step};
use super::structure::{Checker, Finding, prune};
use super::tree::{self, Positions, Tree};
use super::wire::Wire;
use super::{EnvironmentSpec, LimitsConfig, Problem, ProblemKind, SectionTypes, SpecError};
use super::{meaning, schema, settings, suggest};

/// A spec that was loaded, with what its file gives beside it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// The spec.
    pub spec: EnvironmentSpec,
    /// What is accepted but will not do what its author may think.
    pub warnings: Vec<Problem>,
    /// Where its parts stand, for problems that are found later.
    pub positions: Positions,
}

/// Loads a spec from YAML or JSON.
///
/// `origin` is what errors call the text: a path, a built-in name.
///
/// # Errors
/// Every problem of the text. One that cannot be read at all has one problem.
pub fn load(text: &str, origin: &str, types: &dyn SectionTypes) -> Result<Loaded, SpecError> {
    load_with(text, origin, types, &[])
}

/// Loads a spec with settings put over it, each a path and a value as `--set` takes them.
///
/// A value is typed by the schema: `--set environment.env.N=1` is a text, `--set limits.fuel=1` a
/// number; lists and maps are written as in YAML. Limits become [`EnvironmentSpec::flag_limits`].
///
/// # Errors
/// Every problem of the text and of the settings.
pub fn load_with(
    text: &str,
    origin: &str,
    types: &dyn SectionTypes,
    settings: &[(String, String)],
) -> Result<Loaded, SpecError> {
    match tree::read(text) {
        Ok(tree) => build(tree, origin, types, settings),
        Err(problem) => Err(SpecError::Invalid { origin: origin.to_owned(), problems: vec![problem] }),
    }
}

/// Builds a spec from a value, with settings put over it as in [`load_with`].
///
/// # Errors
/// Every problem of the value and of the settings; none has a position.
pub fn from_value(
    value: Value,
    origin: &str,
    types: &dyn SectionTypes,
    settings: &[(String, String)],
) -> Result<Loaded, SpecError> {
    let tree = Tree { value, positions: Positions::default(), duplicates: Vec::new() };
    build(tree, origin, types, settings)
}

fn build(
    tree: Tree,
    origin: &str,
    types: &dyn SectionTypes,
    settings: &[(String, String)],
) -> Result<Loaded, SpecError> {
    let Tree { value, positions, duplicates } = tree;
    let mut loader = Loader { value, types, positions, problems: duplicates, set: Vec::new() };
    match loader.run(settings) {
        Some((spec, warnings)) if loader.problems.is_empty() => {
            Ok(Loaded { spec, warnings, positions: loader.positions })
        }
        _ => {
            let mut problems = loader.problems;
            // In the order of the text; what stands nowhere comes last.
            problems.sort_by_key(|problem| (problem.position.is_none(), problem.position));
            Err(SpecError::Invalid { origin: origin.to_owned(), problems })
        }
    }
}

struct Loader<'a> {
    value: Value,
    types: &'a dyn SectionTypes,
    positions: Positions,
    problems: Vec<Problem>,
    /// Paths that settings wrote: what is wrong there stands nowhere in the text.
    set: Vec<String>,
}

impl Loader<'_> {
    /// Gives the spec, unless the value is too broken to make one; whatever is wrong is in `problems`.
    fn run(&mut self, settings: &[(String, String)]) -> Option<(EnvironmentSpec, Vec<Problem>)> {
        if !self.value.is_object() {
            let message = if self.value.is_null() { "the spec is empty" } else { "a spec is a map of keys" };
            self.report(Problem::new("", message).with_hint("begin with `type:` and `name:`"), false);
            return None;
        }
        let is_bare = settings.is_empty() && self.problems.is_empty() && self.is_bare();
        let settings = settings::parse(settings, &mut self.problems);
        settings.put_type(&mut self.value);
        let ty = self.value.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        if is_bare && self.types.names().contains(&ty.as_str()) {
            let wire = self.wire(self.value.clone())?;
            return self.finish(wire, &ty, None, LimitsConfig::default());
        }
        let known = self.types.schema(&ty);
        let is_known = known.is_some();
        let checker = match Checker::new(schema::compose(known.map(|section| (ty.as_str(), section)))) {
            Ok(checker) => checker,
            Err(problem) => {
                self.problems.push(problem);
                return None;
            }
        };
        self.set = settings.put(&mut self.value, &checker);
        let findings = checker.findings(&self.value);
        let section_is_sound = !findings.iter().any(|finding| finding.prune.first() == Some(&Step::Key(ty.clone())));
        prune(&mut self.value, &findings);
        self.report_findings(findings, &ty);
        if !is_known && !ty.is_empty() {
            self.report_unknown_type("type", &ty);
        }
        let mut value = self.value.clone();
        let section_value = value.as_object_mut().and_then(|map| map.remove(&ty));
        let wire = self.wire(value)?;
        for problem in meaning::check(&wire) {
            self.report(problem, false);
        }
        if let Some(runtime) = wire.compile.as_ref().and_then(|compile| compile.runtime.clone())
            && !self.types.names().contains(&runtime.as_str())
        {
            self.report_unknown_type("compile.runtime", &runtime);
        }
        if !is_known || !section_is_sound {
            return None;
        }
        self.finish(wire, &ty, section_value.as_ref(), settings.limits)
    }

    /// Says whether there are a type and a name and nothing else, which leaves nothing for the schema to find: making
    /// one ready takes longer than a short guest.
    fn is_bare(&self) -> bool {
        let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        let Some(map) = self.value.as_object() else { return false };
        map.len() == 2 && ["type", "name"].iter().all(|key| map.get(*key).is_some_and(is_text))
    }

    fn finish(
        &mut self,
        wire: Wire,
        ty: &str,
        section: Option<&Value>,
        flag_limits: LimitsConfig,
    ) -> Option<(EnvironmentSpec, Vec<Problem>)> {
        let section = match self.types.parse(ty, section) {
            Ok(section) => section,
            Err(problems) => {
                for problem in problems {
                    self.report(below(ty, problem), false);
                }
                return None;
            }
        };
        let place = |problem| self.placed(below(ty, problem), false);
        let warnings = self.types.warnings(ty, &*section).into_iter().map(place).collect();
        let Wire { ty, name, environment, setup, compile, commands, mut snapshot, limits } = wire;
        snapshot.ignore_globs = snapshot.effective_ignore_globs();
        let mut spec = EnvironmentSpec::new(ty, name, section);
        spec.environment = environment;
        spec.setup = setup;
        spec.compile = compile;
        spec.commands = commands;
        spec.snapshot = snapshot;
        spec.limits = limits;
        spec.flag_limits = flag_limits;
        Some((spec, warnings))
    }

    /// Reads everything but the section; what is missing has been told and is filled in.
    fn wire(&mut self, mut value: Value) -> Option<Wire> {
        let map = value.as_object_mut()?;
        // Sections of other types have been told as well.
        map.retain(|key, _| !self.types.names().contains(&key.as_str()));
        for key in ["type", "name"] {
            map.entry(key).or_insert_with(|| "?".into());
        }
        match serde_json::from_value(value) {
            Ok(wire) => Some(wire),
            Err(error) => {
                self.report(Problem::new("", error.to_string()), false);
                None
            }
        }
    }

    fn report_findings(&mut self, findings: Vec<Finding>, ty: &str) {
        for Finding { problem, prune, of_key } in findings {
            let top = match prune.as_slice() {
                [Step::Key(key)] if of_key && problem.path == *key => key.as_str(),
                _ => "",
            };
            if !top.is_empty() && top == ty {
                // The section of a type that is not known cannot be judged; the type is told.
                continue;
            }
            if self.types.names().contains(&top) {
                let message = format!("is the section of type `{top}`, but the type of this spec is `{ty}`");
                let hint = format!("remove it, or write `type: {top}`");
                self.report(Problem::new(top, message).with_hint(hint), true);
            } else {
                self.report(problem, of_key);
            }
        }
    }

    fn report_unknown_type(&mut self, path: &str, ty: &str) {
        let names = self.types.names();
        let message = format!("the runtime `{ty}` is not part of this build, which knows {}", names.join(", "));
        let mut problem = Problem::new(path, message).with_hint(suggest::hint(ty, names));
        problem.kind = ProblemKind::UnknownRuntime;
        self.report(problem, false);
    }

    fn report(&mut self, problem: Problem, of_key: bool) {
        let problem = self.placed(problem, of_key);
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn placed(&self, mut problem: Problem, of_key: bool) -> Problem {
        let positions = &self.positions;
        // Made by a setting: at or below what it wrote, or on the way to it and not in the text.
        let set = self.set.iter().any(|set| {
            let on_the_way = path::is_within(set, &problem.path) && !positions.holds(&problem.path);
            on_the_way || path::is_within(&problem.path, set)
        });
        if problem.position.is_none() && !set {
            problem.position = if of_key { positions.of_key(&problem.path) } else { positions.of(&problem.path) };
        }
        problem
    }
}

fn below(ty: &str, mut problem: Problem) -> Problem {
    problem.path = path::join(&path::join_key("", ty), &problem.path);
    problem
}
