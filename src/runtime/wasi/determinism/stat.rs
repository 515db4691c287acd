//! The attributes of a file without what the host puts in: inode, times, and the sizes and links of directories.

/// The bytes of a `filestat`.
pub(super) const SIZE: usize = 64;
/// The device that the library gives files; streams have another.
const FILES: u64 = 1;
/// A directory, as preview 1 numbers file types.
const DIRECTORY: u8 = 3;

/// Puts fixed values where the host's stand: `device 8, inode 8, type 1, padding 7, links 8, size 8, three times`.
pub(super) fn fix(stat: &mut [u8; SIZE], inode: u64, time: u64) {
    stat[17..24].fill(0);
    if u64_at(stat, 0) != FILES {
        return;
    }
    put(stat, 8, inode);
    if stat[16] == DIRECTORY {
        // File systems count links and sizes of directories in their own ways.
        put(stat, 24, 1);
        put(stat, 32, 0);
    }
    for at in [40, 48, 56] {
        put(stat, at, time);
    }
}

fn u64_at(bytes: &[u8; SIZE], at: usize) -> u64 {
    bytes[at..].first_chunk().copied().map(u64::from_le_bytes).unwrap_or_default()
}

fn put(bytes: &mut [u8; SIZE], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_file_only_its_type_links_and_size_stay() {
        let mut stat = [0xaa; SIZE];
        put(&mut stat, 0, FILES);
        stat[16] = 4;
        let before = stat;
        fix(&mut stat, 7, 9);
        assert_eq!((u64_at(&stat, 8), u64_at(&stat, 40), u64_at(&stat, 48), u64_at(&stat, 56)), (7, 9, 9, 9));
        assert_eq!((&stat[17..24], &stat[24..40]), (&[0; 7][..], &before[24..40]));
        stat[16] = DIRECTORY;
        fix(&mut stat, 7, 9);
        assert_eq!((u64_at(&stat, 24), u64_at(&stat, 32)), (1, 0));
    }
}
