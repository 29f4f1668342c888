//! The limits on the child process. This file is its own child: run with the subcommand it renders, run without it
//! tests. It has no test harness, because a harness writes to the standard output that carries the PDF.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test without harness, which clippy takes for production code"
)]

mod sample;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use sample::{own, permit, templates};
use sekisho_forms::{FormError, Limits, RenderRequest, SUBCOMMAND, child_main, render, render_limited};
use serde_json::{Value, json};

/// A test: its name and what it does with the path of this program.
type Test = (&'static str, fn(&Path));

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(SUBCOMMAND) {
        return match child_main(std::io::stdin().lock(), std::io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let tests: [Test; 7] = [
        ("the child makes the same PDF", same_pdf),
        ("a fault comes back whole", fault_comes_back),
        ("an endless template is stopped", endless_is_stopped),
        ("processor time is limited", processor_time_is_limited),
        ("memory is limited", memory_is_limited),
        ("output is limited", output_is_limited),
        ("a program that cannot speak is the machine's fault", wrong_program),
    ];
    let exe = std::env::current_exe().expect("own path");
    for (name, test) in tests {
        test(&exe);
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

fn request(source: &str) -> RenderRequest {
    RenderRequest { templates: own(source), main: "own".into(), data: json!({}) }
}

fn same_pdf(exe: &Path) {
    let data: Value = serde_json::to_value(permit(3)).expect("json");
    let here = render(&templates(), "take_out", &data).expect("renders");
    let request = RenderRequest { templates: templates(), main: "take_out".into(), data };
    let there = render_limited(exe, &request, &Limits::default()).expect("renders in the child");
    assert_eq!(here, there);
}

fn fault_comes_back(exe: &Path) {
    let error = render_limited(exe, &request("\n#nobody"), &Limits::default()).expect_err("faulty");
    let FormError::Template { faults } = error else { panic!("{error:?}") };
    assert_eq!((faults[0].file.as_str(), faults[0].line), ("own.typ", 2));
}

/// Ends in some hours.
const ENDLESS: &str = "#for a in range(9000000) { for b in range(9000) { let c = a * b } }";

fn endless_is_stopped(exe: &Path) {
    let limits = Limits { wall: Duration::from_secs(1), ..Limits::default() };
    let error = render_limited(exe, &request(ENDLESS), &limits).expect_err("endless");
    assert_eq!(error, FormError::Time { name: "own".into(), seconds: 1 });
    assert!(error.to_string().contains("own.typ") && error.to_string().contains("繰返し"));
}

fn processor_time_is_limited(exe: &Path) {
    let limits = Limits { wall: Duration::from_secs(300), cpu_seconds: 1, ..Limits::default() };
    let error = render_limited(exe, &request(ENDLESS), &limits).expect_err("endless");
    assert_eq!(error.code(), "form.resources");
}

fn memory_is_limited(exe: &Path) {
    // Doubled thirty times: few steps, so that an unoptimized build does not take minutes to fill the memory.
    let hungry = "#{ let a = \"あ\" * 1000\n for i in range(30) { a = a + a }\n a.len() }";
    let limits =
        Limits { wall: Duration::from_secs(300), cpu_seconds: 300, memory_mib: 600, ..Limits::default() };
    let error = render_limited(exe, &request(hungry), &limits).expect_err("3 TB of text");
    assert_eq!(error.code(), "form.resources");
}

fn output_is_limited(exe: &Path) {
    let limits = Limits { output_bytes: 1_000, ..Limits::default() };
    let error = render_limited(exe, &request("関所"), &limits).expect_err("a PDF is longer");
    assert_eq!(error, FormError::Output { name: "own".into(), limit: 1_000 });
}

fn wrong_program(_: &Path) {
    for exe in ["/bin/echo", "/bin/true", "/no/such/program"] {
        let error = render_limited(&PathBuf::from(exe), &request("x"), &Limits::default()).expect_err(exe);
        assert_eq!(error.code(), "form.child", "{exe}");
    }
    let mut answer = Vec::new();
    let error = child_main(&b"no request"[..], &mut answer).expect_err("no request");
    assert_eq!(error.code(), "form.request");
    assert_eq!(serde_json::from_slice::<FormError>(&answer).expect("json"), error);
}
