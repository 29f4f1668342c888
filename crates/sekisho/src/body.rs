//! Opening the bodies that are served, and what runs beside their pages.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sekisho_app::exchange::Accepted;
use sekisho_app::first_start::SetupCode;
use sekisho_app::ledger::{jobs, witnesses};
use sekisho_app::office::Opening;
use sekisho_app::setup::{self, NodeKey};
use sekisho_app::turns::Turns;
use sekisho_app::{AppError, Office, sequencer, webhooks};
use sekisho_base::clock::SystemClock;
use sekisho_base::entropy::OsEntropy;
use sekisho_web::Bodies;
use sekisho_web::witness::HttpMessenger;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use crate::config::{make_private, read_bytes, read_text};
use crate::settings::{From, Settings, table};

/// Pause after the first failure to open a body; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A body that is open and not yet at work.
pub(crate) struct Opened {
    /// The body.
    pub(crate) office: Arc<Office>,
    /// Who is told of its events.
    pub(crate) receivers: Vec<webhooks::Receiver>,
    /// The code of the first start, while nobody can log in.
    pub(crate) code: Option<SetupCode>,
}

/// Opens the body that the settings describe, one of `bodies` in this process.
///
/// # Errors
/// A file cannot be read, the database cannot be opened or the key is not its own, in Japanese.
pub(crate) async fn open(settings: &Settings, bodies: usize) -> Result<Opened, String> {
    let witnesses = settings
        .path(table::WITNESSES)
        .map(|file| witnesses::parse_list(&read_text(&file)?).map_err(|e| e.to_string()))
        .transpose()?;
    let receivers = settings
        .path(table::WEBHOOKS)
        .map(|file| {
            let secret = |name: &str| read_bytes(Path::new(name));
            webhooks::parse_list(&read_text(&file)?, secret).map_err(|e| e.to_string())
        })
        .transpose()?
        .unwrap_or_default();
    let around = crate::doctor::surroundings(settings)?;
    make_private(&settings.data()?)?;
    let entropy = Arc::new(OsEntropy);
    let store = sekisho_app::Store::open_among(&settings.database()?, bodies)
        .await
        .map_err(|e| AppError::for_operator(e).to_string())?;
    let key = setup::node_key(&store, &settings.key()?, entropy.as_ref()).await.map_err(|e| e.to_string())?;
    let (seed, sealing) = match key {
        NodeKey::Signing(seed) => (Some(seed), None),
        NodeKey::Pages(key) => (None, Some(key)),
    };
    let opening = Opening {
        store,
        clock: Arc::new(SystemClock),
        entropy,
        seed,
        body: settings.text(table::BODY).unwrap_or_default().to_owned(),
        title: settings.text(table::TITLE).unwrap_or_default().to_owned(),
        pack: setup::model_pack().map_err(|e| e.to_string())?,
        pack_files: setup::model_pack_files(),
        print_program: None,
    };
    let office = Office::open(opening).await.map_err(|e| e.to_string())?;
    if let Some(key) = sealing {
        office.seal_with(key);
    }
    if let Some(server) = &around.mail {
        office.use_mail(Arc::clone(server));
    }
    if let Some(oidc) = &around.oidc {
        office.use_oidc(Arc::clone(oidc));
    }
    office.use_site(settings.text(table::SITE));
    if let Some(kinds) = settings.text(table::ATTACHMENTS) {
        office.take_attachments(kinds_of_files(kinds)?);
    }
    if let Some(directory) = &around.ldap {
        office.use_directory(Arc::clone(directory));
    }
    office.know_surroundings(around);
    if let Some(list) = witnesses {
        witnesses::appoint(&office, &list).await.map_err(|e| e.to_string())?;
    }
    // A default name is nobody's choice: the first start asks.
    let named = [table::TITLE, table::BODY]
        .iter()
        .all(|key| settings.value(key).is_some_and(|v| v.from != From::Default));
    let code = office.begin_first_start(named).await.map_err(|e| e.to_string())?;
    Ok(Opened { office, receivers, code })
}

fn kinds_of_files(text: &str) -> Result<Accepted, String> {
    Accepted::parse(text).map_err(|word| format!("{} の「{word}」は使えません", table::ATTACHMENTS))
}

/// The bodies at work.
pub(crate) struct Crew {
    /// What answers for them.
    pub(crate) bodies: Arc<Bodies>,
    node: String,
    at_work: Mutex<Vec<AtWork>>,
}

struct AtWork {
    office: Arc<Office>,
    running: Vec<JoinHandle<()>>,
}

impl Crew {
    /// Nobody yet. `address` is where this process listens.
    pub(crate) fn new(bodies: Arc<Bodies>, address: SocketAddr) -> Arc<Self> {
        Arc::new(Self { bodies, node: format!("{} {address}", host()), at_work: Mutex::default() })
    }

    /// Starts what runs beside the pages of a body.
    pub(crate) async fn start(&self, office: Arc<Office>, receivers: Vec<webhooks::Receiver>) {
        office.call_node(self.node.clone());
        let mut running = office.start();
        let messenger = Arc::new(HttpMessenger);
        let job = jobs::run(Arc::clone(&office), messenger.clone());
        running.push(tokio::spawn(job.instrument(office.span())));
        if !receivers.is_empty() {
            let job = webhooks::run(Arc::clone(&office), receivers, messenger);
            running.push(tokio::spawn(job.instrument(office.span())));
        }
        self.at_work.lock().await.push(AtWork { office, running });
    }

    /// Opens one of several bodies, and tries again until it is open. `first` is told how the first try went.
    pub(crate) async fn keep_opening(
        self: Arc<Self>,
        settings: Settings,
        bodies: usize,
        turns: Arc<Turns>,
        first: tokio::sync::oneshot::Sender<Result<Option<SetupCode>, String>>,
    ) {
        let (mut first, mut pause) = (Some(first), FIRST_PAUSE);
        let name = settings.label().to_owned();
        loop {
            let told = match self.open_named(&name, &settings, bodies, &turns).await {
                Ok(code) => {
                    // Nobody listens any more once pages are served.
                    match first.take().map(|f| f.send(Ok(code))) {
                        Some(Ok(())) => {}
                        Some(Err(_)) | None => tracing::warn!("the body is open now"),
                    }
                    return;
                }
                Err(e) => e,
            };
            tracing::error!(error = told, "the body could not be opened; it is tried again");
            if let Some(first) = first.take() {
                let _ = first.send(Err(told));
            }
            tokio::time::sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    async fn open_named(
        &self,
        name: &str,
        settings: &Settings,
        bodies: usize,
        turns: &Arc<Turns>,
    ) -> Result<Option<SetupCode>, String> {
        let opened = open(settings, bodies).await?;
        opened.office.call_body(name.to_owned());
        opened.office.take_turns(Arc::clone(turns));
        if let Err(e) = self.bodies.open(name, Arc::clone(&opened.office)) {
            opened.office.store.clone().close().await;
            return Err(e.to_string());
        }
        self.start(opened.office, opened.receivers).await;
        Ok(opened.code)
    }

    /// Ends what runs beside the pages, sequences what waits and closes the databases.
    pub(crate) async fn end(&self) {
        let mut ending = tokio::task::JoinSet::new();
        for AtWork { office, running } in self.at_work.lock().await.drain(..) {
            for job in running {
                job.abort();
            }
            let span = office.span();
            let end = async move {
                if let Err(e) = sequencer::drain(&office).await {
                    tracing::error!(error = %e, "entries stay in the outbox until the next start");
                }
                if let Err(e) = office.leave().await {
                    tracing::error!(error = %e, "the other nodes take over when this one's leases have run out");
                }
                office.store.clone().close().await;
            };
            ending.spawn(end.instrument(span));
        }
        ending.join_all().await;
    }
}

/// What this machine calls itself.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "sekisho".to_owned() } else { name.trim().to_owned() }
}
