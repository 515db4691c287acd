//! Archives: what is accepted is what another reader finds.

use std::fs::{self, File};

use bailiwick::{Archive, ArchiveFormat, ArchiveRules};

use super::driver::run;
use super::readers::{by_library, by_us};

#[test]
fn archives() {
    let words: [&[u8]; 8] = [
        b"ustar\x0000",
        b"0000644\0",
        b"../",
        b"/",
        &[0; 512],
        b"30 mtime=1700000000.123456789\n",
        b"12 path=../x\n",
        b"PK\x03\x04",
    ];
    let temp = tempfile::tempdir().unwrap();
    let (path, to) = (temp.path().join("archive"), temp.path().join("to"));
    run("archives", &words, |input, chance| {
        let mut input = input.to_vec();
        if chance.below(4) > 0 {
            mend_checksums(&mut input);
        }
        fs::write(&path, &input).unwrap();
        let Ok(archive) = Archive::open(File::open(&path).unwrap(), ArchiveRules::snapshot()) else { return };
        let mut ours = by_us(&archive, &to);
        fs::remove_dir_all(&to).unwrap();
        if archive.format() == ArchiveFormat::Tar {
            let theirs = by_library(&input).unwrap();
            // Directories that are only implied are entries of ours alone.
            ours.retain(|path, (kind, ..)| *kind != 'd' || theirs.contains_key(path));
            assert_eq!(theirs, ours);
        }
    });
}

/// Makes the checksums right again, so that what was changed is looked at.
fn mend_checksums(bytes: &mut [u8]) {
    for block in bytes.chunks_mut(512).filter(|block| block.len() == 512 && block[257..262] == *b"ustar") {
        block[148..156].copy_from_slice(b"        ");
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}
