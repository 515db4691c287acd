//! Parts of packages that change what is judged and that are not supported: refused by name.

use super::file::Package;

/// Directories whose presence changes what a submission is, or how it is judged.
const REFUSED: [(&str, &str); 3] = [
    ("include", "code that is added to submissions is not supported"),
    ("static_validator", "validators of source code are not supported"),
    ("graders", "graders are not supported"),
];

pub(super) fn refuse_parts(package: &mut Package) {
    for (name, why) in REFUSED {
        let has_entries = package.base.read_dir(name).is_ok_and(|mut entries| entries.next().is_some());
        if has_entries {
            package.tell(name, why, "");
        }
    }
}
