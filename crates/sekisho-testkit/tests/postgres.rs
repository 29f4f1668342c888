//! The private PostgreSQL serves, keeps its databases apart, and ends with whoever started it.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};

/// Tests run in the folder of their crate, wherever it was built.
const SCRIPT: &str = "private-postgres.sh";

/// `postgres://user:password@host:port/name` → (`postgres://user:password@host:port`, `host:port`, `name`).
fn parts(url: &str) -> Option<(&str, &str, &str)> {
    let (base, name) = url.rsplit_once('/')?;
    let (_, address) = base.rsplit_once('@')?;
    Some((base, address, name))
}

fn create(base_url: &str, name: &str) -> std::io::Result<Output> {
    Command::new("sh").args([SCRIPT, "create", base_url, name]).output()
}

#[test]
fn each_call_gives_a_database_of_its_own_on_one_server() {
    let first = sekisho_testkit::postgres_url().unwrap();
    let second = sekisho_testkit::postgres_url().unwrap();
    let (base, address, first_name) = parts(&first).unwrap();
    let (second_base, _, second_name) = parts(&second).unwrap();
    assert_eq!(base, second_base);
    assert_ne!(first_name, second_name);
    TcpStream::connect(address).unwrap();

    let again = create(base, first_name).unwrap();
    assert!(!again.status.success(), "the database {first_name} was not there");
    assert!(String::from_utf8_lossy(&again.stderr).contains("already exists"));
}

#[test]
fn a_server_asks_for_its_password_and_ends_with_its_starter() {
    let folder = std::env::temp_dir().join(format!("sekisho-testkit-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    // The server's user must be able to walk through it.
    let opened = Command::new("chmod").arg("755").arg(&folder).status().unwrap();
    assert!(opened.success());

    let mut child = Command::new("sh")
        .args([SCRIPT, "serve"])
        .env("TMPDIR", &folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim_end().rsplit_once('@').unwrap().1.to_owned();
    TcpStream::connect(&address).unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    let refused = create(&format!("postgres://sekisho:wrong@{address}"), "never_made").unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("authentication failed"));

    drop(child.stdin.take()); // what the operating system does when the starter is killed
    assert!(child.wait().unwrap().success());
    assert!(TcpStream::connect(&address).is_err(), "the server still listens on {address}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "the server's folder is still there");
    std::fs::remove_dir(&folder).unwrap();
}
