//! Who a command is in its container, and whom the files of the workspace belong to.

use std::io::Read as _;

use bollard::query_parameters::DownloadFromContainerOptionsBuilder;
use futures_util::StreamExt as _;

use super::DockerError;
use super::client::{ANSWER, within};
use crate::runtime::Launch;
use crate::spec::Mode;

/// Who commands are when they evaluate and the engine's caller is root.
const NOBODY_IN_PARTICULAR: (u32, u32) = (1000, 1000);

/// How much of a list of users is read.
const MOST: usize = 1 << 20;

/// The user of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    /// As the engine takes it: `1000:1000`, or a name of the image.
    pub(super) name: String,
    /// Its numbers, where they are known without a look at the image.
    pub(super) ids: Option<(u32, u32)>,
}

impl User {
    /// Chooses: what is written, else by mode.
    ///
    /// # Errors
    /// A user that is none.
    pub(super) fn choose(written: Option<&str>, launch: &Launch) -> Result<Self, DockerError> {
        if let Some(text) = written {
            return Self::read(text).ok_or_else(|| DockerError::User { user: text.to_owned() });
        }
        let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let ids = match launch.mode {
            Mode::Agent => launch.host.agent_ids.unwrap_or(own),
            Mode::Evaluation if own.0 == 0 => NOBODY_IN_PARTICULAR,
            Mode::Evaluation => own,
        };
        Ok(Self { name: format!("{}:{}", ids.0, ids.1), ids: Some(ids) })
    }

    /// Says whether it is root, as far as that can be known without a look at the image.
    pub(super) fn is_root(&self) -> bool {
        let name = self.name.split_once(':').map_or(self.name.as_str(), |(user, _)| user);
        name == "root" || name.parse() == Ok(0_u32)
    }

    /// Reads `uid`, `uid:gid`, `name` or `name:group`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
        let is_word = |word: &str| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            !word.is_empty() && word.len() <= 32 && word.chars().all(is_plain) && !word.starts_with('-')
        };
        if !is_word(user) || !group.is_none_or(is_word) {
            return None;
        }
        let number = |word: &str| word.parse::<u32>().ok();
        // A user without a group has the group that the image says; a number that it does not know, the root's.
        let ids = group.and_then(|group| Some((number(user)?, number(group)?)));
        Some(Self { name: text.to_owned(), ids })
    }

    /// Takes the numbers that the image gives to the name.
    pub(super) fn known_by(mut self, passwd: &str, group: &str) -> Option<Self> {
        let (user, wanted) =
            self.name.split_once(':').map_or((self.name.as_str(), None), |(user, group)| (user, Some(group)));
        let line = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let found = line.into_iter().find(|fields| {
            fields.first() == Some(&user) || fields.get(2) == Some(&user) && user.parse::<u32>().is_ok()
        });
        let number = |text: Option<&&str>| text.and_then(|text| text.parse::<u32>().ok());
        let uid = user.parse().ok().or_else(|| number(found.as_ref()?.get(2)))?;
        let gid = match wanted {
            None => number(found.as_ref().and_then(|fields| fields.get(3))).unwrap_or(0),
            Some(group_name) => group_name.parse().ok().or_else(|| {
                let lines = group.lines().map(|line| line.split(':').collect::<Vec<_>>());
                let line = lines.into_iter().find(|fields| fields.first() == Some(&group_name))?;
                number(line.get(2))
            })?,
        };
        self.ids = Some((uid, gid));
        Some(self)
    }
}

/// Gives a user its numbers, from the image where they are not written.
///
/// Cancel safe.
pub(super) async fn known(api: &bollard::Docker, container: &str, user: &User) -> Result<User, DockerError> {
    if user.ids.is_some() {
        return Ok(user.clone());
    }
    let passwd = read_file(api, container, "/etc/passwd").await?;
    let group = read_file(api, container, "/etc/group").await?;
    let unknown = DockerError::User { user: user.name.clone() };
    user.clone().known_by(&passwd, &group).ok_or(unknown)
}

/// Reads a small file of a container; empty where there is none.
async fn read_file(api: &bollard::Docker, container: &str, path: &str) -> Result<String, DockerError> {
    let options = DownloadFromContainerOptionsBuilder::new().path(path).build();
    let mut chunks = std::pin::pin!(api.download_from_container(container, Some(options)));
    let whole = async {
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            bytes.extend_from_slice(&chunk?);
            if bytes.len() > MOST {
                break;
            }
        }
        Ok(bytes)
    };
    let bytes = match within(ANSWER, "give a file of the image", whole).await {
        Ok(bytes) => bytes,
        Err(error) if error.status() == Some(404) => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut archive = tar::Archive::new(bytes.as_slice());
    let entry = archive.entries().ok().and_then(|mut entries| entries.next()?.ok());
    let mut text = Vec::new();
    if let Some(entry) = entry.filter(|entry| entry.header().entry_type().is_file()) {
        let _ = entry.take(MOST as u64).read_to_end(&mut text);
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read() {
        let ids = |text| User::read(text).unwrap().ids;
        assert_eq!((ids("1000:1001"), ids("1000"), ids("agent")), (Some((1000, 1001)), None, None));
        for bad in ["", ":", "a:", ":1", "a b", "-1:0", "a:b:c", "root\n"] {
            assert_eq!(User::read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn root_is_known_by_name_and_number() {
        let is_root = |text| User::read(text).unwrap().is_root();
        assert!(["root", "0", "0:0", "00:5", "root:users"].into_iter().all(is_root));
        assert!(!["1000:0", "roots", "agent"].into_iter().any(is_root));
    }

    #[test]
    fn an_image_names_the_numbers() {
        let (passwd, group) = ("root:x:0:0::/:/bin/sh\nagent:x:1500:1600::/home/agent:/bin/sh\n", "staff:x:50:agent\n");
        let known = |text: &str| User::read(text).unwrap().known_by(passwd, group).and_then(|user| user.ids);
        assert_eq!(known("agent"), Some((1500, 1600)));
        assert_eq!(known("agent:staff"), Some((1500, 50)));
        assert_eq!((known("1500"), known("7")), (Some((1500, 1600)), Some((7, 0))));
        assert_eq!((known("nobody"), known("agent:none")), (None, None));
    }
}
