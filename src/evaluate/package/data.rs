//! Test data: directories of inputs and answers, in the order of their names, as cases.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::config::{Handed, Place};
use super::file::Package;
use super::groups;
use super::name::{is_for_people, is_name};
use super::open::{Asked, Format};
use super::validator::Validators;
use crate::evaluate::check::collect_files;
use crate::evaluate::{Case, Data as Bytes, DataFile, Expectation, Group, Origin, Step, Visibility};
use crate::spec::LimitsConfig;

/// How deep directories of test data may be nested.
const MAX_DEPTH: usize = 16;
/// The most cases of one package.
const MAX_CASES: usize = 200_000;

/// The cases of a package.
pub(super) struct Data {
    pub(super) groups: Vec<Group>,
    pub(super) cases: Vec<Case>,
    format: Format,
    limits: LimitsConfig,
}

/// What one directory holds.
#[derive(Default)]
struct Listing {
    dirs: BTreeSet<String>,
    files: BTreeSet<String>,
}

/// What is read next, in the order of names.
enum Next {
    Case,
    Dir,
}

impl Data {
    pub(super) fn new(format: Format, asked: &Asked) -> Self {
        Self { groups: Vec::new(), cases: Vec::new(), format, limits: asked.limits.case.clone() }
    }

    /// Reads the samples and the secret cases.
    pub(super) fn read(&mut self, package: &mut Package, validators: &mut Validators) {
        if !package.has_dir("data/secret") {
            package.tell(
                "data/secret",
                "is missing",
                "a package has its cases in `data/secret`, and samples in `data/sample`",
            );
        }
        let root = match self.format {
            Format::Legacy | Format::Draft => Handed::default().below(package, self.format, "data"),
            Format::Modern => Handed::default(),
        };
        for (dir, full_feedback) in [("data/sample", true), ("data/secret", false)] {
            if package.has_dir(dir) {
                let root = Handed { full_feedback, ..root.clone() };
                self.dir(package, validators, dir, &root, MAX_DEPTH);
            }
        }
    }

    fn dir(&mut self, package: &mut Package, validators: &mut Validators, dir: &str, handed: &Handed, depth: usize) {
        let handed = handed.below(package, self.format, dir);
        let Some(listing) = self.list(package, dir) else { return };
        let bases = listing.files.iter().filter_map(|name| name.strip_suffix(".in").map(str::to_owned));
        let mut next: BTreeMap<String, Next> = bases.map(|base| (base, Next::Case)).collect();
        for name in &listing.dirs {
            // The files of a case stand in a directory of its name.
            let is_of_case = name.strip_suffix(".files").is_some_and(|base| next.contains_key(base));
            let is_of_case = is_of_case && self.format != Format::Legacy;
            // In the draft these two show the samples otherwise to people.
            let is_for_people = self.format == Format::Draft
                && dir == "data/sample"
                && ["statement", "download"].contains(&name.as_str());
            if is_of_case || is_for_people {
                continue;
            }
            if next.insert(name.clone(), Next::Dir).is_some() {
                package.tell(&format!("{dir}/{name}"), "is a directory with the name of a case", "");
            }
        }
        if self.format == Format::Modern {
            groups::check(package, dir, &listing.files, &listing.dirs);
        }
        self.strays(package, dir, &listing, &next);
        for (name, what) in next {
            let path = format!("{dir}/{name}");
            match what {
                Next::Case if self.cases.len() >= MAX_CASES => {
                    return package.tell(dir, format!("makes more than {MAX_CASES} cases"), "");
                }
                Next::Case => self.case(package, validators, &path, &handed, &listing),
                Next::Dir if depth == 0 => package.tell(&path, format!("is nested more than {MAX_DEPTH} deep"), ""),
                Next::Dir => self.dir(package, validators, &path, &handed, depth - 1),
            }
        }
    }

    fn list(&self, package: &mut Package, dir: &str) -> Option<Listing> {
        let mut listing = Listing::default();
        let mut passed_over = Vec::new();
        let mut read = || -> std::io::Result<()> {
            for entry in package.base.read_dir(dir)? {
                let name = entry?.file_name();
                let Some(name) = name.to_str().filter(|name| is_name(name)) else {
                    passed_over.push(name.to_string_lossy().into_owned());
                    continue;
                };
                // Links may lead to other files of the package, and to nothing above it.
                match package.base.metadata(format!("{dir}/{name}"))? {
                    meta if meta.is_dir() => listing.dirs.insert(name.to_owned()),
                    _ => listing.files.insert(name.to_owned()),
                };
            }
            Ok(())
        };
        if let Err(error) = read() {
            package.tell(dir, format!("cannot be read: {error}"), "");
            return None;
        }
        passed_over.retain(|name| name.ends_with(".in") || name.ends_with(".ans"));
        for name in passed_over {
            package.warn(format!("{dir}: `{}` is passed over: it is no name of a package", name.escape_debug()));
        }
        Some(listing)
    }

    /// Tells what belongs to no case.
    fn strays(&self, package: &mut Package, dir: &str, listing: &Listing, cases: &BTreeMap<String, Next>) {
        for name in &listing.files {
            let path = format!("{dir}/{name}");
            let is_config = self.format.config_names().contains(&name.as_str())
                || self.format.foreign_config_name() == Some(name.as_str());
            if name.ends_with(".in") || is_config {
                continue;
            }
            let endings: &[&str] = match self.format {
                Format::Draft => &[".ans", ".yaml", ".args"],
                Format::Legacy | Format::Modern => &[".ans", ".yaml"],
            };
            let base = endings.iter().find_map(|ending| name.strip_suffix(ending));
            match base {
                Some(base) if matches!(cases.get(base), Some(Next::Case)) => {}
                Some(base) if name.ends_with(".ans") => {
                    package.tell(&path, format!("is an answer without an input `{base}.in`"), "");
                }
                Some(base) if self.format != Format::Legacy => {
                    package.tell(&path, format!("is of a case without an input `{base}.in`"), "");
                }
                Some(_) | None if is_for_people(name) => {}
                Some(_) | None => package.warn(format!("{path} is no part of a case, and not used")),
            }
        }
    }

    fn case(
        &mut self,
        package: &mut Package,
        validators: &mut Validators,
        path: &str,
        handed: &Handed,
        listing: &Listing,
    ) {
        let base = path.rsplit_once('/').map_or(path, |(_, base)| base);
        if !listing.files.contains(&format!("{base}.ans")) {
            package.tell(&format!("{path}.in"), format!("has no answer `{base}.ans`"), "");
            return;
        }
        let mut handed = handed.clone();
        let mut step = Step::default();
        if self.format != Format::Legacy {
            handed = self.of_case(package, path, handed, listing);
            let files = format!("{path}.files");
            if listing.dirs.contains(&format!("{base}.files")) {
                self.files(package, &files, &mut step);
            }
        }
        let file = |ending: &str| Bytes::File(DataFile::new(Arc::clone(&package.base), format!("{path}.{ending}")));
        let (input, answer) = (file("in"), file("ans"));
        for (data, ending) in [(&input, "in"), (&answer, "ans")] {
            if let Err(error) = data.check() {
                package.tell(&format!("{path}.{ending}"), error.to_string(), "");
            }
        }
        let Some(check) = validators.with(package, path, &handed.flags) else { return };
        step.stdin = Some(input);
        step.args.clone_from(&handed.args);
        step.expect.stdout = Some(Expectation::new(check, Some(answer)));
        let name = path.strip_prefix("data/").unwrap_or(path);
        let mut case = Case::new(name, step);
        case.group = name.rsplit_once('/').map_or(name, |(group, _)| group).to_owned();
        case.limits = self.limits.clone();
        case.visibility = if handed.full_feedback { Visibility::Full } else { Visibility::Verdict };
        case.origin = Origin { file: format!("{path}.in").into(), line: None };
        if self.groups.last().is_none_or(|group| group.name != case.group)
            && !self.groups.iter().any(|group| group.name == case.group)
        {
            self.groups.push(Group::new(case.group.clone()));
        }
        self.cases.push(case);
    }

    /// Reads what the files of one case say over what was handed down to it.
    fn of_case(&self, package: &mut Package, path: &str, handed: Handed, listing: &Listing) -> Handed {
        let base = path.rsplit_once('/').map_or(path, |(_, base)| base);
        let mut handed = match listing.files.contains(&format!("{base}.yaml")) {
            true => handed.configuration(package, &format!("{path}.yaml"), self.format, Place::Case),
            false => handed,
        };
        if self.format == Format::Draft && listing.files.contains(&format!("{base}.args")) {
            let text = package.text(&format!("{path}.args")).unwrap_or_default();
            handed.args = text.split_whitespace().map(str::to_owned).collect();
        }
        handed
    }

    /// Takes the files that a case puts into the workspace.
    fn files(&self, package: &mut Package, dir: &str, step: &mut Step) {
        let read = package.base.open_dir(dir).map_err(|error| format!("cannot be read: {error}"));
        let collected = read.and_then(|base| {
            let (base, mut files) = (Arc::new(base), BTreeMap::new());
            let mut names = Vec::new();
            for entry in base.entries().map_err(|error| format!("cannot be read: {error}"))? {
                names.push(entry.map_err(|error| format!("cannot be read: {error}"))?.file_name());
            }
            for name in names {
                let name = name.to_str().ok_or_else(|| "holds a name that is not UTF-8".to_owned())?;
                collect_files(&base, name, &mut files)?;
            }
            Ok(files)
        });
        match collected {
            Ok(files) => step.files = files,
            Err(why) => package.tell(dir, why, ""),
        }
    }
}
