//! What every page has: its head with the policy that lets nothing in, and the way text gets into it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::super::words::harmless_lines;
use crate::evaluate::Verdict;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Gives the beginning of a page, as far as its first heading.
///
/// The policy allows the style and the script of this very page, by their hashes, and nothing else: neither addresses
/// nor scripts and styles that got into the page.
pub(super) fn head(title: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{}'; \
         script-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        hash(STYLE),
        hash(SCRIPT),
        text(title)
    )
}

/// Gives the end of a page.
pub(super) fn foot() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("<p class=\"dim\">bailiwick {version}</p>\n<script>{SCRIPT}</script>\n</body>\n</html>\n")
}

fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

/// Makes any text harmless between tags and in quoted attributes.
pub(super) fn text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in harmless_lines(text).chars() {
        match sign {
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '&' => safe += "&amp;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            sign => safe.push(sign),
        }
    }
    safe
}

/// Gives the head of a table; columns that begin with `#` hold numbers.
pub(super) fn columns(names: &[&str]) -> String {
    let mut row = String::from("<thead><tr>");
    for name in names {
        let _ = match name.strip_prefix('#') {
            Some(name) => write!(row, "<th scope=\"col\" class=\"n\">{name}</th>"),
            None => write!(row, "<th scope=\"col\">{name}</th>"),
        };
    }
    row + "</tr></thead>\n"
}

/// Gives the filters above a table: a text, and a choice for each kind of value.
pub(super) fn filters(choices: &[(&str, &str, &[&str])]) -> String {
    let mut form = String::from(
        "<div class=\"filters\" role=\"search\" hidden><label>Search<input type=\"search\" autocomplete=\"off\"></label>\n",
    );
    for (name, label, values) in choices {
        let _ = write!(form, "<label>{label}<select name=\"{name}\"><option value=\"\">all</option>");
        for value in *values {
            let _ = write!(form, "<option value=\"{0}\">{0}</option>", text(value));
        }
        form += "</select></label>\n";
    }
    form + "<span id=\"shown\" role=\"status\" class=\"dim\"></span></div>\n"
}

/// Gives the counts of verdicts as a list.
pub(super) fn tally<'a>(verdicts: impl Iterator<Item = (&'a Verdict, &'a usize)>) -> String {
    verdicts.map(|(verdict, count)| format!("<li><span class=\"v {verdict}\">{verdict}</span> {count}</li>")).collect()
}

/// Gives a number of bytes with its unit.
pub(super) fn bytes(bytes: u64) -> String {
    crate::spec::ByteSize(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_guest_is_text() {
        assert_eq!(text("<a href='x'>&\"\x1b"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\\u{1b}");
    }

    #[test]
    fn the_policy_names_what_the_page_holds_and_nothing_else() {
        let page = head("x") + &foot();
        for (tag, policy) in [("style", "style-src"), ("script", "script-src")] {
            let (_, rest) = page.split_once(&format!("<{tag}>")).unwrap();
            let (content, _) = rest.split_once(&format!("</{tag}>")).unwrap();
            assert!(page.contains(&format!("{policy} 'sha256-{}'", hash(content))), "{tag}");
            assert_eq!(page.matches(&format!("<{tag}")).count(), 1);
        }
        assert!(page.contains("default-src 'none'") && !page.contains("http:") && !page.contains("https:"));
        assert!(!page.contains("unsafe-inline"));
    }
}
