//! No variable of the host's environment is seen.

use std::collections::BTreeMap;

use super::limits::ended;
use super::report::Seen;
use super::stage::{Trouble, Yard};
use crate::runtime::Trial;

/// Variables that guests are given or that shells set: an equal value in both places says nothing.
const GIVEN: [&str; 9] = ["HOME", "HOSTNAME", "LANG", "OLDPWD", "PATH", "PWD", "SHLVL", "TMPDIR", "_"];
/// A shorter value may be equal by chance.
const TELLING: usize = 4;

/// Lists the variables of the host that serve as canaries: those of the value and those of this process.
fn open_ambient_canaries(yard: &Yard<'_>) -> BTreeMap<String, String> {
    let process = std::fs::read("/proc/self/environ").unwrap_or_default();
    let process = process.split(|byte| *byte == 0).filter_map(|variable| {
        let (name, value) = std::str::from_utf8(variable).ok()?.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    let host = yard.registry.host().env.clone();
    let granted = &yard.spec.environment.env;
    let is_telling = |(name, value): &(String, String)| {
        !GIVEN.contains(&name.as_str()) && value.len() >= TELLING && granted.get(name) != Some(value)
    };
    host.into_iter().chain(process).filter(is_telling).collect()
}

pub(super) async fn environment(yard: &Yard<'_>) -> Result<Seen, Trouble> {
    if yard.spec.environment.include_os_env {
        return Err(Trouble::Granted("the spec grants the host's variables".to_owned()));
    }
    let canaries = open_ambient_canaries(yard);
    if canaries.is_empty() {
        return Err(Trouble::Unclear("the host has no variable that could be seen".to_owned()));
    }
    let ran = yard.once(&[], &Trial::ShowEnvironment).await?;
    let text = String::from_utf8_lossy(&ran.result.stdout.kept).into_owned();
    // Every guest is given a search path or a home: one that prints nothing has not looked.
    if !ran.result.termination.is_success() || !text.contains('=') {
        return Err(Trouble::Unclear(ended(&ran.result)));
    }
    let seen: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(name, value)| canaries.get(*name).is_some_and(|own| own.lines().next() == Some(value)))
        .map(|(name, _)| name)
        .collect();
    let against = (!seen.is_empty()).then(|| format!("variables of the host are seen: {}", seen.join(", ")));
    Ok(Seen::unless(against, format!("{} variables of the host are not seen", canaries.len())))
}
