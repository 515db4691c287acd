//! Source files as the rules see them: code without comments and texts, the texts apart, the tests cut off.

use std::path::{Path, PathBuf};

/// One file of source.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path below the root that was asked for, with `/`.
    pub(crate) path: String,
    /// How many lines it has, tests counted.
    pub(crate) lines: usize,
    /// The code before the tests; comments are gone and every text is `""`.
    pub(crate) code: String,
    /// The texts of that code, each with its line.
    pub(crate) texts: Vec<(usize, String)>,
}

/// Reads every Rust file below a directory of the repository, in order of path.
pub(crate) fn sources(root: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.sort();
    paths.iter().map(|path| Source::read(&root, path)).collect()
}

fn collect(dir: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

impl Source {
    fn read(root: &Path, path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let path = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        Self::parse(path, &text)
    }

    pub(crate) fn parse(path: String, text: &str) -> Self {
        let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
        let (code, texts) = strip(&text[..end]);
        Self { path, lines: text.lines().count(), code, texts }
    }

    /// Gives the names of the modules that the file stands in: `runtime/wasi/run.rs` is `[runtime, wasi, run]`.
    pub(crate) fn modules(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.path.trim_end_matches(".rs").split('/').collect();
        if matches!(names.last(), Some(&"mod" | &"lib" | &"main")) {
            names.pop();
        }
        names
    }

    /// Lists the paths into the crate that the code names, from the crate's root: `crate::spec::Mode` is `[spec, Mode]`.
    ///
    /// `use` trees are spelled out, and `super` is followed.
    pub(crate) fn crate_paths(&self) -> Vec<Vec<String>> {
        let tokens = tokens(&self.code);
        let mut found = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let begins = at == 0 || tokens[at - 1] != "::";
            let prefix = match tokens[at] {
                "crate" if begins => Some(Vec::new()),
                "super" if begins => Some(self.above(1)),
                _ => None,
            };
            at += 1;
            let Some(mut prefix) = prefix else { continue };
            while tokens.get(at) == Some(&"::") && tokens.get(at + 1) == Some(&"super") {
                prefix.pop();
                at += 2;
            }
            if tokens.get(at) == Some(&"::") {
                at = tree(&tokens, at + 1, &prefix, &mut found);
            }
        }
        found
    }

    fn above(&self, levels: usize) -> Vec<String> {
        let mut names: Vec<String> = self.modules().into_iter().map(str::to_owned).collect();
        names.truncate(names.len().saturating_sub(levels));
        names
    }

    /// Says whether the code has this word, as a word.
    pub(crate) fn names(&self, word: &str) -> bool {
        tokens(&self.code).contains(&word)
    }
}

/// Reads what stands behind `::`, and gives where it ends.
fn tree(tokens: &[&str], mut at: usize, prefix: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match tokens.get(at) {
            Some(&"{") => {
                at += 1;
                while let Some(token) = tokens.get(at).filter(|token| **token != "}") {
                    at = if *token == "," { at + 1 } else { tree(tokens, at, &path, found) };
                }
                return at + 1;
            }
            Some(word) => {
                path.push((*word).to_owned());
                at += 1;
            }
            None => return at,
        }
        if tokens.get(at) != Some(&"::") {
            break;
        }
        at += 1;
    }
    found.push(path);
    // `as name` belongs to the tree that it renames.
    if tokens.get(at) == Some(&"as") { at + 2 } else { at }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Splits code into words, `::` and single signs.
pub(crate) fn tokens(code: &str) -> Vec<&str> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let begin = at;
        at += 1;
        if is_word(bytes[begin]) {
            while at < bytes.len() && is_word(bytes[at]) {
                at += 1;
            }
        } else if bytes[begin..].starts_with(b"::") {
            at += 1;
        } else if bytes[begin].is_ascii_whitespace() || !bytes[begin].is_ascii() {
            continue;
        }
        found.push(&code[begin..at]);
    }
    found
}

/// Takes comments out of code, and texts apart.
fn strip(text: &str) -> (String, Vec<(usize, String)>) {
    let bytes = text.as_bytes();
    let (mut code, mut texts) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let line = || 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count();
        if rest.starts_with(b"//") {
            at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        } else if rest.starts_with(b"/*") {
            at += text[at..].find("*/").map_or(rest.len(), |end| end + 2);
        } else if let Some(hashes) = raw_text(text, at) {
            let begin = at + 2 + hashes;
            let close = format!("\"{}", "#".repeat(hashes));
            let end = begin + text[begin..].find(&close).unwrap();
            texts.push((line(), text[begin..end].to_owned()));
            code.extend_from_slice(b"\"\"");
            at = end + close.len();
        } else if rest[0] == b'"' {
            let end = closing(bytes, at + 1, b'"');
            texts.push((line(), text[at + 1..end].to_owned()));
            code.extend_from_slice(b"\"\"");
            at = end + 1;
        } else if let Some(end) = character(text, at) {
            code.push(b'0');
            at = end;
        } else {
            code.push(rest[0]);
            at += 1;
        }
    }
    (String::from_utf8(code).unwrap(), texts)
}

fn closing(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at
}

fn raw_text(text: &str, at: usize) -> Option<usize> {
    let before = at.checked_sub(1).map(|before| text.as_bytes()[before]);
    if before.is_some_and(|byte| is_word(byte) && byte != b'b') {
        return None;
    }
    let rest = text[at..].strip_prefix('r')?;
    let hashes = rest.bytes().take_while(|byte| *byte == b'#').count();
    rest[hashes..].starts_with('"').then_some(hashes)
}

/// Gives the end of a character literal; a lifetime is none.
fn character(text: &str, at: usize) -> Option<usize> {
    let mut inside = text[at..].strip_prefix('\'')?.chars();
    match inside.next()? {
        '\\' => Some(closing(text.as_bytes(), at + 1, b'\'') + 1),
        one => (inside.next()? == '\'').then(|| at + 2 + one.len_utf8()),
    }
}
