//! Work that is cut off: events told to receivers when the server stops, the turn of the day when a node dies before midnight, logins by file
//! when the server is killed in the writing of them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode};
use sekisho_app::exchange::org::OrgSheet;
use sekisho_app::office::Opening;
use sekisho_app::{AppError, Office, Store, setup};
use sekisho_base::Clock as _;
use sekisho_base::clock::SystemClock;
use sekisho_base::entropy::OsEntropy;

use crate::browser::{Browser, hidden};
use crate::case_import;
use crate::causes::goes_out;
use crate::city::{ADMIN, CLERK, City, MANAGER, PASSWORD, TODAY, asset, at, org_file, organization, record};
use crate::kills::{below, verified};
use crate::operation::{Room, database};
use crate::served::Served;

async fn one(store: &Store, sql: &'static str) -> i64 {
    let found =
        store.read(move |c| Box::pin(async move { c.count(sql, vec![]).await.map_err(AppError::from) }));
    found.await.unwrap()
}

/// Ids of entries, in the order in which they were told, each with the run of the server that told it.
type Told = Arc<Mutex<Vec<(usize, String)>>>;

/// A receiver that takes everything, and needs a moment for it.
async fn receiver() -> (SocketAddr, Told, Arc<AtomicUsize>) {
    let (told, run) = (Told::default(), Arc::<AtomicUsize>::default());
    let (kept, now) = (Arc::clone(&told), Arc::clone(&run));
    let hook = move |headers: HeaderMap| {
        let id = headers["x-sekisho-delivery"].to_str().unwrap().to_owned();
        kept.lock().unwrap().push((now.load(Ordering::Relaxed), id));
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            StatusCode::NO_CONTENT
        }
    };
    let router = axum::Router::new().route("/hook", axum::routing::post(hook));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, told, run)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_from_just_before_the_end_is_told_after_the_next_start() {
    let city = City::made_at(SystemClock.now(), None, &[CLERK]).await;
    city.office.store.clone().close().await;
    let (address, told, run) = receiver().await;
    std::fs::write(city.data().join("secret"), "0123456789abcdef0123456789abcdef").unwrap();
    let list = city.data().join("webhooks");
    let secret = city.data().join("secret");
    std::fs::write(&list, format!("webhook there http://{address}/hook {}\n", secret.display())).unwrap();
    let start = || Served::start_with(city.data(), None, &["--webhooks", list.to_str().unwrap()]);
    // Named for the first time, a receiver begins at the present.
    let mut served = start();
    served.address().await.unwrap();
    let store = Store::open(&database(&city)).await.unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while one(&store, "SELECT COUNT(*) FROM webhook").await == 0 {
        assert!(Instant::now() < until, "the receiver is known");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    served.terminate();
    assert!(served.ended().success());
    // What the first run told already is not looked at.
    let from = one(&store, "SELECT next_leaf FROM webhook").await;

    let rounds = 4;
    for round in 1..=rounds {
        run.store(round, Ordering::Relaxed);
        let mut served = start();
        let mut admin = Browser::new(&city);
        admin.go_to(served.address().await.unwrap());
        assert_eq!(admin.enter("admin", PASSWORD).await.status, StatusCode::SEE_OTHER);
        admin.get("/").await;
        for n in 0..5 {
            let page =
                admin.post("/registers/asset/new", &asset(&format!("W-{round}-{n}"), "台帳", "21")).await;
            assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        }
        // The last is committed, and most likely neither signed nor told.
        served.terminate();
        assert!(served.ended().success());
        assert_eq!(one(&store, "SELECT COUNT(*) FROM ledger_entry WHERE leaf_index IS NULL").await, 0);
    }
    let behind = "SELECT (SELECT MAX(leaf_index) FROM ledger_entry) + 1 - next_leaf FROM webhook";
    assert!(
        one(&store, behind).await > 0,
        "something is left for the next start: the test would show nothing"
    );
    run.store(rounds + 1, Ordering::Relaxed);
    let mut served = start();
    served.address().await.unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while one(&store, behind).await > 0 {
        assert!(Instant::now() < until, "everything is told");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    served.terminate();
    assert!(served.ended().success());

    let wanted: Vec<String> = store
        .read(move |c| {
            Box::pin(async move {
                let sql = "SELECT id FROM ledger_entry WHERE leaf_index >= $1 ORDER BY leaf_index";
                let rows = c.all(sql, vec![from.into()]).await?;
                rows.iter().map(|r| r.text(0).map_err(AppError::from)).collect()
            })
        })
        .await
        .unwrap();
    let told: Vec<_> = told.lock().unwrap().iter().filter(|(run, _)| *run > 0).cloned().collect();
    let in_one_run: BTreeSet<&(usize, String)> = told.iter().collect();
    assert_eq!(in_one_run.len(), told.len(), "none twice by one run of the server");
    // What was told when the end came may be told again by the next run, before anything later.
    let mut order: Vec<String> = told.into_iter().map(|(_, id)| id).collect();
    order.dedup();
    assert_eq!(order, wanted, "every one, in order");
    store.close().await;
}

/// Another node of the city: its database, key and clock.
async fn node(city: &City, url: &str) -> Arc<Office> {
    let store = Store::open(url).await.unwrap();
    let seed = setup::signing_seed(&store, &city.data().join("city.key"), &OsEntropy).await.unwrap();
    let opening = Opening {
        store,
        clock: city.clock.clone(),
        entropy: Arc::new(OsEntropy),
        seed: Some(seed),
        body: "minatono".to_owned(),
        title: "みなと野市".to_owned(),
        pack: setup::model_pack().unwrap(),
        pack_files: setup::model_pack_files(),
        print_program: None,
    };
    Office::open(opening).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_turn_of_the_day_is_done_once_by_the_node_that_is_left() {
    const LATE: &str = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'case.overdue'";
    const OPEN: &str =
        "SELECT COUNT(*) FROM violation WHERE check_id = 'overdue_return' AND closed_at IS NULL";
    const ALL: &str = "SELECT COUNT(*) FROM ledger_entry";
    const TOLD: &str = "SELECT COUNT(*) FROM notification";
    let url = tokio::task::spawn_blocking(sekisho_testkit::postgres_url).await.unwrap().unwrap();
    let city = City::made_at(at(TODAY, 22), Some(&url), &[CLERK, MANAGER]).await;
    let admin = city.browser(ADMIN).await;
    let page = admin.post("/registers/asset/new", &asset("A-001", "訪問調査の記録票", "21")).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    goes_out(&city, TODAY).await;
    let (a, b) = (Arc::clone(&city.office), node(&city, &url).await);
    for n in [&a, &b] {
        assert!(n.turn_day(true).await.unwrap());
    }
    city.clock.set(at(TODAY, 23));
    let before = city.count(ALL).await;
    for n in [&a, &b] {
        assert!(n.turn_day(false).await.unwrap());
    }
    assert_eq!((city.count(LATE).await, city.count(ALL).await), (0, before), "the day is done");

    // One is at work, and gone before midnight: nothing of it runs on, and what it held it holds.
    let running = a.start();
    tokio::time::sleep(Duration::from_millis(500)).await;
    for job in running {
        job.abort();
    }
    a.store.clone().close().await;
    drop(a);

    // Midnight. The one that is left looks, and so does the dead one's successor at the same moment.
    let successor = node(&city, &url).await;
    city.clock.set(at("2026-11-26", 0).plus_millis(1_000));
    let turned = async |n: &Arc<Office>| {
        while !n.turn_day(false).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::join!(turned(&b), turned(&successor));
    let of = async |sql| one(&b.store, sql).await;
    assert_eq!((of(LATE).await, of(OPEN).await), (1, 1));
    let day = "SELECT COUNT(*) FROM setting WHERE name = 'day.turned' AND value = '2026-11-26'";
    assert_eq!(of(day).await, 1);
    let (all, told) = (of(ALL).await, of(TOLD).await);
    for n in [&b, &successor] {
        assert!(n.turn_day(false).await.unwrap());
    }
    assert_eq!((of(ALL).await, of(TOLD).await), (all, told), "once");
    // A program that starts goes through the day anew and finds nothing to add.
    assert!(node(&city, &url).await.turn_day(true).await.unwrap());
    assert_eq!((of(LATE).await, of(OPEN).await, of(TOLD).await), (1, 1, told));
    for n in [b, successor] {
        n.store.clone().close().await;
    }
}

/// Rows in the file.
const MANY: i64 = 40;

/// Sends what `prepare` gives (path and fields, for the person's browser) to the real program, again and again, each time for the same city
/// anew, and kills it in the writing, until it was seen to have written nothing and to have written all. `counts` are counted afterwards:
/// all are zero, or each is as said; and zero when nothing was answered is as good as all, but not the other way round.
async fn all_or_none<F>(city: &City, login: &str, prepare: F, counts: &[(&'static str, i64)])
where
    F: AsyncFn(&mut Browser) -> (&'static str, Vec<(String, String)>),
{
    city.office.store.clone().close().await;
    let (mut none, mut whole) = (0, 0);
    let mut kills = 0;
    while none == 0 || whole == 0 || kills < 6 {
        kills += 1;
        assert!(kills < 60, "{none} times nothing, {whole} times all");
        let folder = Room::beside(city, "killed");
        for name in ["sekisho.db", "city.key"] {
            std::fs::copy(city.data().join(name), folder.0.join(name)).unwrap();
        }
        let address = folder.0.join("sekisho.db").to_str().unwrap().to_owned();
        let mut served = Served::start(&folder.0, None);
        let mut browser = Browser::new(city);
        browser.go_to(served.address().await.unwrap());
        assert_eq!(browser.enter(login, PASSWORD).await.status, StatusCode::SEE_OTHER);
        let (path, fields) = prepare(&mut browser).await;
        let sent = tokio::spawn(async move {
            let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            browser.try_post(path, &fields).await.map(|page| page.status)
        });
        // Meanwhile nothing can be written: the moment at which it comes to that is known.
        let (let_go, held) = crate::faults::held(&address).await;
        tokio::time::sleep(Duration::from_millis(1_500 + below(1_500))).await;
        let_go.send(()).unwrap();
        held.await.unwrap();
        tokio::time::sleep(Duration::from_millis(below(60))).await;
        served.kill();
        let answered = sent.await.unwrap();

        let store = Store::open(&address).await.unwrap();
        let mut found = Vec::new();
        for (sql, _) in counts {
            found.push(one(&store, sql).await);
        }
        let all: Vec<i64> = counts.iter().map(|(_, n)| *n).collect();
        let nothing = found.iter().all(|n| *n == 0);
        assert!(nothing || found == all, "{found:?}");
        if let Some(status) = answered {
            assert!(status == StatusCode::OK || status == StatusCode::SEE_OTHER, "{status}");
            assert!(!nothing, "what was answered is there");
        }
        assert_eq!(verified(&store).await, Vec::<String>::new());
        store.close().await;
        *(if nothing { &mut none } else { &mut whole }) += 1;
    }
    println!("{kills} kills: {none} times nothing, {whole} times all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_logins_are_taken_from_a_file_all_or_none_are_there() {
    let mut org = organization(|_| "", &[]);
    let mut csv = "userName,employeeNumber\r\n".to_owned();
    for n in 0..MANY {
        let (number, name) = (format!("7{n:03}"), format!("新人 {n}"));
        org.insert(OrgSheet::Persons, record(&[("number", &number), ("name", &name), ("kana", "しんじん")]));
        let pairs = [("person", &*number), ("post", "21-s"), ("main", "main"), ("from", "2026-04-01")];
        org.insert(OrgSheet::Appointments, record(&pairs));
        csv.push_str(&format!("new{n:03},{number}\r\n"));
    }
    let city = City::made_of(org_file(&org), SystemClock.now(), None, &[]).await;
    let prepare = async |admin: &mut Browser| {
        let fields = [("do", "check"), ("checked", "own"), ("conflict", "skip")];
        let plan = admin.upload("/accounts/import", &fields, "users.csv", csv.as_bytes()).await;
        let kept = ["upload", "shown", "conflict", "checked"];
        let mut send = vec![("do".to_owned(), "apply".to_owned())];
        send.extend(kept.map(|n| (n.to_owned(), hidden(plan.form("apply"), n))));
        ("/accounts/import", send)
    };
    let counts = [
        ("SELECT COUNT(*) FROM account WHERE login LIKE 'new%'", MANY),
        ("SELECT COUNT(*) FROM account_import", 1),
        ("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'account.import'", 1),
    ];
    all_or_none(&city, "admin", prepare, &counts).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_applications_are_sent_from_a_file_all_or_none_are_there() {
    let city = City::made_at(SystemClock.now(), None, &[CLERK, MANAGER, ADMIN]).await;
    let admin = city.browser(ADMIN).await;
    let page = admin.post("/registers/asset/new", &asset("A-001", "訪問調査の記録票", "21")).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let prepare = async |clerk: &mut Browser| {
        let today = SystemClock.today().to_string();
        let rows = case_import::csv(&vec![
            case_import::row(&[(4, today.as_str()), (5, today.as_str())]);
            MANY as usize
        ]);
        let plan = case_import::look(clerk, "stop", &rows).await;
        (case_import::IMPORT, case_import::as_shown(&plan, &case_import::SENT))
    };
    let counts = [
        ("SELECT COUNT(*) FROM case_file", MANY),
        ("SELECT COUNT(*) FROM case_act WHERE person <> 'system'", MANY),
        ("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'case.applied'", MANY),
        ("SELECT COUNT(*) FROM case_import", 1),
    ];
    all_or_none(&city, &format!("u{CLERK}"), prepare, &counts).await;
}
