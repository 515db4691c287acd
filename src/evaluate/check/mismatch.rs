//! What a checker found: where, what came there, and, kept apart, what should have come.

/// The first difference between what came and what was expected.
///
/// [`message`](Self::message), [`at`](Self::at) and [`actual`](Self::actual) hold nothing of what was expected;
/// [`expected`](Self::expected) alone does, so that a report for others leaves out one field. All texts are bounded,
/// on one line, and free of control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mismatch {
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// Where: `line 3, column 7`, `word 12 on line 3`, `$.items[2].name`; empty where there is no place.
    pub at: String,
    /// A little of what came there.
    pub actual: Option<String>,
    /// A little of what was expected there.
    pub expected: Option<String>,
}

impl Mismatch {
    pub(super) const EARLY: &str = "ends too early";
    pub(super) const MORE: &str = "has more than was expected";
    pub(super) const DIFFERS: &str = "is not what was expected";

    /// Makes a mismatch of the whole.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// Makes the mismatch of a file that is not there.
    pub fn missing() -> Self {
        Self::new("is not there")
    }

    /// Says where it is.
    #[must_use]
    pub fn at(mut self, at: impl Into<String>) -> Self {
        self.at = at.into();
        self
    }

    /// Shows a little of both sides.
    #[must_use]
    pub(super) fn showing(mut self, expected: String, actual: String) -> Self {
        self.expected = Some(expected);
        self.actual = Some(actual);
        self
    }

    /// Leaves out what was expected.
    #[must_use]
    pub fn without_expected(mut self) -> Self {
        self.expected = None;
        self
    }
}
