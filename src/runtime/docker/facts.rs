//! What an engine says of itself: asked once a client.

use bollard::models::{SystemInfo, SystemInfoCgroupVersionEnum};

use super::DockerError;
use super::client::{ANSWER, Client, within};

/// Which version of control groups an engine works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CgroupVersion {
    V1,
    V2,
}

/// What an engine can hold, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// The engine's own version: `20.10.24`.
    pub(super) version: String,
    /// The version of the API that is spoken with it.
    pub(super) api: String,
    pub(super) cgroups: CgroupVersion,
    /// The storage driver: `overlay2`.
    pub(super) driver: String,
    /// Whether the driver can bound the size of a container's own layer.
    pub(super) sized_layers: bool,
    pub(super) memory: bool,
    pub(super) swap: bool,
    pub(super) pids: bool,
    pub(super) cpus: bool,
    /// Whether the engine itself runs on Linux, and not in a virtual machine beside it.
    pub(super) linux: bool,
    pub(super) rootless: bool,
    /// Whether system calls are filtered.
    pub(super) seccomp: bool,
    /// Where the engine keeps its own files.
    pub(super) root: String,
    /// The instruction set of its containers.
    pub(super) arch: &'static str,
}

impl Default for Facts {
    /// What an engine of today is like: for tables that are made before one is asked.
    fn default() -> Self {
        Self {
            version: String::new(),
            api: String::new(),
            cgroups: CgroupVersion::V2,
            driver: "overlay2".to_owned(),
            sized_layers: false,
            memory: true,
            swap: true,
            pids: true,
            cpus: true,
            linux: true,
            rootless: false,
            seccomp: true,
            root: "/var/lib/docker".to_owned(),
            arch: std::env::consts::ARCH,
        }
    }
}

impl Facts {
    /// Asks an engine.
    ///
    /// Cancel safe.
    pub(super) async fn ask(client: &Client) -> Result<Self, DockerError> {
        let api = client.api().await?;
        let info = within(ANSWER, "describe itself", api.info()).await?;
        Ok(Self::of(info, api.client_version().to_string()))
    }

    fn of(info: SystemInfo, api: String) -> Self {
        let has_option = |name: &str| {
            let options = info.security_options.iter().flatten();
            options.map(String::as_str).any(|option| option.split(',').any(|part| part == format!("name={name}")))
        };
        let status = |name: &str| {
            let rows = info.driver_status.iter().flatten();
            rows.filter(|row| row.first().is_some_and(|first| first == name)).find_map(|row| row.get(1)).cloned()
        };
        let driver = info.driver.clone().unwrap_or_default();
        let on_xfs = driver == "overlay2" && status("Backing Filesystem").is_some_and(|name| name == "xfs");
        let system = info.operating_system.clone().unwrap_or_default();
        Self {
            version: info.server_version.clone().unwrap_or_default(),
            api,
            cgroups: match info.cgroup_version {
                Some(SystemInfoCgroupVersionEnum::_2) => CgroupVersion::V2,
                Some(SystemInfoCgroupVersionEnum::_1 | SystemInfoCgroupVersionEnum::EMPTY) | None => CgroupVersion::V1,
            },
            sized_layers: on_xfs || matches!(driver.as_str(), "btrfs" | "zfs"),
            driver,
            memory: info.memory_limit.unwrap_or(false),
            swap: info.swap_limit.unwrap_or(false),
            pids: info.pids_limit.unwrap_or(false),
            cpus: info.cpu_cfs_quota.unwrap_or(false),
            linux: info.os_type.as_deref() == Some("linux") && !system.contains("Docker Desktop"),
            rootless: has_option("rootless"),
            seccomp: has_option("seccomp"),
            root: info.docker_root_dir.clone().unwrap_or_default(),
            arch: arch(info.architecture.as_deref()),
        }
    }
}

/// Gives the name that Rust has for an instruction set.
fn arch(name: Option<&str>) -> &'static str {
    match name {
        Some("x86_64" | "amd64") => "x86_64",
        Some("aarch64" | "arm64") => "aarch64",
        Some("riscv64") => "riscv64",
        Some("s390x") => "s390x",
        Some("ppc64le") => "powerpc64",
        Some("armv7l" | "arm") => "arm",
        Some(_) | None => std::env::consts::ARCH,
    }
}

impl CgroupVersion {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::V1 => "version 1",
            Self::V2 => "version 2",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Facts {
        Facts::of(serde_json::from_str(json).unwrap(), "1.41".to_owned())
    }

    /// Recorded: an engine on control groups of version 2 cannot be had everywhere.
    #[test]
    fn an_engine_on_version_2_is_read() {
        let facts = of(r#"{"ServerVersion":"27.5.1","Driver":"overlay2","DriverStatus":[["Backing Filesystem","xfs"]],
            "MemoryLimit":true,"SwapLimit":true,"PidsLimit":true,"CpuCfsQuota":true,"CgroupVersion":"2","OSType":"linux",
            "OperatingSystem":"Ubuntu 24.04.2 LTS","Architecture":"aarch64","DockerRootDir":"/data/docker",
            "SecurityOptions":["name=apparmor","name=seccomp,profile=builtin","name=rootless","name=cgroupns"]}"#);
        assert_eq!((facts.cgroups, facts.arch, facts.root.as_str()), (CgroupVersion::V2, "aarch64", "/data/docker"));
        assert!(facts.sized_layers && facts.rootless && facts.seccomp && facts.linux && facts.swap);
    }

    #[test]
    fn what_an_old_engine_does_not_say_is_not_there() {
        let facts =
            of(r#"{"ServerVersion":"20.10.24","Driver":"vfs","OperatingSystem":"Docker Desktop","OSType":"linux"}"#);
        assert_eq!(facts.cgroups, CgroupVersion::V1);
        assert!(!facts.memory && !facts.swap && !facts.pids && !facts.cpus && !facts.linux && !facts.sized_layers);
    }
}
