//! One guest in a worker, attended by the parent: what it prints and reads, its limits, its end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::channel::{Channel, FRAME, Frame, Kind};
use super::process::{CPU_BY, Death, PEAK_BY, Worker};
use super::tape::Printed;
use super::wire::Report;
use crate::runtime::{Control, End, Ending, Job, Measured, Sink, SolutionRuntimeError, StdinReader, Stop};
use crate::spec::{LimitName, LimitValue};

/// How soon after a look the processor time is looked at again, at the least.
const LEAST_NAP: Duration = Duration::from_millis(1);

/// What a guest is attended with.
pub(super) struct Attendance {
    control: Arc<Control>,
    stdout: Arc<Sink>,
    stderr: Arc<Sink>,
    stdin: StdinReader,
    /// What of a chunk the guest has not asked for yet.
    rest: Bytes,
    /// Whether the guest waits for input. It gets one frame then: one that prints reads nothing more meanwhile.
    asked: bool,
    cpu_limit: Option<Duration>,
    /// The worker's processor time before.
    cpu_before: Option<Duration>,
}

/// How the attendance ended.
pub(super) enum Came {
    Told(Report),
    /// The worker is gone, or speaks no language that is known.
    Silent,
    Stopped,
}

impl Attendance {
    /// Begins: from here on the guest may execute.
    pub(super) fn begin(job: Job, worker: &Worker) -> Self {
        let Job { control, stdout, stderr, stdin, limits, .. } = job;
        control.mark_started();
        let (cpu_limit, cpu_before) = (limits.time(LimitName::CpuTime), worker.cpu());
        Self { control, stdout, stderr, stdin, rest: Bytes::new(), asked: false, cpu_limit, cpu_before }
    }

    /// Attends a guest to the end; what it has printed has been passed on then, unless its worker still has to die.
    pub(super) async fn attend(&mut self, channel: &Channel, worker: &mut Worker) -> Came {
        let came = self.go(channel, worker).await;
        self.control.mark_ended();
        match came {
            Came::Told(report) if self.print(worker).await.is_ok() => Came::Told(report),
            Came::Told(_) => Came::Silent,
            came @ (Came::Silent | Came::Stopped) => came,
        }
    }

    /// Passes on what the guest prints and reads, until it has ended or must.
    async fn go(&mut self, channel: &Channel, worker: &mut Worker) -> Came {
        loop {
            let nap = self.nap(worker);
            let Self { control, stdin, rest, asked, .. } = self;
            tokio::select! {
                biased;
                _ = control.stopped() => return Came::Stopped,
                received = channel.receive() => match received {
                    Ok(Some(frame)) => {
                        if let Some(came) = self.take(frame, worker).await {
                            return came;
                        }
                    }
                    Ok(None) | Err(_) => return Came::Silent,
                },
                input = next_input(stdin, rest), if *asked => {
                    *asked = false;
                    if channel.send(Kind::Input, &input, &[]).await.is_err() {
                        return Came::Silent;
                    }
                }
                () = sleep(nap) => {}
            }
        }
    }

    /// Takes a frame; what ends the attendance comes back.
    async fn take(&mut self, frame: Frame, worker: &mut Worker) -> Option<Came> {
        if frame.kind == Kind::Report {
            return Some(serde_json::from_slice(&frame.bytes).map_or(Came::Silent, Came::Told));
        }
        // Whatever it says: that it has printed, it says only where nothing else that it said waits to be heard.
        if self.print(worker).await.is_err() {
            return Some(Came::Silent);
        }
        match frame.kind {
            Kind::Printed | Kind::Report => {}
            Kind::Ask => self.asked = true,
            Kind::Ready => worker.note(&frame),
            Kind::Run | Kind::Compile | Kind::Input | Kind::Part => return Some(Came::Silent),
        }
        None
    }

    /// Passes on everything that was printed so far; at a stop, what the sinks still take without waiting.
    async fn print(&self, worker: &mut Worker) -> std::io::Result<()> {
        while let Some((stream, bytes)) = worker.printed.next()? {
            let sink = match stream {
                Printed::Stdout => &self.stdout,
                Printed::Stderr => &self.stderr,
            };
            sink.write(&bytes).await;
        }
        Ok(())
    }

    /// Ends the command where its processor time is over; else says how long it is certain to last.
    fn nap(&self, worker: &Worker) -> Option<Duration> {
        let (limit, used) = (self.cpu_limit?, self.cpu(worker)?);
        if used >= limit {
            self.control.stop(Stop::Limit(LimitName::CpuTime, LimitValue::Time(used)));
        }
        // It has one thread: its processor time passes no faster than ours.
        Some(limit.saturating_sub(used).max(LEAST_NAP))
    }

    /// Says how much processor time this guest took.
    pub(super) fn measure(&self, worker: &Worker) -> Measured<Duration> {
        match self.cpu(worker) {
            Some(cpu) => Measured::known(cpu, CPU_BY),
            None => Measured::not_measured("this kernel keeps no account of processor time"),
        }
    }

    fn cpu(&self, worker: &Worker) -> Option<Duration> {
        Some(worker.cpu()?.saturating_sub(self.cpu_before?))
    }

    /// Ends a worker that does not end by itself, or reads what one died of.
    pub(super) async fn end(&self, worker: &mut Worker, is_stopped: bool) -> Ending {
        let peak = worker.peak();
        worker.kill();
        let death = worker.ended().await;
        // What it had printed is there; what makes no sense was not printed.
        let _ = self.print(worker).await;
        let end = match death {
            _ if is_stopped => End::Stopped(None),
            Ok(Death::Signal(signal)) => {
                End::Signaled { signal, by: Some("the worker process of the guest died of it") }
            }
            Ok(Death::Code(code)) => {
                let source = std::io::Error::other(format!("it ended with code {code}"));
                End::Failed(SolutionRuntimeError::host("run a guest in a worker process")(source))
            }
            Err(error) => End::Failed(SolutionRuntimeError::host("wait for a worker process")(error)),
        };
        let mut ending = Ending::new(end);
        ending.peak_memory = match peak {
            Some(peak) => Measured::known(peak, PEAK_BY),
            None => Measured::not_measured("the worker process was gone"),
        };
        ending
    }
}

/// Gives the next frame of input, an empty one at its end.
///
/// Cancel safe: a cancelled call lost nothing.
async fn next_input(stdin: &mut StdinReader, rest: &mut Bytes) -> Bytes {
    if rest.is_empty() {
        *rest = stdin.next().await.unwrap_or_default();
    }
    rest.split_to(rest.len().min(FRAME))
}

async fn sleep(nap: Option<Duration>) {
    match nap {
        Some(nap) => tokio::time::sleep(nap).await,
        None => std::future::pending().await,
    }
}
