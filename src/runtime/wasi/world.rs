//! The world of one guest: its words, its variables, its streams and its directories.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wasmtime_wasi::cli::{StdinStream, StdoutStream};
use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::{WasiCtxBuilder, WasiView};

use super::calls::{Calls, MAX_RANDOM, check_start};
use super::determinism::{DeterminismConfig, Fixed};
use super::find::Found;
use super::limits::{Bounds, GuestState, OWN_DESCRIPTORS};
use super::linker::descriptors;
use super::quota::Charged;
use super::view::View;
use crate::runtime::{End, Ending, Job};
use crate::spec::{LimitName, Limits};

/// The world of a guest, but for its streams and its directories.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct World {
    pub(super) args: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) cwd: String,
    /// The directory that `.` names for it.
    pub(super) begins_in: String,
}

/// Builds what the store of a guest holds.
pub(super) fn guest_state(
    world: &World,
    file_system: WasiFilesystemCtx,
    (stdin, stdout, stderr): (impl StdinStream + 'static, impl StdoutStream + 'static, impl StdoutStream + 'static),
    (limits, calls, determinism, charged): (&Limits, Calls, Option<&DeterminismConfig>, Option<Charged>),
) -> GuestState {
    let mut builder = WasiCtxBuilder::new();
    builder.args(&world.args).initial_cwd(&world.cwd).max_random_size(MAX_RANDOM.into());
    builder.stdin(stdin).stdout(stdout).stderr(stderr);
    world.env.iter().for_each(|(name, value)| {
        builder.env(name, value);
    });
    let mut fixed = determinism.map(|config| Fixed::new(config, &mut builder));
    let mut wasi = builder.build_p1();
    *WasiView::ctx(&mut wasi).ctx.filesystem() = file_system;
    if let Some(open) = limits.amount(LimitName::OpenFiles) {
        let open = usize::try_from(open).unwrap_or(usize::MAX);
        descriptors(&mut wasi).set_max_capacity(open.saturating_add(OWN_DESCRIPTORS));
    }
    if let Some(fixed) = &mut fixed {
        fixed.begin(&mut wasi, &world.begins_in);
    }
    GuestState { wasi, bounds: Bounds::new(limits), calls, open_files_denied: false, charged, fixed }
}

/// A command whose module was found.
pub(super) struct Prepared {
    pub(super) found: Found,
    pub(super) cwd: String,
    pub(super) argv: Vec<String>,
}

impl Prepared {
    /// Gives the world of the guest; the error side is an ending of one that asks for too much.
    pub(super) fn world(&self, view: &View, job: &Job) -> Result<World, Box<Ending>> {
        let (args, env) = (self.args(), self.env(&job.env, job.cwd.is_some()));
        check_start(&args, &env).map_err(|error| Box::new(Ending::new(End::Failed(error))))?;
        let begins_in = if self.cwd == "/" { view.workdir() } else { &self.cwd };
        Ok(World { args, env, cwd: self.cwd.clone(), begins_in: begins_in.to_owned() })
    }

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
