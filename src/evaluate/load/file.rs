//! One file of a suite, and the files that it includes.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::{Map, Value};

use super::build::{self, Place};
use super::locate::{self, Found};
use super::problems::Problems;
use super::schema::{case_schema, cases_schema};
use super::step::Steps;
use super::wire::{CasesWire, DefaultsWire, GroupWire, IncludeWire};
use crate::error::ExecutionError;
use crate::evaluate::{AdapterRegistry, Case, Group, Origin, Suite};
use crate::spec::{Checked, Position, Positions, Problem, TextBounds, read_checked};
use crate::workspace::{StaticAssets, resolve_static_assets};

/// Reads the files of one suite.
pub(super) struct Loader<'a> {
    pub(super) adapters: &'a AdapterRegistry,
    pub(super) suite: Suite,
    pub(super) problems: Problems,
    ids: HashSet<String>,
    /// The files that are being read, so that none includes itself.
    open: Vec<PathBuf>,
}

/// One file that was read.
struct Read {
    value: Value,
    positions: Positions,
    /// The paths of what has the wrong shape.
    broken: Vec<String>,
    origin: Arc<str>,
    base: Arc<Dir>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(adapters: &'a AdapterRegistry, name: String) -> Self {
        let (problems, ids, open) = (Problems::default(), HashSet::new(), Vec::new());
        Self { adapters, suite: Suite::new(name), problems, ids, open }
    }

    /// Reads a file with many cases; an included one gives its cases, its assets and its groups alone.
    pub(super) fn cases_file(&mut self, path: &Path, shown: &str, included: Option<&IncludeWire>) {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if self.open.contains(&real) {
            self.problems.add(shown, &Problem::new("include", "leads back to a file that includes it"));
            return;
        }
        self.open.push(real);
        if let Some(read) = self.read(path, shown, cases_schema(self.adapters)) {
            self.take_cases(read, path, included);
        }
        self.open.pop();
    }

    /// Reads a file with one case.
    pub(super) fn case_file(&mut self, path: &Path, shown: &str, id: &str, group: Option<&str>) {
        let Some(read) = self.read(path, shown, case_schema()) else { return };
        if !read.broken.is_empty() {
            return;
        }
        let Read { value, positions, origin, base, .. } = read;
        let place =
            Place { at: String::new(), origin: Origin { file: Arc::clone(&origin), line: None }, id: Some(id), group };
        let defaults = DefaultsWire::default();
        let mut steps = Steps { base: &base, defaults: &defaults, problems: Vec::new() };
        let cases = build::cases(value, &place, &mut steps);
        let problems = steps.problems;
        self.report(&origin, &positions, problems);
        self.add_cases(cases, None, &origin);
    }

    fn read(&mut self, path: &Path, shown: &str, schema: Value) -> Option<Read> {
        let failed = |error: std::io::Error| Problem::new("", format!("cannot be read: {error}"));
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let read = || {
            let base = Dir::open_ambient_dir(parent, ambient_authority()).map_err(failed)?;
            let name = path.file_name().unwrap_or_default();
            let size = base.metadata(name).map_err(failed)?.len();
            if size > TextBounds::LARGE.text as u64 {
                return Err(Problem::new("", format!("is longer than {} bytes", TextBounds::LARGE.text)));
            }
            let text = base.read_to_string(name).map_err(failed)?;
            Ok((base, read_checked(&text, schema, TextBounds::LARGE)?))
        };
        let (base, Checked { value, positions, problems }) = match read() {
            Ok(read) => read,
            Err(problem) => {
                self.problems.add(shown, &problem);
                return None;
            }
        };
        problems.iter().for_each(|problem| self.problems.add(shown, problem));
        let broken = problems.into_iter().map(|problem| problem.path).collect();
        Some(Read { value, positions, broken, origin: shown.into(), base: Arc::new(base) })
    }

    fn take_cases(&mut self, read: Read, path: &Path, included: Option<&IncludeWire>) {
        let Read { mut value, positions, broken, origin, base } = read;
        let Some(map) = value.as_object_mut() else { return };
        // What has the wrong shape has been told; the cases that are sound are looked at all the same.
        let outer = broken.iter().filter(|path| !path.starts_with("cases["));
        if outer.count() > 0 {
            return;
        }
        let sections = self.sections(map);
        let mut wire: CasesWire = match serde_json::from_value(value) {
            Ok(wire) => wire,
            Err(error) => return self.problems.add(&origin, &Problem::new("", error.to_string())),
        };
        for (index, include) in wire.include.iter().enumerate() {
            self.include(include, path, &origin, positions.of(&format!("include[{index}]")));
        }
        let entries = std::mem::take(&mut wire.cases);
        self.head(&wire, sections, included, &origin, &positions, &base);
        let mut steps = Steps { base: &base, defaults: &wire.defaults, problems: Vec::new() };
        let mut cases = Vec::new();
        for (index, entry) in entries.into_iter().enumerate() {
            let at = format!("cases[{index}]");
            let is_broken =
                |path: &String| path.strip_prefix(&at).is_some_and(|rest| !rest.starts_with(char::is_numeric));
            if !broken.is_empty() && broken.iter().any(is_broken) {
                continue;
            }
            let line = positions.of(&at).map(|position| position.line);
            let place = Place { at, origin: Origin { file: Arc::clone(&origin), line }, id: None, group: None };
            cases.extend(build::cases(entry, &place, &mut steps));
        }
        let problems = steps.problems;
        self.report(&origin, &positions, problems);
        self.add_cases(cases, included, &origin);
    }

    /// Takes the sections of adapters out of a file.
    fn sections(&self, map: &mut Map<String, Value>) -> Map<String, Value> {
        let names = self.adapters.names();
        names.into_iter().filter_map(|name| Some((name.to_owned(), map.remove(name)?))).collect()
    }

    /// Takes what a file says of the whole suite.
    fn head(
        &mut self,
        wire: &CasesWire,
        mut sections: Map<String, Value>,
        included: Option<&IncludeWire>,
        origin: &Arc<str>,
        positions: &Positions,
        base: &Arc<Dir>,
    ) {
        let adapter = wire.adapter.clone().unwrap_or_else(|| "cli".to_owned());
        let own = sections.remove(&adapter);
        let mut problems: Vec<Problem> = sections
            .keys()
            .map(|name| Problem::new(name.clone(), format!("is the section of another adapter than `{adapter}`")))
            .collect();
        match included {
            None => {
                self.suite.adapter = adapter;
                self.suite.adapter_config = match own {
                    Some(Value::Object(config)) => config,
                    Some(_) | None => Map::new(),
                };
                self.suite.options = wire.options.clone();
                self.suite.pass = wire.pass.unwrap_or_default();
                if let Some(name) = &wire.name {
                    self.suite.name.clone_from(name);
                }
            }
            Some(_) if adapter != self.suite.adapter && wire.adapter.is_some() => {
                let message =
                    format!("is `{adapter}`, but the file that includes this one says `{}`", self.suite.adapter);
                problems.push(Problem::new("adapter", message));
            }
            Some(_) => {}
        }
        for (name, GroupWire { weight, scoring }) in &wire.groups {
            let group = Group { weight: weight.unwrap_or(1.0), scoring: *scoring, ..Group::new(name.clone()) };
            match self.suite.groups.iter_mut().find(|known| known.name == *name) {
                // The file that includes comes last, and wins.
                Some(known) => *known = group,
                None => self.suite.groups.push(group),
            }
        }
        problems.extend(self.assets(wire, base));
        self.report(origin, positions, problems);
    }

    fn assets(&mut self, wire: &CasesWire, base: &Arc<Dir>) -> Vec<Problem> {
        let assets = match resolve_static_assets(base, &StaticAssets::Flat(wire.assets.clone()), None) {
            Ok(assets) => assets,
            Err(error) => {
                let error = ExecutionError::from(error);
                let problem = Problem::new("assets", error.to_string());
                let hint = error.hint().map(str::to_owned);
                return vec![hint.map_or(problem.clone(), |hint| problem.with_hint(hint))];
            }
        };
        let known = |name: &str| self.suite.assets.iter().any(|asset| asset.name() == name);
        let twice: Vec<Problem> = assets
            .iter()
            .filter(|asset| known(asset.name()))
            .map(|asset| {
                Problem::new(format!("assets.{}", asset.name()), "is the name of an asset of an included file")
            })
            .collect();
        self.suite.assets.extend(assets);
        twice
    }

    fn include(&mut self, include: &IncludeWire, from: &Path, origin: &str, at: Option<Position>) {
        let dir = from.parent().unwrap_or(Path::new("."));
        let target = dir.join(&include.path);
        match locate::find(&target) {
            Ok(Found::Cases(file)) => {
                let shown = file.strip_prefix(dir).unwrap_or(&file).display().to_string();
                self.cases_file(&file, &shown, Some(include));
            }
            Ok(Found::Directories(files)) => {
                for one in files {
                    let before = self.suite.cases.len();
                    self.case_file(&one.path, &one.shown, &one.id, one.group.as_deref());
                    self.rename(before, include);
                }
            }
            Ok(Found::Package(_)) => {
                let problem = Problem::new("include", "is a problem package, which is judged by itself");
                self.problems.add(origin, &Problem { position: at, ..problem });
            }
            Err(error) => {
                self.problems.add(origin, &Problem { position: at, ..Problem::new("include", error.to_string()) });
            }
        }
    }

    fn rename(&mut self, from: usize, include: &IncludeWire) {
        for case in &mut self.suite.cases[from..] {
            rename(case, include);
        }
    }

    fn add_cases(&mut self, cases: Vec<Case>, included: Option<&IncludeWire>, origin: &Arc<str>) {
        for mut case in cases {
            if let Some(include) = included {
                rename(&mut case, include);
            }
            if !self.ids.insert(case.id.clone()) {
                let position = case.origin.line.map(|line| Position { line, column: 1 });
                let problem = Problem::new("id", format!("the id `{}` stands twice", case.id));
                let problem = problem.with_hint("ids are unique in a suite; `prefix` of an include sets them apart");
                self.problems.add(origin, &Problem { position, ..problem });
                continue;
            }
            if self.suite.group(&case.group).is_none() {
                self.suite.groups.push(Group::new(case.group.clone()));
            }
            self.suite.cases.push(case);
        }
    }

    fn report(&mut self, origin: &str, positions: &Positions, problems: Vec<Problem>) {
        for mut problem in problems {
            problem.position = problem.position.or_else(|| positions.of(&problem.path));
            self.problems.add(origin, &problem);
        }
    }

    /// Holds every case against its adapter.
    pub(super) fn check_adapter(&mut self) {
        let Some(adapter) = self.adapters.get(&self.suite.adapter) else { return };
        for case in &self.suite.cases {
            for message in adapter.check(case) {
                let position = case.origin.line.map(|line| Position { line, column: 1 });
                let problem = Problem { position, ..Problem::new(case.id.clone(), message) };
                self.problems.add(&case.origin.file, &problem);
            }
        }
    }
}

fn rename(case: &mut Case, include: &IncludeWire) {
    if let Some(group) = &include.group {
        case.group.clone_from(group);
    }
    if let Some(prefix) = &include.prefix {
        case.id = format!("{prefix}{}", case.id);
    }
}
