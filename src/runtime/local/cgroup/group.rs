//! The groups of one command: made, bounded, read, emptied, removed.

use std::ffi::CString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::hierarchies::{Controller, Hierarchies, Version, fresh_name};

/// What the groups of a command are to bound and count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in super::super) struct Settings {
    pub(in super::super) memory: Option<u64>,
    pub(in super::super) pids: Option<u64>,
    pub(in super::super) cpus: Option<f64>,
    pub(in super::super) account_cpu: bool,
}

/// The groups of one command. Dropping this ends what is in them and removes them.
#[derive(Debug, Default)]
pub(in super::super) struct Group {
    parts: Vec<Part>,
    dirs: Vec<PathBuf>,
    procs: Vec<OwnedFd>,
}

#[derive(Debug)]
struct Part {
    controller: Controller,
    version: Version,
    dir: PathBuf,
}

impl Group {
    /// Makes the groups that the settings need, as far as their controllers are to be had.
    ///
    /// # Errors
    /// What the kernel refused.
    pub(in super::super) fn make(hierarchies: &Hierarchies, settings: Settings) -> io::Result<Self> {
        let name = fresh_name();
        let mut group = Self::default();
        for controller in Controller::ALL {
            let wanted = match controller {
                Controller::Memory => settings.memory.is_some(),
                Controller::Pids => settings.pids.is_some(),
                Controller::Cpu => settings.cpus.is_some(),
                Controller::CpuAccounting => settings.account_cpu,
            };
            if let Some(place) = hierarchies.place(controller).filter(|_| wanted) {
                let dir = place.dir.join(&name);
                group.enter_by(&dir)?;
                group.parts.push(Part { controller, version: place.version, dir });
            }
        }
        group.bound(settings)?;
        Ok(group)
    }

    fn enter_by(&mut self, dir: &Path) -> io::Result<()> {
        if self.dirs.iter().any(|known| known == dir) {
            return Ok(());
        }
        fs::create_dir(dir)?;
        self.dirs.push(dir.to_owned());
        self.procs.push(OpenOptions::new().write(true).open(dir.join("cgroup.procs"))?.into());
        Ok(())
    }

    fn bound(&self, settings: Settings) -> io::Result<()> {
        const PERIOD: u32 = 100_000;
        for part in &self.parts {
            match part.controller {
                Controller::Memory => part.bound_memory(settings.memory.unwrap_or(u64::MAX))?,
                Controller::Pids => part.write("pids.max", settings.pids.unwrap_or(u64::MAX))?,
                Controller::Cpu => {
                    let quota = (settings.cpus.unwrap_or(1.0) * f64::from(PERIOD)).max(1000.0).ceil();
                    match part.version {
                        Version::V1 => {
                            part.write("cpu.cfs_period_us", PERIOD)?;
                            part.write("cpu.cfs_quota_us", quota)?;
                        }
                        Version::V2 => part.write("cpu.max", format!("{quota} {PERIOD}"))?,
                    }
                }
                Controller::CpuAccounting => {}
            }
        }
        Ok(())
    }

    fn part(&self, controller: Controller) -> Option<&Part> {
        self.parts.iter().find(|part| part.controller == controller)
    }

    /// Gives the files by which a process enters.
    pub(in super::super) fn procs(&self) -> &[OwnedFd] {
        &self.procs
    }

    /// Gives the directories, for who removes them without allocating.
    pub(in super::super) fn dirs(&self) -> Vec<CString> {
        self.dirs.iter().filter_map(|dir| CString::new(dir.as_os_str().as_bytes()).ok()).collect()
    }

    /// Says whether memory is bounded.
    pub(in super::super) fn holds_memory(&self) -> bool {
        self.part(Controller::Memory).is_some()
    }

    /// Gives the processor time of everything that was ever in the group.
    pub(in super::super) fn cpu_time(&self) -> Option<Duration> {
        let part = self.part(Controller::CpuAccounting)?;
        match part.version {
            Version::V1 => part.read("cpuacct.usage")?.trim().parse().ok().map(Duration::from_nanos),
            Version::V2 => part.field("cpu.stat", "usage_usec").map(Duration::from_micros),
        }
    }

    /// Gives the most memory that was charged at once.
    pub(in super::super) fn peak_memory(&self) -> Option<u64> {
        let part = self.part(Controller::Memory)?;
        let file = match part.version {
            Version::V1 => "memory.max_usage_in_bytes",
            Version::V2 => "memory.peak",
        };
        part.read(file)?.trim().parse().ok()
    }

    /// Gives how many processes were killed for want of memory.
    pub(in super::super) fn memory_kills(&self) -> u64 {
        let file = |part: &Part| match part.version {
            Version::V1 => part.field("memory.oom_control", "oom_kill"),
            Version::V2 => part.field("memory.events", "oom_kill"),
        };
        self.part(Controller::Memory).and_then(file).unwrap_or(0)
    }

    /// Gives how many processes were not made because of the limit.
    pub(in super::super) fn refused_processes(&self) -> u64 {
        self.part(Controller::Pids).and_then(|part| part.field("pids.events", "max")).unwrap_or(0)
    }

    /// Kills what is left in the groups, whoever its parent is. Says whether they are empty.
    pub(in super::super) fn kill(&self) -> bool {
        const ROUNDS: usize = 50;
        for round in 0..ROUNDS {
            let left: Vec<Pid> = self.dirs.iter().flat_map(|dir| members(dir)).collect();
            if left.is_empty() {
                return true;
            }
            for pid in left {
                let _ = kill_process(pid, Signal::KILL);
            }
            if round > 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        false
    }
}

fn members(dir: &Path) -> Vec<Pid> {
    let list = fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
    list.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)).collect()
}

impl Part {
    fn bound_memory(&self, most: u64) -> io::Result<()> {
        match self.version {
            Version::V1 => {
                self.write("memory.limit_in_bytes", most)?;
                self.write_if_there("memory.memsw.limit_in_bytes", most)
            }
            Version::V2 => {
                self.write("memory.max", most)?;
                self.write_if_there("memory.swap.max", 0)
            }
        }
    }

    fn write(&self, file: &str, value: impl ToString) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.dir.join(file))?.write_all(value.to_string().as_bytes())
    }

    /// Swap is not accounted everywhere.
    fn write_if_there(&self, file: &str, value: u64) -> io::Result<()> {
        match self.write(file, value) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    fn read(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.dir.join(file)).ok()
    }

    fn field(&self, file: &str, name: &str) -> Option<u64> {
        let text = self.read(file)?;
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.procs.clear();
        if self.dirs.iter().any(|dir| dir.exists()) {
            self.kill();
            for dir in &self.dirs {
                let _ = fs::remove_dir(dir);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(files: &[(&str, &str)], controller: Controller, version: Version) -> (tempfile::TempDir, Group) {
        let temp = tempfile::tempdir().unwrap();
        for (name, text) in files {
            OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .open(temp.path().join(name))
                .unwrap()
                .write_all(text.as_bytes())
                .unwrap();
        }
        let parts = vec![Part { controller, version, dir: temp.path().to_owned() }];
        (temp, Group { parts, dirs: Vec::new(), procs: Vec::new() })
    }

    #[test]
    fn both_versions_are_written_and_read() {
        for (version, files) in [
            (
                Version::V1,
                [
                    ("memory.limit_in_bytes", ""),
                    ("memory.max_usage_in_bytes", "4096\n"),
                    ("memory.oom_control", "under_oom 0\noom_kill 2\n"),
                ],
            ),
            (
                Version::V2,
                [
                    ("memory.max", ""),
                    ("memory.peak", "4096\n"),
                    ("memory.events", "oom 3\noom_kill 2\noom_group_kill 9\n"),
                ],
            ),
        ] {
            let (temp, group) = part(&files, Controller::Memory, version);
            group.bound(Settings { memory: Some(77), ..Settings::default() }).unwrap();
            assert_eq!(fs::read_to_string(temp.path().join(files[0].0)).unwrap(), "77");
            assert_eq!((group.peak_memory(), group.memory_kills()), (Some(4096), 2));
        }
        let (temp, group) = part(&[("cpu.max", "")], Controller::Cpu, Version::V2);
        group.bound(Settings { cpus: Some(0.5), ..Settings::default() }).unwrap();
        assert_eq!(fs::read_to_string(temp.path().join("cpu.max")).unwrap(), "50000 100000");
        let (_temp, group) =
            part(&[("cpu.stat", "usage_usec 1500\nuser_usec 3\n")], Controller::CpuAccounting, Version::V2);
        assert_eq!(group.cpu_time(), Some(Duration::from_micros(1500)));
        let (_temp, group) = part(&[("pids.events", "max 4\n")], Controller::Pids, Version::V1);
        assert_eq!(group.refused_processes(), 4);
    }
}
