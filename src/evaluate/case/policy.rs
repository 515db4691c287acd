//! When a submission has passed.

/// When a submission has passed. No policy passes on zero cases, nor while a case has no verdict of its own (IE).
///
/// The names are those of the field's reference system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum PassPolicy {
    /// It was judged at all.
    Any,
    /// One case is accepted.
    AnyCase,
    /// Every case is accepted.
    #[default]
    AllCases,
    /// Every case outside of the group `error` is accepted.
    AllNonErrorCases,
    /// The same as `all-core-cases`.
    CoreCases,
    /// One case of the group `core` is accepted.
    AnyCoreCases,
    /// Every case of the group `core` is accepted.
    AllCoreCases,
}

impl PassPolicy {
    /// Gives the name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::AnyCase => "any-case",
            Self::AllCases => "all-cases",
            Self::AllNonErrorCases => "all-non-error-cases",
            Self::CoreCases => "core-cases",
            Self::AnyCoreCases => "any-core-cases",
            Self::AllCoreCases => "all-core-cases",
        }
    }
}
