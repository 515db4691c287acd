//! The registry as another crate meets it: what a kind must be, and what registering one brings along.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bailiwick::spec::{self, LimitName, OnUnsupported, SectionTypes, SpecError};
use bailiwick::{
    BaseNeed, BuiltinSpec, EnforcementTable, ErrorKind, ExecutionError, Host, Launch, Mount, Progress,
    ResolvedStaticAsset, RuntimeInfo, RuntimeKind, RuntimeRegistry, SpawnRequest, StaticAssetConfig, StaticRoot,
    SubmissionRuntime,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use support::gates::Gates;
use support::scripted::Scripted;
use support::yard::{Yard, command};

fn scripted() -> Scripted {
    Scripted { gates: Arc::new(Gates::default()), need: BaseNeed::Detached }
}

fn problems(yard: &Yard, text: &str) -> Vec<String> {
    let Err(SpecError::Invalid { problems, .. }) = spec::load(text, "test", &yard.registry) else {
        panic!("loaded: {text}")
    };
    problems.iter().map(|problem| format!("{problem} | {}", problem.hint.as_deref().unwrap_or(""))).collect()
}

/// A kind of which only the types matter.
struct Shaped<const NAME: usize, C, O>(std::marker::PhantomData<fn() -> (C, O)>);

const NAMES: [&str; 6] = ["shaped", "limits", "", "Docker", "a.b", "scripted"];

#[async_trait]
impl<const NAME: usize, C, O> RuntimeKind for Shaped<NAME, C, O>
where
    C: for<'de> Deserialize<'de> + Serialize + JsonSchema + std::fmt::Debug + Send + Sync + 'static,
    O: for<'de> Deserialize<'de> + JsonSchema + Default + Send + 'static,
{
    const TYPE: &'static str = NAMES[NAME];
    type Config = C;
    type Options = O;

    fn enforcement(&self, _: &C) -> EnforcementTable {
        EnforcementTable::default()
    }

    fn isolation(&self, _: &C) -> &'static str {
        "none"
    }

    fn base_need(&self) -> BaseNeed {
        BaseNeed::Directory
    }

    fn static_root(&self, _: &C) -> StaticRoot {
        StaticRoot::Host
    }

    fn builtin_specs(&self) -> Vec<BuiltinSpec> {
        vec![BuiltinSpec { name: "shaped-default", about: "Nothing.", text: "type: shaped\nname: nothing\n" }]
    }

    async fn probe(&self) -> Result<RuntimeInfo, ExecutionError> {
        Err(ExecutionError::new(ErrorKind::Unavailable, "it has no engine").with_hint("build one"))
    }

    async fn spawn(&self, _: Launch, _: Arc<C>, _: O) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError> {
        Err(ExecutionError::new(ErrorKind::Unavailable, "it has no engine"))
    }
}

fn shaped<const NAME: usize, C, O>() -> Shaped<NAME, C, O> {
    Shaped(std::marker::PhantomData)
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Closed {
    inner: Option<Within>,
    by_name: BTreeMap<String, Flattened>,
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Within {
    list: Vec<u8>,
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Flattened {
    name: String,
    #[serde(flatten)]
    more: More,
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
struct More {
    #[serde(default)]
    size: u8,
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Open {
    key: u8,
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct OpenWithin {
    list: Vec<Open>,
}

fn refused<K: RuntimeKind>(kind: K) -> ExecutionError {
    RuntimeRegistry::builder(Host::default()).with(kind).build().unwrap_err()
}

#[test]
fn a_kind_whose_types_take_unknown_keys_is_refused() {
    RuntimeRegistry::builder(Host::default()).with(shaped::<0, Closed, Closed>()).build().unwrap();
    for error in [
        refused(shaped::<0, Open, Closed>()),
        refused(shaped::<0, Closed, Open>()),
        refused(shaped::<0, OpenWithin, Closed>()),
        refused(shaped::<0, BTreeMap<String, u8>, Closed>()),
        refused(shaped::<0, Closed, ()>()),
    ] {
        assert_eq!(error.kind(), ErrorKind::Bug);
        assert!(error.to_string().contains("`shaped` would accept unknown keys"), "{error}");
        assert!(error.hint().unwrap().contains("deny_unknown_fields"));
    }
    assert!(refused(shaped::<0, Closed, Open>()).to_string().contains("the options"));
}

#[test]
fn a_kind_needs_a_name_that_a_spec_can_hold_and_nobody_else_has() {
    for error in [
        refused(shaped::<1, Closed, Closed>()),
        refused(shaped::<2, Closed, Closed>()),
        refused(shaped::<3, Closed, Closed>()),
        refused(shaped::<4, Closed, Closed>()),
    ] {
        assert!(error.to_string().contains("cannot be called"), "{error}");
    }
    let twice = RuntimeRegistry::builder(Host::default()).with(scripted()).with(shaped::<5, Closed, Closed>());
    assert_eq!(twice.build().unwrap_err().to_string(), "the runtime `scripted` is registered twice");
    let twice = RuntimeRegistry::builder(Host::default()).with(scripted()).with(scripted());
    assert!(twice.build().unwrap_err().to_string().contains("scripted-echo"), "built-in specs have one name each");
}

#[test]
fn an_unknown_type_names_the_known_ones() {
    let yard = Yard::new();
    let told = problems(&yard, "type: skripted\nname: t\n");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("1:7: type: ") && told[0].contains("scripted"), "{told:?}");
    let error = yard.registry.kind("nothing").err().unwrap();
    assert_eq!((error.kind(), error.hint()), (ErrorKind::Spec, Some("known types: scripted")));
    let other = RuntimeRegistry::builder(Host::default()).build().unwrap();
    let error = other.kind_of(&yard.spec("")).err().unwrap();
    assert_eq!(error.to_string(), "no runtime of type `scripted` is known");
}

#[test]
fn a_section_tells_all_that_is_wrong_with_it() {
    let yard = Yard::new();
    let told = problems(
        &yard,
        "type: scripted\nname: t\nlimits: {memory: 0}\nscripted:\n  max_commands: many\n  extra: {nite: x}\n  shel: true\n",
    );
    let told = told.join("\n");
    assert!(told.contains("3:18: limits.memory"), "{told}");
    assert!(told.contains("5:17: scripted.max_commands"), "{told}");
    assert!(told.contains("scripted.extra.nite: is not a known key"), "{told}");
    assert!(told.contains("scripted.shel: is not a known key") && told.contains("shell"), "{told}");
    let told =
        problems(&yard, "type: scripted\nname: t\nscripted: {max_commands: 0, static_root: assets}\n").join("\n");
    assert!(told.contains("scripted.max_commands: nothing could ever run | ask for at least 1"), "{told}");
    assert!(told.contains("scripted.static_root: is not absolute"), "{told}");
    let told = problems(&yard, "type: scripted\nname: t\ndocker: {image: x}\n");
    assert!(told[0].contains("docker"), "{told:?}");
}

#[test]
fn the_schema_of_a_spec_holds_the_section() {
    let yard = Yard::new();
    let schema = spec::schema(&yard.registry);
    assert!(schema["properties"]["scripted"]["properties"]["max_commands"].is_object());
    assert_eq!(schema["properties"]["type"]["enum"], serde_json::json!(["scripted"]));
    assert_eq!(yard.registry.names(), ["scripted"]);
}

#[tokio::test]
async fn what_a_kind_brings_is_found_by_its_name() {
    let yard = Yard::new();
    let kind = Arc::clone(yard.registry.kind("scripted").unwrap());
    assert!(kind.needs_consent() && !kind.is_default_for_run());
    assert_eq!(kind.probe().await.unwrap().engine, "scripted 1.0");
    let builtin = yard.registry.builtin_spec("scripted-echo").unwrap();
    let spec = spec::load(builtin.text, builtin.name, &yard.registry).unwrap().spec;
    assert_eq!(spec.get_command("main", bailiwick::spec::Mode::Evaluation).unwrap(), "out:hello main");
    assert_eq!(kind.isolation(&spec.section).unwrap(), "script");
    assert_eq!(kind.static_root(&spec.section).unwrap(), StaticRoot::Guest("/assets".to_owned()));

    struct Told(Mutex<Vec<String>>);
    impl Progress for Told {
        fn step(&self, what: &str) {
            self.0.lock().unwrap().push(what.to_owned());
        }
    }
    let told = Told(Mutex::default());
    kind.prepare(&spec.section, &told).await.unwrap();
    assert_eq!(*told.0.lock().unwrap(), ["reading the script"]);
    let without = yard.spec("scripted: {extra: {note: not to be had}}");
    assert_eq!(kind.prepare(&without.section, &told).await.unwrap_err().kind(), ErrorKind::Unavailable);

    let other = RuntimeRegistry::builder(Host::default()).with(shaped::<0, Closed, Closed>()).build().unwrap();
    let other = Arc::clone(other.kind("shaped").unwrap());
    assert_eq!(other.probe().await.unwrap_err().hint(), Some("build one"));
    assert_eq!(other.isolation(&spec.section).unwrap_err().kind(), ErrorKind::Bug, "the section of another kind");
}

#[tokio::test]
async fn options_reach_the_runtime_and_an_unknown_one_is_named() {
    let yard = Yard::new();
    let session = yard.session("").await;
    let mut request = SpawnRequest::default();
    request.options.insert("banner".to_owned(), "welcome".into());
    let runtime = session.spawn(request.clone()).await.unwrap();
    let result = runtime.execute(command(&["out:x"])).await.unwrap();
    assert_eq!((result.stdout.text().unwrap(), result.stderr.text().unwrap()), ("x".to_owned(), "welcome".to_owned()));
    request.options.insert("bannner".to_owned(), "x".into());
    let error = session.spawn(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Spec);
    assert!(error.to_string().contains("`bannner`") && error.to_string().contains("`banner`"), "{error}");
}

#[tokio::test]
async fn the_walls_of_a_kind_decide_what_a_spec_may_ask() {
    let yard = Yard::new();
    // A default that nothing holds is dropped and listed; what is sampled runs and is listed.
    let result = yard.run("scripted: {unsupported: [stack], sampled: [memory]}", command(&["out:x"])).await;
    assert_eq!((result.unenforced.len(), result.unenforced[0].limit), (1, LimitName::Stack));
    assert_eq!(result.unenforced[0].reason, "the script says so");
    assert_eq!((result.best_effort.len(), result.best_effort[0].limit), (1, LimitName::Memory));
    assert_eq!(result.limits.get(LimitName::Stack).value, None);
    assert!(result.limits.get(LimitName::Memory).value.is_some());
    // A written one is refused before anything runs, or listed where the spec says so.
    let error = yard.builder("limits: {file_size: 1MiB}").open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unenforceable);
    assert!(error.to_string().contains("file_size: the script says so"), "{error}");
    let result = yard.run("limits: {file_size: 1MiB, on_unsupported: best_effort}", command(&["out:x"])).await;
    assert_eq!(result.unenforced[0].limit, LimitName::FileSize);
    // Nothing unheld is no line at all.
    let result = yard.run("", command(&["out:x"])).await;
    assert!(result.unenforced.is_empty() && result.best_effort.is_empty());
    assert_eq!(yard.gates.runs(), 3);
}

#[tokio::test]
async fn what_a_spawn_or_a_command_asks_meets_the_same_walls() {
    let yard = Yard::new();
    let session = yard.session("scripted: {unsupported: [fuel, stack, file_size], sampled: [cpu_time]}").await;
    let mut request = SpawnRequest::default();
    request.limits.set_text(LimitName::FileSize, "1MiB").unwrap();
    assert_eq!(session.spawn(request.clone()).await.unwrap_err().kind(), ErrorKind::Unenforceable);
    request.limits.on_unsupported = Some(OnUnsupported::BestEffort);
    let runtime = session.spawn(request).await.unwrap();
    let result = runtime.execute(command(&["out:x"])).await.unwrap();
    let unenforced: Vec<_> = result.unenforced.iter().map(|unheld| unheld.limit).collect();
    assert_eq!(unenforced, [LimitName::FileSize, LimitName::Stack], "the session's own drop is still told");

    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let mut asked = command(&["out:x"]);
    asked.limits.set_text(LimitName::Fuel, "1000").unwrap();
    let error = ExecutionError::from(runtime.execute(asked).await.unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Unenforceable);
    assert!(error.to_string().contains("fuel") && error.hint().is_some(), "{error}");
    let mut asked = command(&["out:x"]);
    asked.limits.set_text(LimitName::CpuTime, "1s").unwrap();
    let result = runtime.execute(asked).await.unwrap();
    assert_eq!(result.best_effort[0].limit, LimitName::CpuTime);
}

#[tokio::test]
async fn ports_and_mounts_that_a_runtime_has_not_are_refused() {
    let yard = Yard::new();
    let session = yard.session("").await;
    let mut request = SpawnRequest::default();
    request.ports.insert(8080, 80);
    let error = session.spawn(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unenforceable);
    assert!(error.to_string().contains("published ports: words listen on nothing"), "{error}");
    let mut request = SpawnRequest::default();
    request.mounts.push(Mount { host: "/".into(), guest: "/host".to_owned(), writable: true });
    assert!(session.spawn(request).await.unwrap_err().to_string().contains("mounts"));
    assert_eq!(yard.gates.runs(), 0);
}

#[tokio::test]
async fn the_placeholder_rule_of_a_kind_leads_to_its_assets() {
    let yard = Yard::new();
    let outside = cap_std::fs::Dir::open_ambient_dir(yard.outside(""), cap_std::ambient_authority()).unwrap();
    outside.write("table.csv", "a,b\n").unwrap();
    let assets = || {
        let config = StaticAssetConfig::new("table.csv");
        vec![ResolvedStaticAsset::resolve(&Arc::new(outside.try_clone().unwrap()), "table", &config).unwrap()]
    };
    for (root, expected) in [("/assets", "/assets/table.csv"), ("/else/where", "/else/where/table.csv")] {
        let builder = yard.builder(&format!("scripted: {{static_root: {root}}}"));
        let session = builder.grant_assets(assets()).open().await.unwrap();
        let path = session.resolve_static_placeholder("asset:{{static:table}}").unwrap();
        assert_eq!(path, format!("asset:{expected}"));
        let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
        let result = runtime.execute(command(&[&path])).await.unwrap();
        assert_eq!(result.stdout.text().as_deref(), Some("a,b\n"));
    }
    let session = yard.builder("scripted: {static_root: null}").grant_assets(assets()).open().await.unwrap();
    let path = session.resolve_static_placeholder("{{static:table}}").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a,b\n");
    assert!(!path.contains("outside"), "the original is never handed out: {path}");
    let error = session.resolve_static_placeholder("{{static:tabel}}").unwrap_err();
    assert!(error.hint().unwrap().contains("table"));
}

#[tokio::test]
async fn a_registry_that_was_shut_down_spawns_nothing_and_ends_everything() {
    let yard = Yard::new();
    let registry = yard.second_registry();
    let spec = || yard.spec("scripted: {release: something}");
    let first = bailiwick::Session::builder(&registry, spec()).open().await.unwrap();
    let second = bailiwick::Session::builder(&registry, spec()).open().await.unwrap();
    let runtimes = [
        first.spawn(SpawnRequest::default()).await.unwrap(),
        first.spawn(SpawnRequest::default()).await.unwrap(),
        second.spawn(SpawnRequest::default()).await.unwrap(),
    ];
    let mut running = Vec::new();
    for runtime in &runtimes {
        running.push(runtime.stream(command(&["hang"])).await.unwrap());
    }
    registry.shutdown(support::yard::LONG).await.unwrap();
    assert_eq!((yard.gates.alive(), yard.gates.releases()), (0, 3));
    for one in running {
        let result = one.wait().await.unwrap();
        assert_eq!(result.termination, bailiwick::Termination::Killed { by: bailiwick::Killer::Interrupt });
    }
    registry.shutdown(support::yard::LONG).await.unwrap();
    assert!(second.spawn(SpawnRequest::default()).await.is_err());
    assert_eq!(yard.gates.releases(), 3);
    first.close().await.unwrap();
    second.close().await.unwrap();
}
