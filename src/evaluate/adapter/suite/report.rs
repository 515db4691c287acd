//! What a test program reports, read: JUnit XML or CTRF.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde::Deserialize;

use super::config::ReportForm;

/// The longest report that is read.
pub(super) const MOST: u64 = 64 << 20;

/// One test of a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Test {
    /// The class or file that it is in; may be empty.
    pub(super) class: String,
    pub(super) name: String,
    pub(super) seconds: Option<f64>,
    pub(super) end: End,
    /// What the test program says of a test that did not pass.
    pub(super) message: String,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    #[default]
    Passed,
    Failed,
    /// Something beside the test broke: a fixture.
    Broken,
    Skipped,
}

/// Reads the tests of a report, or says why it is none.
pub(super) fn read(form: ReportForm, text: &str) -> Result<Vec<Test>, String> {
    match form {
        ReportForm::Junit => junit(text),
        ReportForm::Ctrf => ctrf(text),
    }
}

fn junit(text: &str) -> Result<Vec<Test>, String> {
    let wrong = |error: quick_xml::Error| format!("the report is no JUnit XML: {error}");
    let mut reader = Reader::from_str(text);
    let mut tests: Vec<Test> = Vec::new();
    let mut is_open = false;
    loop {
        match reader.read_event().map_err(wrong)? {
            Event::Eof => return Ok(tests),
            Event::Start(tag) if tag.name().as_ref() == b"testcase" => {
                tests.push(test(&tag)?);
                is_open = true;
            }
            Event::Empty(tag) if tag.name().as_ref() == b"testcase" => tests.push(test(&tag)?),
            Event::End(tag) if tag.name().as_ref() == b"testcase" => is_open = false,
            Event::Start(tag) | Event::Empty(tag) if is_open => {
                let end = match tag.name().as_ref() {
                    b"failure" => End::Failed,
                    b"error" => End::Broken,
                    b"skipped" => End::Skipped,
                    _ => continue,
                };
                if let Some(test) = tests.last_mut() {
                    test.end = end;
                    test.message = attribute(&tag, "message")?.unwrap_or_default();
                }
            }
            Event::Start(_)
            | Event::End(_)
            | Event::Empty(_)
            | Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
    }
}

fn test(tag: &BytesStart<'_>) -> Result<Test, String> {
    let seconds = attribute(tag, "time")?.and_then(|time| time.parse().ok());
    let class = attribute(tag, "classname")?.unwrap_or_default();
    let name = attribute(tag, "name")?.ok_or("the report has a test without a name")?;
    Ok(Test { class, name, seconds, ..Test::default() })
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("the report is no JUnit XML: {error}");
    let Some(found) = tag.try_get_attribute(name).map_err(|error| wrong(&error))? else { return Ok(None) };
    let raw = std::str::from_utf8(&found.value).map_err(|error| wrong(&error))?;
    let text = quick_xml::escape::unescape(raw).map_err(|error| wrong(&error))?;
    Ok(Some(text.into_owned()))
}

#[derive(Deserialize)]
struct Ctrf {
    results: CtrfResults,
}

#[derive(Deserialize)]
struct CtrfResults {
    tests: Vec<CtrfTest>,
}

#[derive(Deserialize)]
struct CtrfTest {
    name: String,
    status: String,
    /// In milliseconds.
    #[serde(default)]
    duration: Option<f64>,
    #[serde(default)]
    suite: Option<serde_json::Value>,
    #[serde(default)]
    message: Option<String>,
}

fn ctrf(text: &str) -> Result<Vec<Test>, String> {
    let report: Ctrf = serde_json::from_str(text).map_err(|error| format!("the report is no CTRF: {error}"))?;
    let one = |test: CtrfTest| {
        let end = match test.status.as_str() {
            "passed" => End::Passed,
            "failed" => End::Failed,
            "skipped" | "pending" => End::Skipped,
            _ => End::Broken,
        };
        let class = test.suite.and_then(|suite| suite.as_str().map(str::to_owned)).unwrap_or_default();
        let seconds = test.duration.map(|milliseconds| milliseconds / 1e3);
        Test { class, name: test.name, seconds, end, message: test.message.unwrap_or_default() }
    };
    Ok(report.results.tests.into_iter().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junit_is_read() {
        let text = r#"<?xml version="1.0"?><testsuites><testsuite name="pytest">
            <testcase classname="t.test_a" name="test_x[1&lt;2]" time="0.25" />
            <testcase classname="t.test_a" name="b"><failure message="assert 1 == 2">trace</failure></testcase>
            <testcase classname="t.test_a" name="c"><error message="fixture"/></testcase>
            <testcase classname="t.test_a" name="d"><skipped message="why"/></testcase></testsuite></testsuites>"#;
        let tests = read(ReportForm::Junit, text).unwrap();
        let ends: Vec<End> = tests.iter().map(|test| test.end).collect();
        assert_eq!(ends, [End::Passed, End::Failed, End::Broken, End::Skipped]);
        assert_eq!((tests[0].name.as_str(), tests[0].seconds), ("test_x[1<2]", Some(0.25)));
        assert_eq!(tests[1].message, "assert 1 == 2");
        assert!(read(ReportForm::Junit, "<a><b></a>").is_err());
    }

    #[test]
    fn ctrf_is_read() {
        let text = r#"{"results": {"tool": {"name": "x"}, "tests": [
            {"name": "a", "status": "passed", "duration": 250}, {"name": "b", "status": "failed", "message": "no"},
            {"name": "c", "status": "skipped"}, {"name": "d", "status": "other"}]}}"#;
        let tests = read(ReportForm::Ctrf, text).unwrap();
        let ends: Vec<End> = tests.iter().map(|test| test.end).collect();
        assert_eq!(ends, [End::Passed, End::Failed, End::Skipped, End::Broken]);
        assert_eq!(tests[0].seconds, Some(0.25));
        assert!(read(ReportForm::Ctrf, "{}").is_err());
    }
}
