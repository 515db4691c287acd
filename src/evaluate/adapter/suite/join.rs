//! Tests of a report, each joined with the commands that it caused: cases with what was seen of them.

use std::collections::{HashMap, HashSet};

use super::call::Made;
use super::config::SuiteConfig;
use super::report::{End, Test};
use crate::evaluate::adapter::Observed;
use crate::evaluate::{Case, Difference, Evidence, ExitCodes, Step, Verdict, facts_of_ending};
use crate::workspace::Globs;

/// Makes cases of tests; what the host failed at in one is the trouble of that one.
pub(super) fn join(config: &SuiteConfig, tests: Vec<Test>, made: &[Made]) -> Vec<(Case, Result<Observed, String>)> {
    let mut by_test: HashMap<String, Vec<&Made>> = HashMap::new();
    for one in made {
        if let Some(test) = &one.test {
            by_test.entry(key_of_running(test)).or_default().push(one);
        }
    }
    let mut ids = HashSet::new();
    let joined = tests.into_iter().map(|test| {
        let calls = by_test.get(&key(&test.class, &test.name)).map(Vec::as_slice).unwrap_or_default();
        let id = unique(&mut ids, key(&test.class, &test.name));
        (case(config, id), observed(test, calls))
    });
    joined.collect()
}

fn key(class: &str, name: &str) -> String {
    if class.is_empty() { name.to_owned() } else { format!("{class}::{name}") }
}

/// Gives the key of the test that a test program says is running: pytest writes `dir/test_a.py::Class::name (call)`.
fn key_of_running(text: &str) -> String {
    let text = text.rsplit_once(" (").filter(|(_, phase)| phase.ends_with(')')).map_or(text, |(test, _)| test);
    // Parameters may hold anything.
    let plain = text.find('[').unwrap_or(text.len());
    let Some((file, rest)) = text[..plain].split_once("::") else { return text.to_owned() };
    let module = file.strip_suffix(".py").unwrap_or(file).replace('/', ".");
    match rest.rsplit_once("::") {
        Some((classes, name)) => format!("{module}.{}::{name}{}", classes.replace("::", "."), &text[plain..]),
        None => format!("{module}::{rest}{}", &text[plain..]),
    }
}

fn unique(taken: &mut HashSet<String>, id: String) -> String {
    let mut own = id.clone();
    let mut number = 2;
    while !taken.insert(own.clone()) {
        own = format!("{id}#{number}");
        number += 1;
    }
    own
}

fn case(config: &SuiteConfig, id: String) -> Case {
    let mut step = Step::default();
    // The test has looked at it.
    step.expect.exit_code = ExitCodes::Any;
    let in_group = |globs: &Vec<String>| Globs::new(globs).matches(id.as_bytes());
    let group = config.groups.iter().find(|(_, globs)| in_group(globs)).map(|(name, _)| name.clone());
    let mut case = Case::new(id, step);
    if let Some(group) = group {
        case.group = group;
    }
    (case.points, case.visibility, case.limits) = (config.points, config.visibility, config.limits.clone());
    case
}

fn observed(test: Test, calls: &[&Made]) -> Result<Observed, String> {
    if let Some(trouble) = calls.iter().find_map(|call| call.outcome.as_ref().err()) {
        return Err(trouble.clone());
    }
    let commands: Vec<&str> = calls.iter().map(|call| call.command.as_str()).collect();
    let mut observed = Observed { command: commands.join("; "), seconds: test.seconds, ..Observed::default() };
    match test.end {
        End::Passed => return Ok(observed),
        End::Skipped => {
            let why = format!("the test program skipped it: {}", test.message);
            observed.facts.push((Verdict::Sk, Evidence::Skipped { why }));
            return Ok(observed);
        }
        // Nothing of the submission ran: it cannot have broken it.
        End::Broken if calls.is_empty() => return Err(format!("the test is broken: {}", test.message)),
        End::Failed | End::Broken => {}
    }
    // How commands ended counts where the test did not pass: one that expects a failure passes with it.
    let results: Vec<_> = calls.iter().filter_map(|call| call.outcome.as_ref().ok()).collect();
    let any = crate::evaluate::Expect { exit_code: ExitCodes::Any, ..Default::default() };
    let decisive = results.iter().find(|result| facts_of_ending(result, &any).is_some()).or(results.last());
    if let Some(result) = decisive {
        // Its own ending is judged with the case.
        observed.result = Some(std::sync::Arc::clone(result));
    }
    observed.facts.push((Verdict::Wa, assertion(test)));
    Ok(observed)
}

/// What a test says may quote what it expects: it is kept where answers are.
fn assertion(test: Test) -> Evidence {
    let message = if test.end == End::Broken { "broke" } else { "failed" };
    let difference = Difference { at: String::new(), expected: Some(test.message), actual: None };
    let (what, check) = ("the test".to_owned(), "suite".to_owned());
    Evidence::Mismatch { what, check, message: message.to_owned(), difference: Some(difference) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pytest_says_is_running_is_what_its_report_names() {
        for (running, name) in [
            ("tests/test_a.py::test_x (call)", "tests.test_a::test_x"),
            ("test_a.py::TestB::test_x (setup)", "test_a.TestB::test_x"),
            ("test_a.py::test_x[a::b (c)] (call)", "test_a::test_x[a::b (c)]"),
            ("anything", "anything"),
        ] {
            assert_eq!(key_of_running(running), name);
        }
    }

    #[test]
    fn two_tests_of_one_name_are_two_cases() {
        let mut taken = HashSet::new();
        let ids: Vec<String> = ["a", "a", "a"].map(|id| unique(&mut taken, id.to_owned())).into();
        assert_eq!(ids, ["a", "a#2", "a#3"]);
    }
}
