//! Evaluation in containers: servers at addresses of their own, compilations that an image decides on.

#![expect(clippy::print_stdout, reason = "a skip is printed with its reason")]

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick::evaluate::{Evaluation, Evidence, RunOptions, Start, Verdict};
use bailiwick::spec::load;
use bailiwick::{Host, RuntimeRegistry};

use crate::support::{Place, Run};

/// The image of `tests/data/docker/images.sh`.
const SPEC: &str = "
type: docker
name: t
docker: {image: 'bailiwick-test/python:latest', pull: never}
commands: {entry_file: '{entry_file}.py', command: python3}
";

const SERVER: &str = r#"
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/die": os._exit(3)
        body = os.environ["PORT"].encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"#;

/// Judges in a container; none where there is no engine, or not the image.
async fn judged(place: &Place) -> Option<Run> {
    let mut host = Host::from_env(BTreeMap::new());
    host.dirs.temp = Some(place.path("temp"));
    host.dirs.base = Some(place.path("base"));
    host.dirs.cache = Some(place.path("cache"));
    let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
    let spec = load(&place.spec, "spec", &registry).unwrap().spec;
    let builder = Evaluation::builder(&registry, spec, Arc::new(place.suite().unwrap()));
    let prepared = builder.submission(place.path("submission")).start(Start::Entry(None)).prepare().await;
    let evaluation = match prepared {
        Ok(evaluation) => evaluation,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}: {:?}", error.hint());
            println!("skipped: {error}");
            return None;
        }
    };
    let journal = place.journal(&evaluation);
    let results = evaluation.run(RunOptions::jobs(2), journal, Arc::new(()), std::future::pending()).await.unwrap();
    place.is_clean(&registry).await;
    Some(Run { results })
}

fn place(cases: &str, script: &str) -> Place {
    let place = Place { spec: SPEC.to_owned(), ..Place::new(cases, "") };
    std::fs::remove_file(place.path("submission/main.sh")).unwrap();
    place.write("submission/main.py", script);
    place
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_has_an_address_of_its_own() {
    let cases = "
adapter: http
cases:
  - {id: port, expect: {body: {check: regex, text: '^[0-9]+$'}}}
  - {id: die, group: other, request: {path: /die}}
  - {id: gone, group: other}
";
    let Some(run) = judged(&place(cases, SERVER)).await else { return };
    run.expect(&[("port", Verdict::Ac), ("die", Verdict::Rte), ("gone", Verdict::Rte)]);
    let Evidence::NoAnswer { message } = &run.record("die").facts[0].evidence else { panic!() };
    assert!(message.contains("exited with code 3"), "{message}");
    let end = judged(&place(cases, "raise SystemExit(4)\n")).await.unwrap();
    end.expect(&[("port", Verdict::Rte), ("die", Verdict::Rte), ("gone", Verdict::Rte)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compilation_is_kept_for_as_long_as_its_image_and_its_command_are_the_same() {
    let cases = "cases: [{id: a, expect: {stdout: \"notes made\\n\"}}]";
    let place = place(cases, "print(open('notes').read(), open('made').read())\n");
    place.write("submission/notes", "notes");
    place.write("submission/one.src", "x");
    let compile = "compile: {command: 'ls -a; test ! -e notes && printf made > made', sources: ['*.src']}\n";
    let place = place.with_spec(compile);
    let Some(run) = judged(&place).await else { return };
    run.expect(&[("a", Verdict::Ac)]);
    assert!(run.results.facts().compile.is_some());
    assert!(judged(&place).await.unwrap().results.facts().compile.is_none(), "the same image compiles the same");
    let place = place.with_spec("environment: {env: {LEVEL: '2'}}\n");
    assert!(judged(&place).await.unwrap().results.facts().compile.is_some(), "its variables are others");
}
