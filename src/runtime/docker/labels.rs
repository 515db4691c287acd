//! The labels by which what is ours is known, and nothing else is ever touched.

use std::collections::HashMap;

use crate::runtime::Launch;
use crate::workspace::OwnerId;

/// Whose it is.
pub(super) const LABEL_OWNER: &str = "bailiwick.owner";
/// On which host its owner lives, whose locks say whether it does.
pub(super) const LABEL_HOST: &str = "bailiwick.host";
/// Which session it belongs to.
pub(super) const LABEL_SESSION: &str = "bailiwick.session";
/// Which runtime it belongs to.
pub(super) const LABEL_RUNTIME: &str = "bailiwick.runtime";
/// What an image was built from: it outlives its owner, and is removed by name.
pub(super) const LABEL_BUILT: &str = "bailiwick.built";
/// The hash of what is kept in a baked image about its set-up.
pub(super) const LABEL_SETUP: &str = "bailiwick.setup";
/// The shared network.
pub(super) const LABEL_NETWORK: &str = "bailiwick.network";

/// Gives the name of this host, as its kernel says it.
pub(super) fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Gives the labels of everything that an owner makes.
pub(super) fn of_owner(owner: &OwnerId) -> HashMap<String, String> {
    let pairs = [(LABEL_OWNER, owner.to_string()), (LABEL_HOST, host())];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Gives the labels of a container.
pub(super) fn of_container(launch: &Launch, number: u64) -> HashMap<String, String> {
    let parent = launch.workspace.open_ambient_path().and_then(|path| path.parent()?.file_name()?.to_str());
    let session = parent.and_then(|name| name.rsplit_once('-')).map_or("", |(_, session)| session);
    let mut labels = of_owner(launch.owner.id());
    labels.insert(LABEL_SESSION.to_owned(), session.to_owned());
    labels.insert(LABEL_RUNTIME.to_owned(), number.to_string());
    labels
}

/// Gives the name of a container, which is known before the engine has answered.
pub(super) fn name(owner: &OwnerId, number: u64) -> String {
    format!("bailiwick-{owner}-{number}")
}
