//! One server a process, one database a call.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::runtime::Runtime;

/// Names a server that is already running, as `postgres://user:password@host:port` without a database; set by
/// `scripts/test`. The user must be allowed to create databases; they stay when the tests end.
const BASE_URL_VARIABLE: &str = "SEKISHO_TEST_PG";

/// Starts, uses and stops the server; see the comment at its top.
const SCRIPT: &str = include_str!("../private-postgres.sh");

/// A server of this process. It lives as long as `_lifeline`: the script stops the server when its standard
/// input ends, which the operating system sees to even if this process is killed.
struct Server {
    base_url: String,
    maker: Mutex<Maker>,
    _lifeline: Option<ChildStdin>,
}

/// What databases are made over: one connection for the whole process, where a program would have to be started for each.
struct Maker {
    runtime: Runtime,
    connection: PgConnection,
}

static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
static NEXT_DATABASE: AtomicU32 = AtomicU32::new(1);

/// Creates an empty database and returns its address (`postgres://user:password@127.0.0.1:port/name`).
///
/// The first call of a process starts the server, about two seconds; later calls take a fraction of one. With
/// the variable `SEKISHO_TEST_PG` that server is used instead. Blocks the calling thread.
///
/// # Errors
///
/// A sentence for the person who runs the tests: what is missing (PostgreSQL not installed, for instance) and
/// what to do.
pub fn postgres_url() -> Result<String, String> {
    database(None)
}

/// The same as a copy of a database that [`postgres_url`] gave, to which nobody is connected any more: several times faster than making its
/// tables again.
///
/// # Errors
/// As [`postgres_url`].
pub fn postgres_copy(of: &str) -> Result<String, String> {
    database(of.rsplit('/').next())
}

fn database(template: Option<&str>) -> Result<String, String> {
    let server = SERVER.get_or_init(find_or_start).as_ref().map_err(Clone::clone)?;
    // The process id keeps apart the test binaries that share one server.
    let number = NEXT_DATABASE.fetch_add(1, Ordering::Relaxed);
    let name = format!("sekisho_test_{}_{number}", std::process::id());
    server.make(&name, template)?;
    Ok(format!("{}/{name}", server.base_url))
}

fn find_or_start() -> Result<Server, String> {
    match std::env::var(BASE_URL_VARIABLE) {
        Ok(url) if !url.is_empty() => Server::at(url.trim_end_matches('/'), None),
        _ => start(),
    }
}

fn start() -> Result<Server, String> {
    // A process group of its own: Ctrl-C reaches the tests, and the script follows by the lifeline.
    let mut child = Command::new("sh")
        .args(["-c", SCRIPT, "private-postgres.sh", "serve"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cannot run sh to start PostgreSQL: {error}"))?;
    let (Some(lifeline), Some(stdout), Some(mut stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err("sh started without pipes".to_owned());
    };
    let mut base_url = String::new();
    BufReader::new(stdout)
        .read_line(&mut base_url)
        .map_err(|error| format!("cannot read the address of PostgreSQL: {error}"))?;
    let base_url = base_url.trim_end();
    if base_url.is_empty() {
        let mut reason = String::new();
        // What can be read is shown; that reading fails as well adds nothing.
        let _ = stderr.read_to_string(&mut reason);
        return Err(format!("PostgreSQL did not start: {}", reason.trim_end()));
    }
    Server::at(base_url, Some(lifeline))
}

impl Server {
    fn at(base_url: &str, lifeline: Option<ChildStdin>) -> Result<Self, String> {
        let maker = apart(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| format!("cannot start a runtime: {error}"))?;
            let connection = runtime
                .block_on(PgConnection::connect(&format!("{base_url}/postgres")))
                .map_err(|error| format!("cannot connect to the PostgreSQL of the tests: {error}"))?;
            Ok::<_, String>(Maker { runtime, connection })
        })?;
        Ok(Self { base_url: base_url.to_owned(), maker: Mutex::new(maker), _lifeline: lifeline })
    }

    fn make(&self, name: &str, template: Option<&str>) -> Result<(), String> {
        let template = template.unwrap_or("template0");
        let sql = format!("CREATE DATABASE \"{name}\" TEMPLATE \"{template}\"");
        apart(|| {
            let mut maker = self.maker.lock().unwrap_or_else(PoisonError::into_inner);
            let Maker { runtime, connection } = &mut *maker;
            runtime
                .block_on(sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection))
                .map(drop)
                .map_err(|error| format!("cannot create the database {name}: {error}"))
        })
    }
}

/// Runs on a thread of its own: the caller may be within a runtime, where nothing else may wait for another.
fn apart<T: Send>(job: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        scope.spawn(job).join().unwrap_or_else(|_| Err("the thread that makes databases broke".to_owned()))
    })
}
