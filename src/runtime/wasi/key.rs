//! The name of a module by what it holds.

/// The content of a module, by its BLAKE3 hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ModuleKey(blake3::Hash);

impl ModuleKey {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes))
    }

    pub(super) fn from_hex(hex: &str) -> Option<Self> {
        blake3::Hash::from_hex(hex).ok().map(Self)
    }

    pub(super) fn hex(&self) -> String {
        self.0.to_hex().to_string()
    }
}
