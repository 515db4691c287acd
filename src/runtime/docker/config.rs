//! The `docker:` section of a spec, what a spawn may pass, and the spec that this kind brings along.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::image::is_reference;
use super::mounts::{STATIC_ROOT, is_at_or_below, is_guest_path};
use super::users::User;
use crate::runtime::BuiltinSpec;
use crate::spec::{ByteSize, Mode, Problem};

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
    /// Whether submission, assets and set-up of an evaluation become part of an image. Default: no.
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

impl BuildConfig {
    /// Says whether there is something to build, and not only to bake.
    pub(super) fn has_source(&self) -> bool {
        self.context.is_some() || self.inline.is_some()
    }
}

impl DockerConfig {
    /// Finds what the schema cannot say.
    pub(super) fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        match (&self.image, &self.build) {
            (None, None) => problems.push(
                Problem::new("image", "nothing says which image the containers are made of")
                    .with_hint("name one, or say under `build` how it is made"),
            ),
            (Some(image), _) if !is_reference(image) => {
                let message = format!("`{}` names no image", image.escape_debug());
                problems.push(Problem::new("image", message).with_hint("write `name`, `name:tag` or `name@sha256:…`"));
            }
            (Some(_), _) | (None, Some(_)) => {}
        }
        self.check_build(&mut problems);
        self.check_paths(&mut problems);
        self.check_names(&mut problems);
        problems
    }

    fn check_build(&self, problems: &mut Vec<Problem>) {
        let Some(build) = &self.build else { return };
        match (&build.context, &build.inline, &build.dockerfile) {
            (None, None, None) if build.bake && self.image.is_some() => {}
            (None, None, _) => problems.push(
                Problem::new("build", "there is neither a directory nor a text to build from")
                    .with_hint("name a directory under `context`, or write the Dockerfile under `inline`"),
            ),
            (_, Some(_), Some(_)) => {
                problems.push(Problem::new("build.dockerfile", "the Dockerfile is given as a text already"));
            }
            (_, _, _) => {}
        }
        if let Some(context) = build.context.as_deref().filter(|context| !context.starts_with('/')) {
            let problem = Problem::new("build.context", format!("`{}` is not absolute", context.escape_debug()));
            problems.push(problem.with_hint("write the whole path: no current directory is known here"));
        }
    }

    fn check_paths(&self, problems: &mut Vec<Problem>) {
        const ABSOLUTE: &str = "is not an absolute path of the guest in its only spelling";
        const TAKEN: &str = "holds something else in every container";
        let taken = |path: &str| ["/proc", "/sys", "/dev"].into_iter().any(|own| is_at_or_below(path, own));
        if !is_guest_path(&self.workdir) {
            problems.push(Problem::new("workdir", format!("`{}` {ABSOLUTE}", self.workdir)));
        } else if taken(&self.workdir) || is_at_or_below(&self.workdir, STATIC_ROOT) {
            problems.push(Problem::new("workdir", format!("`{}` {TAKEN}", self.workdir)));
        }
        for (host, mount) in &self.extra_mounts {
            let (path, target) = (format!("extra_mounts.{host}"), mount.target());
            if !is_guest_path(target) || target.contains(':') {
                let problem = Problem::new(path, format!("`{target}` {ABSOLUTE}"));
                problems.push(problem.with_hint("say what the guest may do as `{bind: /path, mode: ro}`"));
            } else if is_at_or_below(&self.workdir, target) {
                problems.push(Problem::new(path, format!("a mount on `{target}` would hide the workspace")));
            } else if taken(target) {
                problems.push(Problem::new(path, format!("`{target}` {TAKEN}")));
            }
        }
        for path in self.tmpfs.keys() {
            if !is_guest_path(path) || taken(path) && path != "/dev/shm" || is_at_or_below(&self.workdir, path) {
                problems.push(Problem::new(format!("tmpfs.{path}"), "no memory file system can be there"));
            }
        }
    }

    fn check_names(&self, problems: &mut Vec<Problem>) {
        let is_word = |text: &str| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
            text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.len() <= 128 && text.chars().all(is_plain)
        };
        for (path, name) in [("network", &self.network), ("runtime", &self.runtime)] {
            if let Some(name) = name.as_deref().filter(|name| !is_word(name)) {
                problems.push(Problem::new(path, format!("`{}` is no name", name.escape_debug())));
            }
        }
        if let Some(user) = self.user.as_deref().filter(|user| User::read(user).is_none()) {
            let problem = Problem::new("user", format!("`{}` is no user", user.escape_debug()));
            problems.push(problem.with_hint("write `uid`, `uid:gid` or a name of the image"));
        }
        for name in &self.cap_add {
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
            if !is_name || name == "ALL" {
                let problem = Problem::new("cap_add", format!("`{}` is no single capability", name.escape_debug()));
                problems.push(problem.with_hint("name each that is needed, as `CHOWN`"));
            }
        }
        let is_endpoint = |host: &str| {
            ["unix:///", "tcp://", "http://", "https://"].into_iter().any(|scheme| host.starts_with(scheme))
        };
        if let Some(host) = self.host.as_deref().filter(|host| !is_endpoint(host)) {
            let problem = Problem::new("host", format!("`{}` is no endpoint of an engine", host.escape_debug()));
            problems.push(problem.with_hint("write `unix:///path/of.sock` or `tcp://host:port`"));
        }
    }

    /// Finds what will not do what its author may think.
    pub(super) fn warnings(&self) -> Vec<Problem> {
        let binary = self.binary.as_ref().map(|_| {
            Problem::new("binary", "no binary is started: the engine's API is spoken")
                .with_hint("leave it out; `docker.host` names another engine")
        });
        binary.into_iter().collect()
    }

    /// Finds what an agent would miss.
    pub(super) fn mode_warnings(&self, mode: Mode) -> Vec<Problem> {
        let is_missed = mode == Mode::Agent && self.network.is_none();
        let network = Problem::new("network", "an agent has no network: the commands of a session reach nothing");
        let hint = "write `network: bridge`, or `network: none` where that is meant";
        if is_missed { vec![network.with_hint(hint)] } else { Vec::new() }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(section: &str) -> Vec<String> {
        let config: DockerConfig = serde_json::from_str(section).unwrap();
        config.check().into_iter().map(|problem| problem.path).collect()
    }

    #[test]
    fn a_whole_section_is_read() {
        let whole = r#"{"image":"python:3.12-slim","build":{"context":"/srv/app","args":{"A":"1"}},"pull":"never",
            "binary":"docker","host":"tcp://127.0.0.1:2375","workdir":"/work","mount_workspace":false,
            "extra_mounts":{"/data":"/data","vendor":{"bind":"/work/vendor","mode":"rw"}},"network":"bridge",
            "user":"1000:1000","keep_container_after_clean":true,"runtime":"runsc","read_only_root":true,
            "cap_add":["CHOWN"],"tmpfs":{"/run":"16MiB"}}"#;
        let config: DockerConfig = serde_json::from_str(whole).unwrap();
        assert!(config.check().is_empty(), "{:?}", config.check());
        assert_eq!(config.warnings()[0].path, "binary");
        assert!(config.mode_warnings(Mode::Agent).is_empty());
        let without = DockerConfig { network: None, ..config.clone() };
        assert_eq!(without.mode_warnings(Mode::Agent)[0].path, "network");
        assert!(without.mode_warnings(Mode::Evaluation).is_empty());
        assert!(!config.extra_mounts["/data"].is_writable() && config.extra_mounts["vendor"].is_writable());
        let again: DockerConfig = serde_json::from_str(&serde_json::to_string(&config).unwrap()).unwrap();
        assert_eq!(config, again);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (section, path) in [
            ("{}", "image"),
            (r#"{"image":"img:tag --privileged"}"#, "image"),
            (r#"{"build":{"bake":true}}"#, "build"),
            (r#"{"image":"a","build":{"bake":true,"dockerfile":"F"}}"#, "build"),
            (r#"{"image":"a","workdir":"workspace"}"#, "workdir"),
            (r#"{"image":"a","workdir":"/proc/self"}"#, "workdir"),
            (r#"{"image":"a","workdir":"/static/x"}"#, "workdir"),
            (r#"{"image":"a","extra_mounts":{"/a":"/b:ro"}}"#, "extra_mounts./a"),
            (r#"{"image":"a","extra_mounts":{"/a":"/workspace"}}"#, "extra_mounts./a"),
            (r#"{"image":"a","extra_mounts":{"/a":"/b/../c"}}"#, "extra_mounts./a"),
            (r#"{"image":"a","network":"container:x"}"#, "network"),
            (r#"{"image":"a","user":"a b"}"#, "user"),
            (r#"{"image":"a","cap_add":["ALL"]}"#, "cap_add"),
            (r#"{"image":"a","host":"ssh://x"}"#, "host"),
            (r#"{"image":"a","tmpfs":{"run":"1MiB"}}"#, "tmpfs.run"),
        ] {
            assert_eq!(problems(section), [path], "{section}");
        }
        assert!(serde_json::from_str::<DockerConfig>(r#"{"img":"a"}"#).is_err());
        assert!(serde_json::from_str::<DockerOptions>(r#"{"x":1}"#).is_err());
    }
}
