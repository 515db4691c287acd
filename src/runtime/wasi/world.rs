//! The world of one guest: its words, its variables, its streams and its directories.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use wasmtime_wasi::{WasiCtxBuilder, WasiView};

use super::calls::{Calls, MAX_RANDOM, check_start};
use super::determinism::{DeterminismConfig, Fixed};
use super::find::Found;
use super::limits::{Bounds, GuestState, OWN_DESCRIPTORS};
use super::linker::descriptors;
use super::quota::Charged;
use super::stdio::{Printer, Reader};
use super::view::{CwdError, View};
use crate::runtime::{End, Ending, Job, NotStarted};
use crate::spec::LimitName;

/// Builds what the store of a guest holds, and the flag that says whether it has read its input to the end.
pub(super) fn guest_state(
    view: &View,
    job: Job,
    guest: &Prepared,
    (calls, determinism, charged): (Calls, Option<&DeterminismConfig>, Option<Charged>),
) -> Result<(GuestState, Arc<AtomicBool>), Box<Ending>> {
    let file_system = view.file_system(&guest.cwd, &guest.found.program.mounts).map_err(|error| match error {
        CwdError::Missing => {
            let message = format!("there is no directory `{}` in what the guest sees", guest.cwd);
            Box::new(Ending::not_started(NotStarted::Missing, message))
        }
        CwdError::Host(error) => Box::new(Ending::new(End::Failed(error))),
    })?;
    let (args, env) = (guest.args(), guest.env(&job.env, job.cwd.is_some()));
    check_start(&args, &env).map_err(|error| Box::new(Ending::new(End::Failed(error))))?;
    let reader = Reader::new(job.stdin);
    let met_end = reader.met_end();
    let mut builder = WasiCtxBuilder::new();
    builder.args(&args).initial_cwd(&guest.cwd).stdin(reader).max_random_size(MAX_RANDOM.into());
    builder.stdout(Printer::new(&job.stdout, &job.control)).stderr(Printer::new(&job.stderr, &job.control));
    env.iter().for_each(|(name, value)| {
        builder.env(name, value);
    });
    let mut fixed = determinism.map(|config| Fixed::new(config, &mut builder));
    let mut wasi = builder.build_p1();
    *WasiView::ctx(&mut wasi).ctx.filesystem() = file_system;
    if let Some(open) = job.limits.amount(LimitName::OpenFiles) {
        let open = usize::try_from(open).unwrap_or(usize::MAX);
        descriptors(&mut wasi).set_max_capacity(open.saturating_add(OWN_DESCRIPTORS));
    }
    if let Some(fixed) = &mut fixed {
        let begins_in = if guest.cwd == "/" { view.workdir() } else { &guest.cwd };
        fixed.begin(&mut wasi, begins_in);
    }
    let bounds = Bounds::new(&job.limits);
    Ok((GuestState { wasi, bounds, calls, open_files_denied: false, charged, fixed }, met_end))
}

/// A command whose module was found.
pub(super) struct Prepared {
    pub(super) found: Found,
    pub(super) cwd: String,
    pub(super) argv: Vec<String>,
}

impl Prepared {
    fn args(&self) -> Vec<String> {
        let (name, rest) = self.argv.split_at(1.min(self.argv.len()));
        [name, &self.found.program.args, rest].concat()
    }

    /// Gives the environment: the program's own below the command's, with `PWD` where the command starts.
    fn env(&self, env: &BTreeMap<String, String>, moved: bool) -> BTreeMap<String, String> {
        let mut all = self.found.program.env.clone();
        all.extend(env.iter().map(|(name, value)| (name.clone(), value.clone())));
        if moved {
            all.insert("PWD".to_owned(), self.cwd.clone());
        }
        all
    }
}
