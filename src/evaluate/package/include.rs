//! Parts of packages that change what is judged and that are not supported: refused by name.

use super::file::Package;
use super::open::Format;

/// Directories whose presence changes what a submission is, or how it is judged.
const REFUSED: [(&str, &str); 3] = [
    ("include", "code that is added to submissions is not supported"),
    ("static_validator", "validators of source code are not supported"),
    ("graders", "graders are not supported"),
];

/// Directories that are of another version, and would be passed over: a validator above all.
const OF_OTHERS: [(&str, &[Format], &str); 2] = [
    ("output_validator", &[Format::Legacy], "put the validator into `output_validators/`"),
    ("output_validators", &[Format::Modern], "name it `output_validator`"),
];

pub(super) fn refuse_parts(package: &mut Package, format: Format) {
    for (name, why) in REFUSED {
        if package.has_entries(name) {
            package.tell(name, why, "");
        }
    }
    for (name, formats, instead) in OF_OTHERS {
        if formats.contains(&format) && package.has_entries(name) {
            package.tell(name, "belongs to another version of the format", instead);
        }
    }
}
