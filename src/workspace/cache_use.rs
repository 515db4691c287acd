//! Marks of what is kept in the cache directory: what is a draft, and when an entry was used.

use std::os::fd::AsFd;

/// What the names of drafts begin with.
pub(crate) const DRAFT: &str = "draft-";

/// Marks a file or a directory as used now. Times of access cannot be relied on: many hosts do not keep them.
pub(crate) fn touch(used: impl AsFd) {
    let now = rustix::fs::Timestamps {
        last_access: rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT },
        last_modification: rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW },
    };
    // Only the order of removal depends on it.
    let _ = rustix::fs::futimens(used, &now);
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn what_is_used_is_the_last_to_go() {
        let temp = tempfile::tempdir().unwrap();
        let file = std::fs::File::create(temp.path().join("file")).unwrap();
        let old = SystemTime::now() - Duration::from_secs(100);
        file.set_modified(old).unwrap();
        touch(&file);
        assert!(file.metadata().unwrap().modified().unwrap() > old + Duration::from_secs(50));
    }
}
