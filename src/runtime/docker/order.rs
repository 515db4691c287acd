//! What is asked of the engine for one command: words, variables, directory, user.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use bollard::query_parameters::ContainerArchiveInfoOptionsBuilder;

use super::DockerError;
use super::client::{ANSWER, within};
use super::exec::Order;
use super::mounts::is_at_or_below;
use super::spawn::Inner;
use super::users::User;
use crate::runtime::{CommandLine, Ending, Job, NotStarted};

/// Places of a container that are no directories to work in: they lead to what others have open.
const CLOSED: [&str; 3] = ["/proc", "/sys", "/dev"];

/// Makes an order, or says why there is nothing that could be started.
pub(super) async fn of(
    inner: &Inner,
    (api, container): (&bollard::Docker, &str),
    job: &Job,
    user: &User,
) -> Result<Result<Order, Box<Ending>>, DockerError> {
    let cwd = absolute(&inner.config.workdir, job.cwd.as_deref());
    if !may_enter(inner, (api, container), &cwd).await? {
        let message = format!("the working directory `{}` cannot be entered", cwd.escape_debug());
        return Ok(Err(Box::new(Ending::not_started(NotStarted::Missing, message))));
    }
    let argv = match &job.line {
        CommandLine::Argv(words) => words.clone(),
        CommandLine::Line(line) => vec!["/bin/sh".to_owned(), "-c".to_owned(), line.clone()],
    };
    let env = variables(inner, &job.env, &cwd);
    Ok(Ok(Order { argv, env, cwd, user: user.name.clone(), stdin: job.stdin.was_given() }))
}

/// Lists the variables as the engine takes them: what the image sets wins over our defaults.
fn variables(inner: &Inner, env: &BTreeMap<String, String>, cwd: &str) -> Vec<String> {
    let is_default = |name: &str, value: &str| inner.granted.get(name).is_some_and(|granted| granted == value);
    let of_image = |name: &str| name != "PWD" && inner.plan.image.variables.contains(name);
    let own = env.iter().filter(|(name, value)| !(is_default(name, value) && of_image(name)));
    own.map(|(name, value)| match name.as_str() {
        // The directory that the caller chose is the one that the guest is told, unless it was told otherwise by name.
        "PWD" if is_default(name, value) => format!("PWD={cwd}"),
        _ => format!("{name}={value}"),
    })
    .collect()
}

/// Gives a directory its absolute spelling, without `.` and `..`.
fn absolute(workdir: &str, cwd: Option<&str>) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let path = Path::new(workdir).join(cwd.unwrap_or("."));
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.extend(name.to_str()),
            Component::ParentDir => {
                parts.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    format!("/{}", parts.join("/"))
}

/// Says whether a directory may be worked in: no link of a guest or of an image leads out of what it seems to be.
async fn may_enter(inner: &Inner, (api, container): (&bollard::Docker, &str), cwd: &str) -> Result<bool, DockerError> {
    let workdir = inner.config.workdir.as_str();
    if CLOSED.into_iter().any(|closed| is_at_or_below(cwd, closed)) {
        return Ok(false);
    }
    if cwd == workdir {
        return Ok(true);
    }
    if let Ok(below) = Path::new(cwd).strip_prefix(workdir)
        && !inner.ferried
        && !inner.plan.mounts.covers(cwd)
    {
        return Ok(inner.workspace.dir().open_dir(below).is_ok());
    }
    is_plain(api, container, cwd).await
}

/// Asks the engine whether a path of the container leads through directories alone.
async fn is_plain(api: &bollard::Docker, container: &str, path: &str) -> Result<bool, DockerError> {
    const DIRECTORY: u32 = 1 << 31;
    const LINK: u32 = 1 << 27;
    for above in Path::new(path).ancestors().filter(|above| above.parent().is_some()) {
        let options = ContainerArchiveInfoOptionsBuilder::new().path(&above.to_string_lossy()).build();
        let asked = api.get_container_archive_info(container, Some(options));
        match within(ANSWER, "describe a directory", asked).await {
            Ok(found) if found.file_mode & LINK != 0 || found.file_mode & DIRECTORY == 0 => return Ok(false),
            Ok(_) => {}
            Err(error) if matches!(error.status(), Some(400 | 404)) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::absolute;

    #[test]
    fn directories_have_one_spelling() {
        let of = |cwd| absolute("/workspace", cwd);
        assert_eq!(of(None), "/workspace");
        assert_eq!(of(Some("a/./b/../c")), "/workspace/a/c");
        assert_eq!(of(Some("/proc/self/../self/fd/8")), "/proc/self/fd/8");
        assert_eq!((of(Some("../../..")).as_str(), of(Some("/tmp/")).as_str()), ("/", "/tmp"));
    }
}
