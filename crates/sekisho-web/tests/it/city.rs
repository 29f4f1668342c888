//! A small city: two departments, three sections, four assets, a clock that tests turn.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use axum::Router;
use axum::http::StatusCode;
use sekisho_app::exchange::org::{OrgRecords, OrgSheet};
use sekisho_app::exchange::{Record, Table, write_xlsx};
use sekisho_app::office::Opening;
use sekisho_app::{AppError, Office, Store, checks, first, setup};
use sekisho_base::clock::ManualClock;
use sekisho_base::entropy::SeededEntropy;
use sekisho_base::table::Value;
use sekisho_base::{Date, Instant};
use tokio::sync::OnceCell;

use crate::browser::{Browser, Page};

/// Password of everybody in the small city, set through the page that changes temporary ones.
pub const PASSWORD: &str = "関所のためのパスワード";

/// 高齢福祉課 主事.
pub const CLERK: &str = "1001";
/// 高齢福祉課長, who permits.
pub const MANAGER: &str = "1002";
/// 高齢福祉課 課長補佐, who decides in the manager's absence.
pub const DEPUTY: &str = "1004";
/// 福祉部長, the next role above both managers.
pub const DIRECTOR: &str = "1003";
/// 障害福祉課 主事.
pub const OTHER_CLERK: &str = "2001";
/// 障害福祉課長.
pub const OTHER_MANAGER: &str = "2002";
/// 情報政策課長: runs the system.
pub const ADMIN: &str = "9001";
/// Operator of the system, by appointment.
pub const SECOND_ADMIN: &str = "9002";

/// 企画政策部長: 統括情報セキュリティ責任者, who has no login in the settled city.
pub const HEAD: &str = "8001";
/// 副市長: CISO, who has no login in the settled city.
pub const CISO: &str = "8002";

/// Everybody who can log in to the settled city.
const EVERYBODY: [&str; 8] =
    [CLERK, MANAGER, DEPUTY, DIRECTOR, OTHER_CLERK, OTHER_MANAGER, ADMIN, SECOND_ADMIN];

/// Assets of the settled city: number, name, section.
const ASSETS: [(&str, &str, &str); 4] = [
    ("A-001", "要介護認定の名簿", "21"),
    ("A-002", "訪問調査の記録票", "21"),
    ("B-001", "手帳交付の台帳", "22"),
    ("C-001", "ネットワーク構成図", "11"),
];

/// The day on which everything begins: a Wednesday.
pub const TODAY: &str = "2026-11-25";

static NEXT: AtomicU64 = AtomicU64::new(1);

pub struct City {
    pub office: Arc<Office>,
    pub clock: Arc<ManualClock>,
    pub router: Router,
    folder: PathBuf,
}

impl Drop for City {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Database and signing key of the settled city, made once and copied for each test.
struct Settled {
    database: Vec<u8>,
    key: Vec<u8>,
}

static SETTLED: OnceCell<Settled> = OnceCell::const_new();

/// Day and hour in Tokyo.
pub fn at(day: &str, hour: i64) -> Instant {
    Instant::start_of(day.parse::<Date>().unwrap()).plus_millis(hour * 3_600_000)
}

/// A line of a sheet.
pub fn record(pairs: &[(&str, &str)]) -> Record {
    let value = |k: &str, v: &str| if k == "head" { Value::Bool(true) } else { Value::Text(v.to_owned()) };
    pairs.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| ((*k).to_owned(), value(k, v))).collect()
}

/// The organization as a workbook, so that every test goes through the importer. `until` tells the last day of a person's
/// appointments; empty while they go on.
pub fn workbook(until: impl Fn(&str) -> &'static str) -> Vec<u8> {
    workbook_with(until, &[])
}

/// The same with further appointments beside the main ones: person and post.
pub fn workbook_with(until: impl Fn(&str) -> &'static str, concurrent: &[(&str, &str)]) -> Vec<u8> {
    org_file(&organization(until, concurrent))
}

/// Its sheets.
pub fn organization(until: impl Fn(&str) -> &'static str, concurrent: &[(&str, &str)]) -> OrgRecords {
    let mut org = OrgRecords::default();
    for (code, name, kind, parent) in [
        ("0", "みなと野市", "body", ""),
        ("1", "企画政策部", "department", "0"),
        ("11", "情報政策課", "section", "1"),
        ("2", "福祉部", "department", "0"),
        ("21", "高齢福祉課", "section", "2"),
        ("22", "障害福祉課", "section", "2"),
    ] {
        let pairs =
            [("code", code), ("name", name), ("kind", kind), ("parent", parent), ("from", "2020-04-01")];
        org.insert(OrgSheet::Units, record(&pairs));
    }
    for (code, unit, title, head) in [
        ("deputy_mayor", "0", "副市長", ""),
        ("info_policy_director", "1", "企画政策部長", "1"),
        ("info_policy_manager", "11", "情報政策課長", "1"),
        ("11-s", "11", "主事", ""),
        ("2-h", "2", "福祉部長", "1"),
        ("21-h", "21", "高齢福祉課長", "1"),
        ("21-d", "21", "課長補佐", ""),
        ("21-s", "21", "主事", ""),
        ("22-h", "22", "障害福祉課長", "1"),
        ("22-s", "22", "主事", ""),
    ] {
        org.insert(
            OrgSheet::Posts,
            record(&[("code", code), ("unit", unit), ("title", title), ("head", head)]),
        );
    }
    for (number, name, kana, post) in [
        (CLERK, "髙橋 花子", "たかはし はなこ", "21-s"),
        (MANAGER, "渡邉 一郎", "わたなべ いちろう", "21-h"),
        (DEPUTY, "小笠原 誠", "おがさわら まこと", "21-d"),
        (DIRECTOR, "邉\u{e0101}見 清", "へんみ きよし", "2-h"),
        (OTHER_CLERK, "﨑山 徹", "さきやま とおる", "22-s"),
        (OTHER_MANAGER, "齋藤 恵", "さいとう めぐみ", "22-h"),
        (ADMIN, "情報 太郎", "じょうほう たろう", "info_policy_manager"),
        (SECOND_ADMIN, "情報 次郎", "じょうほう じろう", "11-s"),
        ("8001", "統括 三郎", "とうかつ さぶろう", "info_policy_director"),
        ("8002", "副島 長子", "そえじま ちょうこ", "deputy_mayor"),
    ] {
        org.insert(OrgSheet::Persons, record(&[("number", number), ("name", name), ("kana", kana)]));
        let pairs = [
            ("person", number),
            ("post", post),
            ("main", "main"),
            ("from", "2026-04-01"),
            ("until", until(number)),
        ];
        org.insert(OrgSheet::Appointments, record(&pairs));
    }
    for (person, post) in concurrent {
        let pairs = [("person", *person), ("post", *post), ("main", "concurrent"), ("from", "2026-04-01")];
        org.insert(OrgSheet::Appointments, record(&pairs));
    }
    let operator = [
        ("person", SECOND_ADMIN),
        ("post", "11-s"),
        ("main", "concurrent"),
        ("from", "2026-04-01"),
        ("role", "system_operator"),
    ];
    org.insert(OrgSheet::Appointments, record(&operator));
    org
}

/// [`PASSWORD`] as it is kept, with the least work that argon2id can ask.
fn quick_hash() -> String {
    let least = Params::new(Params::MIN_M_COST, Params::MIN_T_COST, Params::MIN_P_COST, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, least);
    argon2.hash_password_with_salt(PASSWORD.as_bytes(), b"salt of the tests").unwrap().to_string()
}

/// Sheets as a workbook.
pub fn org_file(org: &OrgRecords) -> Vec<u8> {
    let roles = [
        ("system_operator", "情報システム担当者"),
        ("auditor", "監査を行う者"),
        ("csirt_member", "CSIRT要員"),
    ]
    .map(|(id, title)| (id.to_owned(), title.to_owned()));
    let tables: Vec<Table> =
        OrgSheet::ALL.iter().map(|s| Table::new(&s.schema(&roles), org.records(*s))).collect();
    write_xlsx(&tables, "2026-04-01".parse().unwrap()).unwrap()
}

/// The `sekisho` binary, which prints forms: it stands beside the folder of the test.
pub fn print_program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(std::path::Path::parent).unwrap();
    profile.join(format!("sekisho{}", std::env::consts::EXE_SUFFIX))
}

impl City {
    fn folder() -> (u64, PathBuf) {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("sekisho-web-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        (n, folder)
    }

    async fn open(n: u64, folder: PathBuf) -> Self {
        let address = folder.join("sekisho.db").to_string_lossy().into_owned();
        Self::open_at(n, folder, &address, at(TODAY, 10)).await
    }

    async fn open_at(n: u64, folder: PathBuf, address: &str, now: Instant) -> Self {
        Self::open_with(n, folder, address, now, setup::model_pack_files()).await
    }

    async fn open_with(
        n: u64,
        folder: PathBuf,
        address: &str,
        now: Instant,
        pack_files: BTreeMap<String, String>,
    ) -> Self {
        Self::open_keyed(n, n + 1_000_000, folder, address, now, pack_files).await
    }

    /// `n` makes the ids, `key` the signing key where there is none yet.
    async fn open_keyed(
        n: u64,
        key: u64,
        folder: PathBuf,
        address: &str,
        now: Instant,
        pack_files: BTreeMap<String, String>,
    ) -> Self {
        let store = Store::open(address).await.unwrap();
        let clock = Arc::new(ManualClock::new(now));
        let entropy = Arc::new(SeededEntropy::new(n));
        let seed =
            setup::signing_seed(&store, &folder.join("city.key"), &SeededEntropy::new(key)).await.unwrap();
        let opening = Opening {
            store,
            clock: Arc::<ManualClock>::clone(&clock),
            entropy,
            seed: Some(seed),
            body: "minatono".to_owned(),
            title: "みなと野市".to_owned(),
            pack: sekisho_app::pack_tools::examine(&pack_files).0.unwrap(),
            pack_files,
            print_program: Some(print_program()),
        };
        let office = Office::open(opening).await.unwrap();
        let router = sekisho_web::router(Arc::clone(&office), false);
        Self { office, clock, router, folder }
    }

    /// An empty body with the model pack.
    pub async fn empty() -> Self {
        let (n, folder) = Self::folder();
        Self::open(n, folder).await
    }

    /// With another pack, the organization, a login for each number given, and no assets.
    pub async fn with_pack(pack_files: BTreeMap<String, String>, numbers: &[&str]) -> Self {
        let (n, folder) = Self::folder();
        let address = folder.join("sekisho.db").to_string_lossy().into_owned();
        let city = Self::open_with(n, folder, &address, at(TODAY, 10), pack_files).await;
        city.fill(workbook(|_| ""), numbers).await;
        city
    }

    /// With the organization, a login for each number given, and no assets.
    pub async fn with_logins(numbers: &[&str]) -> Self {
        Self::with_organization(workbook(|_| ""), numbers).await
    }

    /// The same with another organization.
    pub async fn with_organization(workbook: Vec<u8>, numbers: &[&str]) -> Self {
        let city = Self::empty().await;
        city.fill(workbook, numbers).await;
        city
    }

    /// As of a moment, on an SQLite file of its own or on the database given, with the organization and a login for each number.
    pub async fn made_at(now: Instant, database: Option<&str>, numbers: &[&str]) -> Self {
        Self::made_of(workbook(|_| ""), now, database, numbers).await
    }

    /// The same with another organization.
    pub async fn made_of(workbook: Vec<u8>, now: Instant, database: Option<&str>, numbers: &[&str]) -> Self {
        let (n, folder) = Self::folder();
        let file = folder.join("sekisho.db").to_string_lossy().into_owned();
        let city = Self::open_at(n, folder, database.unwrap_or(&file), now).await;
        city.fill(workbook, numbers).await;
        city
    }

    /// A settled city with the same ids, logins and passwords as every other twin, made on its own with a key of its own. What is done in it
    /// from now on is its own too.
    pub async fn twin(key: u64, database: Option<&str>) -> Self {
        const IDS: u64 = 7_777;
        let (n, folder) = Self::folder();
        let file = folder.join("sekisho.db").to_string_lossy().into_owned();
        let (address, now) = (database.unwrap_or(&file), at(TODAY, 10));
        let files = setup::model_pack_files();
        let mut made = Self::open_keyed(IDS, key, folder.clone(), address, now, files.clone()).await;
        made.fill(workbook(|_| ""), &EVERYBODY).await;
        made.furnish().await;
        // Its files stay where they are.
        made.folder = made.folder_beside("gone");
        Self::open_keyed(n, key, folder, address, now, files).await
    }

    async fn furnish(&self) {
        let mut admin = self.browser(ADMIN).await;
        for (number, name, unit) in ASSETS {
            let page = admin.post("/registers/asset/new", &asset(number, name, unit)).await;
            assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        }
        admin.get("/").await;
        checks::run_all(&self.office).await.unwrap();
        self.office.store.clone().close().await;
    }

    async fn fill(&self, workbook: Vec<u8>, numbers: &[&str]) {
        // identity.rs tries what a second factor asks of whom; everywhere else administrators come in with a password.
        self.ask_second_factor_of("").await;
        first::import(&self.office, "organization.xlsx", workbook, true).await.unwrap();
        let password = first::first_login(&self.office, ADMIN, "admin").await.unwrap();
        let mut admin = Browser::new(self);
        admin.enter("admin", &password).await;
        admin.own_password(&password).await;
        for number in numbers.iter().filter(|n| **n != ADMIN) {
            let page = admin
                .post("/organization/account", &[("person", number), ("login", &format!("u{number}"))])
                .await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.text);
            let password =
                page.text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();
            let mut user = Browser::new(self);
            user.enter(&format!("u{number}"), &password).await;
            user.own_password(&password).await;
        }
        self.check_passwords_quickly().await;
    }

    /// Puts a hash of [`PASSWORD`] that takes no time in the place of everybody's: a fifth of all the time of these tests went into slow ones.
    async fn check_passwords_quickly(&self) {
        let done = self.office.store.write(move |c| {
            Box::pin(async move {
                c.exec("UPDATE account SET password = $1 WHERE NOT must_change", vec![quick_hash().into()])
                    .await
                    .map_err(AppError::from)
            })
        });
        done.await.unwrap();
    }

    /// Which roles must have a second factor: ids between spaces.
    pub async fn ask_second_factor_of(&self, roles: &str) {
        let sql = format!(
            "INSERT INTO setting (name, value) VALUES ('login.second_factor_roles', '{roles}') ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        );
        let done = self
            .office
            .store
            .write(move |c| Box::pin(async move { c.exec(&sql, vec![]).await.map_err(AppError::from) }));
        done.await.unwrap();
    }

    /// Where its files are: `sekisho.db` and `city.key`.
    pub fn files(&self) -> &std::path::Path {
        &self.folder
    }

    /// With everybody's login and the assets: a copy of one that was made through the pages.
    pub async fn settled() -> Self {
        let settled = SETTLED.get_or_init(settle).await;
        let (n, folder) = Self::folder();
        std::fs::write(folder.join("sekisho.db"), &settled.database).unwrap();
        std::fs::write(folder.join("city.key"), &settled.key).unwrap();
        Self::open(n, folder).await
    }

    /// Gives a login to somebody who has none in the settled city.
    pub async fn give_login(&self, number: &str) {
        let admin = self.browser(ADMIN).await;
        let slip = admin
            .post("/organization/account", &[("person", number), ("login", &format!("u{number}"))])
            .await;
        let password = slip.text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();
        let mut b = Browser::new(self);
        b.enter(&format!("u{number}"), &password).await;
        b.own_password(&password).await;
    }

    /// Somebody who is logged in.
    pub async fn browser(&self, number: &str) -> Browser {
        let mut b = Browser::new(self);
        let login = if number == ADMIN { "admin".to_owned() } else { format!("u{number}") };
        let page = b.enter(&login, PASSWORD).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{number} logs in");
        b
    }

    /// Turns the clock and does what the server does at the turn of a day.
    pub async fn turn_to(&self, day: &str, hour: i64) {
        self.clock.set(at(day, hour));
        sekisho_app::cases::sweep(&self.office).await.unwrap();
        sekisho_app::duties::run_day(&self.office).await.unwrap();
        checks::run_all(&self.office).await.unwrap();
        sekisho_app::cases::open_from_causes(&self.office).await.unwrap();
        self.office.seal_looks().await.unwrap();
        self.office.note_turns().await.unwrap();
    }

    /// The city's data folder, for the program itself.
    pub fn data(&self) -> &std::path::Path {
        &self.folder
    }

    /// A folder beside the city's own, for what belongs to others.
    pub fn folder_beside(&self, name: &str) -> PathBuf {
        let mut beside = self.folder.clone().into_os_string();
        beside.push(format!("-{name}"));
        PathBuf::from(beside)
    }

    /// Stops the city and opens it twice: as it goes on, and as its backup of this moment.
    pub async fn and_backup(self) -> (Self, Self) {
        self.office.store.clone().close().await;
        let mut opened = Vec::new();
        for _ in 0..2 {
            let (n, folder) = Self::folder();
            for name in ["sekisho.db", "city.key"] {
                std::fs::copy(self.folder.join(name), folder.join(name)).unwrap();
            }
            opened.push(Self::open(n, folder).await);
        }
        let backup = opened.pop().unwrap();
        (opened.pop().unwrap(), backup)
    }

    /// A number out of the database.
    pub async fn count(&self, sql: &'static str) -> i64 {
        self.office
            .store
            .read(move |c| Box::pin(async move { c.count(sql, vec![]).await.map_err(AppError::from) }))
            .await
            .unwrap()
    }

    /// The same, with a value at `$1`.
    pub async fn count_of(&self, sql: &'static str, value: &str) -> i64 {
        let value = value.to_owned();
        self.office
            .store
            .read(move |c| {
                Box::pin(async move { c.count(sql, vec![value.into()]).await.map_err(AppError::from) })
            })
            .await
            .unwrap()
    }

    /// Everything that a use case could have written, as numbers that any writing changes: every change has its entry in
    /// the ledger, and what has none is counted by itself.
    pub async fn written(&self) -> Vec<i64> {
        let mut all = Vec::new();
        for sql in [
            // Whoever looks has to log in for it.
            "SELECT COUNT(*) FROM ledger_entry WHERE kind <> 'account.login'",
            "SELECT COUNT(*) FROM ledger_entry WHERE leaf_index IS NULL AND kind <> 'account.login'",
            "SELECT COUNT(*) FROM case_file",
            "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM case_file",
            "SELECT COUNT(*) FROM case_act",
            "SELECT COUNT(*) FROM open_task",
            "SELECT COUNT(*) FROM draft",
            "SELECT CAST(COALESCE(SUM(LENGTH(body)), 0) AS BIGINT) FROM draft",
            "SELECT COUNT(*) FROM upload",
            "SELECT COUNT(*) FROM case_import",
            "SELECT COUNT(*) FROM case_import WHERE undone_at IS NOT NULL",
            "SELECT COUNT(*) FROM register_change",
            "SELECT COUNT(*) FROM r_asset",
            "SELECT COUNT(*) FROM r_media",
            "SELECT COUNT(*) FROM r_device",
            "SELECT COUNT(*) FROM account",
            "SELECT COUNT(*) FROM account WHERE must_change",
            "SELECT COUNT(*) FROM unit",
            "SELECT COUNT(*) FROM post",
            "SELECT COUNT(*) FROM duty_occurrence WHERE closed_at IS NOT NULL",
            "SELECT COUNT(*) FROM notification WHERE read_at IS NOT NULL",
            "SELECT COUNT(*) FROM document_version",
            "SELECT COUNT(*) FROM assessment_answer",
            "SELECT COUNT(*) FROM person",
            "SELECT COUNT(*) FROM appointment",
            "SELECT COUNT(*) FROM absence",
            "SELECT COUNT(*) FROM absence WHERE cancelled_at IS NULL",
            "SELECT COUNT(*) FROM delegation",
            "SELECT COUNT(*) FROM delegation WHERE state = 'proposed'",
            "SELECT COUNT(*) FROM org_proposal",
            "SELECT COUNT(*) FROM org_proposal WHERE state = 'waiting'",
            "SELECT CAST(COALESCE(SUM(value), 0) AS BIGINT) - (SELECT COUNT(*) FROM ledger_entry WHERE kind = 'account.login') FROM counter",
        ] {
            all.push(self.count(sql).await);
        }
        all
    }
}

async fn settle() -> Settled {
    let city = City::with_logins(&EVERYBODY).await;
    city.furnish().await;
    let read = |name: &str| std::fs::read(city.folder.join(name)).unwrap();
    Settled { database: read("sekisho.db"), key: read("city.key") }
}

/// What the form of an asset is filled in with: nothing that any check complains about.
pub fn asset<'a>(number: &'a str, name: &'a str, unit: &'a str) -> Vec<(&'a str, &'a str)> {
    let manager = match unit {
        "21" => "21-h",
        "22" => "22-h",
        _ => "info_policy_manager",
    };
    vec![
        ("number", number),
        ("name", name),
        ("kind", "information"),
        ("section", unit),
        ("manager", manager),
        ("confidentiality", "3B"),
        ("integrity", "2"),
        ("availability", "2"),
        ("personal", "personal"),
        ("persons", "120"),
        ("zone", "lgwan"),
        ("place", "書庫の棚"),
        ("retention_until", "R14.3.31"),
        ("backup", "毎週、副本を取る"),
        ("checked_on", "R8.11.2"),
    ]
}

/// Id of a row, found through the list as a person would.
pub async fn row_id(b: &mut Browser, register: &str, number: &str) -> String {
    let page = b.get(&format!("/registers/{register}?q={number}")).await;
    let link = format!("<a href=\"/registers/{register}/");
    let found = page
        .text
        .split(&link)
        .skip(1)
        .find(|rest| rest.split('<').next().unwrap().ends_with(&format!(">{number}")));
    found.unwrap_or_else(|| panic!("{number} is in the list")).split('"').next().unwrap().to_owned()
}

/// Cells of the table row that holds a text; empty when there is none.
pub fn line_with<'p>(page: &'p Page, text: &str) -> &'p str {
    page.text
        .split("<tr>")
        .skip(1)
        .map(|r| r.split("</tr>").next().unwrap())
        .find(|r| r.contains(text))
        .unwrap_or_default()
}
