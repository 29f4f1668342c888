//! Several bodies served by the real program: one that cannot be opened keeps nobody waiting and is tried again, one that is flooded leaves
//! the others their share, and the commands of an operator know which body they are about.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use axum::http::{StatusCode, header};
use sekisho_app::{Store, sequencer, setup};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::browser::{Browser, Page};
use crate::city::{CLERK, City, PASSWORD, asset};
use crate::served::Served;

/// A configuration of bodies, in a folder of its own.
struct Room(PathBuf);

impl Room {
    fn beside(city: &City) -> Self {
        let room = city.folder_beside("bodies");
        std::fs::create_dir_all(&room).unwrap();
        Self(room)
    }

    /// Writes the file; what stands before the bodies comes first.
    fn write(&self, head: &str, bodies: &[(&str, &Path)]) -> PathBuf {
        let mut text = format!("{head}\n");
        for (name, folder) in bodies {
            let (data, key) = (folder.display(), folder.join("city.key"));
            text.push_str(&format!(
                "[[bodies]]\nname = '{name}'\nhosts = ['{name}.test']\ndata.folder = '{data}'\nkey.file = '{}'\n",
                key.display()
            ));
        }
        let file = self.0.join("sekisho.toml");
        std::fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A body that nobody has open any more, with everything signed.
async fn closed(city: City) -> City {
    sequencer::drain(&city.office).await.unwrap();
    city.office.store.clone().close().await;
    city
}

fn at(city: &City, address: SocketAddr, host: &str) -> Browser {
    let mut b = Browser::new(city);
    b.go_to(address);
    b.call(host);
    b
}

async fn get(city: &City, address: SocketAddr, host: &str, path: &str) -> Page {
    at(city, address, host).get(path).await
}

/// A port that nobody has just now.
fn free() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn run(words: &[&str]) -> (bool, String) {
    let out = Served::program().args(words).output().unwrap();
    let text = [out.stdout, out.stderr].concat();
    (out.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_cannot_be_opened_keeps_nobody_waiting_and_is_tried_again() {
    let minato = closed(City::settled().await).await;
    let kita = closed(City::with_logins(&[CLERK]).await).await;
    let room = Room::beside(&minato);
    // This one stays as it is.
    let broken = room.0.join("higashi");
    std::fs::create_dir(&broken).unwrap();
    std::fs::write(broken.join("sekisho.db"), "これはデータベースではありません。".repeat(100)).unwrap();
    let (key, away) = (kita.files().join("city.key"), kita.files().join("away.key"));
    std::fs::rename(&key, &away).unwrap();
    let metrics = free();
    let head = format!("[metrics]\nlisten = '{metrics}'");
    let file = room.write(&head, &[("minato", minato.files()), ("kita", kita.files()), ("higashi", &broken)]);
    let mut served = Served::configured(&file);
    let address = served.address().await.unwrap();

    assert_eq!(get(&minato, address, "minato.test", "/login").await.status, StatusCode::OK);
    assert_eq!(get(&minato, address, "minato.test", "/readyz").await.status, StatusCode::OK);
    for host in ["kita.test", "higashi.test"] {
        let page = get(&minato, address, host, "/login").await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(page.text.contains("今は使えません") && page.headers.contains_key(header::RETRY_AFTER));
        let style = page.text.split("href=\"/assets/").nth(1).unwrap().split('"').next().unwrap();
        let style = get(&minato, address, host, &format!("/assets/{style}")).await;
        assert_eq!(style.status, StatusCode::OK, "the page has its style");
        assert_eq!(get(&minato, address, host, "/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(get(&minato, address, host, "/healthz").await.status, StatusCode::OK);
        let problem = get(&minato, address, host, "/api/v1/me").await;
        assert_eq!(problem.headers[header::CONTENT_TYPE], "application/problem+json");
    }
    let page = get(&minato, address, "sonota.test", "/readyz").await;
    assert_eq!((page.status, page.text.as_str()), (StatusCode::OK, "bodies 1 of 3\n"));
    let page = get(&minato, metrics, "127.0.0.1", "/readyz").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page.text, "minato ok\nkita failed\nhigashi failed\n");
    let page = get(&minato, metrics, "127.0.0.1", "/metrics").await;
    for line in [
        "sekisho_up{body=\"minato\"} 1",
        "sekisho_up{body=\"kita\"} 0",
        "sekisho_requests_total{body=\"minato\",method=\"GET\",route=\"/login\",status=\"200\"} 1",
        "sekisho_login_failures_total{body=\"minato\"} 0",
    ] {
        assert!(page.text.lines().any(|l| l == line), "{line}\n{}", page.text);
    }
    assert_eq!(page.text.matches("# TYPE sekisho_up ").count(), 1);

    // Mended while it runs.
    std::fs::rename(&away, &key).unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while get(&minato, address, "kita.test", "/login").await.status != StatusCode::OK {
        assert!(Instant::now() < until, "it is tried again");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let mut admin = at(&minato, address, "kita.test");
    assert_eq!(admin.enter("admin", PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_eq!(admin.get("/").await.status, StatusCode::OK);
    admin.call("minato.test");
    assert_eq!(admin.get("/").await.status, StatusCode::SEE_OTHER, "a session of the other body");
    assert_eq!(get(&minato, address, "higashi.test", "/login").await.status, StatusCode::SERVICE_UNAVAILABLE);

    served.terminate();
    assert!(served.ended().success());
    for city in [&minato, &kita] {
        let store = Store::open(&city.files().join("sekisho.db").to_string_lossy()).await.unwrap();
        let found = setup::verify_data(&store, None, &[]).await.unwrap();
        assert!(found.sound, "{:#?}", found.text);
        let waiting = "SELECT COUNT(*) FROM ledger_entry WHERE leaf_index IS NULL";
        let waiting = store
            .read(move |c| {
                Box::pin(async move { Ok::<_, sekisho_app::AppError>(c.count(waiting, vec![]).await?) })
            })
            .await;
        assert_eq!(waiting.unwrap(), 0, "what waited was signed at the end");
    }
}

/// Begins to send a file and does not go on.
async fn stalls(address: SocketAddr, cookie: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /registers/asset/import HTTP/1.1\r\nHost: minato.test\r\nOrigin: http://minato.test\r\nCookie: {cookie}\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_flooded_leaves_the_others_their_share() {
    let minato = closed(City::settled().await).await;
    let kita = closed(City::with_logins(&[]).await).await;
    let room = Room::beside(&minato);
    let file = room.write("", &[("minato", minato.files()), ("kita", kita.files())]);
    let mut served = Served::configured(&file);
    let address = served.address().await.unwrap();
    let mut here = at(&minato, address, "minato.test");
    let mut there = at(&minato, address, "kita.test");
    for b in [&mut here, &mut there] {
        assert_eq!(b.enter("admin", PASSWORD).await.status, StatusCode::SEE_OTHER);
    }
    let mut held = Vec::new();
    for _ in 0..40 {
        held.push(stalls(address, &here.cookie).await);
    }
    // Until all places are taken the first of these may still be answered.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    let page = there.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    let page = here.post("/registers/asset/new", &asset("F-1", "入力したもの", "21")).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{}", page.text);
    assert!(page.text.contains("混み合っています") && page.text.contains("入力したもの"), "{}", page.text);
    assert!(page.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(get(&minato, address, "minato.test", "/readyz").await.status, StatusCode::OK);
    let page = there.post("/registers/asset/new", &asset("F-1", "となりの資産", "21")).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    drop(held);
    let until = Instant::now() + Duration::from_secs(20);
    while here.get("/").await.status != StatusCode::OK {
        assert!(Instant::now() < until);
    }

    // The same while many passwords are hashed for the one.
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..100 {
        let mut b = at(&minato, address, "minato.test");
        tries.spawn(async move { b.enter(&format!("nobody{n}"), "違うパスワード").await.status });
    }
    let mut other = at(&minato, address, "kita.test");
    let begun = Instant::now();
    assert_eq!(other.enter("admin", PASSWORD).await.status, StatusCode::SEE_OTHER);
    let took = begun.elapsed();
    let mut answered = 0;
    while let Some(status) = tries.join_next().await {
        answered += usize::from(status.unwrap() != StatusCode::SEE_OTHER);
    }
    assert_eq!(answered, 100);
    assert!(
        took < begun.elapsed() / 2,
        "{took:?} of {:?}: it did not wait for all of the others",
        begun.elapsed()
    );
}

fn text(p: &Path) -> String {
    p.to_string_lossy().into_owned()
}

#[tokio::test]
async fn commands_know_which_body_they_are_about() {
    let minato = closed(City::settled().await).await;
    let kita = closed(City::with_logins(&[]).await).await;
    let room = Room::beside(&minato);
    let backups = room.0.join("backups");
    let head = format!("[backup]\nfolder = '{}'", backups.display());
    let file = text(&room.write(&head, &[("minato", minato.files()), ("kita", kita.files())]));

    let (good, said) = run(&["config", "check", "--config", &file]);
    assert!(good && said.contains("団体 minato（minato.test）"), "{said}");
    let (good, said) = run(&["config", "explain", "--config", &file]);
    let own = format!("data.folder = {}（{file}:", kita.files().display());
    assert!(good && said.contains("団体 kita（kita.test）") && said.contains(&own), "{said}");
    // One is meant, and it must be said which.
    for words in
        [&["ledger", "verify"][..], &["ledger", "checkpoint"], &["restore", "x"], &["case", "explain", "x"]]
    {
        let (good, said) = run(&[words, &["--config", &file]].concat());
        assert!(!good && said.contains("minato、kita") && said.contains("--body"), "{words:?}: {said}");
        let (good, said) = run(&[words, &["--config", &file, "--body", "higashi"]].concat());
        assert!(!good && said.contains("higashi") && said.contains("minato、kita"), "{words:?}: {said}");
    }
    let (good, said) = run(&["ledger", "verify", "--config", &file, "--body", "kita"]);
    assert!(good, "{said}");
    // All are meant where none is named.
    let (good, said) = run(&["backup", "--config", &file]);
    assert!(good && said.contains("団体 minato") && said.contains("団体 kita"), "{said}");
    for (name, city) in [("minato", &minato), ("kita", &kita)] {
        let made: Vec<_> = backups.join(name).read_dir().unwrap().map(|e| e.unwrap().path()).collect();
        assert_eq!(made.len(), 1, "{made:?}");
        assert!(!made[0].join("sekisho.toml").exists(), "the file is about the other bodies too");
        let (good, said) = run(&["backup", "verify", &text(&made[0])]);
        assert!(good, "{said}");
        let new = room.0.join(format!("new-{name}"));
        let words = ["restore", &text(&made[0]), "--config", &file, "--body", name, "--data", &text(&new)];
        let (good, said) = run(&words);
        assert!(good, "{said}");
        assert!(new.join("sekisho.db").is_file() && city.files().join("sekisho.db").is_file());
    }
    let out = Served::program().args(["doctor", "--json", "--config", &file]).output().unwrap();
    let found: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let bodies: Vec<_> = found["bodies"].as_array().unwrap().iter().map(|b| b["body"].clone()).collect();
    assert_eq!(bodies, ["minato", "kita"]);
    let (good, said) = run(&["upgrade-check", "--quick", "--config", &file]);
    assert!(good && said.contains("団体 kita"), "{said}");

    // Two that would be one are not served at all.
    let twice = text(&room.write("", &[("minato", minato.files()), ("kita", minato.files())]));
    let (good, said) = run(&["serve", "--config", &twice]);
    assert!(!good && said.contains("団体 minato と kita") && said.contains("data.folder"), "{said}");
}
