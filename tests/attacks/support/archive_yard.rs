//! Where an archive is unpacked, with a canary beside it.

use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use bailiwick::{Archive, ArchiveError, ArchiveRules, Globs};
use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::raw_tar::{Raw, tar};

const SECRET: &str = "nothing of this may be seen or changed";

/// A directory to unpack into, with a canary beside it.
pub(crate) struct Yard {
    temp: tempfile::TempDir,
}

impl Yard {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir(temp.path().join("to")).unwrap();
        fs::create_dir(temp.path().join("outside")).unwrap();
        fs::write(temp.path().join("outside/secret"), SECRET).unwrap();
        fs::set_permissions(temp.path().join("outside"), fs::Permissions::from_mode(0o700)).unwrap();
        Self { temp }
    }

    pub(crate) fn to(&self) -> PathBuf {
        self.temp.path().join("to")
    }

    pub(crate) fn path(&self) -> &Path {
        self.temp.path()
    }

    pub(crate) fn dir(&self) -> Dir {
        Dir::open_ambient_dir(self.to(), ambient_authority()).unwrap()
    }

    pub(crate) fn save(&self, bytes: &[u8]) -> File {
        let path = self.temp.path().join("archive");
        fs::write(&path, bytes).unwrap();
        File::open(path).unwrap()
    }

    pub(crate) fn unpack_with(&self, bytes: &[u8], rules: ArchiveRules) -> Result<Archive, ArchiveError> {
        let archive = Archive::open(self.save(bytes), rules)?;
        archive.unpack(&self.dir(), &Globs::default())?;
        Ok(archive)
    }

    pub(crate) fn unpack(&self, bytes: &[u8]) -> Result<Archive, ArchiveError> {
        self.unpack_with(bytes, ArchiveRules::submission())
    }

    /// Unpacks what must be refused, after a harmless file that must not be written.
    pub(crate) fn refuses(&self, members: &[Raw]) -> String {
        let members = [&[Raw::file("harmless", "first")], members].concat();
        self.refuses_bytes(&tar(&members))
    }

    pub(crate) fn refuses_bytes(&self, bytes: &[u8]) -> String {
        let error = self.unpack(bytes).unwrap_err();
        assert!(error.is_fault_of_archive(), "{error}");
        self.check();
        assert_eq!(fs::read_dir(self.to()).unwrap().count(), 0, "something was written before: {error}");
        error.to_string()
    }

    pub(crate) fn check(&self) {
        let outside = self.temp.path().join("outside");
        assert_eq!(fs::metadata(&outside).unwrap().mode() & 0o7777, 0o700);
        assert_eq!(fs::read_to_string(outside.join("secret")).unwrap(), SECRET);
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
        assert_eq!(fs::read_dir(self.temp.path()).unwrap().count(), 3);
    }
}

/// Makes a zip of files: name, content, permissions.
pub(crate) fn zip(entries: &[(&str, &[u8], u32)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content, mode) in entries {
        let options = zip::write::SimpleFileOptions::default().unix_permissions(*mode);
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Compresses as much as gzip can.
pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
