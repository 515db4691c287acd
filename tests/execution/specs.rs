//! Environment specs from text to value and back, with runtimes that only this test knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick::ExecutionError;
use bailiwick::spec::{
    self, ByteSize, EnvironmentSpec, LimitName, LimitValue, Limits, Loaded, Mode, Position, Problem, Provenance,
    Section, SectionTypes, Span, SpecError,
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// As the reference system's Docker section.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Docker {
    image: String,
    #[serde(default)]
    workdir: Option<String>,
    #[serde(default)]
    mount_workspace: Option<bool>,
    #[serde(default)]
    binary: Option<String>,
    #[serde(default)]
    mounts: BTreeMap<String, Mount>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Mount {
    Path(String),
    Full(FullMount),
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FullMount {
    bind: String,
    mode: Access,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Access {
    /// Only read.
    Ro,
    /// Read and written.
    Rw,
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Local {
    requires_tty: bool,
    shell: Option<String>,
    address_space: Option<ByteSize>,
    grace: Option<Span>,
}

/// The types of this test; the list says which of them are part of the build.
struct Types(&'static [&'static str]);

const ALL: Types = Types(&["docker", "local"]);

fn parse<T: DeserializeOwned + Section>(section: Option<&Value>) -> Result<Arc<dyn Section>, Vec<Problem>> {
    let value = section.cloned().unwrap_or_else(|| json!({}));
    match serde_json::from_value::<T>(value) {
        Ok(section) => Ok(Arc::new(section)),
        Err(error) => Err(vec![Problem::new("", error.to_string())]),
    }
}

impl SectionTypes for Types {
    fn names(&self) -> Vec<&str> {
        self.0.to_vec()
    }

    fn schema(&self, ty: &str) -> Option<Value> {
        let schema = match self.0.iter().find(|known| **known == ty)? {
            &"docker" => schemars::schema_for!(Docker),
            _ => schemars::schema_for!(Local),
        };
        Some(schema.to_value())
    }

    fn parse(&self, ty: &str, section: Option<&Value>) -> Result<Arc<dyn Section>, Vec<Problem>> {
        if ty != "docker" {
            return parse::<Local>(section);
        }
        let workdir = section.and_then(|section| section["workdir"].as_str());
        if workdir.is_some_and(|workdir| !workdir.starts_with('/')) {
            return Err(vec![Problem::new("workdir", "must be absolute")]);
        }
        parse::<Docker>(section)
    }

    fn warnings(&self, ty: &str, section: &dyn Section) -> Vec<Problem> {
        let ignored = ty == "docker" && !section.to_value()["binary"].is_null();
        ignored.then(|| Problem::new("binary", "is ignored")).into_iter().collect()
    }
}

const DOCKER: &str = include_str!("../data/environments/docker-python3.12-uv.yaml");
const LOCAL: &str = include_str!("../data/environments/local-py.yaml");

fn load(text: &str) -> Loaded {
    spec::load(text, "spec", &ALL).unwrap_or_else(|error| panic!("{error}"))
}

fn problems(text: &str) -> Vec<Problem> {
    spec::load(text, "spec", &ALL).expect_err(text).problems().to_vec()
}

/// The problems as `line path: message`, which is what a reader looks for.
fn told(text: &str) -> Vec<String> {
    let line = |problem: &Problem| problem.position.map_or(0, |position| position.line);
    problems(text).iter().map(|problem| format!("{} {}: {}", line(problem), problem.path, problem.message)).collect()
}

#[test]
fn the_reference_files_load_unchanged() {
    let docker = load(DOCKER).spec;
    assert_eq!((docker.ty.as_str(), docker.name.as_str()), ("docker", "python3.12"));
    assert_eq!(docker.section.to_value()["image"], "ghcr.io/astral-sh/uv:python3.12-trixie-slim");
    assert_eq!(docker.setup_commands(Mode::Evaluation, None), ["uv init", "uv add -r requirements.txt"]);
    assert_eq!(docker.resume_commands().len(), 2);
    assert_eq!(docker.get_command("main", Mode::Evaluation).unwrap(), "uv run main.py");
    assert_eq!(docker.get_command("main", Mode::Agent).unwrap(), "python main.py");
    let local = load(LOCAL).spec;
    assert!(local.environment.include_os_env);
    assert_eq!(local.section.to_value()["requires_tty"], false);
}

#[test]
fn a_runtime_that_is_not_built_in_is_told_as_such() {
    let error = spec::load(DOCKER, "docker.yaml", &Types(&["local", "wasi"])).unwrap_err();
    assert!(error.is_unknown_runtime());
    let [problem] = error.problems() else { panic!("{error}") };
    assert_eq!(problem.path, "type");
    assert_eq!(problem.position, Some(Position { line: 1, column: 7 }));
    assert_eq!(problem.message, "the runtime `docker` is not part of this build, which knows local, wasi");
    let error = spec::load("type: lokal\nname: 7\n", "spec", &ALL).unwrap_err();
    assert!(!error.is_unknown_runtime());
    assert_eq!(error.problems()[0].hint.as_deref(), Some("did you mean `local`?"));
}

#[test]
fn five_mistakes_are_five_problems_with_their_lines() {
    let text = "\
type: local
name: python
enviroment: {}
environment:
  env:
    PORT: 8080
setup:
  on_failure: abort
limits:
  wall_time: 0s
  memory: 12 parsecs
";
    assert_eq!(
        told(text),
        [
            "3 enviroment: is not a known key",
            "6 environment.env.PORT: must be a text, not the number 8080",
            "8 setup.on_failure: must be `fail` or `continue`, not `abort`",
            "10 limits.wall_time: must be more than zero",
            "11 limits.memory: has an unknown unit of size `parsecs`",
        ]
    );
    let hints: Vec<_> = problems(text).into_iter().filter_map(|problem| problem.hint).collect();
    assert_eq!(hints[0], "did you mean `environment`?");
    assert_eq!(hints[1], "put it in quotes: \"8080\"");
    assert_eq!(hints[3], "write null for no limit");
    let error = ExecutionError::from(spec::load(text, "my.yaml", &ALL).unwrap_err());
    assert_eq!(error.kind(), bailiwick::ErrorKind::Spec);
    assert!(error.to_string().starts_with("my.yaml: 5 problems\n  3:1: enviroment: "), "{error}");
}

#[test]
fn shape_and_meaning_are_told_together() {
    let text = "\
type: docker
name: x
name: y
docker: {image: i, workdir: relative}
local: {shell: /bin/sh}
setup:
  commands: [ok, ' ']
commands: {entry_file: '{entry}'}
compile: {sources: [a]}
snapshot: {compression: zip}
limits: {cpus: -1, open_files: many}
";
    assert_eq!(
        told(text),
        [
            "3 name: the key stands twice, first on line 2",
            "4 docker.workdir: must be absolute",
            "5 local: is the section of type `local`, but the type of this spec is `docker`",
            "7 setup.commands[1]: is an empty command line",
            "8 commands.entry_file: `{entry}` is not something that an entry file template knows",
            "9 compile.command: is missing",
            "10 snapshot.compression: must be `none` or `gz` or `bz2` or `xz` or `zst`, not `zip`",
            "11 limits.cpus: must not be negative",
            "11 limits.open_files: is not a whole number",
        ]
    );
}

#[test]
fn sections_are_checked_by_their_own_schema() {
    let text = "\
type: docker
name: x
docker:
  mounts:
    a: {bind: /a, mode: rx}
    b: 7
  user: me
";
    assert_eq!(
        told(text),
        [
            "3 docker.image: is missing",
            "5 docker.mounts.a.mode: must be `ro` or `rw`, not `rx`",
            "6 docker.mounts.b: must be a text, not the number 7",
            "7 docker.user: is not a known key",
        ]
    );
    let text = "type: local\nname: x\nlocal:\n  address_space: 0\n  grace: soon\n";
    assert_eq!(told(text), ["4 local.address_space: must be more than zero", "5 local.grace: is not a length of time"]);
}

#[test]
fn files_that_are_no_spec_say_why() {
    assert_eq!(told(""), ["1 : the spec is empty"]);
    assert_eq!(told("- a\n"), ["1 : a spec is a map of keys"]);
    assert_eq!(told("{}"), ["1 type: is missing", "1 name: is missing"]);
    assert_eq!(told("type: local\nname: ''\n"), ["2 name: must not be empty"]);
    assert_eq!(told("type: local\nname: x\nsetup:\n"), ["3 setup: must be a map, not null"]);
    assert_eq!(told("{\"type\": \"local\",\n \"name\" \"x\"}"), ["2 : this is not JSON: expected `:`"]);
}

#[test]
fn every_limit_of_zero_is_refused() {
    for name in LimitName::ALL {
        let text = format!("type: local\nname: x\nlimits: {{{name}: 0}}\n");
        assert_eq!(told(&text), [format!("3 limits.{name}: must be more than zero")]);
        let text = format!("type: local\nname: x\nlimits: {{{name}: null}}\n");
        let limits = load(&text).spec.resolve_limits(Mode::Evaluation, &[]).unwrap();
        assert_eq!((limits.get(name).value, limits.get(name).from), (None, Provenance::Spec));
    }
}

#[test]
fn json_is_a_spec_too() {
    let text = r#"{"type": "local", "name": "x", "limits": {"wall_time": 1.5, "memory": "1GiB", "cpus": 0.5}}"#;
    let limits = load(text).spec.resolve_limits(Mode::Agent, &[]).unwrap();
    assert_eq!(limits.time(LimitName::WallTime), Some(std::time::Duration::from_millis(1500)));
    assert_eq!(limits.amount(LimitName::Memory), Some(1 << 30));
    assert_eq!(limits.get(LimitName::Cpus).value, Some(LimitValue::Cores(0.5)));
    assert_eq!(limits.get(LimitName::Disk), Limits::defaults(Mode::Agent).get(LimitName::Disk));
}

#[test]
fn a_spec_that_is_written_out_loads_to_an_equal_one() {
    let full = "
type: local
name: x
environment: {env: {A: '1'}, include_os_env: true}
setup: {commands: [a], eval_commands: [b], resume_commands: [c], on_failure: fail, wall_time: 90s}
compile: {command: cc main.c, outputs: [main], limits: {wall_time: null}}
commands: {entry_file: '{entry_file}.py', command: python, agent_command: uv run}
snapshot: {keep_globs: [src/*], ignore_globs: ['*.log'], compression: zst, archive_save_dir: /tmp/a}
limits: {wall_time: 1m 30s, cpu_time: 0.25, memory: 1000, cpus: 1.5, fuel: 7, disk: null, output_overflow: truncate,
         on_unsupported: best_effort}
local: {requires_tty: true, address_space: 1GiB, grace: 250ms}
";
    for text in [full, LOCAL, DOCKER, "type: local\nname: x\n"] {
        let spec = load(text).spec;
        let again = spec::from_value(spec.to_value(), "again", &ALL, &[]).unwrap().spec;
        assert_eq!(again.to_value(), spec.to_value());
        assert_eq!(again.spec_id(), spec.spec_id());
        assert_eq!(again, spec);
        let yaml = serde_saphyr::to_string(&spec.to_value()).unwrap();
        assert_eq!(load(&yaml).spec, spec, "{yaml}");
    }
    let value = load("type: local\nname: x\n").spec.to_value();
    assert_eq!(value["setup"]["wall_time"], "10m");
    assert_eq!(value["commands"]["command"], "python");
    assert_eq!(value["snapshot"]["ignore_globs"][0], "*.pyc");
    assert_eq!(value["limits"], json!({}));
    assert_eq!(value["local"]["requires_tty"], false);
}

fn set(pairs: &[(&str, &str)]) -> Result<EnvironmentSpec, SpecError> {
    let settings: Vec<_> = pairs.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    spec::load_with(LOCAL, "spec", &ALL, &settings).map(|loaded| loaded.spec)
}

#[test]
fn settings_are_typed_by_the_schema() {
    let spec = set(&[
        ("environment.env.N", "1"),
        ("environment.env[\"A.B\"]", "true"),
        ("environment.include_os_env", "false"),
        ("commands.agent_command", "null"),
        ("snapshot.keep_globs", "[a, '*.b']"),
        ("setup.eval_commands[0]", "uv init --bare"),
        ("local.address_space", "1024"),
        ("limits.wall_time", "5s"),
        ("limits.fuel", "12"),
        ("limits.disk", "null"),
        ("limits.output_overflow", "truncate"),
    ])
    .unwrap();
    let value = spec.to_value();
    assert_eq!(value["environment"], json!({"env": {"N": "1", "A.B": "true"}, "include_os_env": false}));
    assert_eq!(value["commands"]["agent_command"], Value::Null);
    assert_eq!(value["snapshot"]["keep_globs"], json!(["a", "*.b"]));
    assert_eq!(value["setup"]["eval_commands"], json!(["uv init --bare", "uv add -r requirements.txt"]));
    assert_eq!(value["local"]["address_space"], "1KiB");
    let limits = json!({"wall_time": "5s", "fuel": 12, "disk": null, "output_overflow": "truncate"});
    assert_eq!(value["limits"], limits);
    let limits = spec.resolve_limits(Mode::Evaluation, &[]).unwrap();
    assert_eq!(limits.get(LimitName::Fuel).from, Provenance::Flag);
    assert_eq!(limits.get(LimitName::Memory).from, Provenance::Default);
}

#[test]
fn a_setting_may_change_the_type() {
    let settings = [("type".to_owned(), "docker".to_owned()), ("docker.image".to_owned(), "x".to_owned())];
    let spec = spec::load_with("type: local\nname: x\n", "spec", &ALL, &settings).unwrap().spec;
    assert_eq!(spec.section.to_value()["image"], "x");
}

#[test]
fn bad_settings_are_told_by_their_path_without_a_place() {
    let error = set(&[
        ("limits.wall_tim", "5s"),
        ("limits.memory", "0"),
        ("limits.on_unsupported", "maybe"),
        ("environment.include_os_env", "maybe"),
        ("a..b", "1"),
        ("snapshott.compression", "gz"),
    ])
    .unwrap_err();
    let told: Vec<_> = error.problems().iter().map(|problem| (problem.path.as_str(), problem.position)).collect();
    let paths = [
        "limits.wall_tim",
        "limits.memory",
        "limits.on_unsupported",
        "a..b",
        "environment.include_os_env",
        "snapshott",
    ];
    for path in paths {
        assert!(told.contains(&(path, None)), "{path}: {told:?}");
    }
    assert_eq!(told.len(), paths.len());
}

#[test]
fn what_is_ignored_is_warned_about() {
    let loaded = load("type: docker\nname: x\ndocker:\n  image: i\n  binary: podman\n");
    let [warning] = loaded.warnings.as_slice() else { panic!("{:?}", loaded.warnings) };
    assert_eq!((warning.path.as_str(), warning.position), ("docker.binary", Some(Position { line: 5, column: 11 })));
    assert_eq!(loaded.positions.of("docker.image"), Some(Position { line: 4, column: 10 }));
}

#[test]
fn the_schema_holds_every_section_and_agrees_with_the_loader() {
    let schema = spec::schema(&ALL);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let fits = |text: &str| validator.is_valid(&serde_saphyr::from_str(text).unwrap());
    for text in [DOCKER, LOCAL, "type: docker\nname: x\ndocker: {image: i, mounts: {a: {bind: /a, mode: ro}}}\n"] {
        assert!(fits(text) && spec::load(text, "spec", &ALL).is_ok(), "{text}");
    }
    for text in [
        "type: docker\nname: x\n",
        "type: local\nname: x\ndocker: {image: i}\n",
        "type: wasi\nname: x\n",
        "type: local\nname: x\nlimits: {memory: 0}\n",
        "type: docker\nname: x\ndocker: {image: i, mounts: {a: {bind: /a, mode: rx}}}\n",
        "type: local\nname: x\nunknown: 1\n",
    ] {
        assert!(!fits(text) && spec::load(text, "spec", &ALL).is_err(), "{text}");
    }
    assert_eq!(schema["properties"]["limits"]["properties"]["memory"]["type"], json!(["integer", "string", "null"]));
    assert!(schema["properties"]["setup"]["properties"]["wall_time"]["description"].is_string());
}

/// The page that documents specs; what it shows must be true.
const PAGE: &str = include_str!("../../docs/execution/specs.md");

#[test]
fn the_page_shows_a_spec_that_loads() {
    let example = PAGE.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    assert_eq!(load(example).spec.get_command("main", Mode::Evaluation).unwrap(), "uv run main.py");
}
