//! The `docker:` section of a spec, what a spawn may pass, and the spec that this kind brings along.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::runtime::BuiltinSpec;
use crate::spec::{ByteSize, Problem};

/// The `docker:` section of a spec. Every key may be left out but one of `image` and `build`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DockerConfig {
    /// The image that containers are made of: `name`, `name:tag` or `name@sha256:…`. Default: what `build` makes.
    pub image: Option<String>,
    /// How the image is built, where it is. Default: it is not.
    pub build: Option<BuildConfig>,
    /// When the image is pulled. Default: `missing`.
    pub pull: PullPolicy,
    /// Accepted for older files and ignored: no binary is started.
    pub binary: Option<String>,
    /// How the engine is reached: `unix:///path` or `tcp://host:port`. Default: as the host says.
    pub host: Option<String>,
    /// Where the guest finds the workspace. Default: `/workspace`.
    pub workdir: String,
    /// Whether the workspace is mounted; else it is copied in and back. Default: yes.
    pub mount_workspace: bool,
    /// Paths of the host by which the guest sees more of it. A relative one lies in the workspace. Default: none.
    pub extra_mounts: BTreeMap<String, ExtraMount>,
    /// The network of set-up and commands alike. Default: `bridge` for the set-up and none for commands.
    pub network: Option<String>,
    /// The user of the commands: `uid`, `uid:gid` or a name of the image.
    /// Default: when evaluating the caller's own ids unless they are root's, else `1000:1000`; for agents the host's.
    pub user: Option<String>,
    /// Whether the container stays, stopped, when its runtime is cleaned up. Default: no.
    pub keep_container_after_clean: bool,
    /// The engine's runtime: `runc`, `runsc`. Default: the engine's own default.
    pub runtime: Option<String>,
    /// Whether the image's files cannot be changed. Default: no.
    pub read_only_root: bool,
    /// Capabilities that commands of root keep: `CHOWN`. Default: none.
    pub cap_add: Vec<String>,
    /// More memory file systems, by path, each with its size. `/tmp` is always one. Default: none.
    pub tmpfs: BTreeMap<String, ByteSize>,
}

/// How an image is built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct BuildConfig {
    /// The directory of the host with the files of the build. Default: none, the Dockerfile alone.
    pub context: Option<String>,
    /// The Dockerfile's path in the context. Default: `Dockerfile`.
    pub dockerfile: Option<String>,
    /// The Dockerfile's text, in place of a file of the context. Default: none.
    pub inline: Option<String>,
    /// Arguments of the build. Default: none.
    pub args: BTreeMap<String, String>,
    /// Whether submission, assets and set-up become part of the image. Default: no.
    pub bake: bool,
}

/// When an image is pulled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PullPolicy {
    /// Not at all: an image that is not there is an error.
    Never,
    /// Where it is not there.
    #[default]
    Missing,
    /// Before every spawn.
    Always,
}

/// Where and how the guest sees a path of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ExtraMount {
    /// The path of the guest; read-only.
    ReadOnly(String),
    /// The path of the guest, and what it may do there.
    Mode(MountTarget),
}

/// Where the guest sees a path of the host, and what it may do there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MountTarget {
    /// The path of the guest.
    pub bind: String,
    /// What it may do there. Default: `rw`.
    #[serde(default)]
    pub mode: MountMode,
}

/// What a guest may do with a mounted path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MountMode {
    /// Read only.
    Ro,
    /// Read and write.
    #[default]
    Rw,
}

/// What a spawn may pass to the Docker runtime beyond the common arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DockerOptions {
    /// An image in place of the spec's. Default: the spec's.
    pub image: Option<String>,
    /// A user in place of the spec's. Default: the spec's.
    pub user: Option<String>,
}

impl Default for DockerConfig {
    fn default() -> Self {
        Self {
            image: None,
            build: None,
            pull: PullPolicy::default(),
            binary: None,
            host: None,
            workdir: "/workspace".to_owned(),
            mount_workspace: true,
            extra_mounts: BTreeMap::new(),
            network: None,
            user: None,
            keep_container_after_clean: false,
            runtime: None,
            read_only_root: false,
            cap_add: Vec::new(),
            tmpfs: BTreeMap::new(),
        }
    }
}

impl ExtraMount {
    /// Gives the path of the guest.
    pub fn target(&self) -> &str {
        match self {
            Self::ReadOnly(bind) | Self::Mode(MountTarget { bind, .. }) => bind,
        }
    }

    /// Says whether the guest may write there.
    pub fn is_writable(&self) -> bool {
        match self {
            Self::ReadOnly(_) => false,
            Self::Mode(target) => target.mode == MountMode::Rw,
        }
    }
}

impl DockerConfig {
    /// Finds what the schema cannot say.
    pub(super) fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.image.is_none() && self.build.is_none() {
            problems.push(
                Problem::new("image", "nothing says which image the containers are made of")
                    .with_hint("name one, or say under `build` how it is made"),
            );
        }
        problems
    }
}

pub(super) const BUILTIN_SPECS: [BuiltinSpec; 1] = [BuiltinSpec {
    name: "docker-python",
    about: "Python in a container of the official image.",
    text: "\
type: docker
name: python
docker:
  image: python:3.12-slim
commands:
  entry_file: \"{entry_file}.py\"
  command: python3
",
}];
