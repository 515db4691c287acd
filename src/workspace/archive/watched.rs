//! Telling one who watches how far an archive is, and hearing whether to stop.

use std::ops::ControlFlow;

use super::super::WorkspaceError;
use super::super::snapshot::{SnapshotProgress, Watch};

/// The watch over one pass, if there is one, and what was done so far.
#[derive(Default)]
pub(super) struct Watched<'w> {
    watch: Option<Watch<'w>>,
    done: SnapshotProgress,
}

impl<'w> Watched<'w> {
    pub(super) fn by(watch: Watch<'w>) -> Self {
        Self { watch: Some(watch), done: SnapshotProgress::default() }
    }

    /// One more entry is about to be done.
    pub(super) fn entry(&mut self) -> Result<(), WorkspaceError> {
        self.done.entries += 1;
        self.tell()
    }

    /// So many more bytes of a file are done: one file may be as long as the bounds allow.
    pub(super) fn bytes(&mut self, count: usize) -> Result<(), WorkspaceError> {
        self.done.bytes += count as u64;
        self.tell()
    }

    fn tell(&mut self) -> Result<(), WorkspaceError> {
        match self.watch.as_mut().map_or(ControlFlow::Continue(()), |watch| watch(self.done)) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(WorkspaceError::Stopped),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::super::super::{Bounds, Capture, Globs, scan};
    use super::super::{Archive, ArchiveError, ArchiveFormat, ArchiveRules, pack};
    use super::*;
    use cap_std::ambient_authority;
    use cap_std::fs::Dir;

    fn stops_after(most: u64, asked: &mut u64) -> impl FnMut(SnapshotProgress) -> ControlFlow<()> {
        move |_| {
            *asked += 1;
            if *asked > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }

    fn archive(format: ArchiveFormat) -> (tempfile::TempDir, Dir, File) {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        dir.create_dir_all("tree/inside").unwrap();
        dir.write("tree/inside/long", vec![7; 600_000]).unwrap();
        dir.symlink("long", "tree/inside/link").unwrap();
        let tree = dir.open_dir("tree").unwrap();
        let manifest = scan(&tree, &Capture::All, None, Bounds::default()).unwrap().manifest;
        let file = pack(&manifest, &tree, format, dir.create("archive").unwrap().into_std()).unwrap();
        drop(file);
        let file = dir.open("archive").unwrap().into_std();
        (temp, dir, file)
    }

    fn is_stopped<T>(result: &Result<T, ArchiveError>) -> bool {
        matches!(result, Err(ArchiveError::Workspace(WorkspaceError::Stopped)))
    }

    #[test]
    fn whoever_watches_stops_the_reading_and_the_unpacking_at_any_time() {
        for format in [ArchiveFormat::Tar, ArchiveFormat::TarZst] {
            let (_temp, dir, file) = archive(format);
            let open = |most, asked: &mut u64| {
                let file = file.try_clone().unwrap();
                Archive::open_watched(file, ArchiveRules::snapshot(), &mut stops_after(most, asked))
            };
            let mut asks = 0;
            let opened = open(u64::MAX, &mut asks).unwrap();
            // Within the long file too, and not only between two members.
            assert!(asks > 6, "asked {asks} times");
            for most in 0..asks {
                let mut asked = 0;
                assert!(is_stopped(&open(most, &mut asked)) && asked == most + 1, "{most} of {asks}");
            }
            let unpack = |name: String, most, asked: &mut u64| {
                dir.create_dir(&name).unwrap();
                let to = dir.open_dir(&name).unwrap();
                opened.unpack_watched(&to, &Globs::default(), &mut stops_after(most, asked))
            };
            let mut asks = 0;
            let report = unpack("whole".to_owned(), u64::MAX, &mut asks).unwrap();
            assert_eq!((report.files, report.links, report.bytes), (1, 1, 600_000));
            assert!(asks > 6, "asked {asks} times");
            for most in 0..asks {
                let mut asked = 0;
                let stopped = unpack(format!("part-{most}"), most, &mut asked);
                assert!(is_stopped(&stopped) && asked == most + 1, "{most} of {asks}");
            }
        }
    }
}
