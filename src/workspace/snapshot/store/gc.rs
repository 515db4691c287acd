//! Removing what nothing reaches: from every kept id, and from every snapshot that a living process holds.

use super::super::{EntryKind, SnapshotId};
use super::disk::Disk;
use super::draft::DRAFT;
use super::folder::Folder;
use super::hashes::{Hash, Hashes};
use super::holder::{Owners, bury};
use super::memory::Memory;
use super::pack::{INDEX, PackDraft, Span, pack_name};
use super::snapshots::decode;
use super::{StoreError, kept};
use crate::workspace::{GcMode, bytes};

/// How many sources are remembered.
const SOURCES: usize = 64;

/// Packs shorter than this are little ones, and so many of them become one.
const LITTLE: u64 = 4 << 20;
const MANY: usize = 16;

/// What [`gc`](super::SnapshotStore::gc) found and did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct StoreGcReport {
    /// Snapshots that are kept.
    pub kept: u64,
    /// Snapshots that living processes hold.
    pub held: u64,
    /// Manifests that were removed, or would be.
    pub manifests: u64,
    /// Blobs that were removed, or would be.
    pub blobs: u64,
    /// The bytes that these took.
    pub bytes: u64,
    /// Processes that died while they held snapshots.
    pub dead_owners: u64,
    /// What could not be read or removed, each by what it is.
    pub failures: Vec<(String, StoreError)>,
}

pub(super) fn memory(memory: &Memory, mode: GcMode) -> StoreGcReport {
    let mut content = memory.lock();
    let mut report =
        StoreGcReport { kept: content.kept.len() as u64, held: content.held(), ..StoreGcReport::default() };
    if mode == GcMode::Remove {
        (report.blobs, report.bytes) = content.collect();
    }
    report
}

pub(super) fn disk(disk: &Disk, mode: GcMode) -> Result<StoreGcReport, StoreError> {
    let _alone = disk.enter_alone()?;
    let mut sweep = Sweep { disk, mode, live: Hashes::default(), report: StoreGcReport::default() };
    let roots = sweep.roots()?;
    // What a kept snapshot needs cannot be told from what nothing needs when its manifest cannot be read.
    if sweep.mark(&roots)? {
        sweep.manifests(&roots)?;
        sweep.loose()?;
        sweep.packs()?;
    }
    sweep.drafts()?;
    sweep.sources()?;
    Ok(sweep.report)
}

struct Sweep<'a> {
    disk: &'a Disk,
    mode: GcMode,
    live: Hashes,
    report: StoreGcReport,
}

impl Sweep<'_> {
    /// Does something unless this is a dry run; a failure is kept and the rest goes on.
    fn remove(&mut self, what: &str, work: impl FnOnce() -> Result<(), StoreError>) -> bool {
        if self.mode == GcMode::DryRun {
            return true;
        }
        match work() {
            Ok(()) => true,
            Err(error) => {
                self.report.failures.push((what.to_owned(), error));
                false
            }
        }
    }

    fn roots(&mut self) -> Result<Vec<SnapshotId>, StoreError> {
        let disk = self.disk;
        let mut roots = kept::ids(&disk.kept)?;
        let owners = Owners::read(&disk.owners)?;
        (self.report.kept, self.report.held) = (roots.len() as u64, owners.held.len() as u64);
        for (name, ids) in &owners.dead {
            if self.remove("an owner that died", || bury(&disk.owners, name, ids)) {
                self.report.dead_owners += 1;
            }
        }
        roots.extend(owners.held);
        roots.sort_unstable();
        roots.dedup();
        Ok(roots)
    }

    /// Finds the blobs that the roots reach; says whether all of them could be read.
    fn mark(&mut self, roots: &[SnapshotId]) -> Result<bool, StoreError> {
        let before = self.report.failures.len();
        for id in roots {
            let corrupt = |problem| StoreError::Corrupt { what: "manifest", name: id.to_string(), problem };
            let text = self.disk.manifests.read(&id.to_string())?;
            let manifest = text.ok_or_else(|| corrupt("is missing")).and_then(|text| decode(id, &text));
            match manifest {
                Ok(manifest) => self.live.extend(manifest.iter().filter_map(|(_, entry)| match entry.kind {
                    EntryKind::File { hash, .. } => Some(hash),
                    EntryKind::Directory | EntryKind::Symlink { .. } | EntryKind::Special => None,
                })),
                Err(error) => self.report.failures.push((format!("snapshot {id}"), error)),
            }
        }
        Ok(self.report.failures.len() == before)
    }

    fn manifests(&mut self, roots: &[SnapshotId]) -> Result<(), StoreError> {
        let folder = &self.disk.manifests;
        for id in kept::ids(folder)? {
            let name = id.to_string();
            if roots.binary_search(&id).is_err() && self.remove(&name, || folder.remove(&name)) {
                self.report.manifests += 1;
            }
        }
        Ok(())
    }

    fn loose(&mut self) -> Result<(), StoreError> {
        let loose = &self.disk.loose;
        for (hash, bytes) in loose.list()? {
            if !self.live.contains(&hash) && self.remove("a blob", || loose.remove(&hash)) {
                self.report.blobs += 1;
                self.report.bytes += bytes;
            }
        }
        Ok(())
    }

    /// Removes packs of which nothing is live; writes those anew of which something is not, and many little ones.
    fn packs(&mut self) -> Result<(), StoreError> {
        let disk = self.disk;
        self.half_packs()?;
        let (contents, lengths): (Vec<_>, Vec<u64>) = {
            let packs = disk.packs();
            let contents = packs.contents();
            let lengths = contents.iter().map(|(name, _)| packs.length(name)).collect();
            (contents, lengths)
        };
        let are_many = lengths.iter().filter(|length| **length < LITTLE).count() >= MANY;
        let mut anew = Vec::new();
        for ((name, blobs), length) in contents.into_iter().zip(lengths) {
            let live: Vec<(Hash, Span)> = blobs.iter().filter(|(hash, _)| self.live.contains(hash)).copied().collect();
            let live_bytes: u64 = live.iter().map(|(_, span)| u64::from(span.length)).sum();
            let is_whole = live.len() == blobs.len() && live_bytes == length;
            if !is_whole || (are_many && length < LITTLE) {
                self.report.blobs += (blobs.len() - live.len()) as u64;
                self.report.bytes += length.saturating_sub(live_bytes);
                anew.push((name, live));
            }
        }
        self.remove("a pack", || write_anew(disk, &anew));
        Ok(())
    }

    /// Removes packs without an index, and indexes that cannot be believed and are not needed.
    fn half_packs(&mut self) -> Result<(), StoreError> {
        let (disk, folder) = (self.disk, &self.disk.packs_folder);
        let names = folder.names()?;
        for name in names.iter().filter_map(|name| name.strip_suffix(".pack")) {
            if names.binary_search(&format!("{name}{INDEX}")).is_err() {
                self.remove(name, || folder.remove(&pack_name(name)));
            }
        }
        let broken = disk.packs().broken();
        if broken.is_empty() {
            return Ok(());
        }
        let is_missing = |hash: &&Hash| !disk.packs().has(hash);
        let mut missing = 0;
        for hash in self.live.iter().filter(is_missing) {
            missing += u64::from(disk.loose.open(hash)?.is_none());
        }
        for (name, problem) in broken {
            if missing == 0 {
                self.remove(&name, || remove_pack(folder, &name));
            } else {
                let error = StoreError::Corrupt { what: "index", name: name.clone(), problem };
                self.report.failures.push((format!("pack {name}"), error));
            }
        }
        Ok(())
    }

    /// Removes what was begun and never finished: nobody else is in the store.
    fn drafts(&mut self) -> Result<(), StoreError> {
        let disk = self.disk;
        let folders = [&disk.root, &disk.packs_folder, disk.loose.folder(), &disk.manifests, &disk.kept, &disk.stat];
        for folder in folders {
            for name in folder.names()?.iter().filter(|name| name.starts_with(DRAFT)) {
                let bytes = folder.meta(name)?.map_or(0, |meta| meta.stored);
                if self.remove(name, || folder.remove(name)) {
                    self.report.bytes += bytes;
                }
            }
        }
        Ok(())
    }

    /// Forgets the sources that were taken longest ago; that only costs time when they are taken again.
    fn sources(&mut self) -> Result<(), StoreError> {
        let folder = &self.disk.stat;
        let mut known = Vec::new();
        for name in folder.names()? {
            known.extend(folder.meta(&name)?.map(|meta| (std::cmp::Reverse(meta.modified), name)));
        }
        known.sort_unstable();
        for (_, name) in known.iter().skip(SOURCES) {
            self.remove(name, || folder.remove(name));
        }
        Ok(())
    }
}

/// Writes what is live of some packs into new ones, then removes the old: each blob is there at every moment.
fn write_anew(disk: &Disk, packs: &[(String, Vec<(Hash, Span)>)]) -> Result<(), StoreError> {
    let folder = &disk.packs_folder;
    let mut made = Vec::new();
    let mut draft: Option<PackDraft> = None;
    let mut buffer = Vec::new();
    for (hash, _) in packs.iter().flat_map(|(_, live)| live) {
        let (file, span) = disk.packs().find(folder, hash)?;
        buffer.resize(span.length as usize, 0);
        bytes::read_at(&file, &mut buffer, span.offset).map_err(|error| folder.failed("read", "", error))?;
        if *blake3::hash(&buffer).as_bytes() != *hash {
            return Err(StoreError::blob(hash, "is not what was written"));
        }
        if draft.as_ref().is_some_and(PackDraft::is_long) {
            made.extend(draft.take().map(|draft| draft.close(folder)?.publish(folder)).transpose()?);
        }
        let pack = match &mut draft {
            Some(pack) => pack,
            none => none.insert(PackDraft::new(folder)?),
        };
        pack.put(hash, &buffer)?;
    }
    made.extend(draft.map(|draft| draft.close(folder)?.publish(folder)).transpose()?);
    let made_names: Vec<String> = made.iter().map(|(name, _)| name.clone()).collect();
    for (name, _) in packs.iter().filter(|(name, _)| !made_names.contains(name)) {
        disk.packs().forget(name);
        remove_pack(folder, name)?;
    }
    made.into_iter().for_each(|(name, index)| disk.packs().add(&name, index));
    Ok(())
}

/// Removes a pack, its index first: an index without its pack would promise what is not there.
fn remove_pack(folder: &Folder, name: &str) -> Result<(), StoreError> {
    folder.remove(&format!("{name}{INDEX}"))?;
    folder.remove(&pack_name(name))
}
