//! A case: its wire form expanded and made ready.

use std::sync::Arc;

use serde_json::Value;

use super::matrix;
use super::step::{Steps, join};
use super::wire::{CaseWire, DefaultsWire, StepWire};
use crate::evaluate::{Case, Group, Origin, Step};
use crate::spec::Problem;

/// Where a case stands and what it has by its place.
pub(super) struct Place<'a> {
    /// The path of the case in its file: `cases[3]`, or nothing where it is the whole file.
    pub(super) at: String,
    /// The file and the line.
    pub(super) origin: Origin,
    /// The id and the group of a case that names none.
    pub(super) id: Option<&'a str>,
    pub(super) group: Option<&'a str>,
}

/// Makes the cases that one entry of a file stands for; what is wrong is kept with the problems of `steps`.
pub(super) fn cases(mut value: Value, place: &Place<'_>, steps: &mut Steps<'_>) -> Vec<Case> {
    if let (Some(map), Some(id)) = (value.as_object_mut(), place.id) {
        map.entry("id").or_insert_with(|| id.into());
    }
    let expanded = match matrix::expand(value) {
        Ok(expanded) => expanded,
        Err(problem) => {
            let path = join(&place.at, &problem.path);
            steps.problems.push(Problem { path, ..problem });
            return Vec::new();
        }
    };
    expanded.filter_map(|value| one(value, place, steps)).collect()
}

fn one(value: Value, place: &Place<'_>, steps: &mut Steps<'_>) -> Option<Case> {
    let mut wire: CaseWire = match serde_json::from_value(value) {
        Ok(wire) => wire,
        Err(error) => {
            steps.problems.push(Problem::new(place.at.clone(), error.to_string()));
            return None;
        }
    };
    let defaults: &DefaultsWire = steps.defaults;
    let Some(id) = wire.id.take() else {
        steps.problems.push(Problem::new(join(&place.at, "id"), "is missing").with_hint("add `id`"));
        return None;
    };
    let mut limits = defaults.limits.clone();
    limits.overlay(&wire.limits);
    let group = wire.group.take().or_else(|| place.group.map(str::to_owned)).or_else(|| defaults.group.clone());
    let (points, visibility) = (wire.points.or(defaults.points), wire.visibility.or(defaults.visibility));
    Some(Case {
        id,
        group: group.unwrap_or_else(|| Group::CORE.to_owned()),
        points: points.unwrap_or(1.0),
        visibility: visibility.unwrap_or_default(),
        limits,
        steps: all_steps(wire, place, steps),
        origin: Origin { file: Arc::clone(&place.origin.file), line: place.origin.line },
    })
}

fn all_steps(mut wire: CaseWire, place: &Place<'_>, steps: &mut Steps<'_>) -> Vec<Step> {
    let Some(several) = wire.steps.take() else { return vec![steps.step(wire.into(), &place.at)] };
    let single: StepWire = wire.into();
    let is_empty = single.args.is_none()
        && single.stdin.is_none()
        && single.files.is_empty()
        && single.request.is_none()
        && single.expect.is_none();
    if !is_empty {
        let problem = Problem::new(join(&place.at, "steps"), "stands beside `args`, `stdin`, `files` or `expect`");
        steps.problems.push(problem.with_hint("write them in the steps"));
    }
    let made = several.into_iter().enumerate().map(|(index, mut step)| {
        // Variables and directory of the case hold for each of its steps.
        let mut env = single.env.clone();
        env.extend(step.env);
        step.env = env;
        step.cwd = step.cwd.or_else(|| single.cwd.clone());
        steps.step(step, &format!("{}[{index}]", join(&place.at, "steps")))
    });
    made.collect()
}
