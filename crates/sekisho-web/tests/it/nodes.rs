//! Two nodes on one PostgreSQL database, each the real program in a process of its own: what one shows and does the other knows at once,
//! a form is carried out once wherever it arrives, and when one is killed or stands still nothing is lost and nothing done twice.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use sekisho_app::{AppError, Store};
use sekisho_base::Clock as _;
use sekisho_base::clock::SystemClock;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::acts::{application, changed, item};
use crate::browser::{Browser, Page, hidden};
use crate::city::{ADMIN, CLERK, City, MANAGER, PASSWORD, asset, print_program};
use crate::kills::{Client, faults, prepare, sent_by, verified};
use crate::served::Served;

/// Without an answer for so long the test is stuck, not slow.
const PATIENCE: Duration = Duration::from_secs(120);
/// Answers between two blows.
const ANSWERS: usize = 40;

async fn database() -> String {
    tokio::task::spawn_blocking(sekisho_testkit::postgres_url).await.unwrap().unwrap()
}

/// One number out of the database.
async fn count(store: &Store, sql: &'static str) -> i64 {
    let found =
        store.read(move |c| Box::pin(async move { c.count(sql, vec![]).await.map_err(AppError::from) }));
    found.await.unwrap()
}

/// Asks until a number is what it should become.
async fn becomes(store: &Store, sql: &'static str, wanted: i64) {
    let until = Instant::now() + Duration::from_secs(40);
    loop {
        let found = count(store, sql).await;
        if found == wanted {
            return;
        }
        assert!(Instant::now() < until, "{sql}: {found}, not {wanted}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

const WAITING: &str = "SELECT COUNT(*) FROM ledger_entry WHERE leaf_index IS NULL";

/// A city with an asset, served by two nodes.
struct Two {
    city: City,
    url: String,
    nodes: Vec<Served>,
    at: Vec<SocketAddr>,
}

impl Two {
    async fn made(people: &[&str]) -> Self {
        let url = database().await;
        let city = City::made_at(SystemClock.now(), Some(&url), people).await;
        let admin = city.browser(ADMIN).await;
        let page = admin.post("/registers/asset/new", &asset("N-1", "持ち出すもの", "21")).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        let mut two = Self { city, url, nodes: vec![], at: vec![] };
        for _ in 0..2 {
            let mut node = Served::start(two.city.files(), Some(&two.url));
            two.at.push(node.address().await.unwrap());
            two.nodes.push(node);
        }
        two
    }

    async fn store(&self) -> Store {
        Store::open(&self.url).await.unwrap()
    }

    /// Somebody who logs in at a node.
    async fn browser(&self, node: usize, login: &str) -> Browser {
        let mut b = Browser::new(&self.city);
        b.go_to(self.at[node]);
        let page = b.enter(login, PASSWORD).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{login}: {}", page.text);
        b
    }

    /// The same browser at the other end of the balancer.
    fn at(&self, node: usize, b: &Browser) -> Browser {
        let mut b = b.clone();
        b.go_to(self.at[node]);
        b
    }
}

fn fields<'a>(item: &'a str, once: &'a str, today: &'a str) -> Vec<(&'a str, &'a str)> {
    let with = [("from", today), ("return_by", today), ("do", "apply"), ("once", once)];
    changed(&application("21-s", item), &with)
}

/// The case that an accepted application leads to.
fn case_of(page: &Page) -> String {
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    page.location().split('?').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_shows_and_does_the_other_knows_at_once() {
    let two = Two::made(&[CLERK, MANAGER]).await;
    let today = SystemClock.today().to_string();
    // One session at both; a form that one showed is taken by the other.
    let mut clerk = two.browser(0, "u1001").await;
    let item = item(&mut clerk, "N-1").await;
    let form = clerk.get("/apply/take_out").await;
    let once = form.hidden("once");
    assert!(!once.is_empty());
    let case = case_of(&two.at(1, &clerk).post("/apply/take_out", &fields(&item, &once, &today)).await);
    assert_eq!(clerk.get(&case).await.status, StatusCode::OK);
    // A decision shown by one and sent to the other, and what follows from it on the first.
    let mut manager = two.browser(1, "u1002").await;
    let page = manager.get(&case).await;
    let (step, shown) = (hidden(page.form("permit"), "step"), hidden(page.form("permit"), "shown"));
    let permit = [("do", "permit"), ("step", step.as_str()), ("shown", shown.as_str())];
    let page = two.at(0, &manager).post(&case, &permit).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    assert!(two.at(1, &clerk).get(&case).await.offers("move_out"));
    // What was shown before is stale on both.
    for node in 0..2 {
        let page = two.at(node, &manager).post(&case, &permit).await;
        assert_ne!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    }
    // A session that ends at one node has ended at the other.
    assert_eq!(two.at(0, &manager).post("/logout", &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(two.at(1, &manager).get("/").await.status, StatusCode::SEE_OTHER);
    // Wrong passwords count together, also when they come at once; then the right one is refused at both.
    let mut tries = JoinSet::new();
    for n in 0..6 {
        let mut b = two.at(n % 2, &Browser::new(&two.city));
        tries.spawn(async move { b.enter("u1002", "違うパスワード").await.status });
    }
    while let Some(status) = tries.join_next().await {
        assert_ne!(status.unwrap(), StatusCode::SEE_OTHER);
    }
    for node in 0..2 {
        let page = two.at(node, &Browser::new(&two.city)).enter("u1002", PASSWORD).await;
        assert_ne!(page.status, StatusCode::SEE_OTHER, "locked at node {node}");
    }
    let store = two.store().await;
    assert_eq!(count(&store, "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'account.locked'").await, 1);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_to_both_nodes_at_the_same_moment_is_done_once() {
    let two = Two::made(&[CLERK, MANAGER]).await;
    let today = SystemClock.today().to_string();
    let mut clerk = two.browser(0, "u1001").await;
    let item = item(&mut clerk, "N-1").await;
    let mut manager = two.browser(0, "u1002").await;
    let store = two.store().await;
    for round in 1..=12_i64 {
        let once = clerk.get("/apply/take_out").await.hidden("once");
        let form = fields(&item, &once, &today);
        let (a, b) = (two.at(0, &clerk), two.at(1, &clerk));
        let (a, b) = tokio::join!(a.post("/apply/take_out", &form), b.post("/apply/take_out", &form));
        let case = case_of(&a);
        assert_eq!(case, case_of(&b), "both get the one case");
        assert_eq!(count(&store, "SELECT COUNT(*) FROM case_file").await, round);
        let page = manager.get(&case).await;
        let (step, shown) = (hidden(page.form("permit"), "step"), hidden(page.form("permit"), "shown"));
        let [act, other] = if round % 2 == 0 { ["permit", "refuse"] } else { ["permit", "permit"] };
        let send = |node: usize, act: &'static str| {
            let (b, case, step, shown) = (two.at(node, &manager), case.clone(), step.clone(), shown.clone());
            async move {
                b.post(&case, &[("do", act), ("step", &step), ("shown", &shown), ("says", "理由")])
                    .await
                    .status
            }
        };
        let (a, b) = tokio::join!(send(0, act), send(1, other));
        let accepted = [a, b].iter().filter(|s| **s == StatusCode::SEE_OTHER).count();
        assert_eq!(accepted, 1, "{a} {b}");
        let decided = "SELECT COUNT(*) FROM case_act WHERE kind = 'decided'";
        assert_eq!(count(&store, decided).await, round, "{act} and {other}");
    }
    // The same page filled in otherwise is another application.
    let once = clerk.get("/apply/take_out").await.hidden("once");
    let first = case_of(&clerk.post("/apply/take_out", &fields(&item, &once, &today)).await);
    let other = changed(&fields(&item, &once, &today), &[("purpose", "別の用事")]);
    assert_ne!(first, case_of(&clerk.post("/apply/take_out", &other).await));
    // A program's request under a key, at both nodes at the same moment.
    for round in 0..6_i64 {
        let (a, b) = (two.at(0, &manager), two.at(1, &manager));
        let (key, body) = (format!("n-{round}"), crate::request_once::row(&format!("R-{round}")));
        let (path, keys) = ("/api/v1/registers/asset/rows", [key.as_str()]);
        let send = crate::request_once::send;
        let (a, b) = tokio::join!(send(&a, path, &keys, &body), send(&b, path, &keys, &body));
        assert_eq!((a.status, &a.text), (StatusCode::OK, &b.text), "both get the one answer");
        let added = "SELECT COUNT(*) FROM register_change WHERE row_id IN (SELECT id FROM r_asset WHERE c_number LIKE 'R-%')";
        assert_eq!(count(&store, added).await, round + 1);
    }
    store.close().await;
}

/// A folder of a test's own.
struct Room(PathBuf);

impl Room {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("sekisho-nodes-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn readiness(address: SocketAddr) -> (StatusCode, String) {
    let answer = tokio::task::spawn_blocking(move || {
        use std::io::{Read as _, Write as _};
        let mut s = std::net::TcpStream::connect(address).unwrap();
        s.write_all(b"GET /readyz HTTP/1.1\r\nHost: city.test\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        s.read_to_string(&mut text).unwrap();
        text
    });
    let text = answer.await.unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (StatusCode::from_u16(status).unwrap(), text)
}

/// The key file of a node that does not sign.
fn make_page_key(key: &Path, pages: &Path) {
    let made =
        Command::new(print_program()).args(["ledger", "page-key", "--key"]).arg(key).arg(pages).status();
    assert!(made.unwrap().success());
}

/// What `sekisho doctor` finds, as one text.
fn doctor(folder: &Path, key: &Path, url: &str) -> String {
    let mut command = Command::new(print_program());
    command.args(["doctor", "--json", "--data"]).arg(folder).arg("--key").arg(key);
    let out = command.arg(format!("--database={url}")).output().unwrap();
    String::from_utf8(out.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_on_an_empty_database_make_one_body() {
    let (url, room) = (database().await, Room::new("first"));
    let key = room.0.join("city.key");
    let mut nodes: Vec<Served> = (0..2).map(|_| Served::start(&room.0, Some(&url))).collect();
    let mut marks = std::collections::BTreeSet::new();
    for node in &mut nodes {
        let address = node.address().await.expect("both start");
        let (status, text) = readiness(address).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        marks.insert(text.lines().find(|l| l.starts_with("node ")).unwrap().to_owned());
    }
    assert_eq!(marks.len(), 2, "each answers for itself: {marks:?}");
    let store = Store::open(&url).await.unwrap();
    assert_eq!(count(&store, "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'pack.load'").await, 1);
    assert_eq!(count(&store, "SELECT COUNT(*) FROM pack_version").await, 1);
    becomes(&store, "SELECT COUNT(*) FROM node", 2).await;
    becomes(&store, "SELECT COUNT(*) FROM setting WHERE name = 'day.turned'", 1).await;
    // Nothing is signed before the body has its name (decision 0028).
    assert_eq!(count(&store, "SELECT COUNT(*) FROM ledger_checkpoint").await, 0);
    let found = doctor(&room.0, &key, &url);
    assert!(found.contains("2台: ") && !found.contains("nodes."), "{found}");
    // With another key nobody signs this ledger: such a node does not start.
    assert!(
        Served::start_keyed(&room.0, &room.0.join("other.key"), Some(&url), &[]).address().await.is_none()
    );
    // A node that signs nothing opens no first start: its end puts the key under the body's name.
    const CODES: &str = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'setup.code'";
    let (codes, pages) = (count(&store, CODES).await, room.0.join("pages.key"));
    make_page_key(&key, &pages);
    let mut keyless = Served::start_keyed(&room.0, &pages, Some(&url), &[]);
    keyless.address().await.expect("it serves pages");
    keyless.terminate();
    assert!(keyless.ended().success());
    assert!(codes > 0 && count(&store, CODES).await == codes, "{codes}");
    // One that stops says so; one that is killed is missed.
    nodes[0].terminate();
    assert!(nodes[0].ended().success());
    assert_eq!(count(&store, "SELECT COUNT(*) FROM node").await, 1);
    let here = "SELECT COUNT(*) FROM lease WHERE until > '' AND holder NOT IN (SELECT id FROM node)";
    assert_eq!(count(&store, here).await, 0, "it gave up what it held");
    nodes[1].kill();
    let aged = store.write(|c| {
        Box::pin(async move {
            c.exec("UPDATE node SET seen_at = '2026-01-01T00:00:00.000Z'", vec![])
                .await
                .map_err(AppError::from)
        })
    });
    aged.await.unwrap();
    let found = doctor(&room.0, &key, &url);
    assert!(found.contains("nodes.silent"), "{found}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_the_signing_key_serves_pages_and_another_signs() {
    let mut two = Two::made(&[CLERK]).await;
    let room = Room::new("pages");
    let pages = room.0.join("pages.key");
    make_page_key(&two.city.files().join("city.key"), &pages);
    for node in &mut two.nodes {
        node.terminate();
        assert!(node.ended().success());
    }
    let store = two.store().await;
    becomes(&store, WAITING, 0).await;
    let mut keyless = Served::start_keyed(two.city.files(), &pages, Some(&two.url), &[]);
    two.at = vec![keyless.address().await.unwrap()];
    let (status, text) = readiness(two.at[0]).await;
    assert!(status == StatusCode::OK && text.contains("key pages"), "{text}");
    two.browser(0, "u1001").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(count(&store, WAITING).await > 0, "it signs nothing");
    assert!(doctor(two.city.files(), &pages, &two.url).contains("nodes.key"));
    let mut signing = Served::start(two.city.files(), Some(&two.url));
    signing.address().await.unwrap();
    becomes(&store, WAITING, 0).await;
    // What the other commits is found without being told.
    two.browser(0, "u1001").await;
    becomes(&store, WAITING, 0).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_days_work_is_taken_over_from_a_node_that_died_in_it() {
    let url = database().await;
    let city = City::made_at(SystemClock.now(), Some(&url), &[]).await;
    let store = Store::open(&url).await.unwrap();
    let died = store.write(|c| {
        Box::pin(async move {
            let until = "to_char((clock_timestamp() + interval '4 seconds') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')";
            let held = format!("INSERT INTO lease (name, holder, epoch, until) VALUES ('daily', 'dead', 1, {until})");
            c.exec(&held, vec![]).await.map_err(AppError::from)
        })
    });
    assert_eq!(died.await.unwrap(), 1);
    let mut node = Served::start(city.files(), Some(&url));
    node.address().await.unwrap();
    let done = "SELECT COUNT(*) FROM setting WHERE name = 'day.turned'";
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(count(&store, done).await, 0, "it waits for the other's lease");
    becomes(&store, done, 1).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_an_older_program_stops_writing_when_a_newer_one_changed_the_schema() {
    let two = Two::made(&[CLERK]).await;
    let mut clerk = two.browser(0, "u1001").await;
    let item = item(&mut clerk, "N-1").await;
    let today = SystemClock.today().to_string();
    let store = two.store().await;
    let newer = store.write(|c| {
        Box::pin(async move {
            let sql = "INSERT INTO schema_version (version, hash) VALUES (900, 'f')";
            c.exec(sql, vec![]).await.map_err(AppError::from)
        })
    });
    newer.await.unwrap();
    let page = clerk.post("/apply/take_out", &fields(&item, "", &today)).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{}", page.text);
    assert!(
        page.text.contains("新しい版に入れ替えている") && page.text.contains("もう一度送る"),
        "{}",
        page.text
    );
    assert_eq!(readiness(two.at[0]).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(count(&store, "SELECT COUNT(*) FROM case_file").await, 0);
    store.close().await;
}

/// A balancer that gives each connection to the next node.
struct Balancer {
    address: SocketAddr,
    nodes: Arc<Mutex<Vec<SocketAddr>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Balancer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let nodes = Arc::new(Mutex::new(Vec::<SocketAddr>::new()));
        let behind = Arc::clone(&nodes);
        let task = tokio::spawn(async move {
            for turn in 0_usize.. {
                let (mut client, _) = listener.accept().await.unwrap();
                let all = behind.lock().unwrap().clone();
                tokio::spawn(async move {
                    for n in 0..all.len() {
                        // One that does not answer is passed over; one that goes away in the middle takes its connections along.
                        if let Ok(mut node) = TcpStream::connect(all[(turn + n) % all.len()]).await {
                            let _ = tokio::io::copy_bidirectional(&mut client, &mut node).await;
                            break;
                        }
                    }
                });
            }
        });
        Self { address, nodes, task }
    }

    fn to(&self, nodes: &[SocketAddr]) {
        *self.nodes.lock().unwrap() = nodes.to_vec();
    }
}

/// Clients that act until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicUsize>,
    working: JoinSet<Client>,
}

impl Load {
    fn start(clients: Vec<Client>, address: SocketAddr) -> Self {
        let (stop, answers) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let mut working = JoinSet::new();
        for mut client in clients {
            client.clerk.go_to(address);
            client.manager.go_to(address);
            client.again = 100;
            let (stop, answers) = (Arc::clone(&stop), Arc::clone(&answers));
            working.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    assert!(client.act().await.is_ok(), "another node answers");
                    answers.fetch_add(1, Ordering::Relaxed);
                }
                client
            });
        }
        Self { stop, answers, working }
    }

    /// Waits for further answers.
    async fn answered(&self, more: usize) {
        let (enough, until) = (self.answers.load(Ordering::Relaxed) + more, Instant::now() + PATIENCE);
        while self.answers.load(Ordering::Relaxed) < enough {
            assert!(Instant::now() < until, "the clients get answers");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn stopped(mut self) -> Vec<Client> {
        self.stop.store(true, Ordering::Relaxed);
        let mut clients = Vec::new();
        while let Some(client) = tokio::time::timeout(PATIENCE, self.working.join_next()).await.unwrap() {
            clients.push(client.unwrap());
        }
        clients
    }
}

/// Which of the nodes signs now; another one than `not`, when it comes to that.
async fn leader(store: &Store, at: &[SocketAddr], not: Option<usize>) -> usize {
    let sql = "SELECT n.name FROM lease l JOIN node n ON n.id = l.holder WHERE l.name = 'sequencer'";
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let name = store
            .read(move |c| {
                Box::pin(async move {
                    c.one(sql, vec![]).await?.map(|r| r.text(0)).transpose().map_err(AppError::from)
                })
            })
            .await
            .unwrap()
            .unwrap_or_default();
        let found = at.iter().position(|a| name.ends_with(&format!(":{}", a.port())));
        if let Some(n) = found.filter(|n| Some(*n) != not) {
            return n;
        }
        assert!(Instant::now() < until, "one of the nodes signs, not {name:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_node_is_killed_or_stands_still_under_load_the_other_goes_on() {
    let url = database().await;
    let (city, clients) = prepare(Some(&url)).await;
    let balancer = Balancer::start().await;
    let (mut nodes, mut at) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let mut node = Served::start(city.files(), Some(&url));
        at.push(node.address().await.unwrap());
        nodes.push(node);
    }
    balancer.to(&at);
    let store = Store::open(&url).await.unwrap();
    let load = Load::start(clients, balancer.address);
    for _ in 0..2 {
        load.answered(ANSWERS).await;
        // The one that signs is killed; the other answers and takes over, and comes to be the one that signs.
        let dead = leader(&store, &at, None).await;
        nodes[dead].kill();
        load.answered(ANSWERS).await;
        leader(&store, &at, Some(dead)).await;
        let mut node = Served::start(city.files(), Some(&url));
        at[dead] = node.address().await.unwrap();
        nodes[dead] = node;
        balancer.to(&at);
    }
    // One stands still in the middle of whatever it does, for longer than the database waits for it.
    load.answered(ANSWERS).await;
    let still = leader(&store, &at, None).await;
    nodes[still].stand_still();
    balancer.to(&[at[1 - still]]);
    tokio::time::sleep(Duration::from_secs(25)).await;
    leader(&store, &at, Some(still)).await;
    nodes[still].wake();
    balancer.to(&at);
    load.answered(ANSWERS).await;
    let clients = load.stopped().await;
    becomes(&store, WAITING, 0).await;
    let sent = sent_by(&clients);
    assert_eq!(faults(&store, &sent).await, Vec::<String>::new());
    assert_eq!(verified(&store).await, Vec::<String>::new());
    let numbers = "SELECT COUNT(*) - MAX(leaf_index) - 1 FROM ledger_entry";
    assert_eq!(count(&store, numbers).await, 0, "places are dense");
    let accepted = sent.values().filter(|a| **a).count();
    let refused: usize = clients.iter().map(|c| c.refused).sum();
    println!(
        "{accepted} acts answered, {} not, {refused} refused: nothing lost, nothing twice",
        sent.len() - accepted - refused
    );
    store.close().await;
}
