//! One case: its steps in order, until the first that speaks against the submission.

use std::time::Instant;

use super::checks;
use super::evaluation::Ground;
use super::record;
use crate::error::ExecutionError;
use crate::evaluate::adapter::Driver;
use crate::evaluate::report::CaseRecord;
use crate::evaluate::{Case, Evidence, Fact, Judgement, Verdict};

/// How often a case is tried where the host fails.
const TRIES: u32 = 2;

/// Judges a case through a driver.
///
/// # Errors
/// What the host failed at; never what the submission did.
async fn judge(
    ground: &Ground,
    driver: &mut dyn Driver,
    place: (usize, &Case),
    tries: u32,
) -> Result<CaseRecord, ExecutionError> {
    let began = Instant::now();
    let case = place.1;
    let (mut facts, mut steps) = (Vec::new(), Vec::new());
    for (number, step) in (1..).zip(&case.steps) {
        let observed = driver.step(case, step).await?;
        let found = checks::of_step(&ground.validators, driver.session(), step, &observed).await?;
        steps.push(record::of_step(case, step, &observed, &found));
        if let Some(dir) = &ground.outputs {
            record::keep_long(dir, &observed)?;
        }
        let step = (case.steps.len() > 1).then_some(number);
        facts.extend(found.into_iter().map(|(verdict, evidence)| Fact { step, verdict, evidence }));
        if !facts.is_empty() {
            break;
        }
    }
    Ok(record::of_case(place, Judgement::of(facts), steps, tries, Some(began.elapsed())))
}

/// Judges the cases that share a driver, in order. Where the host fails a case is tried once more, with a new driver.
pub(super) struct Unit<'a> {
    pub(super) ground: &'a Ground,
    driver: Option<Box<dyn Driver>>,
}

impl<'a> Unit<'a> {
    pub(super) fn new(ground: &'a Ground) -> Self {
        Self { ground, driver: None }
    }

    /// Judges one case. Trouble of the host is its verdict `IE`.
    pub(super) async fn judge(&mut self, place: (usize, &Case)) -> CaseRecord {
        let mut trouble = String::new();
        for tries in 1..=TRIES {
            match self.attempt(place, tries).await {
                Ok(record) => return record,
                Err(error) => {
                    trouble = explain(&error);
                    // What the host failed at once must not meet the next try.
                    self.driver = None;
                }
            }
        }
        record::of_nothing(place, Verdict::Ie, Evidence::Host { message: trouble, tries: TRIES })
    }

    async fn attempt(&mut self, place: (usize, &Case), tries: u32) -> Result<CaseRecord, ExecutionError> {
        // The driver stays here while it works: whoever stops waiting can still close it.
        let driver = match &mut self.driver {
            Some(driver) => driver,
            empty => empty.insert(self.ground.adapter.open(&self.ground.stage, place.1).await?),
        };
        judge(self.ground, &mut **driver, place, tries).await
    }

    /// Ends what the cases shared; what could not be ended is said.
    pub(super) async fn close(mut self) -> Option<String> {
        let driver = self.driver.take()?;
        driver.close().await.err().map(|error| explain(&error))
    }
}

/// Writes an error with its causes and its hint.
pub(crate) fn explain(error: &ExecutionError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text += &format!(": {next}");
        cause = next.source();
    }
    if let Some(hint) = error.hint().filter(|hint| !hint.is_empty()) {
        text += &format!(" ({hint})");
    }
    text
}
