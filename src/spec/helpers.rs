//! What a spec answers: environment, set-up, commands, globs, limits, and its own name.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::environment::DEFAULT_IGNORE_GLOBS;
use super::template::{self, TemplateError};
use super::wire::Wire;
use super::{EnvironmentSpec, Limits, LimitsConfig, Mode, Problem, Provenance, Section};

impl EnvironmentSpec {
    /// Makes a spec with every default, for a runtime's section.
    pub fn new(ty: impl Into<String>, name: impl Into<String>, section: Arc<dyn Section>) -> Self {
        Self {
            ty: ty.into(),
            name: name.into(),
            environment: Default::default(),
            setup: Default::default(),
            compile: None,
            commands: Default::default(),
            snapshot: Default::default(),
            limits: LimitsConfig::default(),
            flag_limits: LimitsConfig::default(),
            section,
        }
    }

    /// Gives the whole environment of a command: the host's if the spec asks, under the spec's, the spawn's and the call's.
    pub fn full_env(
        &self,
        host: &BTreeMap<String, String>,
        spawn: &BTreeMap<String, String>,
        call: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let mut env = if self.environment.include_os_env { host.clone() } else { BTreeMap::new() };
        for layer in [&self.environment.env, spawn, call] {
            env.extend(layer.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        env
    }

    /// Lists the set-up commands in order: everyone's, then those of evaluation, then the spawn's own.
    pub fn setup_commands(&self, mode: Mode, spawn: Option<&str>) -> Vec<String> {
        let mut commands = self.setup.commands.clone();
        if mode == Mode::Evaluation {
            commands.extend_from_slice(&self.setup.eval_commands);
        }
        commands.extend(spawn.map(str::to_owned));
        commands
    }

    /// Lists the commands to run after an agent's workspace was restored.
    pub fn resume_commands(&self) -> &[String] {
        &self.setup.resume_commands
    }

    /// Gives the file that an entry's name stands for.
    ///
    /// # Errors
    /// A template that knows more than `{entry_file}`, or an empty file name.
    pub fn format_entry_file(&self, entry: &str) -> Result<String, TemplateError> {
        template::format(&self.commands.entry_file, entry)
    }

    /// Gives the command line that starts an entry: the mode's command, then the entry file.
    ///
    /// The entry's name is quoted where a shell would read more into it, and one that begins
    /// with `-` is led by `./`, so that it stays a file.
    ///
    /// # Errors
    /// As [`format_entry_file`](Self::format_entry_file).
    pub fn get_command(&self, entry: &str, mode: Mode) -> Result<String, TemplateError> {
        let command = match (mode, &self.commands.agent_command) {
            (Mode::Agent, Some(command)) => command,
            (Mode::Agent | Mode::Evaluation, _) => &self.commands.command,
        };
        self.format_entry_file(entry)?;
        let quoted = match entry {
            "" => "".into(),
            entry => shell_words::quote(entry),
        };
        // The template is trimmed, not the name: a name may begin or end in any character.
        let file = template::format(self.commands.entry_file.trim(), &quoted)?;
        let option = entry.starts_with('-') && self.commands.entry_file.starts_with("{entry_file}");
        let lead = if option { "./" } else { "" };
        match command.trim() {
            "" => Ok(format!("{lead}{file}")),
            command => Ok(format!("{command} {lead}{file}")),
        }
    }

    /// Lists the globs of what snapshots leave out, the save paths of assets among them.
    ///
    /// The [defaults](DEFAULT_IGNORE_GLOBS) are there unless the spec says `replace_defaults`.
    /// A save path is taken literally, with everything below it.
    pub fn ignore_globs<'a>(&self, save_paths: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let assets = save_paths.into_iter().flat_map(|path| {
            let path = globset::escape(path);
            [format!("{path}/*"), path]
        });
        let mut globs = self.snapshot.effective_ignore_globs();
        globs.extend(assets);
        globs
    }

    /// Gives the limits in force: the mode's defaults, the spec's, its flags', then what `more` asks.
    ///
    /// # Errors
    /// As [`Limits::resolve`].
    pub fn resolve_limits(&self, mode: Mode, more: &[(Provenance, &LimitsConfig)]) -> Result<Limits, Vec<Problem>> {
        let mut levels = vec![(Provenance::Flag, &self.flag_limits)];
        levels.extend_from_slice(more);
        Limits::resolve(mode, &self.limits, &levels)
    }

    /// Gives the spec as a file that says everything, defaults written out; loading it gives an equal spec.
    ///
    /// Limits that are not set stay out: written down, a default would become a ceiling. Limits of
    /// flags are written as the spec's own.
    pub fn to_value(&self) -> Value {
        let mut limits = self.limits.clone();
        limits.overlay(&self.flag_limits);
        let wire = Wire {
            ty: self.ty.clone(),
            name: self.name.clone(),
            environment: self.environment.clone(),
            setup: self.setup.clone(),
            compile: self.compile.clone(),
            commands: self.commands.clone(),
            snapshot: self.snapshot.clone(),
            limits,
        };
        // Nothing in it can fail: keys are texts, numbers are finite.
        let mut value = serde_json::to_value(&wire).unwrap_or_default();
        if let Value::Object(map) = &mut value {
            map.insert(self.ty.clone(), self.section.to_value());
        }
        value
    }

    /// Gives the name of what the spec says: the BLAKE3 of its [value](Self::to_value) in canonical JSON, as hex.
    pub fn spec_id(&self) -> String {
        let mut canonical = String::new();
        write_canonical(&self.to_value(), &mut canonical);
        blake3::hash(canonical.as_bytes()).to_hex().to_string()
    }
}

impl super::SnapshotConfig {
    /// Lists what is left out: the [defaults](DEFAULT_IGNORE_GLOBS) first, unless they are replaced, each once.
    pub fn effective_ignore_globs(&self) -> Vec<String> {
        let defaults = if self.replace_defaults { &[][..] } else { &DEFAULT_IGNORE_GLOBS[..] };
        let mut globs: Vec<String> = defaults.iter().map(|glob| (*glob).to_owned()).collect();
        for glob in &self.ignore_globs {
            if !globs.contains(glob) {
                globs.push(glob.clone());
            }
        }
        globs
    }
}

impl PartialEq for EnvironmentSpec {
    /// Says whether two specs say the same, whatever their files left out.
    fn eq(&self, other: &Self) -> bool {
        self.to_value() == other.to_value()
    }
}

/// Writes JSON with sorted keys and no blanks, so that equal values have equal text.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            write_list(entries, out, ['{', '}'], |(key, value), out| {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
            });
        }
        Value::Array(values) => write_list(values.iter().collect(), out, ['[', ']'], write_canonical),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => out.push_str(&value.to_string()),
    }
}

fn write_list<T>(items: Vec<T>, out: &mut String, [open, close]: [char; 2], write: impl Fn(T, &mut String)) {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{ByteSize, Limit, LimitName, LimitValue};
    use proptest::prelude::*;
    use serde_json::json;

    fn spec() -> EnvironmentSpec {
        EnvironmentSpec::new("local", "python", Arc::new(json!({})))
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_nearer_environment_wins() {
        let (host, spawn, call) =
            (map(&[("A", "os"), ("O", "os")]), map(&[("C", "spawn"), ("D", "spawn")]), map(&[("D", "call")]));
        let mut spec = spec();
        spec.environment.env = map(&[("A", "spec"), ("C", "spec")]);
        assert_eq!(spec.full_env(&host, &spawn, &call), map(&[("A", "spec"), ("C", "spawn"), ("D", "call")]));
        spec.environment.include_os_env = true;
        let full = map(&[("A", "spec"), ("C", "spawn"), ("D", "call"), ("O", "os")]);
        assert_eq!(spec.full_env(&host, &spawn, &call), full);
    }

    #[test]
    fn evaluation_runs_its_own_set_up_between() {
        let mut spec = spec();
        spec.setup.commands = vec!["a".into()];
        spec.setup.eval_commands = vec!["b".into()];
        assert_eq!(spec.setup_commands(Mode::Evaluation, Some("c")), ["a", "b", "c"]);
        assert_eq!(spec.setup_commands(Mode::Agent, Some("c")), ["a", "c"]);
        assert_eq!(spec.setup_commands(Mode::Agent, None), ["a"]);
    }

    #[test]
    fn the_command_is_that_of_the_mode() {
        let mut spec = spec();
        spec.commands.entry_file = "{entry_file}.py".into();
        spec.commands.command = " uv run ".into();
        assert_eq!(spec.get_command("main", Mode::Agent).unwrap(), "uv run main.py");
        spec.commands.agent_command = Some("python".into());
        assert_eq!(spec.get_command("main", Mode::Agent).unwrap(), "python main.py");
        assert_eq!(spec.get_command("main", Mode::Evaluation).unwrap(), "uv run main.py");
        spec.commands.agent_command = Some(String::new());
        assert_eq!(spec.get_command("main", Mode::Agent).unwrap(), "main.py");
    }

    #[test]
    fn a_hostile_entry_stays_one_word() {
        let mut spec = spec();
        spec.commands.entry_file = "{entry_file}.py".into();
        assert_eq!(spec.get_command("a; rm -rf x", Mode::Evaluation).unwrap(), "python 'a; rm -rf x'.py");
        assert_eq!(spec.get_command("-c", Mode::Evaluation).unwrap(), "python ./-c.py");
        spec.commands.entry_file = "{entry_file}".into();
        assert_eq!(spec.get_command("", Mode::Evaluation), Err(TemplateError::Empty));
    }

    #[test]
    fn save_paths_are_no_globs() {
        let mut spec = spec();
        spec.snapshot.ignore_globs = vec!["*.log".into(), "*.pyc".into()];
        let globs = spec.ignore_globs(["a[1]*"]);
        assert_eq!(
            globs,
            ["*.pyc", "venv/*", ".venv/*", ".evaluation_tests/*", "*.log", "a[[]1[]][*]/*", "a[[]1[]][*]"]
        );
        spec.snapshot.replace_defaults = true;
        assert_eq!(spec.ignore_globs([]), ["*.log", "*.pyc"]);
    }

    #[test]
    fn the_id_names_what_is_said() {
        let (mut one, two) = (spec(), spec());
        assert_eq!(one.spec_id(), two.spec_id());
        assert_eq!(one.spec_id().len(), 64);
        one.flag_limits.memory = Limit::Set(ByteSize(1));
        assert_ne!(one.spec_id(), two.spec_id());
        let mut written = spec();
        written.limits.memory = Limit::Set(ByteSize(1));
        assert_eq!(one, written);
    }

    #[test]
    fn flags_replace_what_the_file_says() {
        let mut spec = spec();
        spec.limits.memory = Limit::Set(ByteSize(1 << 20));
        spec.flag_limits.memory = Limit::Set(ByteSize(2 << 20));
        let bound = spec.resolve_limits(Mode::Evaluation, &[]).unwrap().get(LimitName::Memory);
        assert_eq!((bound.value, bound.from), (Some(LimitValue::Bytes(2 << 20)), Provenance::Flag));
    }

    proptest! {
        #[test]
        fn an_entry_is_one_word_of_its_command(entry in "[^\\x00]{1,12}") {
            prop_assume!(!entry.trim().is_empty());
            let words = super::super::split_line(&spec().get_command(&entry, Mode::Evaluation).unwrap());
            let file = if entry.starts_with('-') { format!("./{entry}") } else { entry.clone() };
            prop_assert_eq!(words.unwrap(), vec!["python".to_owned(), file]);
        }
    }
}
