//! `spec show`: a spec to copy, or what it comes to.

use std::process::ExitCode;

use clap::Args;

use crate::ExecutionError;
use crate::cli::app::App;
use crate::cli::args::ModeArg;
use crate::cli::json::{Amount, EffectiveObject, InForce, ShownSpecObject, VERSION};
use crate::cli::spec_source::{self, SpecText};
use crate::spec::{ByteSize, Loaded, Mode, OnUnsupported, OutputOverflow, SpecError};

/// The arguments of `spec show`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArgs {
    /// A built-in spec or a file.
    #[arg(value_name = "NAME|FILE")]
    spec: String,
    /// Print every limit with its value and where that came from.
    #[arg(long)]
    effective: bool,
    /// The mode whose defaults hold.
    #[arg(long, value_name = "MODE", default_value = "evaluation", requires = "effective")]
    mode: ModeArg,
    /// Put a value over the spec first, as `run --set` does.
    #[arg(
        long = "set", value_name = "PATH=VALUE", requires = "effective",
        value_parser = crate::cli::run::parse_setting,
    )]
    settings: Vec<(String, String)>,
}

pub(super) fn run(app: &App, args: &ShowArgs) -> anyhow::Result<ExitCode> {
    if args.effective {
        let object = effective(app, args)?;
        app.terminal.print_either(&object, draw);
    } else {
        let SpecText { origin, text } = spec_source::find(&app.registry, &args.spec)?;
        let object = ShownSpecObject { version: VERSION, origin, text };
        app.terminal.print_either(&object, |object| object.text.clone());
    }
    Ok(ExitCode::SUCCESS)
}

fn effective(app: &App, args: &ShowArgs) -> anyhow::Result<EffectiveObject> {
    let Loaded { spec, .. } = spec_source::load(&app.registry, Some(&args.spec), None, &args.settings)?;
    let mode = Mode::from(args.mode);
    let invalid = |problems| ExecutionError::from(SpecError::Invalid { origin: args.spec.clone(), problems });
    let limits = spec.resolve_limits(mode, &[]).map_err(invalid)?;
    let limits = app.registry.host().policy.bound(limits)?;
    let mode = match mode {
        Mode::Evaluation => "evaluation",
        Mode::Agent => "agent",
    };
    let output_overflow = match limits.output_overflow {
        OutputOverflow::Stop => "stop",
        OutputOverflow::Truncate => "truncate",
    };
    let on_unsupported = match limits.on_unsupported {
        OnUnsupported::Refuse => "refuse",
        OnUnsupported::BestEffort => "best_effort",
    };
    let limits = InForce::all(&limits);
    Ok(EffectiveObject {
        version: VERSION,
        ty: spec.ty,
        name: spec.name,
        mode,
        limits,
        output_overflow,
        on_unsupported,
    })
}

fn draw(object: &EffectiveObject) -> String {
    let mut text = format!("# {} on {}, {} mode\n", object.name, object.ty, object.mode);
    for (name, limit) in &object.limits {
        let (value, from) = match limit {
            InForce::Limited { amount, from } => (write(*amount), from),
            InForce::Unlimited { from, .. } => ("none".to_owned(), from),
        };
        text += &format!("{name:<15}  {value:<12}  {from}\n");
    }
    text += &format!(
        "{:<15}  {}\n{:<15}  {}\n",
        "output_overflow", object.output_overflow, "on_unsupported", object.on_unsupported
    );
    text
}

fn write(amount: Amount) -> String {
    match amount {
        Amount::Seconds(seconds) => format!("{seconds}s"),
        Amount::Bytes(bytes) => ByteSize(bytes).to_string(),
        Amount::Count(count) => count.to_string(),
        Amount::Cores(cores) => cores.to_string(),
    }
}
