//! `programs list --measure`: how long a program takes to start, and its speed beside the program of this host.

use std::time::Duration;

use serde_json::json;

use super::fetch;
use crate::ExecutionError;
use crate::cli::app::App;
use crate::cli::json::{ListedProgram, ProgramsObject, Speed, StartTime};
use crate::cli::progress::Spinner;
use crate::cli::signals::Signals;
use crate::runtime::wasi::{Catalogue, KnownMeasure, known_program};
use crate::runtime::{Command, Measured, Progress, SpawnRequest, SubmissionRuntime};
use crate::session::Session;
use crate::spec;

/// How often each is run; the fastest counts.
const RUNS: usize = 5;

/// Measures the programs that say how.
pub(super) async fn measure(app: &App, catalogue: &Catalogue, object: &mut ProgramsObject) -> anyhow::Result<()> {
    let signals = Signals::take()?;
    let spinner = Spinner::new(app.progress);
    for program in &mut object.programs {
        let known = known_program(&program.name).filter(|known| known.id() == program.id);
        let Some(how) = known.and_then(|known| known.measure.as_ref()) else { continue };
        if catalogue.find(&program.id).is_none() {
            continue;
        }
        spinner.step(&format!("measuring {}", program.id));
        signals.or(measure_one(app, program, how)).await??;
    }
    Ok(())
}

async fn measure_one(app: &App, program: &mut ListedProgram, how: &KnownMeasure) -> anyhow::Result<()> {
    const RUNTIME: &str = "wasi";
    let value = json!({"type": RUNTIME, "name": "measure", RUNTIME: {"programs": {"measured": {"use": program.id}}}});
    let loaded = spec::from_value(value, "programs list", &app.registry, &[]).map_err(ExecutionError::from)?;
    let session = Session::builder(&app.registry, loaded.spec).without_reset().open().await?;
    let runtime = session.spawn(SpawnRequest::default()).await?;
    // The first run compiles.
    let ready = guest(&*runtime, &how.start, 1).await?.is_some();
    if ready && let Some(start) = guest(&*runtime, &how.start, RUNS).await? {
        program.start_time = Some(StartTime { seconds: start.as_secs_f64(), by: "wall time, the least of 5 runs" });
        if let (Some(work), Some(native)) = (&how.work, &how.native) {
            let inside = guest(&*runtime, work, 2).await?;
            let (host, start_args, work_args) = (native.clone(), how.start.clone(), work.clone());
            let outside = tokio::task::spawn_blocking(move || outside(&host, &start_args, &work_args)).await?;
            program.speed = inside.zip(outside).and_then(|(inside, outside)| {
                let ratio = outside.as_secs_f64() / inside.checked_sub(start)?.as_secs_f64();
                let by = "the same loop on both, without the start, the least of 2 runs";
                ratio.is_finite().then(|| Speed { ratio, beside: native.clone(), by })
            });
        }
    }
    drop(runtime);
    session.close().await?;
    Ok(())
}

/// Times the program of the host on the same work, without its start.
fn outside(program: &str, start: &[String], work: &[String]) -> Option<Duration> {
    let least = |args, runs| (0..runs).map(|_| fetch::time(program, args)).min().flatten();
    least(work, 2)?.checked_sub(least(start, RUNS)?)
}

/// Times a command in the sandbox; nothing where it fails.
async fn guest(runtime: &dyn SubmissionRuntime, args: &[String], runs: usize) -> anyhow::Result<Option<Duration>> {
    let mut least = None;
    for _ in 0..runs {
        let words = std::iter::once("measured").chain(args.iter().map(String::as_str));
        let result = runtime.execute(Command::argv(words)).await.map_err(ExecutionError::from)?;
        match result.usage.wall_time {
            Measured::Known { value, .. } if result.exit_code() == 0 => {
                least = Some(least.map_or(value, |least: Duration| least.min(value)));
            }
            Measured::Known { .. } | Measured::NotMeasured { .. } => return Ok(None),
        }
    }
    Ok(least)
}
