//! What is wrong with the shape of a value: the findings of the schema, in words that help.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::path::{self, Step};
use super::quantity;
use super::{Problem, suggest};

/// One finding: the problem, and what to leave out of the value so that the rest can be read.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) problem: Problem,
    pub(super) prune: Vec<Step>,
    /// Whether the problem is of a key, not of its value.
    pub(super) of_key: bool,
}

/// A schema, ready to check values with.
#[derive(Debug)]
pub(super) struct Checker {
    schema: Value,
    validator: Validator,
}

impl Checker {
    /// Makes a schema ready; a schema that is none is the fault of the runtime that brought it.
    pub(super) fn new(schema: Value) -> Result<Self, Problem> {
        let mut options = jsonschema::options().should_validate_formats(true);
        for format in quantity::TEXT_FORMATS {
            options = options.with_format(format, move |text| quantity::fault(format, &text.into()).is_none());
        }
        let bug = |error| Problem::new("", format!("the schema of a runtime's section is not valid: {error}"));
        let validator = options.build(&schema).map_err(bug)?;
        Ok(Self { schema, validator })
    }

    /// Lists everything that is wrong with the shape of a value.
    pub(super) fn findings(&self, value: &Value) -> Vec<Finding> {
        let mut findings = Vec::new();
        for error in self.validator.iter_errors(value) {
            self.describe(&error, value, &mut findings);
        }
        findings.dedup_by(|a, b| a.problem == b.problem);
        findings
    }

    fn describe(&self, error: &ValidationError<'_>, root: &Value, findings: &mut Vec<Finding>) {
        let steps = path::from_pointer(error.instance_path().as_str(), root);
        let at = path::write(&steps);
        let mut add = |problem: Problem, prune: Vec<Step>, of_key: bool| {
            findings.push(Finding { problem, prune, of_key });
        };
        if let Some(fault) = self.quantity_fault(error) {
            return add(fault.at(at), steps, false);
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "the validator's enum grows; what is left explains itself")]
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for key in unexpected {
                    let known = self.known_keys(error);
                    let problem = Problem::new(path::join_key(&at, key), "is not a known key");
                    let problem = problem.with_hint(suggest::hint(key, known.iter().map(String::as_str)));
                    let prune = steps.iter().cloned().chain([Step::Key(key.clone())]).collect();
                    add(problem, prune, true);
                }
            }
            ValidationErrorKind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                add(
                    Problem::new(path::join_key(&at, key), "is missing").with_hint(format!("add `{key}`")),
                    steps,
                    true,
                );
            }
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                match branch(error, context) {
                    Branch::Choices(words) => add(choice(&at, error.instance(), &words), steps, false),
                    Branch::Nearest(errors) => errors.iter().for_each(|error| self.describe(error, root, findings)),
                }
            }
            ValidationErrorKind::Enum { options } => {
                let words = options.as_array().into_iter().flatten().map(word).collect::<Vec<_>>();
                add(choice(&at, error.instance(), &words), steps, false);
            }
            ValidationErrorKind::Constant { expected_value } => {
                add(choice(&at, error.instance(), &[word(expected_value)]), steps, false);
            }
            ValidationErrorKind::Type { kind } => add(wrong_type(&at, kind, error.instance()), steps, false),
            ValidationErrorKind::MinLength { limit: 1 } => add(Problem::new(at, "must not be empty"), steps, false),
            _ => add(Problem::new(at, error.to_string()), steps, false),
        }
    }

    fn quantity_fault(&self, error: &ValidationError<'_>) -> Option<quantity::Fault> {
        let format = self.owner(error)?.get("format")?.as_str()?;
        quantity::fault(format, error.instance())
    }

    fn known_keys(&self, error: &ValidationError<'_>) -> Vec<String> {
        let properties = self.owner(error).and_then(|owner| owner.get("properties")?.as_object());
        properties.map(|map| map.keys().cloned().collect()).unwrap_or_default()
    }

    /// Gives the schema whose keyword found the error.
    fn owner(&self, error: &ValidationError<'_>) -> Option<&Value> {
        let (owner, _) = error.schema_path().as_str().rsplit_once('/')?;
        self.schema.pointer(owner)
    }
}

enum Branch<'a> {
    Choices(Vec<String>),
    Nearest(&'a [ValidationError<'static>]),
}

/// Picks what to say when none of several shapes fits: the words to choose from, or the shape that was meant.
fn branch<'a>(error: &ValidationError<'_>, context: &'a [Vec<ValidationError<'static>>]) -> Branch<'a> {
    let here = error.instance_path().as_str();
    let mut words = Vec::new();
    let mut nearest: Option<&[ValidationError<'static>]> = None;
    for errors in context {
        match errors.first().map(ValidationError::kind) {
            Some(ValidationErrorKind::Constant { expected_value }) => words.push(word(expected_value)),
            Some(ValidationErrorKind::Enum { options }) => {
                words.extend(options.as_array().into_iter().flatten().map(word))
            }
            _ => {}
        }
        let is_other_type = |error: &ValidationError<'_>| {
            matches!(error.kind(), ValidationErrorKind::Type { .. }) && error.instance_path().as_str() == here
        };
        if !errors.is_empty()
            && !errors.iter().any(is_other_type)
            && nearest.is_none_or(|near| errors.len() < near.len())
        {
            nearest = Some(errors);
        }
    }
    match (words.is_empty(), nearest) {
        (true, Some(errors)) => Branch::Nearest(errors),
        (true, None) => Branch::Nearest(context.first().map_or(&[], Vec::as_slice)),
        (false, _) => Branch::Choices(words),
    }
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn choice(at: &str, found: &Value, words: &[String]) -> Problem {
    let listed: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    let message = format!("must be {}, not {}", listed.join(" or "), describe_value(found));
    let problem = Problem::new(at, message);
    match found.as_str() {
        Some(found) => problem.with_hint(suggest::hint(found, words.iter().map(String::as_str))),
        None => problem,
    }
}

fn wrong_type(at: &str, kind: &TypeKind, found: &Value) -> Problem {
    let types: Vec<&str> = match kind {
        TypeKind::Single(ty) => vec![ty.as_str()],
        TypeKind::Multiple(types) => types.iter().map(|ty| ty.as_str()).collect(),
    };
    let names: Vec<&str> = types.iter().filter(|ty| **ty != "null").map(|ty| type_name(ty)).collect();
    let problem = Problem::new(at, format!("must be {}, not {}", names.join(" or "), describe_value(found)));
    match found {
        Value::Number(_) | Value::Bool(_) if types.contains(&"string") => {
            problem.with_hint(format!("put it in quotes: \"{found}\""))
        }
        Value::Null => problem.with_hint("remove the key, or give it a value"),
        Value::String(_) if types.contains(&"array") => problem.with_hint("write a list: [first, second]"),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => problem,
    }
}

fn type_name(ty: &str) -> &str {
    match ty {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a map",
        other => other,
    }
}

fn describe_value(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.chars().count() > 40 => "a text".into(),
        Value::String(text) => format!("`{}`", text.escape_debug()),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a map".into(),
    }
}

/// Leaves out of a value what findings point at, so that the rest can be read.
pub(super) fn prune(value: &mut Value, findings: &[Finding]) {
    for finding in findings {
        let keys = finding.prune.iter().take_while(|step| matches!(step, Step::Key(_)));
        let keys: Vec<&str> =
            keys.filter_map(|step| if let Step::Key(key) = step { Some(key.as_str()) } else { None }).collect();
        let Some((last, parents)) = keys.split_last() else { continue };
        let parent = parents.iter().try_fold(&mut *value, |value, key| value.get_mut(*key));
        if let Some(Value::Object(map)) = parent {
            map.remove(*last);
        }
    }
}
