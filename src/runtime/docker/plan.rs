//! What a container is made of: one body, in which the engine's settings win over the image's.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig, Mount,
    MountTmpfsOptions, MountType,
};

use super::DockerConfig;
use super::facts::{CgroupVersion, Facts};
use super::image::Image;
use super::limits::{self, tmpfs_size};
use super::mounts::{Mounts, is_at_or_below};
use super::network::Network;
use crate::spec::Limits;

/// Where a guest keeps temporary files.
pub(super) const TEMP: &str = "/tmp";
/// How long the keeper sleeps: 68 years, the most that every `sleep` takes.
const KEEPER: [&str; 2] = ["sleep", "2147483647"];

/// Everything that decides over a container.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) image: Image,
    pub(super) labels: HashMap<String, String>,
    pub(super) limits: Limits,
    pub(super) mounts: Mounts,
    pub(super) network: Network,
}

impl Plan {
    /// Makes the body of the request.
    pub(super) fn body(&self, config: &DockerConfig, facts: &Facts, mut mounts: Vec<Mount>) -> ContainerCreateBody {
        mounts.extend(self.instead_of_volumes(config));
        let host = HostConfig {
            init: Some(true),
            cap_drop: Some(vec!["ALL".to_owned()]),
            cap_add: Some(config.cap_add.clone()),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            readonly_rootfs: Some(config.read_only_root),
            privileged: Some(false),
            ipc_mode: Some("private".to_owned()),
            cgroupns_mode: (facts.cgroups == CgroupVersion::V2).then_some(HostConfigCgroupnsModeEnum::PRIVATE),
            publish_all_ports: Some(false),
            auto_remove: Some(false),
            runtime: config.runtime.clone(),
            log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
            mounts: Some(mounts),
            tmpfs: Some(self.tmpfs(config)),
            ..HostConfig::default()
        };
        let host = self.network.apply(limits::apply(&self.limits, facts, host));
        ContainerCreateBody {
            image: Some(self.image.id.clone()),
            // The keeper is root without capabilities: no user of a command can end it.
            user: Some("0:0".to_owned()),
            entrypoint: Some(KEEPER.map(str::to_owned).to_vec()),
            cmd: Some(Vec::new()),
            healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
            working_dir: Some("/".to_owned()),
            labels: Some(self.labels.clone()),
            exposed_ports: Some(self.network.exposed()),
            host_config: Some(host),
            ..ContainerCreateBody::default()
        }
    }

    /// Lists memory file systems in place of the volumes that the engine would make for the image: only a mount keeps
    /// it from that.
    fn instead_of_volumes(&self, config: &DockerConfig) -> Vec<Mount> {
        let is_free = |path: &str| {
            let is_shown = self.mounts.covers(path) || config.tmpfs.contains_key(path);
            !is_shown && !is_at_or_below(&config.workdir, path) && !is_at_or_below(path, &config.workdir)
        };
        let options = MountTmpfsOptions {
            size_bytes: i64::try_from(tmpfs_size(&self.limits)).ok(),
            mode: Some(0o1777),
            options: None,
        };
        let mount = |path: &String| Mount {
            target: Some(path.clone()),
            typ: Some(MountType::TMPFS),
            tmpfs_options: Some(options.clone()),
            ..Mount::default()
        };
        self.image.volumes.iter().filter(|path| path.as_str() != TEMP && is_free(path)).map(mount).collect()
    }

    /// Lists the memory file systems: `/tmp`, and those of the spec.
    fn tmpfs(&self, config: &DockerConfig) -> HashMap<String, String> {
        let options = |size: u64| format!("rw,exec,nosuid,nodev,mode=1777,size={size}");
        let whole = tmpfs_size(&self.limits);
        let mut all = HashMap::new();
        if !self.mounts.covers(TEMP) && !is_at_or_below(&config.workdir, TEMP) {
            all.insert(TEMP.to_owned(), options(whole));
        }
        all.extend(config.tmpfs.iter().map(|(path, size)| (path.clone(), options(size.0))));
        all
    }
}
