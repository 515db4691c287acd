//! The packs that are known: which blob is in which, and their open files.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::StoreError;
use super::folder::Folder;
use super::hashes::{ByHash, Hash};
use super::pack::{INDEX, Index, Span, pack_name};

/// How many packs are kept open.
const OPEN: usize = 64;

/// What is known of the packs of a store. Others add packs and remove them meanwhile: see [`refresh`](Self::refresh).
#[derive(Debug, Default)]
pub(super) struct Packs {
    /// By name; the number stands for the pack in `places`.
    known: HashMap<String, u32>,
    names: HashMap<u32, String>,
    lengths: HashMap<u32, u64>,
    next: u32,
    places: ByHash<(u32, Span)>,
    open: HashMap<u32, Arc<OwnedFd>>,
    /// Indexes that cannot be believed, and why. What they name counts as not there, and is written again.
    broken: HashMap<String, &'static str>,
}

impl Packs {
    /// Looks for packs that came or went since the last look. To be called under a lock on the store.
    pub(super) fn refresh(&mut self, folder: &Folder) -> Result<(), StoreError> {
        let names = folder.names()?;
        let there: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(INDEX)).collect();
        let is_there = |name: &String| there.binary_search(&name.as_str()).is_ok();
        // One that was broken may have been written again, under the same name.
        self.broken.clear();
        let gone: Vec<String> = self.known.keys().filter(|name| !is_there(name)).cloned().collect();
        gone.iter().for_each(|name| self.forget(name));
        for name in there {
            if self.known.contains_key(name) {
                continue;
            }
            let text = folder.read(&format!("{name}{INDEX}"))?.unwrap_or_default();
            let has_pack = names.binary_search(&pack_name(name)).is_ok();
            match Index::decode(name, &text).and_then(|index| has_pack.then_some(index).ok_or("has no pack")) {
                Ok(index) => self.add(name, index),
                Err(problem) => {
                    self.broken.insert(name.to_owned(), problem);
                }
            }
        }
        Ok(())
    }

    /// Takes a pack in.
    pub(super) fn add(&mut self, name: &str, index: Index) {
        self.broken.remove(name);
        if self.known.contains_key(name) {
            return;
        }
        let number = self.next;
        self.next += 1;
        self.known.insert(name.to_owned(), number);
        self.names.insert(number, name.to_owned());
        self.lengths.insert(number, index.length);
        self.places.reserve(index.spans.len());
        self.places.extend(index.spans.into_iter().map(|(hash, span)| (hash, (number, span))));
    }

    /// Forgets a pack that went away, with what only it has.
    pub(super) fn forget(&mut self, name: &str) {
        if let Some(number) = self.known.remove(name) {
            self.names.remove(&number);
            self.lengths.remove(&number);
            self.open.remove(&number);
            self.places.retain(|_, (pack, _)| *pack != number);
        }
    }

    pub(super) fn has(&self, hash: &Hash) -> bool {
        self.places.contains_key(hash)
    }

    /// Finds a blob: the open file of its pack, and where it is in there.
    pub(super) fn find(&mut self, folder: &Folder, hash: &Hash) -> Result<(Arc<OwnedFd>, Span), StoreError> {
        let Some((number, span)) = self.places.get(hash).copied() else {
            return Err(self.missing(hash));
        };
        if let Some(file) = self.open.get(&number) {
            return Ok((Arc::clone(file), span));
        }
        let name = self.names.get(&number).cloned().unwrap_or_default();
        let corrupt = |problem| StoreError::Corrupt { what: "pack", name: name.clone(), problem };
        let (file, meta) = folder.open(&pack_name(&name))?.ok_or_else(|| corrupt("is missing"))?;
        if Some(meta.size) != self.lengths.get(&number).copied() {
            return Err(corrupt("has another length than its index says"));
        }
        if self.open.len() >= OPEN {
            self.open.clear();
        }
        let file = Arc::new(file);
        self.open.insert(number, Arc::clone(&file));
        Ok((file, span))
    }

    /// Says why a blob is not there: an index that cannot be believed may have named it.
    fn missing(&self, hash: &Hash) -> StoreError {
        match self.broken.iter().min() {
            Some((name, problem)) => StoreError::Corrupt { what: "index", name: name.clone(), problem },
            None => StoreError::blob(hash, "is missing"),
        }
    }

    /// Lists the blobs of each pack.
    pub(super) fn contents(&self) -> Vec<(String, Vec<(Hash, Span)>)> {
        let mut by_number: HashMap<u32, Vec<(Hash, Span)>> =
            self.names.keys().map(|name| (*name, Vec::new())).collect();
        for (hash, (number, span)) in &self.places {
            by_number.entry(*number).or_default().push((*hash, *span));
        }
        let mut contents: Vec<(String, Vec<(Hash, Span)>)> = by_number
            .into_iter()
            .filter_map(|(number, blobs)| Some((self.names.get(&number)?.clone(), blobs)))
            .collect();
        contents.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        contents.iter_mut().for_each(|(_, blobs)| blobs.sort_unstable_by_key(|(_, span)| span.offset));
        contents
    }

    /// Gives the length of a pack's file, as its index says it.
    pub(super) fn length(&self, name: &str) -> u64 {
        self.known.get(name).and_then(|number| self.lengths.get(number)).copied().unwrap_or(0)
    }

    /// Lists the indexes that cannot be believed.
    pub(super) fn broken(&self) -> Vec<(String, &'static str)> {
        let mut broken: Vec<_> = self.broken.iter().map(|(name, problem)| (name.clone(), *problem)).collect();
        broken.sort_unstable();
        broken
    }
}
