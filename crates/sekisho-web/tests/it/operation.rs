//! What operators rely on: backups made while people work, the examination, what watches the process, a clean end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use sekisho_app::backup::prune::Keep;
use sekisho_app::backup::restore::{Restored, Target, Wanted, restore};
use sekisho_app::backup::{self, Extras, verify};
use sekisho_app::doctor::{self, Finding, State, Surroundings};
use sekisho_app::mail::{MailConfig, MailServer, MailTls};
use sekisho_app::{AppError, Store, sequencer, setup, upgrade};
use sekisho_base::entropy::OsEntropy;
use tower::ServiceExt as _;

use crate::browser::{Browser, encode};
use crate::city::{ADMIN, CLERK, City, MANAGER, TODAY, asset, at, print_program};
use crate::served::Served;

/// A folder that goes away with the test.
pub struct Room(pub PathBuf);

impl Room {
    pub fn beside(city: &City, name: &str) -> Self {
        let folder = city.folder_beside(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn database(city: &City) -> String {
    city.data().join("sekisho.db").to_string_lossy().into_owned()
}

async fn take(city: &City, address: &str, below: &Path, extras: &Extras) -> backup::Taken {
    backup::take(address, below, extras, city.clock.as_ref(), &OsEntropy).await.unwrap()
}

async fn put_back(folder: &Path, target: Target, against: &[String]) -> Result<Restored, AppError> {
    restore(folder, &Wanted { target, against: against.to_vec(), key: None }).await
}

fn says(lines: &[String], what: &str) -> bool {
    lines.iter().any(|l| l.contains(what))
}

/// Somebody who registers assets until told to stop; tells how many were accepted.
async fn registers(browser: Browser, mark: &'static str, stop: Arc<std::sync::atomic::AtomicBool>) -> usize {
    let mut accepted = 0;
    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
        let number = format!("{mark}-{accepted}");
        let page = browser.post("/registers/asset/new", &asset(&number, "台帳", "21")).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        accepted += 1;
    }
    accepted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_people_work_comes_back_whole_and_tells_what_is_missing() {
    let city = City::settled().await;
    let room = Room::beside(&city, "backup");
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mut work = tokio::task::JoinSet::new();
    for (person, mark) in [(ADMIN, "N"), (MANAGER, "M")] {
        let mut browser = city.browser(person).await;
        browser.get("/").await;
        work.spawn(registers(browser, mark, Arc::clone(&stop)));
    }
    let sequencer = tokio::spawn(sequencer::run(Arc::clone(&city.office)));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let taken = take(&city, &database(&city), &room.0, &Extras::default()).await;
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut registered = 0;
    while let Some(n) = work.join_next().await {
        registered += n.unwrap();
    }
    sequencer.abort();
    sequencer::drain(&city.office).await.unwrap();
    assert!(taken.manifest.size > 0 && registered > 1);

    let found = verify::verify(&taken.folder, false).await.unwrap();
    assert!(found.sound, "{:#?}", found.text);
    let back = put_back(&taken.folder, Target::Folder(room.at("new")), &[]).await.unwrap();
    assert!(back.verdict.sound && !back.missing, "{:#?}", back.verdict.text);
    let store = Store::open(room.at("new").join("sekisho.db").to_str().unwrap()).await.unwrap();
    let noted = store
        .read(|c| {
            Box::pin(async move {
                let sql = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'ledger.restored'";
                c.count(sql, vec![]).await.map_err(AppError::from)
            })
        })
        .await
        .unwrap();
    assert_eq!(noted, 1, "the restored ledger says that it was restored");
    store.close().await;

    // Others have seen a later checkpoint: what was recorded since is counted.
    let later = setup::checkpoint(&city.office.store).await.unwrap();
    let back = put_back(&taken.folder, Target::Folder(room.at("later")), &[later.note]).await.unwrap();
    assert!(back.verdict.sound && back.missing, "{:#?}", back.verdict.text);
    assert!(says(&back.verdict.text, "失われています"), "{:#?}", back.verdict.text);

    // Nothing is overwritten, and what is no checkpoint of this body is refused.
    for (folder, against) in [("new", vec![]), ("other", vec!["x".to_owned()])] {
        let refused = put_back(&taken.folder, Target::Folder(room.at(folder)), &against).await;
        assert!(matches!(refused, Err(AppError::Refused { .. })), "{refused:?}");
    }
    assert!(!room.at("other").exists());
}

#[tokio::test]
async fn a_backup_that_was_changed_is_not_put_back() {
    let city = City::settled().await;
    let room = Room::beside(&city, "changed");
    sequencer::drain(&city.office).await.unwrap();
    let taken = take(&city, &database(&city), &room.0, &Extras::default()).await;
    assert!(
        !taken.folder.join("signing-key.sealed.json").exists() && !taken.folder.join("city.key").exists()
    );
    let file = taken.folder.join("sekisho.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let found = verify::verify(&taken.folder, true).await.unwrap();
    assert!(!found.sound && says(&found.text, "× sekisho.db"), "{:#?}", found.text);
    let back = put_back(&taken.folder, Target::Folder(room.at("new")), &[]).await.unwrap();
    assert!(!back.verdict.sound && !room.at("new").exists(), "{:#?}", back.verdict.text);
    // A folder that is no backup, and one of a newer program.
    assert!(verify::verify(&room.0, true).await.is_err());
    let manifest = taken.folder.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("\"schema\": [", "\"schema\": [ 900,")).unwrap();
    assert!(
        matches!(put_back(&taken.folder, Target::Folder(room.at("new")), &[]).await, Ok(b) if !b.verdict.sound)
    );
    std::fs::write(&manifest, text.replace("\"format\": 1", "\"format\": 2")).unwrap();
    assert!(verify::verify(&taken.folder, true).await.is_err());
}

#[tokio::test]
async fn the_key_goes_along_only_when_asked_for_and_sealed() {
    let city = City::settled().await;
    let room = Room::beside(&city, "sealed");
    sequencer::drain(&city.office).await.unwrap();
    let key = city.data().join("city.key");
    let (secret, phrase) = (std::fs::read_to_string(&key).unwrap(), "合言葉は とても ながい".to_owned());
    let extras = Extras { config: None, key: Some((key, phrase.clone())) };
    let taken = take(&city, &database(&city), &room.0, &extras).await;
    for file in taken.folder.read_dir().unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(64).any(|w| w == secret.trim().as_bytes()), "the key is not in the open");
    }
    let wanted = |data: &str, phrase: &str| Wanted {
        target: Target::Folder(room.at(data)),
        against: vec![],
        key: Some((room.at(&format!("{data}.key")), phrase.to_owned())),
    };
    assert!(restore(&taken.folder, &wanted("wrong", "ちがう合言葉です、これは")).await.is_err());
    let back = restore(&taken.folder, &wanted("right", &phrase)).await.unwrap();
    assert!(back.verdict.sound);
    assert_eq!(std::fs::read_to_string(room.at("right.key")).unwrap(), secret);
}

#[tokio::test]
async fn a_postgres_body_is_backed_up_and_comes_back_in_an_empty_database() {
    let url = || tokio::task::spawn_blocking(|| sekisho_testkit::postgres_url().unwrap());
    let address = url().await.unwrap();
    let city = City::made_at(at(TODAY, 10), Some(&address), &[CLERK]).await;
    let room = Room::beside(&city, "pg");
    sequencer::drain(&city.office).await.unwrap();
    let taken = take(&city, &address, &room.0, &Extras::default()).await;
    let refused = put_back(&taken.folder, Target::Folder(room.at("new")), &[]).await;
    assert!(matches!(refused, Err(AppError::Refused { code: "B009", .. })), "{refused:?}");
    let empty = url().await.unwrap();
    let back = put_back(&taken.folder, Target::Postgres(empty.clone()), &[]).await.unwrap();
    assert!(back.verdict.sound, "{:#?}", back.verdict.text);
    let again = put_back(&taken.folder, Target::Postgres(empty), &[]).await;
    assert!(again.is_err(), "a database that holds something is not filled");
}

fn surroundings(city: &City, room: &Room) -> Surroundings {
    Surroundings {
        database: database(city),
        data: city.data().to_owned(),
        key: room.at("city.key"),
        config: None,
        backups: Some(room.at("backups")),
        backup_hours: 30,
        backup_keep: Keep::default(),
        free_mb: 1,
        certificate: None,
        mail: None,
        oidc: None,
        ldap: None,
    }
}

fn state(found: &[Finding], id: &str) -> State {
    let f = found.iter().find(|f| f.id == id).unwrap_or_else(|| panic!("{id}: {found:#?}"));
    assert!(f.state == State::Good || f.id == "key" || !f.remedy.is_empty(), "{f:?}");
    f.state
}

#[tokio::test]
async fn the_examination_finds_each_fault_and_only_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let city = City::settled().await;
    let room = Room::beside(&city, "doctor");
    let private =
        |p: &Path, mode| std::fs::set_permissions(p, std::fs::Permissions::from_mode(mode)).unwrap();
    let key = city.data().join("city.key");
    std::fs::copy(&key, room.at("city.key")).unwrap();
    std::fs::remove_file(&key).unwrap();
    private(&room.at("city.key"), 0o600);
    private(city.data(), 0o700);
    sequencer::drain(&city.office).await.unwrap();
    let s = surroundings(&city, &room);
    take(&city, &database(&city), &room.at("backups"), &Extras::default()).await;
    let clock = city.clock.as_ref();
    let found = doctor::examine(&s, clock).await;
    let wrong: Vec<&str> = found.iter().filter(|f| f.state != State::Good).map(|f| f.id).collect();
    assert_eq!(wrong, ["ledger.witness"], "{found:#?}");
    assert_eq!(doctor::worst(&found), State::Caution);

    // The disk, permissions, the key.
    let full = Surroundings { free_mb: u64::MAX, ..s.clone() };
    assert_eq!(state(&doctor::examine(&full, clock).await, "disk"), State::Bad);
    private(city.data(), 0o755);
    assert_eq!(state(&doctor::examine(&s, clock).await, "permissions"), State::Caution);
    private(city.data(), 0o700);
    std::fs::copy(room.at("city.key"), &key).unwrap();
    let inside = Surroundings { key: key.clone(), ..s.clone() };
    assert_eq!(state(&doctor::examine(&inside, clock).await, "key"), State::Bad);
    std::fs::write(room.at("other.key"), format!("{}\n", "ab".repeat(32))).unwrap();
    for name in ["other.key", "none.key"] {
        let other = Surroundings { key: room.at(name), ..s.clone() };
        assert_eq!(state(&doctor::examine(&other, clock).await, "key"), State::Bad, "{name}");
    }

    // The mail server, backups.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mail = MailConfig {
        host: "127.0.0.1".into(),
        port: closed.port(),
        tls: MailTls::None,
        authority: None,
        login: None,
        from: "a@city.example".into(),
        site: "http://city.test".into(),
    };
    let down = Surroundings { mail: Some(Arc::new(MailServer::new(&mail).unwrap())), ..s.clone() };
    assert_eq!(state(&doctor::examine(&down, clock).await, "mail.server"), State::Caution);
    let none = Surroundings { backups: Some(room.at("nowhere")), ..s.clone() };
    assert_eq!(state(&doctor::examine(&none, clock).await, "backup"), State::Bad);

    // Time: back, on, and past the known holidays.
    let now = at(TODAY, 10);
    city.clock.set(now.plus_millis(-3 * 3_600_000));
    assert_eq!(state(&doctor::examine(&s, clock).await, "clock"), State::Bad);
    city.clock.set(now.plus_millis(40 * 3_600_000));
    let found = doctor::examine(&s, clock).await;
    for id in ["backup", "ledger.heartbeat", "jobs.daily"] {
        assert_eq!(state(&found, id), State::Caution, "{id}");
    }
    for (day, wanted) in [("2028-12-01", State::Caution), ("2029-01-04", State::Bad)] {
        city.clock.set(at(day, 10));
        assert_eq!(state(&doctor::examine(&s, clock).await, "calendar"), wanted);
    }
    city.clock.set(now);

    // Entries that nobody signs, and a row that differs from its entry.
    let mut admin = city.browser(ADMIN).await;
    admin.get("/").await;
    admin.post("/registers/asset/new", &asset("Z-1", "台帳", "21")).await;
    city.clock.set(now.plus_millis(600_000));
    assert_eq!(state(&doctor::examine(&s, clock).await, "ledger.sequencer"), State::Caution);
    sequencer::drain(&city.office).await.unwrap();
    let bend = "UPDATE ledger_entry SET payload = '{}' WHERE leaf_index = 3";
    let bent = city
        .office
        .store
        .write(move |c| Box::pin(async move { c.exec(bend, vec![]).await.map_err(AppError::from) }));
    assert_eq!(bent.await.unwrap(), 1);
    assert_eq!(state(&doctor::examine(&s, clock).await, "ledger.verified"), State::Bad);

    // A schema of a newer program, and no database at all.
    let newer = "INSERT INTO schema_version (version, hash) VALUES (900, 'f')";
    let put = city
        .office
        .store
        .write(move |c| Box::pin(async move { c.exec(newer, vec![]).await.map_err(AppError::from) }));
    put.await.unwrap();
    assert_eq!(state(&doctor::examine(&s, clock).await, "schema"), State::Bad);
    let found = upgrade::check(&database(&city), Some(&room.0)).await.unwrap();
    assert!(!found.sound && says(&found.text, "新しい版"), "{:?}", found.text);
    let gone = Surroundings { database: room.at("none.db").to_string_lossy().into_owned(), ..s };
    assert_eq!(state(&doctor::examine(&gone, clock).await, "database"), State::Bad);
}

#[tokio::test]
async fn an_upgrade_is_tried_on_a_copy_that_goes_away() {
    let city = City::settled().await;
    let room = Room::beside(&city, "upgrade");
    sequencer::drain(&city.office).await.unwrap();
    let found = upgrade::check(&database(&city), Some(&room.0)).await.unwrap();
    assert!(found.sound && says(&found.text, "うまくいきました"), "{:?}", found.text);
    assert_eq!(room.0.read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn measurements_and_request_ids_tell_nothing_about_people() {
    let city = City::settled().await;
    let bodies = sekisho_web::Bodies::only(Arc::clone(&city.office), false, sekisho_web::Doors::default());
    let router = bodies.router();
    let get = |path: &'static str| {
        let request = Request::get(path).header(header::HOST, "city.test").body(Body::empty()).unwrap();
        router.clone().oneshot(request)
    };
    let first = get("/login").await.unwrap();
    let second = get("/cases/01ARZ3NDEKTSV4RRFFQ69G5FAV").await.unwrap();
    let id = |r: &axum::response::Response| r.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_ne!(id(&first), id(&second));
    let wrong = Browser::new(&city).enter("admin", "まちがい").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    sequencer::drain(&city.office).await.unwrap();
    let metrics = sekisho_web::metrics_router(bodies);
    let answer = metrics.oneshot(Request::get("/metrics").body(Body::empty()).unwrap()).await.unwrap();
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    for wanted in [
        "sekisho_requests_total{method=\"GET\",route=\"/login\",status=\"200\"} 1",
        "sekisho_requests_total{method=\"GET\",route=\"/cases/{id}\",status=\"303\"} 1",
        "sekisho_request_seconds_count{route=\"/login\"} 1",
        "sekisho_up 1",
        "sekisho_login_failures_total 1",
        "sekisho_ledger_waiting 0",
    ] {
        assert!(text.lines().any(|l| l == wanted), "{wanted}\n{text}");
    }
    assert!(!text.contains("01ARZ3") && !text.contains("admin") && !text.contains(CLERK), "{text}");
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("sekisho_") && value.parse::<f64>().is_ok(), "{line}");
    }
    // The site itself answers no such page.
    assert_eq!(get("/metrics").await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_page_of_the_system_is_for_those_who_run_it() {
    let city = City::settled().await;
    let mut admin = city.browser(ADMIN).await;
    let page = admin.get("/system").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("休日の表") && page.text.contains("署名を待つ記録"), "{}", page.text);
    let page = admin.get("/system/licences").await;
    assert!(page.text.contains("axum") && page.text.contains("IPAフォントライセンス"));
    for person in [CLERK, MANAGER] {
        let mut other = city.browser(person).await;
        for path in ["/system", "/system/licences"] {
            assert_eq!(other.get(path).await.status, StatusCode::FORBIDDEN, "{person} {path}");
        }
    }
}

fn sekisho(words: &[&str]) -> Output {
    Command::new(print_program()).args(words).env_remove("SEKISHO_CONFIG").output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_terminal_backs_up_a_running_body_and_puts_it_back() {
    let city = City::settled().await;
    let room = Room::beside(&city, "terminal");
    let data = city.data().to_str().unwrap().to_owned();
    let config = room.at("sekisho.toml");
    std::fs::write(
        &config,
        format!("[data]\nfolder = {data:?}\n[key]\nfile = \"city.key\"\n[backup]\nfolder = \"backups\"\n"),
    )
    .unwrap();
    std::fs::copy(city.data().join("city.key"), room.at("city.key")).unwrap();
    let config = config.to_str().unwrap();
    let mut served = Served::start(city.data(), None);
    served.address().await.unwrap();
    let done = sekisho(&["backup", "--config", config]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let folder = room.at("backups").read_dir().unwrap().next().unwrap().unwrap().path();
    assert!(folder.join("sekisho.toml").is_file(), "the configuration goes along");
    let folder = folder.to_str().unwrap();
    let done = sekisho(&["backup", "verify", folder]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    let new = room.at("new");
    let done = sekisho(&["restore", folder, "--data", new.to_str().unwrap()]);
    assert!(
        done.status.success(),
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    assert_eq!(sekisho(&["restore", folder, "--data", new.to_str().unwrap()]).status.code(), Some(1));

    let done = sekisho(&["doctor", "--json", "--config", config]);
    let told: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let of = |id: &str| {
        told["findings"].as_array().unwrap().iter().find(|f| f["id"] == id).unwrap()["state"].clone()
    };
    assert_eq!(
        (of("settings"), of("backup"), of("ledger.verified")),
        ("good".into(), "good".into(), "good".into())
    );
    assert_ne!(done.status.code(), Some(0), "there is no witness: {told}");

    std::fs::write(room.at("sekisho.toml"), "[server]\nlsten = \"x\"\n").unwrap();
    for words in [&["config", "check"][..], &["serve"], &["backup"]] {
        let done = sekisho(&[words, &["--config", config]].concat());
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && said.contains(":2: server.lsten: "), "{words:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_the_server_finishes_signs_what_waits_and_ends_well() {
    let city = City::settled().await;
    let mut served = Served::start(city.data(), None);
    let address = served.address().await.unwrap();
    // A request of which only the half has come when the signal does.
    let body = encode(&[("login", "admin"), ("password", "まちがい"), ("next", "/")]);
    let mut half = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /login HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    half.write_all(head.as_bytes()).unwrap();
    half.write_all(&body.as_bytes()[..10]).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    served.terminate();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(TcpStream::connect(address).is_err(), "nobody new is let in");
    half.write_all(&body.as_bytes()[10..]).unwrap();
    let mut answer = String::new();
    half.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let ended = tokio::task::spawn_blocking(move || served.ended()).await.unwrap();
    assert_eq!(ended.code(), Some(0));
    let facts = doctor::facts(&database(&city)).await.unwrap();
    assert_eq!(facts.waiting, 0, "everything is signed");
}

/// What the server answers over TLS to somebody who trusts one certificate; nothing when they do not trust the server's.
fn over_tls(address: std::net::SocketAddr, trusted: &Path) -> Option<String> {
    let mut client = Command::new("openssl")
        .args([
            "s_client",
            "-quiet",
            "-verify_return_error",
            "-verify_ip",
            "127.0.0.1",
            "-connect",
            &address.to_string(),
        ])
        .arg("-CAfile")
        .arg(trusted)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // A client that does not trust the server may be gone before it is written to.
    let _ = client
        .stdin
        .as_mut()
        .unwrap()
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let answer = client.wait_with_output().unwrap().stdout;
    Some(String::from_utf8(answer).unwrap()).filter(|a| !a.is_empty())
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_served_and_a_new_certificate_taken_up_without_a_restart() {
    let city = City::settled().await;
    let room = Room::beside(&city, "tls");
    let (first, first_key) = crate::mail::certificate(&room.0, "first");
    let (second, second_key) = crate::mail::certificate(&room.0, "second");
    let (used, used_key) = (room.at("server.pem"), room.at("server.key"));
    let install = |cert: &Path, key: &Path| {
        std::fs::copy(cert, &used).unwrap();
        std::fs::copy(key, &used_key).unwrap();
    };
    install(&first, &first_key);
    let options = ["--tls-certificate", used.to_str().unwrap(), "--tls-key", used_key.to_str().unwrap()];
    let mut served = Served::start_with(city.data(), None, &options);
    let address = served.address().await.unwrap();
    assert!(over_tls(address, &first).unwrap().starts_with("HTTP/1.1 200"));
    assert_eq!(over_tls(address, &second), None);
    // Somebody who never says anything holds nobody up.
    let _silent = TcpStream::connect(address).unwrap();
    assert!(over_tls(address, &first).is_some());
    // A pair that does not fit is not taken up; one that does is.
    install(&second, &first_key);
    served.hang_up();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert!(over_tls(address, &first).is_some());
    install(&second, &second_key);
    served.hang_up();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert!(over_tls(address, &second).is_some());
    assert_eq!(over_tls(address, &first), None);
    served.terminate();
    assert_eq!(tokio::task::spawn_blocking(move || served.ended()).await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_clock_that_jumps_back_stops_nobody_and_keeps_the_order() {
    let city = City::settled().await;
    let mut admin = city.browser(ADMIN).await;
    admin.get("/").await;
    sequencer::drain(&city.office).await.unwrap();
    for (n, hours) in [-3, 0, -48, 0].into_iter().enumerate() {
        city.clock.set(at(TODAY, 10).plus_millis(hours * 3_600_000));
        let number = format!("K-{n}");
        let page = admin.post("/registers/asset/new", &asset(&number, "台帳", "21")).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{hours}: {}", page.text);
        assert!(sequencer::drain(&city.office).await.unwrap() > 0, "{hours}");
    }
    let verdict = setup::verify_data(&city.office.store, None, &[]).await.unwrap();
    assert!(verdict.sound, "{:#?}", verdict.text);
}
