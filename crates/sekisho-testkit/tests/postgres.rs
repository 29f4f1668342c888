//! The private PostgreSQL serves, keeps its databases apart, and ends with whoever started it.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use sqlx::{Connection as _, PgConnection, Row as _};

/// Tests run in the folder of their crate, wherever it was built.
const SCRIPT: &str = "private-postgres.sh";

/// `postgres://user:password@host:port/name` → (`postgres://user:password@host:port`, `host:port`, `name`).
fn parts(url: &str) -> Option<(&str, &str, &str)> {
    let (base, name) = url.rsplit_once('/')?;
    let (_, address) = base.rsplit_once('@')?;
    Some((base, address, name))
}

/// Runs statements in a database.
async fn run(url: &str, sql: &'static str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(sql).execute(&mut connection).await?;
    connection.close().await
}

#[tokio::test]
async fn each_call_gives_a_database_of_its_own_on_one_server() {
    let first = sekisho_testkit::postgres_url().unwrap();
    let second = sekisho_testkit::postgres_url().unwrap();
    let (base, address, first_name) = parts(&first).unwrap();
    let (second_base, _, second_name) = parts(&second).unwrap();
    assert_eq!(base, second_base);
    assert_ne!(first_name, second_name);
    TcpStream::connect(address).unwrap();
    run(&first, "CREATE TABLE mine (n INT)").await.unwrap();
    run(&second, "CREATE TABLE mine (n INT)").await.unwrap();
}

#[tokio::test]
async fn a_copy_holds_what_its_original_held_and_is_its_own() {
    let original = sekisho_testkit::postgres_url().unwrap();
    run(&original, "CREATE TABLE kept AS SELECT 7 AS n").await.unwrap();
    let copy = sekisho_testkit::postgres_copy(&original).unwrap();
    run(&copy, "UPDATE kept SET n = 8").await.unwrap();
    for (url, n) in [(&original, 7), (&copy, 8)] {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let row = sqlx::query("SELECT n FROM kept").fetch_one(&mut connection).await.unwrap();
        assert_eq!(row.get::<i32, _>(0), n);
    }
}

#[tokio::test]
async fn a_server_asks_for_its_password_and_ends_with_its_starter() {
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
    let refused = PgConnection::connect(&format!("postgres://sekisho:wrong@{address}/postgres")).await;
    assert!(refused.unwrap_err().to_string().contains("authentication failed"));

    drop(child.stdin.take()); // what the operating system does when the starter is killed
    assert!(child.wait().unwrap().success());
    assert!(TcpStream::connect(&address).is_err(), "the server still listens on {address}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "the server's folder is still there");
    std::fs::remove_dir(&folder).unwrap();
}
