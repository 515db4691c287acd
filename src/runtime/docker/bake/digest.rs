//! The name of everything that decides over what a set-up makes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use crate::runtime::Launch;
use crate::runtime::docker::image::Image;
use crate::runtime::docker::users::User;
use crate::runtime::docker::{DockerConfig, DockerError};
use crate::workspace::{Bounds, Capture, scan};

/// Changed whenever the same inputs would give another image.
const VERSION: &str = "bake 1";

/// Gives the digest; every file of the workspace and of the assets is read.
///
/// What mounted directories of the host hold is not known, and does not count.
///
/// # Errors
/// A workspace that cannot be read.
pub(super) async fn digest(
    launch: &Launch,
    (config, user): (&DockerConfig, &User),
    base: &Image,
) -> Result<String, DockerError> {
    let (workspace, assets) = (Arc::clone(&launch.workspace), launch.assets.clone());
    let read = tokio::task::spawn_blocking(move || {
        let all = Bounds::default();
        let workspace = workspace.scan(&Capture::All, None, all)?.manifest.id();
        let assets = assets.map(|assets| scan(assets.root(), &Capture::All, None, all)).transpose()?;
        Ok::<_, DockerError>((workspace.to_string(), assets.map(|scan| scan.manifest.id().to_string())))
    });
    let lost = DockerError::Answer { action: "have its workspace read", why: "the thread ended" };
    let (workspace, assets) = read.await.map_err(|_| lost)??;
    let os: BTreeMap<_, _> = if launch.spec.environment.include_os_env {
        launch.host.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    } else {
        BTreeMap::new()
    };
    let limits = launch.limits.iter().filter(|(name, _)| !name.is_per_command());
    let limits: Vec<String> = limits.map(|(name, bound)| format!("{name:?} {:?}", bound.value)).collect();
    let mounts = format!("{:?}", launch.request.mounts);
    let about = json!({
        "version": VERSION,
        "base": base.id,
        "user": user.name,
        "workspace": workspace,
        "assets": assets,
        "lines": launch.setup_lines(),
        "setup": launch.spec.setup,
        "env": [json!(os), json!(launch.spec.environment.env), json!(launch.request.env)],
        "mounts": mounts,
        "limits": limits,
        "config": settings(config),
    });
    Ok(blake3::hash(about.to_string().as_bytes()).to_hex()[..32].to_owned())
}

/// Leaves out of a section what says only where the base comes from and what becomes of containers.
fn settings(config: &DockerConfig) -> DockerConfig {
    let (image, build, binary, host) = (None, None, None, None);
    DockerConfig {
        image,
        build,
        binary,
        host,
        keep_container_after_clean: false,
        pull: <_>::default(),
        ..config.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_base_comes_from_does_not_count_and_the_rest_does() {
        let of = |text: &str| settings(&serde_json::from_str(text).unwrap());
        let plain = of("{}");
        assert_eq!(of(r#"{"image":"a","pull":"never","keep_container_after_clean":true}"#), plain);
        assert_ne!(of(r#"{"workdir":"/work"}"#), plain);
        assert_ne!(of(r#"{"network":"bridge"}"#), plain);
    }
}
