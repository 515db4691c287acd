//! Compiled modules on disk: private to this user, written whole, never from a submission's own artifact.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::process::geteuid;
use wasmtime::Engine;

use super::cache_room;
use super::code::{Code, Form};
use super::key::ModuleKey;
use crate::runtime::Cached;
use crate::spec::ByteSize;

/// A directory of artifacts that only this user can write.
///
/// An artifact is native code, so what may be loaded is what this user's engines wrote: the directory is 0700, files
/// are 0400 and appear by rename, and the name says module, engine and flags. Whoever can write here already is this user.
#[derive(Debug)]
pub(super) struct ArtifactCache {
    dir: Dir,
    /// What all artifacts together may take.
    room: u64,
}

impl ArtifactCache {
    /// Opens the cache below a directory; none where that cannot be had, since a cache is never needed.
    pub(super) fn open(cache: &Path, room: ByteSize) -> Option<Self> {
        let path = cache.join("modules");
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).ok()?;
        let dir = Dir::open_ambient_dir(&path, cap_std::ambient_authority()).ok()?;
        let meta = dir.dir_metadata().ok()?;
        let ours = cap_std::fs::MetadataExt::uid(&meta) == geteuid().as_raw();
        let private = cap_std::fs::MetadataExt::mode(&meta) & 0o077 == 0;
        if !(ours && private) {
            tracing::warn!("the module cache is not private to this user and is not used");
            return None;
        }
        Some(Self { dir, room: room.0 })
    }

    /// Loads an artifact, if a good one is there.
    pub(super) fn load(&self, engine: &Engine, key: &ModuleKey) -> Option<Code> {
        Form::ALL.into_iter().find_map(|form| {
            let file = self.open_ours(&named(key, &Self::flags(engine), form))?;
            // SAFETY: the file stands in a directory that only this user can write (checked at `open`), belongs to
            // this user and is writable by nobody else (checked above); it was made by `store` from this engine's own
            // compiler, appeared by rename, and is never written again. The loader refuses other versions and flags.
            #[expect(unsafe_code, reason = "the loader maps native code; its conditions are checked above")]
            unsafe { Code::map(engine, form, file) }.ok()
        })
    }

    /// Finds an artifact of workers, which nothing in this process maps.
    pub(super) fn find(&self, flags: &str, key: &ModuleKey) -> Option<(Form, File)> {
        Form::ALL.into_iter().find_map(|form| Some((form, self.open_ours(&named(key, flags, form))?)))
    }

    /// Keeps an artifact of workers, and gives it as it is kept; nothing where it could not be.
    pub(super) fn keep(&self, flags: &str, key: &ModuleKey, form: Form, artifact: &File) -> Option<File> {
        let name = named(key, flags, form);
        let mut source = artifact.try_clone().ok()?;
        let copied = source.seek(SeekFrom::Start(0)).and_then(|_| {
            self.put(&name, |file| std::io::copy(&mut source, &mut file.try_clone()?.into_std()).map(drop))
        });
        if let Err(error) = copied {
            tracing::debug!(%error, "a compiled module was not kept");
        }
        self.open_ours(&name)
    }

    /// Opens an artifact that is this user's and that nobody else can write.
    fn open_ours(&self, name: &str) -> Option<File> {
        let file = self.dir.open(name).ok()?.into_std();
        let meta = file.metadata().ok()?;
        let is_ours = meta.is_file() && meta.uid() == geteuid().as_raw() && meta.mode() & 0o022 == 0;
        is_ours.then(|| {
            cache_room::touch(&file);
            file
        })
    }

    /// Keeps an artifact. A cache that cannot be written costs time, nothing else.
    pub(super) fn store(&self, engine: &Engine, key: &ModuleKey, code: &Code) {
        if let Err(error) = self.try_store(engine, key, code) {
            tracing::debug!(%error, "a compiled module was not kept");
        }
    }

    fn try_store(&self, engine: &Engine, key: &ModuleKey, code: &Code) -> std::io::Result<()> {
        let bytes = code.serialize().map_err(std::io::Error::other)?;
        self.put(&named(key, &Self::flags(engine), code.form()), |file| file.write_all(&bytes))
    }

    /// Writes a file whole or not at all.
    fn put(
        &self,
        name: &str,
        write: impl FnOnce(&mut cap_std::fs::File) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let draft = format!(".{name}.{}.{:?}", std::process::id(), std::thread::current().id());
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o400);
        let written = self.dir.open_with(&draft, &options).and_then(|mut file| write(&mut file));
        let kept = written.and_then(|()| self.dir.rename(&draft, &self.dir, name));
        if kept.is_err() {
            // The draft may not exist; there is nothing better to do about it.
            let _ = self.dir.remove_file(&draft);
        }
        kept?;
        cache_room::make_room(&self.dir, self.room, name)
    }

    /// Writes everything about an engine that shapes its code as one word.
    pub(super) fn flags(engine: &Engine) -> String {
        use std::hash::{Hash, Hasher};
        struct Blake(blake3::Hasher);
        impl Hasher for Blake {
            fn finish(&self) -> u64 {
                0
            }
            fn write(&mut self, bytes: &[u8]) {
                self.0.update(bytes);
            }
        }
        let mut hasher = Blake(blake3::Hasher::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        hasher.0.finalize().to_hex()[..16].to_owned()
    }

    /// Lists the artifacts.
    pub(super) fn list(&self) -> std::io::Result<Vec<Cached>> {
        cache_room::list(&self.dir)
    }

    /// Removes an artifact; engines that have it mapped keep it.
    pub(super) fn remove(&self, name: &str) -> std::io::Result<()> {
        cache_room::remove(&self.dir, name)
    }
}

/// Names an artifact by module, engine version and every flag that shapes code.
fn named(key: &ModuleKey, flags: &str, form: Form) -> String {
    format!("{}-{flags}.{}", key.hex(), form.ending())
}
