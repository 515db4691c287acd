//! The `local:` section of a spec, and the spec that this kind brings along.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::runtime::BuiltinSpec;
use crate::spec::{ByteSize, Problem};

/// The `local:` section of a spec. Every key may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LocalConfig {
    /// Whether every command runs on a pseudo-terminal. Default: no.
    pub requires_tty: bool,
    /// The shell that runs command lines, as `SHELL -c LINE`. Default: none, lines are split into words.
    pub shell: Option<String>,
    /// What stands between the guest and the host. Default, and the only value: `none`.
    pub isolation: Isolation,
    /// How much address space one process may map (`RLIMIT_AS`). Default: no limit.
    pub address_space: Option<ByteSize>,
}

/// What stands between a local guest and the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Isolation {
    /// Nothing.
    #[default]
    None,
}

/// What a spawn may pass to the local runtime beyond the common arguments: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LocalOptions {}

impl LocalConfig {
    /// Finds what the schema cannot say.
    pub(super) fn check(&self) -> Vec<Problem> {
        let empty = self.shell.as_deref().is_some_and(|shell| shell.trim().is_empty());
        let problem = Problem::new("shell", "is empty").with_hint("name a shell, or write `null` for none");
        if empty { vec![problem] } else { Vec::new() }
    }
}

pub(super) const BUILTIN_SPECS: [BuiltinSpec; 1] = [BuiltinSpec {
    name: "local-python",
    about: "The host's own Python, without isolation.",
    text: "\
type: local
name: python
commands:
  entry_file: \"{entry_file}.py\"
  command: python3
",
}];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_has_defaults_and_refuses_what_it_does_not_know() {
        let read = |text: &str| serde_json::from_str::<LocalConfig>(text);
        assert_eq!(read("{}").unwrap(), LocalConfig::default());
        let full =
            read(r#"{"requires_tty":true,"shell":"/bin/sh","isolation":"none","address_space":"1GiB"}"#).unwrap();
        assert_eq!((full.requires_tty, full.address_space), (true, Some(ByteSize(1 << 30))));
        assert!(full.check().is_empty());
        assert!(read(r#"{"isolation":"chroot"}"#).is_err());
        assert!(read(r#"{"shel":"/bin/sh"}"#).is_err());
        assert_eq!(read(r#"{"shell":" "}"#).unwrap().check().len(), 1);
        assert!(serde_json::from_str::<LocalOptions>(r#"{"x":1}"#).is_err());
    }
}
