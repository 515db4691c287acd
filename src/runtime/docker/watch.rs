//! What the engine does not hold by itself: processor time and disk, looked at while a command runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bollard::query_parameters::InspectContainerOptionsBuilder;
use tokio::task::JoinHandle;

use super::client::{ANSWER, within};
use super::container::Container;
use super::usage::Counters;
use crate::runtime::{Measured, Stop};
use crate::spec::{LimitName, LimitValue, Limits};
use crate::workspace::{DiskUsage, Workspace};

/// The shortest time between two looks at the processor time.
const CPU: Duration = Duration::from_millis(50);
/// The shortest time between two looks at the disk.
const DISK: Duration = Duration::from_millis(250);
/// How much longer than a look at the disk takes it is waited for the next one.
const CALM: u32 = 20;

/// Who watches a command.
#[derive(Debug)]
pub(super) struct Watch {
    cpu: Option<(Duration, Duration)>,
    next_cpu: Instant,
    workspace: Arc<Workspace>,
    most_bytes: Option<u64>,
    most_entries: Option<u64>,
    before: Option<DiskUsage>,
    /// What the container's own files took; unknown until they were looked at.
    layer: Option<u64>,
    next_disk: Instant,
    job: Option<(Instant, JoinHandle<Option<DiskUsage>>)>,
}

impl Watch {
    /// Begins with what was there before.
    pub(super) fn new(
        limits: &Limits,
        workspace: &Arc<Workspace>,
        (counters, before, layer): (&Counters, Option<DiskUsage>, Option<u64>),
    ) -> Self {
        let now = Instant::now();
        let cpu = limits.time(LimitName::CpuTime).zip(counters.cpu);
        Self {
            cpu,
            next_cpu: now + cpu.map_or(Duration::ZERO, |(most, _)| pause(most)),
            workspace: Arc::clone(workspace),
            most_bytes: limits.amount(LimitName::Disk),
            most_entries: limits.amount(LimitName::Entries),
            before,
            layer,
            // What an earlier command wrote there is not this one's: it is looked at while the engine starts.
            next_disk: if layer.is_some() { now + DISK } else { now },
            job: None,
        }
    }

    /// Waits until there is something to look at.
    ///
    /// Cancel safe.
    pub(super) async fn due(&self) {
        let disk = (self.before.is_some() && (self.most_bytes.is_some() || self.most_entries.is_some()))
            .then_some(self.next_disk);
        let cpu = self.cpu.map(|_| self.next_cpu);
        match [disk, cpu].into_iter().flatten().min() {
            Some(at) => tokio::time::sleep_until(at.into()).await,
            None => std::future::pending().await,
        }
    }

    /// Looks at what is due. A look that fails is made again.
    pub(super) async fn look(&mut self, api: &bollard::Docker, container: &mut Container) -> Option<Stop> {
        let now = Instant::now();
        if let Some((most, before)) = self.cpu
            && now >= self.next_cpu
        {
            let used = container.count(api).await.ok().and_then(|counters| counters.cpu);
            let used = used.map(|used| used.saturating_sub(before));
            if let Some(used) = used.filter(|used| *used > most) {
                return Some(Stop::Limit(LimitName::CpuTime, LimitValue::Time(used)));
            }
            self.next_cpu = Instant::now() + pause(most.saturating_sub(used.unwrap_or_default()));
        }
        if now >= self.next_disk { self.look_at_disk(api, &container.id).await } else { None }
    }

    async fn look_at_disk(&mut self, api: &bollard::Docker, container: &str) -> Option<Stop> {
        if self.layer.is_none() {
            self.layer = Some(layer(api, container).await.unwrap_or(u64::MAX));
            self.next_disk = Instant::now() + DISK;
            return None;
        }
        let Some((began, job)) = self.job.take() else {
            let workspace = Arc::clone(&self.workspace);
            self.job = Some((Instant::now(), tokio::task::spawn_blocking(move || workspace.usage().ok())));
            self.next_disk = Instant::now() + Duration::from_millis(5);
            return None;
        };
        if !job.is_finished() {
            self.job = Some((began, job));
            self.next_disk = Instant::now() + Duration::from_millis(5);
            return None;
        }
        let found = job.await.ok().flatten();
        let layer = self.layer_grown(api, container).await;
        self.next_disk = Instant::now() + DISK.max(began.elapsed() * CALM);
        self.judge(found, layer.unwrap_or(0))
    }

    /// Asks how much the container's own files have grown.
    async fn layer_grown(&self, api: &bollard::Docker, container: &str) -> Option<u64> {
        self.most_bytes?;
        let now = layer(api, container).await?;
        Some(now.saturating_sub(self.layer?))
    }

    /// Holds what was found against the limits.
    pub(super) fn judge(&self, found: Option<DiskUsage>, layer: u64) -> Option<Stop> {
        let (before, found) = (self.before?, found?);
        let bytes = found.bytes.saturating_sub(before.bytes).saturating_add(layer);
        let entries = found.entries.saturating_sub(before.entries);
        if self.most_bytes.is_some_and(|most| bytes > most) {
            return Some(Stop::Limit(LimitName::Disk, LimitValue::Bytes(bytes)));
        }
        let is_over = self.most_entries.is_some_and(|most| entries > most);
        is_over.then_some(Stop::Limit(LimitName::Entries, LimitValue::Count(entries)))
    }

    /// Looks at the workspace for the last time; says what the command added, and which limit that is above.
    pub(super) async fn end(&self) -> (Measured<u64>, Option<Stop>) {
        let workspace = Arc::clone(&self.workspace);
        let found = tokio::task::spawn_blocking(move || workspace.usage().ok()).await.ok().flatten();
        let written = match (self.before, found) {
            (Some(before), Some(after)) => {
                Measured::known(after.bytes.saturating_sub(before.bytes), "a walk of the workspace")
            }
            (_, _) => Measured::not_measured("the workspace could not be walked"),
        };
        (written, self.judge(found, 0))
    }
}

/// Asks what the container's own files take.
///
/// Cancel safe.
pub(super) async fn layer(api: &bollard::Docker, container: &str) -> Option<u64> {
    let options = InspectContainerOptionsBuilder::new().size(true).build();
    let found = within(ANSWER, "measure a container", api.inspect_container(container, Some(options))).await.ok()?;
    u64::try_from(found.size_rw?).ok()
}

/// Says how long nothing can be above a limit of processor time of which this much is left.
fn pause(left: Duration) -> Duration {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    (left / u32::try_from(cores).unwrap_or(1)).max(CPU)
}
