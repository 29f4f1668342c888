//! People working at once over HTTP: `cargo bench -p sekisho-app --bench city -- nodes [people 200 seconds 60 pause 2000]`.
//!
//! The program that `SEKISHO_BIN` names serves a city of 400 people: once as one node on SQLite, once as two nodes on a private PostgreSQL,
//! among which the clients take turns. Each person does something, waits about `pause` milliseconds, and does the next thing: looks at the
//! home page, the inbox, a list, the search, an own case, applies, and as a manager decides what the clerks of the section applied for.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Stopwatch};

use crate::common::{Outcome, given, machine, percentile, person};
use sekisho_app::{AppError, Durability, Store};
use sekisho_base::Clock as _;
use sekisho_base::clock::SystemClock;
use sekisho_store::setting;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Two departments of eight sections.
const STAFF: usize = 400;
const ASSETS: usize = 20_000;

/// Measures.
pub fn run() -> Outcome<()> {
    let people = given("people", 200)?;
    let (seconds, pause) = (given("seconds", 60)?, given("pause", 2_000)?);
    let program = std::env::var("SEKISHO_BIN").map_err(|_| "SEKISHO_BIN names the program that serves")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let folder = tempfile::Builder::new().prefix("nodes").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    println!("{}; {people} people, {seconds} s, pause {pause} ms", machine());
    println!("| nodes | route | requests | p50 | p95 | p99 | longest | errors |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut places = vec![("one, SQLite", None, 1)];
    match sekisho_testkit::postgres_url() {
        Ok(url) => places.push(("two, PostgreSQL", Some(url), 2)),
        Err(e) => println!("PostgreSQL is left out: {e}"),
    }
    for (name, url, nodes) in places {
        let data = folder.path().join(nodes.to_string());
        std::fs::create_dir(&data)?;
        let key = data.with_extension("key");
        std::fs::write(&key, format!("{}\n", "07".repeat(32)))?;
        let plan = Plan { people, seconds: u64::try_from(seconds)?, pause: u64::try_from(pause)? };
        let figures = runtime.block_on(measure(&program, &data, &key, url.as_deref(), nodes, plan))?;
        for (route, f) in figures {
            let Figure { mut times, errors } = f;
            let (p50, p95, p99) =
                (percentile(&mut times, 50), percentile(&mut times, 95), percentile(&mut times, 99));
            let longest = times.last().map_or(0.0, |t| t.as_secs_f64() * 1e3);
            println!(
                "| {name} | {route} | {} | {p50:.1} ms | {p95:.1} ms | {p99:.1} ms | {longest:.0} ms | {errors} |",
                times.len()
            );
        }
        println!("{}", machine());
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Plan {
    people: usize,
    seconds: u64,
    pause: u64,
}

/// Times of one route, and answers other than the one expected.
#[derive(Default)]
struct Figure {
    times: Vec<Duration>,
    errors: usize,
}

type Figures = BTreeMap<&'static str, Figure>;

/// A node; killed when it is dropped.
struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &str, data: &Path, key: &Path, url: Option<&str>) -> Outcome<(Node, SocketAddr)> {
    let mut command = Command::new(program);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).arg("--key").arg(key);
    command.args(url.map(|url| format!("--database={url}")));
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).env("SEKISHO_LOG", "error").spawn()?;
    let mut node = Node(child);
    let mut line = String::new();
    BufReader::new(node.0.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let address = line.strip_prefix("http://").and_then(|l| l.split(' ').next()).ok_or("it did not start")?;
    Ok((node, address.parse()?))
}

async fn measure(
    program: &str,
    data: &Path,
    key: &Path,
    url: Option<&str>,
    nodes: usize,
    plan: Plan,
) -> Outcome<Figures> {
    let store = match url {
        Some(url) => Store::open(url).await?,
        None => Store::open_sqlite(&data.join("sekisho.db"), Durability::Full).await?,
    };
    let city = crate::common::city(store, STAFF).await?;
    city.clock.set(SystemClock.now());
    // A second factor costs the server a few microseconds and would only stand in the way of the script.
    let plain = city.office.store.write(|c| {
        Box::pin(
            async move { setting::set(c, "login.second_factor_roles", "").await.map_err(AppError::from) },
        )
    });
    plain.await?;
    let assets = city.assets(ASSETS).await?;
    let waiting: Vec<Arc<Mutex<VecDeque<String>>>> = city.sections.iter().map(|_| Arc::default()).collect();
    let mut workers = Vec::new();
    for n in 0..plan.people {
        let (s, of_section) = (n % city.sections.len(), n / city.sections.len());
        let section = city.sections.get(s).ok_or("a city has sections")?;
        // The first of each section is its head; the second, the deputy, is left out.
        let number = person(section, if of_section == 0 { 0 } else { of_section + 1 });
        // Assets of the section that nobody else takes out: those of its own place in the city, each person a share of them.
        let own = assets.iter().skip(s).step_by(city.sections.len());
        let shares = plan.people.div_ceil(city.sections.len()).max(1);
        workers.push(Worker {
            cookie: format!("sekisho_session={}", city.token(&number).await?),
            csrf: String::new(),
            manager: of_section == 0,
            post: format!("{section}-s"),
            items: own.skip(of_section).step_by(shares).cloned().collect(),
            waiting: Arc::clone(waiting.get(s).ok_or("a section")?),
            case: None,
            random: u64::try_from(n)? + 1,
            figures: Figures::new(),
            at: vec![],
            turn: n,
        });
    }
    city.office.store.clone().close().await;
    let mut running = Vec::new();
    let mut at = Vec::new();
    for _ in 0..nodes {
        let (node, address) = start(program, data, key, url)?;
        running.push(node);
        at.push(address);
    }
    let before = spent(&running);
    let until = Stopwatch::now() + Duration::from_secs(plan.seconds);
    let mut tasks = tokio::task::JoinSet::new();
    for mut worker in workers {
        worker.at.clone_from(&at);
        tasks.spawn(worker.work(until, plan.pause));
    }
    let mut all = Figures::new();
    while let Some(done) = tasks.join_next().await {
        for (route, f) in done? {
            let sum = all.entry(route).or_default();
            sum.times.extend(f.times);
            sum.errors += f.errors;
        }
    }
    if let (Some([whole0, serving0, asking0]), Some([whole, serving, asking])) = (before, spent(&running)) {
        let (whole, serving, asking) =
            ((whole - whole0) / TICKS, (serving - serving0) / TICKS, (asking - asking0) / TICKS);
        let requests: usize = all.values().map(|f| f.times.len()).sum();
        println!(
            "processors: nodes {serving:.1} s ({:.2} ms for each of {requests} requests), clients {asking:.1} s, all else (PostgreSQL) {:.1} s",
            serving * 1e3 / f64::from(u32::try_from(requests.max(1))?),
            (whole - serving - asking).max(0.0)
        );
    }
    Ok(all)
}

/// Ticks of a second in Linux's `/proc`.
const TICKS: f64 = 100.0;

/// Ticks that the processors worked so far: altogether, for the nodes, for this program. Nothing where there is no `/proc`.
fn spent(nodes: &[Node]) -> Option<[f64; 3]> {
    // User and system time are columns 14 and 15; the name before them is in parentheses and may hold anything.
    let of = |process: String| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let columns = stat.rsplit(')').next()?.split_whitespace().skip(11).take(2);
        columns.map(|c| c.parse::<f64>().ok()).sum::<Option<f64>>()
    };
    let whole = std::fs::read_to_string("/proc/stat").ok()?;
    // User, nice, system, then idle and waiting, then interrupts; what a hypervisor took is not counted.
    let columns: Vec<f64> =
        whole.lines().next()?.split_whitespace().skip(1).map_while(|c| c.parse().ok()).collect();
    let busy = [0, 1, 2, 5, 6].iter().map(|i| columns.get(*i)).sum::<Option<f64>>()?;
    let serving = nodes.iter().map(|n| of(n.0.id().to_string())).sum::<Option<f64>>()?;
    Some([busy, serving, of("self".to_owned())?])
}

/// Somebody at work.
struct Worker {
    cookie: String,
    csrf: String,
    manager: bool,
    post: String,
    items: VecDeque<String>,
    /// Cases of the section that wait for its manager.
    waiting: Arc<Mutex<VecDeque<String>>>,
    case: Option<String>,
    random: u64,
    figures: Figures,
    at: Vec<SocketAddr>,
    turn: usize,
}

/// What came back.
#[derive(Default)]
struct Answer {
    status: u16,
    location: String,
    text: String,
}

impl Worker {
    /// A number below `end`; the same in every run.
    fn below(&mut self, end: u64) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % end.max(1)
    }

    async fn work(mut self, until: Stopwatch, pause: u64) -> Figures {
        let first = self.below(pause);
        tokio::time::sleep(Duration::from_millis(first)).await;
        while Stopwatch::now() < until {
            self.act().await;
            let wait = pause / 2 + self.below(pause);
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        self.figures
    }

    async fn act(&mut self) {
        if self.csrf.is_empty() {
            self.csrf = hidden(&self.get("home", "/").await.text, "csrf");
            return;
        }
        match self.below(10) {
            0 | 1 => drop(self.get("home", "/").await),
            2 => drop(self.get("inbox", "/inbox").await),
            3 | 4 => {
                let page = 1 + self.below(20);
                drop(self.get("list", &format!("/registers/asset?page={page}")).await);
            }
            5 => {
                let word = format!("K-{:06}", self.below(20_000));
                drop(self.get("search", &format!("/search?q={word}")).await);
            }
            6 | 7 if self.case.is_some() => {
                let case = self.case.clone().unwrap_or_default();
                drop(self.get("case", &case).await);
            }
            _ if self.manager => self.decide().await,
            _ => self.apply().await,
        }
    }

    async fn apply(&mut self) {
        let Some(item) = self.items.pop_front() else { return };
        let (today, turn) = (SystemClock.today().to_string(), self.turn);
        let form = self.get("form", &format!("/apply/take_out?item=asset/{item}")).await;
        let fields = [
            ("once", hidden(&form.text, "once")),
            ("do", "apply".to_owned()),
            ("post", self.post.clone()),
            ("items", format!("asset/{item}")),
            ("purpose", format!("訪問調査 {turn}")),
            ("destination", "市内の訪問先".to_owned()),
            ("from", today.clone()),
            ("return_by", today),
            ("carrying_method", "locked_bag".to_owned()),
            ("encryption", "sealed".to_owned()),
        ];
        let answer = self.post("apply", "/apply/take_out", &fields).await;
        if let Some(case) = answer.location.split('?').next().filter(|l| l.starts_with("/cases/")) {
            self.case = Some(case.to_owned());
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(case.to_owned());
        }
    }

    async fn decide(&mut self) {
        let next = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(case) = next else { return };
        let page = self.get("case", &case).await;
        let form = page.text.split("<form ").find(|f| f.contains("name=\"do\" value=\"permit\""));
        let form = form.unwrap_or_default();
        let fields =
            [("do", "permit".to_owned()), ("step", hidden(form, "step")), ("shown", hidden(form, "shown"))];
        self.post("decide", &case, &fields).await;
        self.case = Some(case);
    }

    async fn get(&mut self, route: &'static str, path: &str) -> Answer {
        self.send(route, "GET", path, String::new(), 200).await
    }

    async fn post(&mut self, route: &'static str, path: &str, fields: &[(&str, String)]) -> Answer {
        let mut body = format!("csrf={}", self.csrf);
        for (name, value) in fields {
            body.push_str(&format!("&{name}="));
            value.bytes().for_each(|b| body.push_str(&format!("%{b:02X}")));
        }
        self.send(route, "POST", path, body, 303).await
    }

    /// Sends to the next node in turn, and keeps how long the whole answer took.
    async fn send(
        &mut self,
        route: &'static str,
        method: &str,
        path: &str,
        body: String,
        wanted: u16,
    ) -> Answer {
        self.turn += 1;
        let at = self.at.get(self.turn % self.at.len().max(1)).copied();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: city.test\r\nOrigin: http://city.test\r\nCookie: {}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.cookie,
            body.len()
        );
        let begun = Stopwatch::now();
        let answer = match at {
            Some(at) => ask(at, &request).await.unwrap_or_default(),
            None => Answer::default(),
        };
        let figure = self.figures.entry(route).or_default();
        figure.times.push(begun.elapsed());
        figure.errors += usize::from(answer.status != wanted);
        answer
    }
}

async fn ask(at: SocketAddr, request: &str) -> std::io::Result<Answer> {
    let mut stream = tokio::net::TcpStream::connect(at).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_default();
    let location = head.lines().find_map(|l| l.strip_prefix("location: ")).unwrap_or_default().to_owned();
    Ok(Answer { status, location, text: body.to_owned() })
}

/// Value of the first hidden field with a name.
fn hidden(html: &str, name: &str) -> String {
    let after = html.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_default();
    after.split('"').next().unwrap_or_default().to_owned()
}
