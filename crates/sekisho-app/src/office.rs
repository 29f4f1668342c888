//! One body at work: its store, clock, key, running pack and organization. Everything a use case needs, and nothing global.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use sekisho_base::{Clock, Date, Entropy, Id};
use sekisho_boxed::boxed;
use sekisho_case::authority::Rules;
use sekisho_case::org::Org;
use sekisho_ledger::LogSigner;
use sekisho_ledger::permit::PermitSigner;
use sekisho_pack::model::Pack;
use sekisho_store::pack::PackRow;
use sekisho_store::{Conn, Store, org, pack as packs, register, setting};
use serde_json::json;
use tracing::Instrument as _;

use crate::checks;
use crate::directory::Directory;
use crate::error::AppError;
use crate::record::record;
use crate::registers::table_spec;

/// Gates that this program enforces.
pub use sekisho_pack::coverage::GATES as BUILT_GATES;

/// Setting with the hash of the running pack.
pub(crate) const RUNNING: &str = "pack.running";
/// Setting with the day to which the daily work was last done.
const TURNED: &str = "day.turned";
/// How long a node may go without writing while it does the day's work, in milliseconds.
const DAY_LEASE_MS: i64 = 120_000;
/// Setting with what the body is called on pages and forms.
pub(crate) const TITLE: &str = "body.title";

/// What a body is called and where its secrets are.
pub struct Opening {
    /// Database.
    pub store: Store,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Seed of the signing key; none for commands that only read.
    pub seed: Option<[u8; 32]>,
    /// Name in the ledger, ASCII (`model-city`); kept from the first start.
    pub body: String,
    /// Name on pages (みなと野市); kept from the first start.
    pub title: String,
    /// Pack of the first start.
    pub pack: Pack,
    /// Files of that pack.
    pub pack_files: std::collections::BTreeMap<String, String>,
    /// The program with the `render-form` subcommand; none: the one that runs.
    pub print_program: Option<std::path::PathBuf>,
}

/// The organization in memory, for showing and for deciding.
struct Loaded {
    directory: Arc<Directory>,
    org: Arc<Org>,
    /// Hash of the pack that said what counts as absence.
    pack: String,
}

/// One body at work.
pub struct Office {
    /// Database.
    pub store: Store,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    pub(crate) password_slots: tokio::sync::Semaphore,
    pub(crate) dummy_hash: String,
    pub(crate) print_slots: tokio::sync::Semaphore,
    pub(crate) print_program: Option<std::path::PathBuf>,
    signer: Option<LogSigner>,
    permit_signer: Option<PermitSigner>,
    sealing_key: Option<[u8; 32]>,
    /// The same on a node that does not sign, whose key file holds nothing else.
    given_sealing_key: std::sync::OnceLock<[u8; 32]>,
    body: String,
    title: String,
    node: String,
    /// What this node is called for people.
    pub(crate) node_name: std::sync::OnceLock<String>,
    pack: RwLock<Arc<Pack>>,
    older_packs: Mutex<HashMap<String, Arc<Pack>>>,
    rules: Mutex<HashMap<String, Arc<Rules>>>,
    loaded: RwLock<Option<Loaded>>,
    /// What the pack's texts are found by.
    pub(crate) texts: Mutex<Option<Arc<crate::search::Texts>>>,
    pub(crate) mail: std::sync::OnceLock<Arc<crate::mail::MailServer>>,
    pub(crate) oidc: std::sync::OnceLock<Arc<crate::oidc::Oidc>>,
    /// Which files are taken as attachments.
    pub(crate) attachments: std::sync::OnceLock<sekisho_exchange::Accepted>,
    /// The address at which browsers reach it, and for which site passkeys are.
    pub(crate) site:
        std::sync::OnceLock<(Option<String>, Result<crate::passkeys::Site, crate::passkeys::NoSite>)>,
    pub(crate) directory_server: std::sync::OnceLock<Arc<dyn crate::ldap::DirectoryServer>>,
    pub(crate) login_failures: std::sync::atomic::AtomicU64,
    pub(crate) surroundings: std::sync::OnceLock<crate::doctor::Surroundings>,
    pub(crate) naming: crate::first_start::Naming,
    demo_logins: std::sync::OnceLock<Vec<crate::demo::PrintedLogin>>,
    pub(crate) turns: std::sync::OnceLock<Arc<crate::turns::Turns>>,
    /// What the operator calls this body among several.
    label: std::sync::OnceLock<String>,
}

#[boxed]
impl Office {
    /// Opens a body; the first time also writes its name, key and pack.
    ///
    /// # Errors
    /// The database failed, or a stored pack can no longer be read.
    pub async fn open(o: Opening) -> Result<Arc<Self>, AppError> {
        // The name in the ledger was fixed at the first start; what is given later does not rename it.
        let kept = o
            .store
            .ask(|c| {
                Box::pin(async move { setting::get(c, crate::ledger::BODY).await.map_err(AppError::from) })
            })
            .await?;
        let body = kept.unwrap_or(o.body);
        let sealing_key = o.seed.as_ref().and_then(crate::sealed::sealing_key);
        let permit_signer = o
            .seed
            .as_ref()
            .and_then(crate::sealed::permit_seed)
            .map(|seed| PermitSigner::from_seed(&body, &seed))
            .transpose()
            .map_err(AppError::internal)?;
        let signer =
            o.seed.map(|seed| LogSigner::from_seed(&body, &seed)).transpose().map_err(AppError::internal)?;
        let vkey = signer.as_ref().map(LogSigner::vkey);
        let (names, stored) = {
            let (body, title) = (body.clone(), o.title.clone());
            let vkey = vkey.clone();
            o.store
                .write(move |c| {
                    Box::pin(async move {
                        for (name, value) in [
                            (crate::ledger::BODY, Some(body)),
                            (TITLE, Some(title)),
                            (crate::ledger::VKEY, vkey),
                        ] {
                            if let (None, Some(value)) = (setting::get(c, name).await?, value) {
                                setting::set(c, name, &value).await?;
                            }
                        }
                        let running = match setting::get(c, RUNNING).await? {
                            Some(hash) => packs::get(c, &hash).await?,
                            None => None,
                        };
                        let names = (
                            setting::get(c, crate::ledger::BODY).await?,
                            setting::get(c, TITLE).await?,
                            setting::get(c, crate::ledger::VKEY).await?,
                        );
                        Ok::<_, AppError>((names, running))
                    })
                })
                .await?
        };
        if vkey.is_some() && names.2 != vkey {
            return Err(AppError::refused(
                "K002",
                "署名鍵がこのデータフォルダのものではありません。--key に正しい鍵のファイルを指定してください。",
            ));
        }
        let pack = match &stored {
            Some(row) => read_pack(row)?,
            None => o.pack.clone(),
        };
        let node = Id::new(o.clock.now(), o.entropy.as_ref()).map_err(AppError::internal)?.to_string();
        let mut office = Self {
            store: o.store,
            clock: o.clock,
            entropy: o.entropy,
            password_slots: tokio::sync::Semaphore::new(2),
            dummy_hash: String::new(),
            print_slots: tokio::sync::Semaphore::new(1),
            print_program: o.print_program,
            signer,
            permit_signer,
            sealing_key,
            given_sealing_key: std::sync::OnceLock::new(),
            body: names.0.unwrap_or(body),
            title: names.1.unwrap_or(o.title),
            node,
            node_name: std::sync::OnceLock::new(),
            pack: RwLock::new(Arc::new(pack)),
            older_packs: Mutex::default(),
            rules: Mutex::default(),
            loaded: RwLock::new(None),
            texts: Mutex::default(),
            mail: std::sync::OnceLock::new(),
            oidc: std::sync::OnceLock::new(),
            attachments: std::sync::OnceLock::new(),
            site: std::sync::OnceLock::new(),
            directory_server: std::sync::OnceLock::new(),
            login_failures: std::sync::atomic::AtomicU64::new(0),
            surroundings: std::sync::OnceLock::new(),
            naming: crate::first_start::Naming::default(),
            demo_logins: std::sync::OnceLock::new(),
            turns: std::sync::OnceLock::new(),
            label: std::sync::OnceLock::new(),
        };
        office.dummy_hash = crate::password::hash_password(&office, "関所 dummy")?;
        let office = Arc::new(office);
        office.prepare_tables().await?;
        if stored.is_none() {
            office.keep_pack_of_start(o.pack, o.pack_files).await?;
        }
        Ok(office)
    }

    /// The pack of the first start: stored whole, recorded, its tables made. Of nodes that start at once one does it.
    async fn keep_pack_of_start(
        self: &Arc<Self>,
        pack: Pack,
        files: std::collections::BTreeMap<String, String>,
    ) -> Result<(), AppError> {
        let now = self.clock.now();
        let row = PackRow {
            hash: pack.hash.clone(),
            name: pack.meta.name.clone(),
            version: pack.meta.version.clone(),
            files,
            loaded_at: now,
            loaded_by: "system".to_owned(),
        };
        let (seal, stream) = (self.seal()?, sekisho_store::ledger::stream_id(self.new_id()?));
        let running = self.store
            .write(move |c| {
                Box::pin(async move {
                    if let Some(other) = setting::get(c, RUNNING).await? {
                        return Ok(other);
                    }
                    packs::put(c, &row).await?;
                    setting::set(c, RUNNING, &row.hash).await?;
                    let payload = json!({"pack": row.name, "version": row.version, "hash": row.hash, "by": row.loaded_by, "at": now});
                    record(c, seal, &stream, "pack.load", &payload, now).await?;
                    Ok::<_, AppError>(row.hash)
                })
            })
            .await?;
        let pack = if running == pack.hash { Arc::new(pack) } else { self.pack_of(&running).await? };
        self.switch_pack(pack);
        self.prepare_tables().await
    }

    /// Runs another version from now on; it is stored and its tables are there.
    pub(crate) fn switch_pack(&self, pack: Arc<Pack>) {
        *self.pack.write().unwrap_or_else(PoisonError::into_inner) = pack;
    }

    async fn prepare_tables(&self) -> Result<(), AppError> {
        let specs: Vec<_> = self.pack().registers.values().map(table_spec).collect();
        self.store
            .write(move |c| {
                Box::pin(async move {
                    for spec in &specs {
                        register::ensure(c, spec).await?;
                    }
                    sekisho_store::query::ensure_views(c, &specs).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await
    }

    /// The running pack.
    #[must_use]
    pub fn pack(&self) -> Arc<Pack> {
        Arc::clone(&self.pack.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The pack version a case started with.
    ///
    /// # Errors
    /// It is not stored, or can no longer be read.
    pub async fn pack_of(&self, hash: &str) -> Result<Arc<Pack>, AppError> {
        let running = self.pack();
        if running.hash == hash {
            return Ok(running);
        }
        if let Some(pack) = self.older_packs.lock().unwrap_or_else(PoisonError::into_inner).get(hash) {
            return Ok(Arc::clone(pack));
        }
        let key = hash.to_owned();
        let row = self
            .store
            .read(move |c| Box::pin(async move { packs::get(c, &key).await.map_err(AppError::from) }))
            .await?;
        let pack = Arc::new(read_pack(
            &row.ok_or_else(|| AppError::internal(format!("pack {hash} is not stored")))?,
        )?);
        self.older_packs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(hash.to_owned(), Arc::clone(&pack));
        Ok(pack)
    }

    /// Cedar rules of a pack version, compiled once.
    pub(crate) fn rules(&self, pack: &Pack) -> Result<Arc<Rules>, AppError> {
        let mut kept = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rules) = kept.get(&pack.hash) {
            return Ok(Arc::clone(rules));
        }
        let rules = Arc::new(Rules::for_pack(pack).map_err(AppError::internal)?);
        kept.insert(pack.hash.clone(), Arc::clone(&rules));
        Ok(rules)
    }

    /// Names and places of the organization.
    ///
    /// # Errors
    /// The database failed.
    pub async fn directory(&self) -> Result<Arc<Directory>, AppError> {
        self.load_organization().await.map(|(d, _)| d)
    }

    /// The organization as the case engine sees it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn org(&self) -> Result<Arc<Org>, AppError> {
        self.load_organization().await.map(|(_, o)| o)
    }

    /// Both at once.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn load_organization(&self) -> Result<(Arc<Directory>, Arc<Org>), AppError> {
        let (version, running) = self.store.counter_and_setting(org::VERSION, RUNNING).await?;
        // Another node may have let another version take effect.
        if let Some(hash) = running.filter(|h| *h != self.pack().hash) {
            let pack = self.pack_of(&hash).await?;
            self.switch_pack(pack);
        }
        let pack = self.pack();
        if let Some(known) = self.loaded_at(version, &pack) {
            return Ok(known);
        }
        let since = self.clock.today();
        let all = self
            .store
            .read(move |c| Box::pin(async move { org::load(c, since).await.map_err(AppError::from) }))
            .await?;
        let org = Arc::new(crate::cases::org_of(&all, &pack.absence));
        let directory = Arc::new(Directory::new(all));
        let loaded =
            Loaded { directory: Arc::clone(&directory), org: Arc::clone(&org), pack: pack.hash.clone() };
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded);
        Ok((directory, org))
    }

    /// The organization in memory, if it is of this version and made with this pack.
    fn loaded_at(&self, version: i64, pack: &Pack) -> Option<(Arc<Directory>, Arc<Org>)> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let l = loaded.as_ref().filter(|l| l.directory.rows().version == version && l.pack == pack.hash)?;
        Some((Arc::clone(&l.directory), Arc::clone(&l.org)))
    }

    /// Somebody's name as last loaded; the number when it is not known. For search texts, which may lag.
    pub(crate) fn cached_name(&self, person: &str) -> String {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.as_ref().map_or_else(|| person.to_owned(), |l| l.directory.person_name(person).to_owned())
    }

    /// The organization as last loaded, which may lag by a moment: for messages, which decide nothing.
    pub(crate) fn cached_directory(&self) -> Option<Arc<Directory>> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.as_ref().map(|l| Arc::clone(&l.directory))
    }

    /// The organization as it is in a transaction that writes: an appointment that ended before this act ended for it too, on whichever
    /// node that was recorded.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn org_now(&self, c: &mut Conn<'_>) -> Result<Arc<Org>, AppError> {
        let version = setting::current(c, org::VERSION).await?;
        let pack = self.pack();
        if let Some((_, org)) = self.loaded_at(version, &pack) {
            return Ok(org);
        }
        let all = org::load(c, self.clock.today()).await?;
        Ok(Arc::new(crate::cases::org_of(&all, &pack.absence)))
    }

    /// Forgets the cached organization.
    pub(crate) fn forget_organization(&self) {
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A new id.
    ///
    /// # Errors
    /// Randomness failed.
    pub fn new_id(&self) -> Result<Id, AppError> {
        Id::new(self.clock.now(), self.entropy.as_ref()).map_err(AppError::internal)
    }

    /// The body's name in the ledger.
    #[must_use]
    pub fn body(&self) -> &str {
        self.naming.names.get().map_or(&self.body, |n| &n.body)
    }

    /// The body's name on pages and forms.
    #[must_use]
    pub fn body_title(&self) -> &str {
        self.naming.names.get().map_or(&self.title, |n| &n.title)
    }

    /// Says where things are, for the page システム; the first call counts.
    pub fn know_surroundings(&self, s: crate::doctor::Surroundings) {
        let _ = self.surroundings.set(s);
    }

    /// Offers people of a demo city on the login page, whose passwords were printed anyway; the first call counts.
    pub fn offer_demo_logins(&self, logins: Vec<crate::demo::PrintedLogin>) {
        let _ = self.demo_logins.set(logins);
    }

    /// People whom the login page offers: none but in a demo city.
    #[must_use]
    pub fn demo_logins(&self) -> &[crate::demo::PrintedLogin] {
        self.demo_logins.get().map_or(&[], Vec::as_slice)
    }

    /// Says what the operator calls this body among several; the first call counts.
    pub fn call_body(&self, label: String) {
        let _ = self.label.set(label);
    }

    /// What the operator calls this body, where one process serves several.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.label.get().map(String::as_str)
    }

    /// What this body's jobs say in the log stands in this span.
    #[must_use]
    pub fn span(&self) -> tracing::Span {
        match self.label() {
            Some(body) => tracing::error_span!("job", body),
            None => tracing::Span::none(),
        }
    }

    /// Whether the same key seals the secrets of both: then they are one body, or one of them was made with the other's key.
    #[must_use]
    pub fn has_the_key_of(&self, other: &Self) -> bool {
        self.sealing_key().is_some_and(|key| other.sealing_key() == Some(key))
    }

    /// A short mark of this process for the log.
    #[must_use]
    pub fn node_mark(&self) -> &str {
        // The end of the id is random; its beginning is the time.
        self.node.get(18..).unwrap_or(&self.node)
    }

    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    /// The key that seals secrets at rest; none for commands that only read.
    pub(crate) fn sealing_key(&self) -> Option<&[u8; 32]> {
        self.sealing_key.as_ref().or_else(|| self.given_sealing_key.get())
    }

    /// Seals with this key from now on: for a node that serves pages and does not sign.
    pub fn seal_with(&self, key: [u8; 32]) {
        let _ = self.given_sealing_key.set(key);
    }

    /// The key that signs permits; none for commands that only read.
    pub(crate) fn permit_signer(&self) -> Option<&PermitSigner> {
        self.naming.names.get().map_or(self.permit_signer.as_ref(), |n| n.permit_signer.as_ref())
    }

    pub(crate) fn signer(&self) -> Option<&LogSigner> {
        self.naming.names.get().map_or(self.signer.as_ref(), |n| n.signer.as_ref())
    }

    /// Starts what runs beside the pages: the sequencer, and the checks at start and at the turn of each day.
    pub fn start(self: &Arc<Self>) -> Vec<tokio::task::JoinHandle<()>> {
        let sequencer = tokio::spawn(crate::sequencer::run(Arc::clone(self)).instrument(self.span()));
        let daily = tokio::spawn(daily(Arc::clone(self)).instrument(self.span()));
        let mail = tokio::spawn(crate::mail::run(Arc::clone(self)).instrument(self.span()));
        let queries = tokio::spawn(checks::queries::follow(Arc::clone(self)).instrument(self.span()));
        let mut running = vec![sequencer, daily, mail, queries];
        if self.directory_server().is_some() {
            let job = crate::ldap::standing::run(Arc::clone(self));
            running.push(tokio::spawn(job.instrument(self.span())));
        }
        if !self.store.is_sqlite() {
            running.push(tokio::spawn(crate::nodes::run(Arc::clone(self)).instrument(self.span())));
        }
        running
    }
}

/// Runs the checks at start and whenever the day has turned: then one node does it for all.
async fn daily(office: Arc<Office>) {
    let mut done = None;
    loop {
        let today = office.clock.today();
        let mut pause = 60;
        if done != Some(today) {
            match office.turn_day(done.is_none()).await {
                Ok(true) => done = Some(today),
                // Another node is at it: this one looks again soon whether it came to an end.
                Ok(false) => pause = 5,
                Err(e) => tracing::error!(error = %e, "the daily checks failed; they run again in a minute"),
            }
        }
        tokio::time::sleep(std::time::Duration::from_secs(pause)).await;
    }
}

#[boxed]
impl Office {
    /// Sees to it that what the turn of the day brings is done once; no while another node is at it. `starts` does it anew: the program has
    /// just started, perhaps as another version than the one that did it last.
    ///
    /// # Errors
    /// The database failed.
    pub async fn turn_day(self: &Arc<Self>, starts: bool) -> Result<bool, AppError> {
        let today = self.clock.today();
        Ok(self.alone("daily", DAY_LEASE_MS, turn_day(self, today, starts)).await?.is_some())
    }
}

/// What the turn of the day brings.
async fn turn_day(office: &Arc<Office>, today: Date, starts: bool) -> Result<(), AppError> {
    let last =
        office.store.ask(|c| Box::pin(async move { setting::get(c, TURNED).await.map_err(AppError::from) }));
    if !starts && last.await?.as_deref() == Some(today.to_string().as_str()) {
        return Ok(());
    }
    crate::cases::sweep(office).await?;
    crate::duties::run_day(office).await?;
    checks::run_all(office).await?;
    crate::cases::open_from_causes(office).await?;
    office.seal_looks().await?;
    office.note_turns().await?;
    office.forget_requests().await?;
    let today = today.to_string();
    office
        .store
        .write(move |c| {
            Box::pin(async move { setting::set(c, TURNED, &today).await.map_err(AppError::from) })
        })
        .await
}

fn read_pack(row: &PackRow) -> Result<Pack, AppError> {
    Pack::load_files(&row.files).map_err(|messages| {
        AppError::internal(messages.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}
