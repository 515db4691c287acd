//! What became of a tree between two manifests.

use std::collections::BTreeMap;

use super::super::WorkspacePath;
use super::{Entry, EntryKind, Manifest};

/// One path that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The path, of a renamed file the new one.
    pub path: WorkspacePath,
    /// What became of it.
    pub kind: ChangeKind,
    /// Bytes of the file or link, of a deleted one what it had; `None` for what has no size.
    pub size: Option<u64>,
}

/// What became of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was not there.
    Created,
    /// It is not there any more.
    Deleted,
    /// It holds something else, or is something else.
    Modified,
    /// It holds the same, under other permissions.
    ModeChanged,
    /// A file that holds exactly what another held that is gone.
    Renamed {
        /// Where it was.
        from: WorkspacePath,
    },
}

/// The changes between two manifests, in the order of the paths' bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// The first of them.
    pub list: Vec<Change>,
    /// How many more there are.
    pub omitted: u64,
}

impl Changes {
    /// Compares two manifests and lists at most `most` changes.
    ///
    /// A file that is gone and one that is new with the same content, not empty, are one renaming; of several with
    /// the same content the first go together.
    pub fn between(before: &Manifest, after: &Manifest, most: usize) -> Self {
        let mut changed: BTreeMap<WorkspacePath, (ChangeKind, Option<u64>)> = BTreeMap::new();
        for (path, entry) in before.iter() {
            let kind = match after.get(path) {
                None => ChangeKind::Deleted,
                Some(now) if now.kind != entry.kind => ChangeKind::Modified,
                Some(now) if now.mode != entry.mode => ChangeKind::ModeChanged,
                Some(_) => continue,
            };
            let size = after.get(path).unwrap_or(entry).size();
            changed.insert(path.clone(), (kind, size));
        }
        for (path, entry) in after.iter().filter(|(path, _)| before.get(path).is_none()) {
            changed.insert(path.clone(), (ChangeKind::Created, entry.size()));
        }
        join_renamed(before, after, &mut changed);
        let omitted = changed.len().saturating_sub(most) as u64;
        let change = |(path, (kind, size))| Change { path, kind, size };
        Self { list: changed.into_iter().take(most).map(change).collect(), omitted }
    }

    /// Says whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && self.omitted == 0
    }
}

/// Gives what makes two files the same: an empty file is like every other one.
fn content(entry: Option<&Entry>) -> Option<([u8; 32], u64)> {
    match entry?.kind {
        EntryKind::File { size, hash } if size > 0 => Some((hash, size)),
        EntryKind::File { .. } | EntryKind::Directory | EntryKind::Symlink { .. } | EntryKind::Special => None,
    }
}

fn join_renamed(before: &Manifest, after: &Manifest, changed: &mut BTreeMap<WorkspacePath, (ChangeKind, Option<u64>)>) {
    let mut gone: BTreeMap<_, Vec<WorkspacePath>> = BTreeMap::new();
    // Last first, so that the first is taken first.
    for (path, _) in changed.iter().rev().filter(|(_, (kind, _))| *kind == ChangeKind::Deleted) {
        if let Some(content) = content(before.get(path)) {
            gone.entry(content).or_default().push(path.clone());
        }
    }
    let created = changed.iter().filter(|(_, (kind, _))| *kind == ChangeKind::Created);
    let renamed: Vec<(WorkspacePath, WorkspacePath)> = created
        .filter_map(|(path, _)| Some((path.clone(), gone.get_mut(&content(after.get(path))?)?.pop()?)))
        .collect();
    for (path, from) in renamed {
        changed.remove(&from);
        if let Some((kind, _)) = changed.get_mut(&path) {
            *kind = ChangeKind::Renamed { from };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn manifest(entries: &[(&str, u8, u32)]) -> Manifest {
        let entry = |(path, content, mode): &(&str, u8, u32)| {
            let kind = EntryKind::File { size: u64::from(*content), hash: [*content; 32] };
            (WorkspacePath::new(path).unwrap(), Entry::new(kind, *mode))
        };
        entries.iter().map(entry).collect()
    }

    fn shown(changes: &Changes) -> Vec<String> {
        changes.list.iter().map(|change| format!("{} {:?}", change.path, change.kind)).collect()
    }

    #[test]
    fn names_every_kind_of_change() {
        let before = manifest(&[("a", 1, 0o644), ("b", 2, 0o644), ("c", 3, 0o644), ("d", 4, 0o644), ("e", 5, 0o644)]);
        let after = manifest(&[("a", 1, 0o755), ("b", 9, 0o644), ("z", 3, 0o644), ("d", 4, 0o644), ("n", 7, 0o644)]);
        let changes = Changes::between(&before, &after, 10);
        let wanted = ["a ModeChanged", "b Modified", "e Deleted", "n Created", "z Renamed { from: \"c\" }"];
        assert_eq!(shown(&changes), wanted);
        let few = Changes::between(&before, &after, 2);
        assert_eq!((few.list.len(), few.omitted), (2, 3));
        assert!(Changes::between(&after, &after, 0).is_empty());
    }

    #[test]
    fn empty_files_are_not_renamed() {
        let changes = Changes::between(&manifest(&[("a", 0, 0o644)]), &manifest(&[("b", 0, 0o644)]), 10);
        assert_eq!(shown(&changes), ["a Deleted", "b Created"]);
    }

    proptest! {
        #[test]
        fn applying_the_changes_gives_the_other_side(
            before in proptest::collection::btree_map("[a-d]", (0u8..4, prop_oneof![Just(0o644u32), Just(0o755)]), 0..5),
            after in proptest::collection::btree_map("[a-d]", (0u8..4, prop_oneof![Just(0o644u32), Just(0o755)]), 0..5),
        ) {
            let build = |side: &BTreeMap<String, (u8, u32)>| {
                manifest(&side.iter().map(|(path, (content, mode))| (path.as_str(), *content, *mode)).collect::<Vec<_>>())
            };
            let (first, second) = (build(&before), build(&after));
            let mut applied = before.clone();
            for change in Changes::between(&first, &second, usize::MAX).list {
                let path = change.path.to_string();
                match change.kind {
                    ChangeKind::Deleted => { applied.remove(&path); }
                    ChangeKind::Renamed { from } => {
                        prop_assert_eq!(before[&from.to_string()].0, after[&path].0);
                        applied.remove(&from.to_string());
                        applied.insert(path.clone(), after[&path]);
                    }
                    ChangeKind::Created | ChangeKind::Modified | ChangeKind::ModeChanged => {
                        applied.insert(path.clone(), after[&path]);
                    }
                }
            }
            prop_assert_eq!(applied, after);
        }
    }
}
