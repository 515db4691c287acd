//! The time limit of a legacy package, which its format has no key for: where judging systems keep it beside the rest.

use super::file::Package;
use super::limits::is_amount;

/// A file with nothing but the seconds.
const PLAIN: &str = ".timelimit";
/// The settings that one judging system adds to a package.
const SETTINGS: &str = "domjudge-problem.ini";

/// Gives the seconds of `.timelimit`, else of `domjudge-problem.ini`; none where the package has neither.
pub(super) fn time_limit(package: &mut Package) -> Option<f64> {
    let (file, text) = if package.has_file(PLAIN) {
        (PLAIN, package.text(PLAIN)?.trim().to_owned())
    } else if package.has_file(SETTINGS) {
        (SETTINGS, setting(&package.text(SETTINGS)?)?.to_owned())
    } else {
        return None;
    };
    let seconds = text.parse().ok().filter(|seconds| is_amount(*seconds));
    if seconds.is_none() {
        package.tell(file, "holds no number of seconds", "write it as `2` or `1.5`");
    }
    seconds
}

/// Finds `timelimit = 2` or `timelimit='2'`.
fn setting(text: &str) -> Option<&str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "timelimit").then(|| value.trim().trim_matches(['\'', '"']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_found() {
        assert_eq!(setting("name=x\n timelimit = '1.5'\r\n"), Some("1.5"));
        assert_eq!(setting("xtimelimit=2\n; timelimit\n"), None);
    }
}
