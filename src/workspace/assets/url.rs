//! `file:` urls, RFC 8089: a file of the host, wherever it is.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use super::AssetError;

/// Gives the path of a `file:` url.
///
/// Errors never show the url: what stands behind its scheme may be a secret.
pub(super) fn path(name: &str, url: &str) -> Result<PathBuf, AssetError> {
    let wrong = |problem: &'static str| AssetError::Url { name: name.to_owned(), problem };
    let Some((scheme, rest)) = url.split_once(':') else { return Err(wrong("has no scheme")) };
    match scheme.to_ascii_lowercase().as_str() {
        "file" => {}
        "http" | "https" => return Err(wrong("is one of the network, which this version does not fetch")),
        _ => return Err(wrong("has another scheme than `file`")),
    }
    if rest.contains(['?', '#']) {
        return Err(wrong("has a query or a fragment, which a file has not"));
    }
    let path = match rest.strip_prefix("//") {
        Some(after) => after.strip_prefix("localhost").unwrap_or(after),
        None => rest,
    };
    if !path.starts_with('/') {
        return Err(wrong("has a host, or a path that is not absolute"));
    }
    let bytes = decode(path).ok_or_else(|| wrong("has a `%` without two hex digits, or a NUL"))?;
    Ok(PathBuf::from(OsString::from_vec(bytes)))
}

/// Undoes percent-encoding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            let (digits, behind) = after.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with(['+', '-']))?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = behind;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    (!bytes.contains(&0)).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_url_is_a_path() {
        for (url, expected) in [
            ("file:///a/b.csv", "/a/b.csv"),
            ("file:/a/b.csv", "/a/b.csv"),
            ("FILE://localhost/a", "/a"),
            ("file:///a%20b/%C3%A9", "/a b/é"),
            ("file:///a//../b", "/a//../b"),
        ] {
            assert_eq!(path("x", url).unwrap(), PathBuf::from(expected), "{url}");
        }
    }

    #[test]
    fn other_urls_are_refused_without_being_shown() {
        for (url, why) in [
            ("https://user:hunter2@host/x?signature=hunter2", "network"),
            ("http:hunter2", "network"),
            ("s3://hunter2", "another scheme"),
            ("hunter2", "no scheme"),
            ("file:///a?hunter2", "query"),
            ("file:///a#hunter2", "query"),
            ("file://hunter2/a", "host"),
            ("file:hunter2", "host"),
            ("file:///%0", "hex digits"),
            ("file:///%+1", "hex digits"),
            ("file:///a%00hunter2", "NUL"),
        ] {
            let error = path("x", url).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(why) && !shown.contains("hunter2"), "{url}: {shown}");
        }
    }
}
