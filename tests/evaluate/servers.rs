//! The adapter `http`: a server a group, asked by the cases in their order.

use bailiwick::evaluate::{Evidence, RunOptions, Verdict};

use crate::support::Place;

const SPEC: &str = "
type: local
name: python
commands: {entry_file: '{entry_file}.py', command: python3}
";

const SERVER: &str = r#"
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
items = []
class Handler(BaseHTTPRequestHandler):
    def answer(self, status, body=b"", kind="text/plain"):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        if self.path == "/die": os._exit(3)
        if self.path == "/slow": time.sleep(30)
        if self.path == "/cut": self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab"); return
        if self.path == "/missing": return self.answer(404)
        self.answer(200, json.dumps(items).encode(), "application/json")
    def do_POST(self):
        items.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        print("kept one", flush=True)
        self.answer(201)
HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"#;

fn place(cases: &str, server: &str) -> Place {
    let mut place = Place::new(&format!("adapter: http\n{cases}"), "");
    place.spec = SPEC.to_owned();
    std::fs::remove_file(place.path("submission/main.sh")).unwrap();
    place.write("submission/main.py", server);
    place
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_asks_one_server() {
    let cases = r#"
defaults: {limits: {wall_time: 5s}}
cases:
  - {id: empty, expect: {body: {check: json, equal: []}, headers: {Content-Type: application/json}}}
  - {id: add, request: {method: POST, path: /items, body: {json: {n: 1}}}, expect: {status: 201}}
  - {id: kept, expect: {body: {check: json, equal: [{n: 1}]}}}
  - {id: other, group: other, expect: {body: {check: json, equal: []}}}
  - {id: missing, request: {path: /missing}, expect: {status: 404}}
  - {id: status, request: {path: /missing}}
  - {id: header, expect: {headers: {x-none: y}}}
  - id: steps
    steps:
      - {request: {method: POST, path: /items, body: {json: 2}}, expect: {status: any}}
      - {expect: {body: {check: json, equal: [{n: 1}, 2]}}}
"#;
    for jobs in [1, 4] {
        let run = place(cases, SERVER).judge_with(RunOptions::jobs(jobs)).await;
        run.expect(&[
            ("empty", Verdict::Ac),
            ("add", Verdict::Ac),
            ("kept", Verdict::Ac),
            ("other", Verdict::Ac),
            ("missing", Verdict::Ac),
            ("status", Verdict::Wa),
            ("header", Verdict::Wa),
            ("steps", Verdict::Ac),
        ]);
        let printed = run.record("add").steps[0].stdout.clone().map(|stream| stream.shown()).unwrap_or_default();
        assert!(
            printed.contains("kept one")
                || run.records().iter().any(|record| {
                    record
                        .steps
                        .iter()
                        .any(|step| step.stdout.as_ref().is_some_and(|out| out.shown().contains("kept one")))
                }),
            "what a server prints is kept"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_hangs_or_lies_has_its_verdict() {
    let cases = r#"
defaults: {limits: {wall_time: 1s}}
cases:
  - {id: slow, group: slow, request: {path: /slow}}
  - {id: die, group: die, request: {path: /die}}
  - {id: after, group: die}
  - {id: cut, group: cut, request: {path: /cut}}
"#;
    let run = place(cases, SERVER).judge().await;
    run.expect(&[("slow", Verdict::Tle), ("die", Verdict::Rte), ("after", Verdict::Rte), ("cut", Verdict::Rte)]);
    let Evidence::NoAnswer { message } = &run.record("die").facts[0].evidence else { panic!() };
    assert!(message.contains("exited with code 3"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_never_answers_is_late_or_dead() {
    let cases = "http: {ready_time: 500ms}\ncases: [{id: a}]\n";
    place(cases, "import time\ntime.sleep(60)\n").judge().await.expect(&[("a", Verdict::Tle)]);
    place(cases, "raise SystemExit(4)\n").judge().await.expect(&[("a", Verdict::Rte)]);
    place(cases, "this is no python\n").judge().await.expect(&[("a", Verdict::Rte)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_port_stands_where_the_suite_puts_it() {
    let server = SERVER.replace("os.environ[\"HOST\"], int(os.environ[\"PORT\"])", "sys.argv[2], int(sys.argv[1])");
    let cases = "http: {args: ['${port}', '${address}'], ready_path: /missing}\ncases: [{id: a}]\n";
    place(cases, &server).judge().await.expect(&[("a", Verdict::Ac)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_server_is_alive_afterwards() {
    let server = format!(
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)', 'canary-{}'])\n{SERVER}",
        std::process::id()
    );
    place("cases: [{id: a}]\n", &server).judge().await.expect(&[("a", Verdict::Ac)]);
    let canary = format!("canary-{}", std::process::id());
    let alive =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    assert!(!alive.into_iter().any(|line| String::from_utf8_lossy(&line).contains(&canary)));
}

/// Waits for the port that a submission writes to a file, and listens there in its place, with answers that are right.
fn usurp(told: std::path::PathBuf) -> std::thread::JoinHandle<u32> {
    use std::io::{Read as _, Write as _};
    std::thread::spawn(move || {
        let mut served = 0;
        loop {
            let Ok(port) = std::fs::read_to_string(&told).unwrap_or_default().trim().parse::<u16>() else {
                if told.with_extension("over").exists() {
                    return served;
                }
                std::thread::yield_now();
                continue;
            };
            let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
            std::fs::rename(&told, told.with_extension("taken")).unwrap();
            listener.set_nonblocking(true).unwrap();
            while !told.exists() && !told.with_extension("over").exists() {
                let Ok((mut stream, _)) = listener.accept() else {
                    std::thread::yield_now();
                    continue;
                };
                served += 1;
                stream.set_nonblocking(false).unwrap();
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nright");
                let _ = stream.read(&mut [0; 4096]);
            }
        }
    })
}

/// A server that lets somebody else have its port first, so often.
fn late_server(told: &std::path::Path, times: u32) -> String {
    let told = told.display();
    format!(
        r#"
import os, time
told, count = "{told}", "{told}.count"
done = len(open(count).read()) if os.path.exists(count) else 0
open(count, "a").write("x")
if done < {times}:
    open(told + ".new", "w").write(os.environ["PORT"])
    os.rename(told + ".new", told)
    while os.path.exists(told): time.sleep(0.001)
{SERVER}
"#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_somebody_else_takes_first_is_given_up_for_another_one() {
    let place = Place::new("adapter: http\ncases: [{id: a, expect: {body: '[]'}}]", "");
    let told = place.path("told");
    let usurper = usurp(told.clone());
    let place = Place { spec: SPEC.to_owned(), ..place };
    std::fs::remove_file(place.path("submission/main.sh")).unwrap();
    place.write("submission/main.py", &late_server(&told, 2));
    let run = place.judge().await;
    place.write("told.over", "");
    usurper.join().unwrap();
    run.expect(&[("a", Verdict::Ac)]);
    assert_eq!(std::fs::read_to_string(place.path("told.count")).unwrap().len(), 3, "two ports were lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_is_never_taken_for_the_submission() {
    let place = Place::new("adapter: http\ncases: [{id: a, expect: {body: right}}, {id: b}]", "");
    let told = place.path("told");
    let usurper = usurp(told.clone());
    let place = Place { spec: SPEC.to_owned(), ..place };
    std::fs::remove_file(place.path("submission/main.sh")).unwrap();
    // It lives on, and listens nowhere.
    let server = late_server(&told, 1000).replace(SERVER, "time.sleep(60)");
    place.write("submission/main.py", &server);
    let run = place.judge().await;
    place.write("told.over", "");
    assert!(usurper.join().unwrap() > 0, "somebody was asked");
    run.expect(&[("a", Verdict::Rte), ("b", Verdict::Rte)]);
    let Evidence::NoAnswer { message } = &run.record("a").facts[0].evidence else { panic!() };
    assert!(message.contains("another process than the submission"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_a_server_lets_go_of_is_not_its_own_any_more() {
    let place = Place::new(
        "adapter: http\ncases: [{id: a, expect: {body: '[]'}}, {id: b, request: {path: /leave}, expect: {body: any}}, {id: c, expect: {body: right}}]",
        "",
    );
    let told = place.path("told");
    let usurper = usurp(told.clone());
    let place = Place { spec: SPEC.to_owned(), ..place };
    std::fs::remove_file(place.path("submission/main.sh")).unwrap();
    let leave = format!(
        r#"
        if self.path == "/leave":
            server.socket.close()
            open("{0}.new", "w").write(os.environ["PORT"])
            os.rename("{0}.new", "{0}")
            while os.path.exists("{0}"): time.sleep(0.001)
            self.answer(200, b"left")
            self.wfile.flush()
            self.connection.close()
            time.sleep(60)
        if self.path == "/die""#,
        told.display()
    );
    let server = SERVER.replace("\n        if self.path == \"/die\"", &leave);
    let server = server.replace("HTTPServer((os", "server = HTTPServer((os");
    let server = server.replace("Handler).serve_forever()", "Handler)\nserver.serve_forever()");
    place.write("submission/main.py", &server);
    let run = place.judge_with(RunOptions::jobs(1)).await;
    place.write("told.over", "");
    usurper.join().unwrap();
    run.expect(&[("a", Verdict::Ac), ("b", Verdict::Ac), ("c", Verdict::Rte)]);
    let Evidence::NoAnswer { message } = &run.record("c").facts[0].evidence else { panic!() };
    assert!(message.contains("another process than the submission"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_serves_is_the_submission() {
    let server = format!(
        "import os\nif os.fork():\n    os.wait()\nelse:\n    os.setsid()\n    if os.fork(): os._exit(0)\n{}",
        SERVER.replace('\n', "\n    ")
    );
    // Its grandchild has a session of its own and no parent left; the first process waits for nobody, and stays.
    let server = server.replace("    os.wait()\n", "    os.wait(); __import__('time').sleep(60)\n");
    place("cases: [{id: a, expect: {body: '[]'}}]\n", &server).judge().await.expect(&[("a", Verdict::Ac)]);
}
