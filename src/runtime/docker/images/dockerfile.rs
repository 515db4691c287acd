//! What a Dockerfile begins from, so that it is there before the build and counts as one of its inputs.

/// Lists the images that a Dockerfile names after `FROM`, those of its own stages and variables left out.
pub(super) fn bases(text: &str) -> Vec<String> {
    let (mut bases, mut stages): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().filter(|word| !word.starts_with("--")).collect();
        let [from, image, rest @ ..] = words.as_slice() else { continue };
        if !from.eq_ignore_ascii_case("from") {
            continue;
        }
        let is_own = *image == "scratch" || image.contains('$') || stages.iter().any(|stage| stage == image);
        if !is_own && !bases.iter().any(|base| base == image) {
            bases.push((*image).to_owned());
        }
        if let [word, stage] = rest
            && word.eq_ignore_ascii_case("as")
        {
            stages.push((*stage).to_owned());
        }
    }
    bases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_are_found() {
        let text = "# FROM no\nARG V=1\nfrom --platform=linux/amd64 golang:1.22 AS build\nRUN x\n\
                    FROM scratch\nFROM build as next\nFROM python:$V\n  FROM golang:1.22\nFROM debian\nCOPY FROM there\n";
        assert_eq!(bases(text), ["golang:1.22", "debian"]);
    }
}
