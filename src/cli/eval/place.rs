//! Paths with a place for the name of a submission. Names come from whoever handed in: only harmless ones are put in.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use anyhow::Context;
use cap_std::ambient_authority;
use cap_std::fs::Dir;

/// What stands in a path for the name of a submission.
pub(super) const EACH: &str = "{submission}";
/// The longest name that is put into a path, in bytes; a longer one is cut, and its hash put behind it.
const LONGEST: usize = 150;

/// Says whether a path is one for each submission.
pub(super) fn is_each(path: &Path) -> bool {
    path.to_string_lossy().contains(EACH)
}

/// Puts the name of a submission into a path.
pub(super) fn fill(path: &Path, submission: &str) -> PathBuf {
    let name = harmless(submission);
    let part = |component: Component<'_>| match component.as_os_str().to_str() {
        Some(text) => OsString::from(text.replace(EACH, &name)),
        None => component.as_os_str().to_owned(),
    };
    path.components().map(part).collect()
}

/// Makes the directories of a path that its pattern names by submission; those before it must be there.
pub(super) fn make_parents(path: &Path, pattern: &Path) -> anyhow::Result<()> {
    let fixed: PathBuf = pattern.components().take_while(|part| !is_each(Path::new(part))).collect();
    let Some(below) = path.parent().and_then(|parent| parent.strip_prefix(&fixed).ok()) else { return Ok(()) };
    if below.as_os_str().is_empty() {
        return Ok(());
    }
    let made = Dir::open_ambient_dir(&fixed, ambient_authority()).and_then(|dir| dir.create_dir_all(below));
    made.with_context(|| format!("cannot make the directory of `{}`", path.display()))
}

/// Gives the part of a path before the first component that names submissions.
pub(super) fn fixed(path: &Path) -> PathBuf {
    path.components().take_while(|part| !is_each(Path::new(part))).collect()
}

/// Gives the address of a file relative to another; none where they are not below one directory.
pub(super) fn address(from: &Path, to: &Path) -> Option<String> {
    let below = to.strip_prefix(from.parent()?).ok()?;
    let mut address = String::from(".");
    for part in below.components() {
        address.push('/');
        for byte in part.as_os_str().as_encoded_bytes() {
            match byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
                true => address.push(char::from(*byte)),
                false => address += &format!("%{byte:02X}"),
            }
        }
    }
    Some(address)
}

/// Makes a name one harmless component of a path; different names stay different.
fn harmless(name: &str) -> String {
    let mut safe = String::with_capacity(name.len());
    for (at, sign) in name.char_indices() {
        let is_plain = sign.is_alphanumeric() || matches!(sign, '-' | '_') || (sign == '.' && at > 0);
        if is_plain {
            safe.push(sign);
        } else {
            let mut bytes = [0; 4];
            sign.encode_utf8(&mut bytes).bytes().for_each(|byte| safe += &format!("%{byte:02X}"));
        }
    }
    if safe.len() <= LONGEST {
        return safe;
    }
    let cut = (0..=LONGEST).rev().find(|at| safe.is_char_boundary(*at)).unwrap_or_default();
    format!("{}-{}", &safe[..cut], &blake3::hash(name.as_bytes()).to_hex()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_relative_and_escaped() {
        let of = |to: &str| address(Path::new("/out/class.html"), Path::new(to));
        assert_eq!(of("/out/ada/%2E x.html").as_deref(), Some("./ada/%252E%20x.html"));
        assert_eq!(of("/other/x.html"), None);
    }

    #[test]
    fn a_name_cannot_leave_its_place() {
        let filled = |name: &str| fill(Path::new("/out/{submission}/report-{submission}.html"), name);
        assert_eq!(filled("ada"), Path::new("/out/ada/report-ada.html"));
        assert_eq!(filled("../../etc"), Path::new("/out/%2E.%2F..%2Fetc/report-%2E.%2F..%2Fetc.html"));
        assert_eq!(harmless(".x\n"), "%2Ex%0A");
        assert_ne!(harmless("a%2E"), harmless("a."));
        let (long, longer) = ("é".repeat(100), "é".repeat(101));
        assert!(harmless(&long).len() < 200 && harmless(&long) != harmless(&longer));
    }
}
