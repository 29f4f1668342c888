//! The real program is killed (SIGKILL) at random moments while many clients act over HTTP. Afterwards every act that was answered is
//! there once with its ledger entry, every other one is there whole or not at all, and the ledger verifies.
//!
//! `bench/kills` runs many more kills than the tests do (`SEKISHO_KILLS`).

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use axum::http::StatusCode;
use sekisho_app::{AppError, Store, ledger, setup};
use sekisho_base::Clock as _;
use sekisho_base::Entropy as _;
use sekisho_base::clock::SystemClock;
use sekisho_base::entropy::OsEntropy;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::acts::{changed, item};
use crate::browser::{Browser, Page, hidden};
use crate::city::{ADMIN, CLERK, City, MANAGER, OTHER_CLERK, OTHER_MANAGER, asset};
use crate::served::Served;

/// Clients that act at the same time, each with an asset of its own.
const CLIENTS: usize = 12;
/// Answers after which a busy server is killed, at most.
const ANSWERS: u64 = 60;
/// One kill in so many hits a server that is still starting.
const EARLY: u64 = 8;
/// The whole ledger is verified after so many kills, and at the end.
const VERIFY: usize = 20;
/// Without any answer for so long the test is stuck, not slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// A number below `end`.
pub fn below(end: u64) -> u64 {
    let mut bytes = [0; 8];
    OsEntropy.fill(&mut bytes).unwrap();
    u64::from_be_bytes(bytes) % end
}

/// Marks that went out with acts: whether an answer came that accepted it.
pub type Sent = BTreeMap<String, bool>;

/// Two people of a section and what one of them takes out.
pub struct Client {
    number: usize,
    pub clerk: Browser,
    pub manager: Browser,
    post: &'static str,
    item: String,
    case: Option<String>,
    sent: Sent,
    pub refused: usize,
    /// How often what was not answered is sent once more, the very same: for several nodes, of which another one answers.
    pub again: usize,
}

/// The server went away.
pub struct Gone;

/// Between two tries to reach another node.
const PAUSE: Duration = Duration::from_millis(200);

impl Client {
    /// A text that no other act carries.
    fn mark(&self) -> String {
        format!("印{}の{}。", self.number, self.sent.len())
    }

    /// Sends a form until it is answered, as often as it may be sent.
    async fn send(&self, manager: bool, path: &str, fields: &[(&str, &str)]) -> Option<Page> {
        let browser = if manager { &self.manager } else { &self.clerk };
        let mut answer = browser.try_post(path, fields).await;
        for _ in 0..self.again {
            // A node that lost its connection to the database says so: another one may carry the form out.
            if answer.as_ref().is_some_and(|a| a.status != StatusCode::SERVICE_UNAVAILABLE) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            answer = browser.try_post(path, fields).await;
        }
        answer
    }

    async fn look(&mut self, manager: bool, path: &str) -> Option<Page> {
        let browser = if manager { &mut self.manager } else { &mut self.clerk };
        let mut page = browser.try_get(path).await;
        for _ in 0..self.again {
            if page.as_ref().is_some_and(|p| p.status != StatusCode::SERVICE_UNAVAILABLE) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            page = browser.try_get(path).await;
        }
        page
    }

    /// Notes what came of an act: nothing when the server went away before it answered.
    fn answered(&mut self, mark: String, page: Option<Page>) -> Result<Page, Gone> {
        self.sent.insert(mark.clone(), false);
        let page = page.ok_or(Gone)?;
        assert!(!page.status.is_server_error(), "{}: {}", page.status, page.text);
        if page.status == StatusCode::SEE_OTHER {
            self.sent.insert(mark, true);
        } else {
            self.refused += 1;
        }
        Ok(page)
    }

    /// Does one thing that is possible now.
    pub async fn act(&mut self) -> Result<(), Gone> {
        let Some(case) = self.case.clone() else { return self.apply().await };
        let first = below(2) == 0;
        let mut possible = Vec::new();
        for manager in [first, !first] {
            let page = self.look(manager, &case).await.ok_or(Gone)?;
            possible = buttons(&page, manager);
            if !possible.is_empty() {
                break;
            }
        }
        if possible.is_empty() {
            self.case = None;
            return Ok(());
        }
        let at = usize::try_from(below(possible.len() as u64)).unwrap();
        let (manager, button, step, shown) = possible.swap_remove(at);
        let mark = self.mark();
        let own_form = matches!(button, "withdraw" | "move_out" | "move_in" | "revoke" | "comment");
        let says = if own_form { format!("{button}.says") } else { "says".to_owned() };
        let today = SystemClock.today().to_string();
        let mut fields =
            vec![("do", button), ("step", &step), ("shown", &shown), (says.as_str(), mark.as_str())];
        if button == "perform" {
            fields.extend([("e.returned_at", today.as_str()), ("e.erasure_checked", "1")]);
        }
        let page = self.send(manager, &case, &fields).await;
        self.answered(mark, page).map(|_| ())
    }

    async fn apply(&mut self) -> Result<(), Gone> {
        let (mark, today) = (self.mark(), SystemClock.today().to_string());
        let dates = [("from", today.as_str()), ("return_by", today.as_str()), ("purpose", mark.as_str())];
        let filled = crate::acts::application(self.post, &self.item);
        let fields = changed(&filled, &[&dates[..], &[("do", "apply"), ("once", &mark)]].concat());
        let page = self.send(false, "/apply/take_out", &fields).await;
        let page = self.answered(mark, page)?;
        self.case = page.location().split('?').next().filter(|a| a.starts_with("/cases/")).map(str::to_owned);
        Ok(())
    }

    /// Acts until the server is gone; tells of each answer.
    async fn work(mut self, told: mpsc::UnboundedSender<()>) -> Self {
        while self.act().await.is_ok() {
            // Nobody listens any more once the server is to be killed.
            let _ = told.send(());
        }
        self
    }
}

/// Buttons that a case's page offers the clerk or the manager, with the step and hash their form carries; what ends a case early comes
/// less often than what leads on. A comment alone is nothing: it is always possible.
fn buttons(page: &Page, manager: bool) -> Vec<(bool, &'static str, String, String)> {
    let wanted: [(&str, usize); 5] = if manager {
        [("permit", 6), ("confirm", 6), ("refuse", 1), ("send_back", 1), ("revoke", 1)]
    } else {
        [("move_out", 6), ("move_in", 6), ("perform", 6), ("withdraw", 1), ("comment", 1)]
    };
    let mut found = Vec::new();
    for (button, weight) in wanted.into_iter().filter(|(b, _)| page.offers(b)) {
        let form = page.form(button);
        let one = (manager, button, hidden(form, "step"), hidden(form, "shown"));
        found.extend(std::iter::repeat_n(one, weight));
    }
    if found.iter().all(|f| f.1 == "comment") { vec![] } else { found }
}

/// People and assets, made through the pages, and the clients that act for them.
pub async fn prepare(database: Option<&str>) -> (City, Vec<Client>) {
    let people = [CLERK, MANAGER, OTHER_CLERK, OTHER_MANAGER, ADMIN];
    let city = City::made_at(SystemClock.now(), database, &people).await;
    let admin = city.browser(ADMIN).await;
    let sections = [("21", "21-s", CLERK, MANAGER), ("22", "22-s", OTHER_CLERK, OTHER_MANAGER)];
    let mut clients = Vec::new();
    for (unit, post, clerk, manager) in sections {
        let (mut clerk, manager) = (city.browser(clerk).await, city.browser(manager).await);
        for n in 0..CLIENTS / sections.len() {
            let number = format!("K-{unit}-{n}");
            let page = admin.post("/registers/asset/new", &asset(&number, "持ち出すもの", unit)).await;
            assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
            clients.push(Client {
                number: clients.len(),
                item: item(&mut clerk, &number).await,
                clerk: clerk.clone(),
                manager: manager.clone(),
                post,
                case: None,
                sent: Sent::new(),
                refused: 0,
                again: 0,
            });
        }
    }
    city.office.store.clone().close().await;
    (city, clients)
}

/// Starts the server, lets the clients act, kills it; gives the clients back and how many answers there were.
async fn killed(folder: &Path, database: Option<&str>, mut clients: Vec<Client>) -> (Vec<Client>, usize) {
    let mut server = Served::start(folder, database);
    if below(EARLY) == 0 {
        tokio::time::sleep(Duration::from_millis(below(800))).await;
        server.kill();
        return (clients, 0);
    }
    let address = server.address().await.expect("the server starts again after every kill");
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut working = JoinSet::new();
    for mut client in clients.drain(..) {
        client.clerk.go_to(address);
        client.manager.go_to(address);
        working.spawn(client.work(tell.clone()));
    }
    let enough = 1 + below(ANSWERS);
    let mut answers = 0;
    while answers < enough {
        let next = tokio::time::timeout(PATIENCE, told.recv()).await;
        next.expect("the clients get answers").expect("the clients act until the kill");
        answers += 1;
    }
    tokio::time::sleep(Duration::from_micros(below(30_000))).await;
    server.kill();
    while let Some(client) = working.join_next().await {
        clients.push(client.unwrap());
    }
    (clients, usize::try_from(answers).unwrap())
}

/// What the database holds of each mark, and what is only half there. `sent` are the marks of all clients.
pub async fn faults(store: &Store, sent: &Sent) -> Vec<String> {
    let mut found = Vec::new();
    let sql = "SELECT a.body, a.case_id, a.seq, e.id FROM case_act a LEFT JOIN ledger_entry e ON e.id = a.entry WHERE a.person <> 'system'";
    let rows = store
        .read(move |c| {
            Box::pin(async move {
                let mut rows = Vec::new();
                for r in c.all(sql, vec![]).await? {
                    rows.push((r.text(0)?, format!("{} {}", r.text(1)?, r.int(2)?), r.opt_text(3)?));
                }
                Ok::<_, AppError>(rows)
            })
        })
        .await
        .unwrap();
    let mut there: BTreeMap<&str, usize> = BTreeMap::new();
    for (body, act, entry) in &rows {
        // What follows from an act by itself, like the movement that a return means, carries none.
        if let Some((_, mark)) = body.split_once('印') {
            *there.entry(mark.split('。').next().unwrap()).or_default() += 1;
        }
        if entry.is_none() {
            found.push(format!("act {act} has no ledger entry"));
        }
    }
    for (mark, accepted) in sent {
        let times = there.remove(mark.trim_matches(['印', '。'])).unwrap_or(0);
        if *accepted && times != 1 {
            found.push(format!("{mark} was answered and is there {times} times"));
        } else if times > 1 {
            found.push(format!("{mark} is there {times} times"));
        }
    }
    found.extend(there.keys().map(|mark| format!("{mark} is there and nobody sent it")));
    found
}

/// Everything else that must hold: rows and entries agree, folded states are those of their acts, tree and signatures verify.
pub async fn verified(store: &Store) -> Vec<String> {
    let found = ledger::reconcile(store).await.unwrap();
    let mut faults: Vec<String> = found.mismatches.iter().map(ToString::to_string).collect();
    let states = store
        .read(|c| {
            Box::pin(async move {
                let sql = "SELECT id, state, (SELECT COUNT(*) FROM case_act a WHERE a.case_id = case_file.id) FROM case_file";
                let mut states = Vec::new();
                for r in c.all(sql, vec![]).await? {
                    states.push((r.text(0)?, r.text(1)?, r.int(2)?));
                }
                Ok::<_, AppError>(states)
            })
        })
        .await
        .unwrap();
    for (id, state, acts) in states {
        let state: serde_json::Value = serde_json::from_str(&state).unwrap();
        if state["acts"].as_i64() != Some(acts) {
            faults.push(format!("case {id} was folded from {} acts and has {acts}", state["acts"]));
        }
    }
    let verdict = setup::verify_data(store, None, &[]).await.unwrap();
    if !verdict.sound {
        faults.extend(verdict.text);
    }
    faults
}

pub fn sent_by(clients: &[Client]) -> Sent {
    clients.iter().flat_map(|c| c.sent.clone()).collect()
}

async fn run(database: Option<String>, kills: usize) {
    let (city, mut clients) = prepare(database.as_deref()).await;
    let file = city.files().join("sekisho.db").to_string_lossy().into_owned();
    let address = database.clone().unwrap_or(file);
    let mut answers = 0;
    for kill in 1..=kills {
        let (back, answered) = killed(city.files(), database.as_deref(), clients).await;
        clients = back;
        answers += answered;
        let store = Store::open(&address).await.unwrap();
        let sent = sent_by(&clients);
        assert_eq!(faults(&store, &sent).await, Vec::<String>::new(), "after kill {kill}");
        if kill % VERIFY == 0 || kill == kills {
            assert_eq!(verified(&store).await, Vec::<String>::new(), "after kill {kill}");
            let accepted = sent.values().filter(|a| **a).count();
            let refused: usize = clients.iter().map(|c| c.refused).sum();
            println!(
                "{}: {kill} kills, {accepted} acts answered, {} not, {refused} refused: nothing lost, nothing half",
                if database.is_some() { "PostgreSQL" } else { "SQLite" },
                sent.len() - accepted - refused
            );
        }
        store.close().await;
    }
    assert!(answers > 0, "the server was busy");
    break_and_find(&address, &sent_by(&clients)).await;
}

/// The comparison must be able to fail: an answered act is taken away by hand, first its entry, then the act.
async fn break_and_find(address: &str, sent: &Sent) {
    let store = Store::open(address).await.unwrap();
    let mark = sent.iter().find(|(_, accepted)| **accepted).map(|(mark, _)| mark.as_str()).unwrap();
    let act = format!("person <> 'system' AND body LIKE '%{mark}%'");
    delete(&store, format!("ledger_entry WHERE id = (SELECT entry FROM case_act WHERE {act})")).await;
    let without_entry = faults(&store, sent).await;
    assert!(
        without_entry.len() == 1 && without_entry[0].contains("has no ledger entry"),
        "{without_entry:?}"
    );
    assert!(!verified(&store).await.is_empty());
    delete(&store, format!("case_act WHERE {act}")).await;
    assert_eq!(faults(&store, sent).await, [format!("{mark} was answered and is there 0 times")]);
    store.close().await;
}

async fn delete(store: &Store, rows: String) {
    let deleted = store.write(move |c| {
        Box::pin(async move { c.exec(&format!("DELETE FROM {rows}"), vec![]).await.map_err(AppError::from) })
    });
    assert_eq!(deleted.await.unwrap(), 1);
}

/// Kills that the environment asks for, or few.
fn kills() -> usize {
    std::env::var("SEKISHO_KILLS").map_or(5, |n| n.parse().expect("SEKISHO_KILLS is a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_nothing_on_sqlite() {
    run(None, kills()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_nothing_on_postgres() {
    let url = tokio::task::spawn_blocking(sekisho_testkit::postgres_url).await.unwrap().unwrap();
    run(Some(url), kills()).await;
}
