//! Who decides in a package: the default validator, or the one program that it brings.

use std::collections::HashMap;
use std::sync::Arc;

use super::file::Package;
use super::name::is_name;
use super::open::{Asked, Format, Validation};
use super::program;
use crate::evaluate::check::{Check, Comparison, DefaultValidator, NumberForms, ProgramCheck};

/// Where the one validator is, since the draft: the directory is the program.
pub(super) const MODERN_VALIDATOR: &str = "output_validator";
/// Where validators are before: the program is an entry of the directory.
const VALIDATORS: &str = "output_validators";

/// Says whether a package of an early draft brings a validator.
pub(super) fn has_draft_validators(package: &Package) -> bool {
    package.has_entries(VALIDATORS)
}

/// The validator of a package, with the flags that it was called with so far.
pub(super) struct Validators {
    program: Option<ProgramCheck>,
    is_default: bool,
    numbers: NumberForms,
    flags: Vec<String>,
    known: HashMap<Vec<String>, Option<Check>>,
}

impl Validators {
    pub(super) fn open(package: &mut Package, format: Format, asked: &Asked) -> Self {
        let is_default = asked.validation == Validation::Default;
        let numbers = match format {
            Format::Legacy => NumberForms::AsInC,
            Format::Draft | Format::Modern => NumberForms::Decimals,
        };
        let (flags, known) = (asked.flags.clone(), HashMap::new());
        let mut validators = Self { program: None, is_default, numbers, flags, known };
        if is_default {
            return validators;
        }
        if package.has_constants {
            package.tell("problem.yaml", "constants: are not supported beside a validator, whose text they change", "");
        }
        let program = match format {
            Format::Legacy => only(package, VALIDATORS).and_then(|path| program::read(package, &path)),
            Format::Draft if !package.has_dir(MODERN_VALIDATOR) => {
                only(package, VALIDATORS).and_then(|path| program::read(package, &path))
            }
            Format::Draft | Format::Modern => program::read(package, MODERN_VALIDATOR),
        };
        validators.program = program.map(|mut program| {
            program.limits = asked.limits.validation.clone();
            program.compile_limits = asked.limits.making.clone();
            program
        });
        validators
    }

    /// Gives the checker with the flags of a case behind those of the problem; what is wrong with them is told once.
    pub(super) fn with(&mut self, package: &mut Package, case: &str, flags: &[String]) -> Option<Check> {
        let flags: Vec<String> = self.flags.iter().chain(flags).cloned().collect();
        if let Some(known) = self.known.get(&flags) {
            return known.clone();
        }
        let check = if self.is_default {
            let is_decimal = self.numbers == NumberForms::Decimals;
            let doubled = doubled(&flags).filter(|_| is_decimal);
            match doubled.map_or_else(|| DefaultValidator::read(&flags), Err) {
                Ok(mut validator) => {
                    validator.numbers = self.numbers;
                    Some(Check::Compare(Comparison::of_validator(validator)))
                }
                Err(why) => {
                    let message = format!("the flags of the default validator for `{case}`: {why}");
                    package.tell("problem.yaml", message, "known: case_sensitive, space_change_sensitive, float_tolerance, float_absolute_tolerance, float_relative_tolerance");
                    None
                }
            }
        } else {
            self.program
                .clone()
                .map(|program| Check::Program(Arc::new(ProgramCheck { flags: flags.clone(), ..program })))
        };
        self.known.insert(flags, check.clone());
        check
    }
}

/// Says which tolerance stands there twice, which is a mistake since the draft.
fn doubled(flags: &[String]) -> Option<String> {
    let count = |name: &str| flags.iter().filter(|flag| *flag == name).count();
    let [both, relative, absolute] =
        ["float_tolerance", "float_relative_tolerance", "float_absolute_tolerance"].map(count);
    let is_doubled =
        [both, relative, absolute].into_iter().any(|count| count > 1) || (both > 0 && relative + absolute > 0);
    is_doubled.then(|| "a tolerance stands there twice".to_owned())
}

/// Finds the one program of a directory.
fn only(package: &mut Package, dir: &str) -> Option<String> {
    let Ok(entries) = package.base.read_dir(dir) else {
        package.tell(dir, "is missing, and `validation` is `custom`", "");
        return None;
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| is_name(name) && !name.starts_with("README")).collect();
    names.sort();
    match names.as_slice() {
        [name] => Some(format!("{dir}/{name}")),
        [] => {
            package.tell(dir, "holds no validator, and `validation` is `custom`", "");
            None
        }
        [_, _, ..] => {
            let message = format!("holds {}: more than one validator is not supported", names.join(", "));
            package.tell(dir, message, "a validator of several files is a directory of its own");
            None
        }
    }
}
