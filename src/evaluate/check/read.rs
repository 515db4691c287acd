//! From what files write to a checker that is ready: every mistake of the file at once, each with its path.

use std::sync::Arc;

use cap_std::fs::Dir;
use serde_json::Value;

use super::json::{Notation, Values};
use super::kind::{Check, Comparison, Method};
use super::schema::Schema;
use super::table::Table;
use super::text::Case;
use super::tokens::Rule;
use super::tree::{Holds, MAX_MATCHED, Mask, Node, Order, Rules};
use super::{CheckConfig, CheckName, Tolerances, pattern};
use crate::evaluate::{Data, DataFile, Expectation};
use crate::spec::Problem;

impl CheckConfig {
    /// Makes the checker, and what it compares with, ready.
    ///
    /// `at` is the path of this value in its file, `base` the directory that files are looked up in. What is expected
    /// is read once, to see that the checker can compare with it, and not kept where it is a file.
    ///
    /// # Errors
    /// Every mistake, each with its path.
    pub fn expectation(&self, at: &str, base: &Arc<Dir>) -> Result<Expectation, Vec<Problem>> {
        let mut problems = self.option_problems(at);
        let expected = match self.expected(at, base) {
            Ok(expected) => expected,
            Err(problem) => {
                problems.push(problem);
                None
            }
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        self.ready(at, base, expected)
    }

    /// Lists what is wrong with the options, whatever is expected: of a checker, or of a file's defaults.
    pub fn option_problems(&self, at: &str) -> Vec<Problem> {
        let name = self.check.unwrap_or_default();
        let mut problems: Vec<Problem> = self
            .written()
            .into_iter()
            .filter(|key| !name.takes(key))
            .map(|key| {
                let takers = CheckName::ALL.iter().filter(|other| other.takes(key)).map(|other| other.name());
                Problem::new(below(at, key), format!("is no option of the checker `{}`", name.name()))
                    .with_hint(format!("it is one of: {}", takers.collect::<Vec<_>>().join(", ")))
            })
            .collect();
        if self.last == Some(0) {
            problems
                .push(Problem::new(below(at, "last"), "must be more than zero").with_hint("remove it to look at all"));
        }
        for (key, value) in [("relative", self.relative), ("absolute", self.absolute), ("tolerance", self.tolerance)] {
            if value.is_some_and(|value| !value.is_finite() || value < 0.0) {
                problems.push(Problem::new(below(at, key), "must be a finite number, not negative"));
            }
        }
        if self.tolerance.is_some() && (self.relative.is_some() || self.absolute.is_some()) {
            let problem = Problem::new(below(at, "tolerance"), "says the same as `relative` and `absolute` together");
            problems.push(problem.with_hint("keep one of the two"));
        }
        if self.delimiter.is_some() && self.delimiter_byte().is_none() {
            problems.push(Problem::new(below(at, "delimiter"), "must be one ASCII character, and no quote or newline"));
        }
        if let Err(mut faults) = self.masks(at) {
            problems.append(&mut faults);
        }
        problems
    }

    /// Gives what is expected, where it is text, bytes or a file.
    fn expected(&self, at: &str, base: &Arc<Dir>) -> Result<Option<Data>, Problem> {
        let name = self.check.unwrap_or_default();
        let sources = self.written().into_iter().filter(|key| CheckName::SOURCES.contains(key)).collect::<Vec<_>>();
        if let [_, second, ..] = sources[..] {
            let problem = Problem::new(below(at, second), format!("stands beside `{}`", sources[0]));
            return Err(problem.with_hint("say what is expected once"));
        }
        let data = match (&self.text, &self.file, &self.base64) {
            (Some(text), ..) => Some(Data::text(text.as_str())),
            (_, Some(path), _) => Some(Data::File(DataFile::new(Arc::clone(base), path.as_str()))),
            (_, _, Some(text)) => Some(Data::Inline(base64(text).ok_or_else(|| {
                Problem::new(below(at, "base64"), "is not base64").with_hint("the standard alphabet, with its padding")
            })?)),
            (None, None, None) => None,
        };
        if sources.is_empty() && name.needs_expected() {
            let hint = name.source_hint();
            return Err(Problem::new(at, "does not say what is expected").with_hint(hint));
        }
        if let Some(data) = &data {
            data.check().map_err(|error| unreadable(at, &error))?;
        }
        Ok(data)
    }

    /// Makes the checker ready, all options being sound.
    fn ready(&self, at: &str, base: &Arc<Dir>, expected: Option<Data>) -> Result<Expectation, Vec<Problem>> {
        let name = self.check.unwrap_or_default();
        if name == CheckName::Program {
            let program = self.program(at, base)?;
            return Ok(Expectation::new(Check::Program(Arc::new(program)), expected));
        }
        let one = |problem| vec![problem];
        let method = self.method(name, at, expected.as_ref()).map_err(one)?;
        let comparison = Comparison { method, case: self.case(), last: self.last };
        // The pattern and the schema are in the checker now.
        let is_taken = matches!(name, CheckName::Regex | CheckName::JsonSchema);
        let expected = expected.filter(|_| !is_taken);
        if let Some(data) = expected.as_ref().filter(|_| name.reads_expected()) {
            let bytes = data.read().map_err(|error| one(unreadable(at, &error)))?;
            if let Some(fault) = comparison.fault_of(&bytes) {
                return Err(one(Problem::new(self.source(at), fault)));
            }
        }
        Ok(Expectation::new(Check::Compare(comparison), expected))
    }

    fn method(&self, name: CheckName, at: &str, expected: Option<&Data>) -> Result<Method, Problem> {
        let rule = Rule::Within(self.tolerances().unwrap_or(Tolerances::DEFAULT));
        Ok(match name {
            CheckName::Exact => Method::Exact,
            CheckName::Trimmed => Method::Trimmed,
            CheckName::Tokens => Method::Words(name, Rule::Texts),
            CheckName::Numbers => Method::Words(name, Rule::Decimals),
            CheckName::Float => Method::Words(name, rule),
            CheckName::Lines => Method::Lines,
            CheckName::Contains => Method::Contains,
            CheckName::Exists => Method::Exists,
            CheckName::Absent => Method::Absent,
            CheckName::Json => Method::Values(name, Box::new(self.values(Notation::Json, at)?)),
            CheckName::Yaml => Method::Values(name, Box::new(self.values(Notation::Yaml, at)?)),
            CheckName::Csv => Method::Table(self.table()),
            CheckName::Regex => {
                let text = self.read_text(at, expected)?;
                Method::Regex(pattern::read(&text, self.case()).map_err(|why| Problem::new(self.source(at), why))?)
            }
            CheckName::JsonSchema => {
                let schema = match &self.schema {
                    Some(schema) => schema.clone(),
                    None => serde_json::from_str::<Value>(&self.read_text(at, expected)?)
                        .map_err(|error| Problem::new(self.source(at), format!("is not JSON: {error}")))?,
                };
                Method::Schema(Schema::read(&schema).map_err(|why| Problem::new(self.source(at), why))?)
            }
            CheckName::Program => return Err(Problem::new(at, "is a program")),
        })
    }

    fn read_text(&self, at: &str, expected: Option<&Data>) -> Result<String, Problem> {
        let bytes = expected.map(Data::read).transpose().map_err(|error| unreadable(at, &error))?.unwrap_or_default();
        String::from_utf8(bytes.into()).map_err(|_| Problem::new(self.source(at), "is not UTF-8"))
    }

    fn values(&self, notation: Notation, at: &str) -> Result<Values, Problem> {
        let holds = if self.subset.is_some() { Holds::More } else { Holds::Same };
        let rules = Rules { holds, ..self.rules() };
        let expected = self.subset.as_ref().or(self.equal.as_ref()).map(Node::from);
        let is_search = rules.holds == Holds::More && rules.order == Order::Ignored;
        if is_search && expected.as_ref().is_some_and(|node| node.longest_list() > MAX_MATCHED) {
            let message = format!("has a list of more than {MAX_MATCHED} items to find in any order");
            return Err(Problem::new(self.source(at), message).with_hint("use `equal`, or let the order count"));
        }
        Ok(Values { notation, rules, masks: self.masks("").unwrap_or_default(), expected })
    }

    fn table(&self) -> Table {
        Table {
            rules: self.rules(),
            delimiter: self.delimiter_byte().unwrap_or(b','),
            header: self.header.unwrap_or_default(),
            masks: self.masks("").unwrap_or_default(),
        }
    }

    fn rules(&self) -> Rules {
        let order = if self.ignore_order.unwrap_or_default() { Order::Ignored } else { Order::Counts };
        Rules { case: self.case(), tolerances: self.tolerances(), holds: Holds::Same, order }
    }

    fn case(&self) -> Case {
        if self.ignore_case.unwrap_or_default() { Case::Ignored } else { Case::Matters }
    }

    fn tolerances(&self) -> Option<Tolerances> {
        if self.tolerance.is_none() && self.relative.is_none() && self.absolute.is_none() {
            return None;
        }
        let of = |value: Option<f64>| value.or(self.tolerance).unwrap_or_default();
        Some(Tolerances { relative: of(self.relative), absolute: of(self.absolute) })
    }

    fn delimiter_byte(&self) -> Option<u8> {
        match self.delimiter.as_deref().map(str::as_bytes) {
            Some([byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => Some(*byte),
            _ => None,
        }
    }

    /// Reads what is not looked at.
    fn masks(&self, at: &str) -> Result<Vec<Mask>, Vec<Problem>> {
        let is_table = self.check == Some(CheckName::Csv);
        let (mut masks, mut problems) = (Vec::new(), Vec::new());
        for (index, path) in self.ignore.iter().flatten().enumerate() {
            let at = format!("{}[{index}]", below(at, "ignore"));
            // A column is a key, whatever its name.
            let read =
                if is_table { Mask::read(&format!("[{}]", Value::from(path.as_str()))) } else { Mask::read(path) };
            match read {
                Err(why) => problems.push(Problem::new(at, why).with_hint("write it as `meta.time` or `items[*].id`")),
                Ok(_) if is_table && self.header != Some(true) => {
                    problems.push(
                        Problem::new(at, "names a column of a table without a header").with_hint("add `header: true`"),
                    );
                }
                Ok(mask) if self.ignore_order == Some(true) && mask.names_an_item() => {
                    problems.push(
                        Problem::new(at, "names an item by its place, while order does not count")
                            .with_hint("write `[*]`"),
                    );
                }
                Ok(mask) => masks.push(mask),
            }
        }
        if problems.is_empty() { Ok(masks) } else { Err(problems) }
    }

    /// Gives the path of the key that says what is expected.
    fn source(&self, at: &str) -> String {
        let written = self.written();
        match written.iter().find(|key| CheckName::SOURCES.contains(key)) {
            Some(key) => below(at, key),
            None => at.to_owned(),
        }
    }
}

/// Gives the path of a key below another path.
pub(super) fn below(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}

fn unreadable(at: &str, error: &crate::evaluate::DataError) -> Problem {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    Problem::new(below(at, "file"), format!("{error}{cause}"))
}

fn base64(text: &str) -> Option<bytes::Bytes> {
    use base64::Engine as _;
    let text: String = text.split_ascii_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(text).ok().map(Into::into)
}
