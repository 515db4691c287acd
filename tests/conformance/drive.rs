//! Runs the fixtures of one runtime through sessions and compares.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick::spec::{self, EnvironmentSpec};
use bailiwick::{
    Command, Host, InputContent, InputFile, NotStarted, ResolvedStaticAsset, RuntimeRegistry, RuntimeResult, Session,
    SpawnRequest, StaticAssetConfig, Stdin, Termination, WorkspacePath,
};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::{Value, json};

use crate::manifest::{Content, Ends, Expected, Fixture, Left, Manifest, Runtime};

/// How many fixtures run at once.
const AT_ONCE: usize = 4;

/// Runs every fixture that has a guest for a runtime, and names all that give something else; `section` is the part of
/// the spec that is the runtime's own.
pub(crate) async fn table(runtime: Runtime, section: Value) {
    let registry = RuntimeRegistry::builder(host()).with_builtins().build().unwrap();
    let manifest = Arc::new(Manifest::load());
    let places = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    let mut running = tokio::task::JoinSet::new();
    for index in 0..manifest.fixtures.len() {
        let (registry, manifest, places) = (registry.clone(), Arc::clone(&manifest), Arc::clone(&places));
        let section = section.clone();
        running.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            let fixture = &manifest.fixtures[index];
            let ran = fixture.guest(runtime).is_some();
            (fixture.name.clone(), ran, check((&registry, &manifest), fixture, (runtime, &section)).await)
        });
    }
    let (mut ran, mut failed) = (0, BTreeMap::new());
    while let Some(done) = running.join_next().await {
        let (name, has_guest, outcome) = done.unwrap();
        ran += usize::from(has_guest);
        if let Err(reason) = outcome {
            failed.insert(name, reason);
        }
    }
    let report: String = failed.iter().map(|(name, reason)| format!("\n{name}: {reason}")).collect();
    assert!(failed.is_empty(), "{} of {ran} fixtures differ on {runtime:?}:{report}", failed.len());
    assert!(ran >= 20, "only {ran} fixtures ran on {runtime:?}");
}

/// The host as the tests see it: nothing of it but where programs are.
fn host() -> Host {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut host = Host::from_env(BTreeMap::from([("PATH".to_owned(), path)]));
    host.dirs.shared_data.clear();
    host.worker = option_env!("CARGO_BIN_EXE_bailiwick").map(Into::into);
    host
}

async fn check(
    (registry, manifest): (&RuntimeRegistry, &Manifest),
    fixture: &Fixture,
    (runtime, section): (Runtime, &Value),
) -> Result<(), String> {
    let Some(argv) = fixture.argv(runtime) else { return Ok(()) };
    let assets = tempfile::tempdir().unwrap();
    let spec = spec_of((registry, manifest), fixture, (runtime, section));
    let builder = Session::builder(registry, spec).grant_assets(stage(fixture, assets.path()));
    let session = builder.open().await.map_err(|error| format!("open: {error:?}"))?;
    session.materialize_input_files(inputs(fixture, runtime)).await.map_err(|error| format!("inputs: {error:?}"))?;
    let spawned = session.spawn(SpawnRequest::default()).await.map_err(|error| format!("spawn: {error:?}"))?;
    let argv: Result<Vec<_>, _> = argv.iter().map(|word| session.resolve_static_placeholder(word)).collect();
    let mut command = Command::argv(argv.map_err(|error| error.to_string())?);
    command.env = fixture.env.clone();
    if let Some(stdin) = &fixture.stdin {
        command.stdin = Stdin::from(stdin.bytes());
    }
    let result = spawned.execute(command).await.map_err(|error| format!("execute: {error:?}"))?;
    let expected = fixture.expected(runtime);
    let outcome = compare(&result, &expected).map_err(|reason| format!("{reason}\n    {result}"));
    let outcome = match outcome {
        Ok(()) => compare_files(&session, &expected.leaves).await,
        failed => failed,
    };
    drop(spawned);
    session.close().await.map_err(|error| format!("close: {error:?}"))?;
    outcome
}

fn spec_of(
    (registry, manifest): (&RuntimeRegistry, &Manifest),
    fixture: &Fixture,
    (runtime, section): (Runtime, &Value),
) -> EnvironmentSpec {
    let ty = match runtime {
        Runtime::Wasi => "wasi",
        Runtime::Local => "local",
        Runtime::Docker => "docker",
    };
    let mut limits: Value = json!(manifest.limits_of(fixture));
    // Not every host lets every runtime hold every limit; what is not held shows in what the fixture gives.
    limits["on_unsupported"] = json!("best_effort");
    let value = json!({"type": ty, "name": fixture.name, "limits": limits, ty: section});
    spec::from_value(value, &fixture.name, registry, &[]).unwrap().spec
}

fn inputs(fixture: &Fixture, runtime: Runtime) -> Vec<InputFile> {
    let file = |name: &str, bytes| InputFile::new(WorkspacePath::new(name).unwrap(), InputContent::Bytes(bytes));
    let guest = fixture.guest(runtime);
    let own = guest.and_then(|guest| Some(file(guest.file_name()?, guest.bytes(runtime)?)));
    let others = fixture.files.iter().map(|(name, content)| file(name, content.bytes()));
    own.into_iter().chain(others).collect()
}

fn stage(fixture: &Fixture, dir: &std::path::Path) -> Vec<ResolvedStaticAsset> {
    let base = Arc::new(Dir::open_ambient_dir(dir, ambient_authority()).unwrap());
    let one = |(name, content): (&String, &Content)| {
        std::io::Write::write_all(&mut std::fs::File::create(dir.join(name)).unwrap(), &content.bytes()).unwrap();
        ResolvedStaticAsset::resolve(&base, name, &StaticAssetConfig::new(name)).unwrap()
    };
    fixture.assets.iter().map(one).collect()
}

fn compare(result: &RuntimeResult, expected: &Expected) -> Result<(), String> {
    let ends = ends(&result.termination);
    if ends != expected.termination {
        return Err(format!("ends with {ends:?}, not {:?}", expected.termination));
    }
    if result.exit_code() != expected.exit_code {
        return Err(format!("exit code {}, not {}", result.exit_code(), expected.exit_code));
    }
    if expected.guest_code.is_some() && result.guest_code != expected.guest_code {
        return Err(format!("guest code {:?}, not {:?}", result.guest_code, expected.guest_code));
    }
    for (name, output, rule) in
        [("stdout", &result.stdout, &expected.stdout), ("stderr", &result.stderr, &expected.stderr)]
    {
        rule.check(&output.kept, output.bytes, output.is_truncated()).map_err(|reason| {
            format!("{name}: {reason}\n    stderr: {:?}", String::from_utf8_lossy(&result.stderr.kept))
        })?;
    }
    Ok(())
}

fn ends(termination: &Termination) -> Ends {
    match termination {
        Termination::Exited { code } => Ends::Exited(*code),
        Termination::Signaled { signal, .. } => Ends::Signaled(*signal),
        Termination::Trapped { trap, .. } => Ends::Trapped((*trap).to_owned()),
        Termination::LimitExceeded { limit, .. } => Ends::LimitExceeded(limit.name().to_owned()),
        Termination::Killed { by } => Ends::NotStarted(format!("killed by {}", by.name())),
        Termination::NotStarted { reason, .. } => Ends::NotStarted(NotStarted::name(*reason).to_owned()),
    }
}

/// Compares what the workspace holds afterwards, through a copy for people.
async fn compare_files(session: &Session, leaves: &BTreeMap<String, Left>) -> Result<(), String> {
    if leaves.is_empty() {
        return Ok(());
    }
    let kept = tempfile::tempdir().unwrap();
    session.keep(kept.path()).await.map_err(|error| format!("keep: {error:?}"))?;
    for (name, left) in leaves {
        let path = kept.path().join(name);
        let found = path.symlink_metadata().ok();
        let as_said = match left {
            Left::Absent => found.is_none(),
            Left::Directory => found.is_some_and(|found| found.is_dir()),
            Left::Text(text) => std::fs::read(&path).is_ok_and(|bytes| bytes == text.as_bytes()),
            Left::Symlink(target) => std::fs::read_link(&path).is_ok_and(|found| found.as_os_str() == target.as_str()),
        };
        if !as_said {
            return Err(format!("`{name}` is not left as {left:?}"));
        }
    }
    Ok(())
}
