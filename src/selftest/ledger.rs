//! What is held before and after: descriptors and children of this process, directories, things of an engine's.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::report::Seen;
use super::stage::{Trouble, Yard};
use crate::runtime::RuntimeRegistry;
use crate::workspace::{GcMode, directory_path, is_clear_of};

/// How long what ends on threads and in engines of its own has time to do so.
const SETTLES: Duration = Duration::from_secs(8);

/// What is held at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ledger {
    /// Open descriptors, each sort with its number.
    descriptors: BTreeMap<String, usize>,
    children: usize,
}

impl Ledger {
    /// Counts, after what is cleaned up behind the scenes is done.
    pub(super) async fn open_ambient_process(yard: &Yard<'_>) -> Self {
        flush(yard.registry).await;
        Self::count()
    }

    fn count() -> Self {
        let mut descriptors = BTreeMap::new();
        for entry in std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten() {
            let target = std::fs::read_link(entry.path()).unwrap_or_default();
            *descriptors.entry(sort_of(&target.to_string_lossy())).or_default() += 1;
        }
        let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let children = tasks.map(|task| {
            let list = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            list.split_whitespace().count()
        });
        Self { descriptors, children: children.sum() }
    }

    /// Says what there is more of than before.
    fn more_than(&self, before: &Self) -> Option<String> {
        let total = |ledger: &Self| ledger.descriptors.values().sum::<usize>();
        if self.children > before.children {
            return Some(format!("{} children where there were {}", self.children, before.children));
        }
        if total(self) <= total(before) {
            return None;
        }
        let more = self.descriptors.iter().find(|(sort, now)| before.descriptors.get(*sort).is_none_or(|n| n < *now));
        let sort = more.map_or("?", |(sort, _)| sort);
        Some(format!("{} descriptors where there were {}, more of `{sort}`", total(self), total(before)))
    }
}

/// Gives what a descriptor leads to, without the number that makes it one of many: `socket`, `/dev/null`.
fn sort_of(target: &str) -> String {
    match target.split_once(":[") {
        Some((sort, number)) if number.starts_with(|c: char| c.is_ascii_digit()) => sort.to_owned(),
        Some(_) | None => target.to_owned(),
    }
}

/// Looks at what is left since then.
pub(super) async fn nothing_left(yard: &Yard<'_>, before: &Ledger) -> Result<Seen, Trouble> {
    let began = Instant::now();
    let mut more = Ledger::open_ambient_process(yard).await.more_than(before);
    while more.is_some() && began.elapsed() < SETTLES {
        tokio::time::sleep(Duration::from_millis(50)).await;
        more = Ledger::count().more_than(before);
    }
    let owner = yard.registry.owner()?;
    let mut places = 0;
    for place in owner.noted(yard.kind.ty()) {
        let left = yard.kind.release(owner.id(), &place, GcMode::DryRun).await?;
        if let Some(name) = left.first() {
            return Ok(Seen::falls(format!("{} things are left, one of them {name}", left.len())));
        }
        places += 1;
    }
    if let Some(more) = more {
        return Ok(Seen::falls(more));
    }
    if !is_clear_of(directory_path(yard.registry.host()), owner.id()) {
        return Ok(Seen::falls("directories are left where workspaces live"));
    }
    let engine = if places > 0 { ", nothing at the engine" } else { "" };
    Ok(Seen::stands(format!("no descriptor, process or directory{engine}")))
}

async fn flush(registry: &RuntimeRegistry) {
    let reaper = std::sync::Arc::clone(registry.reaper());
    let _ = tokio::task::spawn_blocking(move || reaper.flush(SETTLES)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_that_stays_open_is_found_and_named() {
        let before = Ledger::count();
        assert_eq!(before.more_than(&before), None);
        let mut after = before.clone();
        *after.descriptors.entry("socket".to_owned()).or_default() += 1;
        assert!(after.more_than(&before).is_some_and(|text| text.ends_with("more of `socket`")));
        let after = Ledger { children: before.children + 1, ..before.clone() };
        assert!(after.more_than(&before).is_some_and(|text| text.contains("children")));
    }

    #[test]
    fn sockets_and_pipes_are_of_one_sort_and_files_of_their_own() {
        assert_eq!(
            (sort_of("socket:[12]"), sort_of("anon_inode:[eventfd]")),
            ("socket".into(), "anon_inode:[eventfd]".into())
        );
        assert_eq!(sort_of("/tmp/a:[b"), "/tmp/a:[b");
    }
}
