//! One command in a worker, from its module to its ending: a worker is found, ordered, and kept or sent away.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use super::artifacts::Artifact;
use super::attend::{Attendance, Came};
use super::bound::Fence;
use super::channel::{Channel, Kind};
use super::process::Worker;
use super::wire::{DirOrder, Report, RunOrder, failure, refusal};
use crate::runtime::wasi::determinism::Fixed;
use crate::runtime::wasi::engine::{Asked, EngineKey};
use crate::runtime::wasi::load_error::LoadError;
use crate::runtime::wasi::spawn::WasiGuest;
use crate::runtime::wasi::world::Prepared;
use crate::runtime::{Control, End, Ending, Job, SolutionRuntimeError};
use crate::spec::LimitName;

impl WasiGuest {
    /// Runs a command in a worker; the error side is an ending of a guest that never ran.
    pub(in crate::runtime::wasi) async fn work(&self, job: Job, guest: Prepared) -> Result<Ending, Ending> {
        let control = Arc::clone(&job.control);
        let asked = Asked { limits: &job.limits, deterministic: self.config.determinism.is_some(), charged: false };
        let key = EngineKey::in_worker(asked, self.config.most_calls().is_some());
        let fence = Fence { key, look: self.look(), mounts: guest.found.program.mounts.clone() };
        let ready = async { Ok((self.artifact(&guest, key).await?, self.worker(&fence).await?)) };
        let (artifact, mut worker) = tokio::select! {
            biased;
            _ = control.stopped() => return Err(Ending::new(End::Stopped(None))),
            ready = ready => ready.map_err(|error| self.refused(error))?,
        };
        let left = self.workspace.quota_left();
        let (order, fds) = self.order(&job, &guest, &artifact, &worker).map_err(|ending| *ending)?;
        let (mut ending, can_go_on) = self.run_in(&mut worker, (order, fds), job).await?;
        worker.runs += 1;
        ending.notes.extend(worker.lacks.iter().map(|lack| format!("the worker process is sealed in part: {lack}")));
        if can_go_on {
            self.bound.keep(fence, worker);
        }
        self.annotate(&mut ending, &guest, &control);
        ending.program = Some(guest.found.used);
        self.account(&mut ending, left);
        Ok(ending)
    }

    async fn artifact(&self, guest: &Prepared, key: EngineKey) -> Result<Artifact, LoadError> {
        let slot = (guest.found.key, key, guest.found.bounds);
        self.artifacts.get(&self.crew, slot, guest.found.source.clone()).await
    }

    /// Gives a worker that is sealed: one that has run guests of this runtime, else one that has run none.
    async fn worker(&self, fence: &Fence) -> Result<Worker, LoadError> {
        if let Some(worker) = self.bound.take(fence) {
            return Ok(worker);
        }
        let mut worker = self.crew.take(fence.key).await.map_err(LoadError::Failed)?;
        let sealed = worker.seal().await.map_err(SolutionRuntimeError::host("start a worker process"));
        sealed.map(|_| worker).map_err(LoadError::Failed)
    }

    /// Orders a guest and attends it; beside what came of it, whether the worker can go on.
    async fn run_in(
        &self,
        worker: &mut Worker,
        (order, fds): (RunOrder, Vec<OwnedFd>),
        job: Job,
    ) -> Result<(Ending, bool), Ending> {
        let host = |action| move |error| Ending::new(End::Failed(SolutionRuntimeError::host(action)(error)));
        let text = serde_json::to_vec(&order).map_err(|error| host("order a guest")(error.into()))?;
        let socket = worker.socket.take().ok_or_else(|| std::io::Error::other("it has no socket"));
        let channel = socket.and_then(Channel::new).map_err(host("reach a worker process"))?;
        let mut attendance = Attendance::begin(job, worker);
        let borrowed: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
        let came = match channel.send(Kind::Run, &text, &borrowed).await {
            Ok(()) => attendance.attend(&channel, worker).await,
            Err(_) => Came::Silent,
        };
        let (fuel, most_calls) = (order.fuel, order.host_calls);
        worker.learn(order);
        let (mut ending, can_go_on) = match came {
            Came::Told(Report::Ran(ended, facts)) => {
                let mut ending = Ending::new(ended.read(fuel));
                facts.tell(&mut ending, fuel, most_calls);
                (ending, true)
            }
            Came::Told(Report::Refused(kind, message)) => return Err(self.refused(refusal(kind, &message))),
            Came::Told(Report::Failed(message)) => return Err(self.refused(failure(&message))),
            Came::Told(Report::Compiled(_)) => return Err(self.refused(failure("it compiled what it was to run"))),
            Came::Silent => (attendance.end(worker, false).await, false),
            Came::Stopped => (attendance.end(worker, true).await, false),
        };
        worker.socket = channel.into_socket().ok();
        ending.cpu_time = attendance.measure(worker);
        Ok((ending, can_go_on))
    }

    /// Writes the order, with the descriptors that the worker does not have yet.
    fn order(
        &self,
        job: &Job,
        guest: &Prepared,
        artifact: &Artifact,
        worker: &Worker,
    ) -> Result<(RunOrder, Vec<OwnedFd>), Box<Ending>> {
        let view = self.view();
        let (mut dirs, mut fds) = (Vec::new(), Vec::new());
        // Another directory of the same name may be there by now, but for the workdir, which is the runtime's own.
        if guest.cwd != view.workdir() || !worker.knows_dirs {
            let found = view.directories(&guest.cwd, &guest.found.program.mounts);
            for preopen in found.map_err(|error| Box::new(error.ending(&guest.cwd)))? {
                dirs.push(DirOrder { guest: preopen.guest, writable: preopen.writable });
                fds.push(preopen.dir.into_std_file().into());
            }
        }
        let order = RunOrder {
            module: guest.found.key.hex(),
            form: artifact.form,
            program: guest.found.program.as_ref().clone(),
            world: guest.world(&view, job)?,
            is_workdir: guest.cwd == view.workdir(),
            dirs,
            memory: job.limits.amount(LimitName::Memory),
            open_files: job.limits.amount(LimitName::OpenFiles),
            fuel: job.limits.amount(LimitName::Fuel),
            host_calls: self.config.most_calls(),
            determinism: self.config.determinism.clone(),
            has_stdin: job.stdin.was_given(),
            most_memory: self.ceiling(LimitName::Memory),
            most_files: self.ceiling(LimitName::OpenFiles),
        };
        if !worker.modules.contains(&order.code()) {
            let again = artifact.file.try_clone().map_err(SolutionRuntimeError::host("hand over a compiled module"));
            fds.push(again.map_err(|error| Box::new(Ending::new(End::Failed(error))))?.into());
        }
        Ok((order, fds))
    }

    /// Adds the facts that are the parent's to know.
    fn annotate(&self, ending: &mut Ending, guest: &Prepared, control: &Control) {
        ending.notes.extend(self.notes(&guest.found.program));
        if self.config.determinism.is_some() {
            ending.notes.extend(Fixed::doubt(control));
        }
    }
}
