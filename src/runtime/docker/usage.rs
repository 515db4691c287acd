//! What a container has used, as its engine counts it.

use std::time::Duration;

use bollard::models::ContainerStatsResponse;
use bollard::query_parameters::StatsOptionsBuilder;
use futures_util::StreamExt as _;

use super::DockerError;
use super::client::{ANSWER, within};
use crate::runtime::Measured;

/// One look at the counters of a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) cpu: Option<Duration>,
    /// The most memory since the container's start; engines on version 2 do not count it.
    pub(super) peak: Option<u64>,
    /// How often the memory limit was met.
    pub(super) refusals: Option<u64>,
    /// How many processes were ended because memory was full; only the files of the host say it.
    pub(super) oom_kills: Option<u64>,
    pub(super) tasks: Option<u64>,
}

impl Counters {
    /// Asks the engine for the counters of a container. One of 20.10 answers once a second.
    ///
    /// Cancel safe.
    pub(super) async fn ask(api: &bollard::Docker, container: &str) -> Result<Self, DockerError> {
        let options = StatsOptionsBuilder::new().stream(false).one_shot(true).build();
        let mut answers = std::pin::pin!(api.stats(container, Some(options)));
        let answer = async {
            let none = || bollard::errors::Error::DockerStreamError { error: "no figures came".to_owned() };
            answers.next().await.unwrap_or_else(|| Err(none()))
        };
        Ok(Self::of(&within(ANSWER, "count what the container uses", answer).await?))
    }

    fn of(stats: &ContainerStatsResponse) -> Self {
        let cpu = stats.cpu_stats.as_ref().and_then(|cpu| cpu.cpu_usage.as_ref()?.total_usage);
        let memory = stats.memory_stats.as_ref();
        Self {
            // A container that does not run has counters of zero, which are none.
            cpu: cpu.filter(|nanos| *nanos > 0).map(Duration::from_nanos),
            peak: memory.and_then(|memory| memory.max_usage),
            refusals: memory.and_then(|memory| memory.failcnt),
            oom_kills: None,
            tasks: stats.pids_stats.as_ref().and_then(|pids| pids.current),
        }
    }
}

/// Gives the processor time between two looks.
pub(super) fn cpu_time(before: &Counters, after: Option<&Counters>) -> Measured<Duration> {
    const BY: &str = "cpu cgroup of the container, the engine's start of the command included";
    let Some(after) = after else { return Measured::not_measured("the container ended with its counters") };
    match (before.cpu, after.cpu) {
        (Some(before), Some(after)) => Measured::known(after.saturating_sub(before), BY),
        (_, _) => Measured::not_measured("the engine did not count processor time here"),
    }
}

/// Gives the peak of a command, where it is its own.
pub(super) fn peak_memory(before: &Counters, after: Option<&Counters>) -> Measured<u64> {
    let Some(after) = after else { return Measured::not_measured("the container ended with its counters") };
    match (before.peak, after.peak) {
        (Some(before), Some(after)) if after > before => {
            Measured::known(after, "memory cgroup of the container, with its cached files")
        }
        (Some(_), Some(_)) => Measured::not_measured("the container held more before this command"),
        (_, _) => Measured::not_measured("the engine did not count a peak here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_version_2_has_no_peak() {
        let recorded = r#"{"read":"2026-01-02T03:04:05Z","pids_stats":{"current":2,"limit":66},
            "cpu_stats":{"cpu_usage":{"total_usage":15371000,"usage_in_kernelmode":5000,"usage_in_usermode":10371000}},
            "memory_stats":{"usage":1048576,"stats":{"anon":102400},"limit":536870912}}"#;
        let counters = Counters::of(&serde_json::from_str(recorded).unwrap());
        assert_eq!(counters.cpu, Some(Duration::from_nanos(15_371_000)));
        assert_eq!((counters.peak, counters.refusals, counters.tasks), (None, None, Some(2)));
        assert!(peak_memory(&counters, Some(&counters)).value().is_none());
        assert!(cpu_time(&Counters::default(), Some(&counters)).value().is_none());
        assert_eq!(cpu_time(&counters, Some(&counters)).value(), Some(&Duration::ZERO));
    }

    #[test]
    fn a_peak_belongs_to_the_command_that_raised_it() {
        let at = |peak| Counters { peak: Some(peak), ..Counters::default() };
        assert_eq!(peak_memory(&at(1), Some(&at(2))).value(), Some(&2));
        assert!(peak_memory(&at(2), Some(&at(2))).value().is_none());
        assert!(peak_memory(&at(2), None).value().is_none());
    }
}
