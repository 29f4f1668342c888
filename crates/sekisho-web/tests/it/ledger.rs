//! The ledger watched from outside and compared inside: witnesses, rollback and fork, rows against entries, heartbeats, erasure.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use sekisho_app::ledger::erase::{self, Erasure};
use sekisho_app::ledger::keeper;
use sekisho_app::ledger::verdict::{Against, Verdict, verify_data};
use sekisho_app::ledger::witnesses::{self, Messenger, Reply};
use sekisho_app::ledger::{heartbeat, jobs, proving, reconcile};
use sekisho_app::{AppError, sequencer, setup};
use sekisho_base::clock::ManualClock;
use sekisho_base::entropy::SeededEntropy;
use sekisho_web::witness::HttpMessenger;
use tower::ServiceExt as _;

use crate::acts::{application, apply, item};
use crate::city::{ADMIN, CLERK, City, asset, at};

/// A witness in another place: a folder with key and state, and the router that answers.
struct Witness {
    folder: PathBuf,
    vkey: String,
    log: String,
    router: Router,
}

impl Witness {
    async fn of(city: &City, name: &str) -> Self {
        sequencer::drain(&city.office).await.unwrap();
        let log = setup::checkpoint(&city.office.store).await.unwrap().vkey;
        let folder = city.folder_beside(name);
        std::fs::create_dir_all(&folder).unwrap();
        let vkey =
            keeper::new_key(&format!("witness.example/{name}"), &folder.join("key"), &SeededEntropy::new(99))
                .unwrap();
        let router = router(city, &folder, &log);
        Self { folder, vkey, log, router }
    }

    async fn appointed_by(&self, city: &City, address: &str) {
        let list = format!("# 監査委員事務局\nwitness 監査 {} {address}\n", self.vkey);
        witnesses::appoint(&city.office, &witnesses::parse_list(&list).unwrap()).await.unwrap();
        sequencer::drain(&city.office).await.unwrap();
    }

    /// One round of asking after everything that waits has its place.
    async fn asked_by(&self, city: &City) -> usize {
        sequencer::drain(&city.office).await.unwrap();
        witnesses::round(&city.office, self).await.unwrap()
    }
}

fn router(city: &City, folder: &Path, log: &str) -> Router {
    let clock = Arc::<ManualClock>::clone(&city.clock);
    let keeper = keeper::open(&folder.join("key"), &folder.join("state"), &[log.to_owned()], clock).unwrap();
    sekisho_web::witness::router(Arc::new(keeper))
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Carries requests to the witness's router without a network.
impl Messenger for Witness {
    fn post(
        &self,
        url: String,
        body: String,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, String>> + Send + '_>> {
        Box::pin(async move {
            let request = Request::post(&url).body(Body::from(body)).unwrap();
            let answer = self.router.clone().oneshot(request).await.unwrap();
            let kind = answer.headers().get(header::CONTENT_TYPE).map(|v| v.to_str().unwrap().to_owned());
            let status = answer.status().as_u16();
            let body = axum::body::to_bytes(answer.into_body(), 100_000).await.unwrap();
            Ok(Reply { status, content_type: kind.unwrap_or_default(), body: body.to_vec() })
        })
    }
}

/// One more act: somebody applies for something.
async fn act(city: &City) {
    let mut clerk = city.browser(CLERK).await;
    let asset = item(&mut clerk, "A-001").await;
    apply(&mut clerk, &application("21-s", &asset)).await;
}

async fn page(city: &City) -> String {
    city.browser(CLERK).await.get("/ledger").await.text
}

/// Statements behind the program's back.
async fn tamper(city: &City, statements: &[&'static str]) {
    for sql in statements {
        let sql: &'static str = sql;
        city.office
            .store
            .write(move |c| Box::pin(async move { c.exec(sql, vec![]).await.map_err(AppError::from) }))
            .await
            .unwrap();
    }
}

async fn verified(city: &City, against: Against<'_>) -> Verdict {
    verify_data(&city.office.store, against).await.unwrap()
}

fn says(verdict: &Verdict, what: &str) -> bool {
    verdict.text.iter().any(|l| l.contains(what))
}

#[tokio::test]
async fn a_witness_signs_and_its_signature_goes_with_every_proof() {
    let city = City::settled().await;
    let witness = Witness::of(&city, "signs").await;
    assert_eq!(witness.asked_by(&city).await, 0, "nobody was appointed");
    witness.appointed_by(&city, "http://witness.test").await;
    assert!(page(&city).await.contains("これから"));
    assert_eq!(witness.asked_by(&city).await, 1);
    assert_eq!(witness.asked_by(&city).await, 0, "it has signed the newest checkpoint");
    city.clock.set(at("2026-11-25", 11));
    assert_eq!(witness.asked_by(&city).await, 1, "an hour later it says so once more");
    let shown = page(&city).await;
    assert!(shown.contains("署名あり") && shown.contains("— witness.example/signs "), "{shown}");

    // The log grows; the witness checks that it continues.
    act(&city).await;
    assert_eq!(witness.asked_by(&city).await, 1);
    let keys = [witness.vkey.clone()];
    let verdict = verified(&city, Against { vkey: Some(&witness.log), kept: &[], witnesses: &keys }).await;
    assert!(
        verdict.sound && says(&verdict, "立会人 witness.example/signs の署名を確かめました"),
        "{:?}",
        verdict.text
    );

    // A proof carries the signature and is checked with the two keys alone; its file comes from the entry's page.
    let mut clerk = city.browser(CLERK).await;
    let listed = clerk.get("/ledger").await.text;
    let entry = listed.split("href=\"/ledger/").nth(1).unwrap().split('"').next().unwrap();
    let file = clerk.get(&format!("/ledger/{entry}/proof")).await;
    assert!(file.headers[header::CONTENT_DISPOSITION].to_str().unwrap().ends_with(".tlog-proof\""));
    let open = |keys: &[String]| sekisho_app::ledger::verdict::open_keys(keys).unwrap();
    let checked = proving::check(&file.text, &witness.log, &open(&keys)).unwrap();
    assert!(checked.sound && says(&checked, "の署名（2026年"), "{:?}", checked.text);
    let stranger = Witness::of(&city, "stranger").await;
    let other =
        proving::check(&file.text, &witness.log, &open(std::slice::from_ref(&stranger.vkey))).unwrap();
    assert!(!other.sound && says(&other, "署名がありません"));
    let bent = file.text.replacen("index ", "index 1", 1);
    assert!(proving::check(&bent, &witness.log, &[]).is_err());

    // Somebody else's key in the verification: no such signature.
    let none =
        verified(&city, Against { witnesses: std::slice::from_ref(&stranger.vkey), ..Against::default() })
            .await;
    assert!(!none.sound && says(&none, "まだありません"), "{:?}", none.text);
    // An altered signature is noticed.
    tamper(&city, &["UPDATE ledger_cosignature SET line = REPLACE(line, 'AAAA', 'AAAB')"]).await;
    let bent = verified(&city, Against::default()).await;
    assert!(
        !bent.sound && says(&bent, "立会人 witness.example/signs の署名が、控えの内容と合いません"),
        "{:?}",
        bent.text
    );
}

#[tokio::test]
async fn a_restored_backup_is_a_rollback_and_a_rewritten_log_is_a_fork() {
    let city = City::settled().await;
    let witness = Witness::of(&city, "watch").await;
    witness.appointed_by(&city, "http://witness.test").await;
    assert_eq!(witness.asked_by(&city).await, 1);
    let (city, backup) = city.and_backup().await;
    // The node that asked before no longer holds the lease.
    for running in [&city, &backup] {
        running.clock.set(at("2026-11-25", 11));
    }
    act(&city).await;
    assert_eq!(witness.asked_by(&city).await, 1);
    let setup::Latest { note: kept, spoken, vkey } = setup::checkpoint(&city.office.store).await.unwrap();
    assert_eq!((spoken.len(), &vkey), (19, &witness.log));

    // The backup is put into operation: the witness knows more than it has.
    assert_eq!(witness.asked_by(&backup).await, 0);
    let shown = page(&backup).await;
    assert!(shown.contains("からの警告") && shown.contains("台帳が巻き戻されています"), "{shown}");
    let kept = [kept];
    let against = Against { kept: &kept, ..Against::default() };
    let verdict = verified(&backup, against).await;
    assert!(!verdict.sound && says(&verdict, "巻き戻されています"), "{:?}", verdict.text);
    assert!(verified(&city, against).await.sound);

    // The alarm is an entry of the ledger, once.
    let alarms = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'ledger.witness_alarm'";
    assert_eq!(backup.count(alarms).await, 1);
    witnesses::round(&backup.office, &witness).await.unwrap();
    assert_eq!(backup.count(alarms).await, 1);

    // It goes on, and with it another history: longer than what the witness signed, and not its continuation.
    for _ in 0..3 {
        act(&backup).await;
    }
    assert_eq!(witness.asked_by(&backup).await, 0);
    let shown = page(&backup).await;
    assert!(shown.contains("台帳が分岐しています"), "{shown}");
    let verdict = verified(&backup, against).await;
    assert!(!verdict.sound && says(&verdict, "分岐しています"), "{:?}", verdict.text);
    assert_eq!(backup.count(alarms).await, 2);
    let evidence: Vec<_> = std::fs::read_dir(witness.folder.join("state/evidence")).unwrap().collect();
    assert_eq!(evidence.len(), 1);
    let about = witness.router.clone().oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    let about = axum::body::to_bytes(about.into_body(), 100_000).await.unwrap();
    let about = String::from_utf8(about.to_vec()).unwrap();
    assert!(about.contains("食い違いの証拠 1件") && about.contains(&witness.vkey), "{about}");

    // The true city is signed as before.
    act(&city).await;
    assert_eq!(witness.asked_by(&city).await, 1);
}

#[tokio::test]
async fn over_a_real_connection_and_when_nobody_answers() {
    let city = City::settled().await;
    let witness = Witness::of(&city, "net").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(sekisho_web::serve(listener, witness.router.clone(), async move {
        let _ = stopped.await;
    }));
    witness.appointed_by(&city, &address).await;
    assert_eq!(witnesses::round(&city.office, &HttpMessenger).await.unwrap(), 1);
    act(&city).await;
    sequencer::drain(&city.office).await.unwrap();
    assert_eq!(witnesses::round(&city.office, &HttpMessenger).await.unwrap(), 1);

    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    act(&city).await;
    sequencer::drain(&city.office).await.unwrap();
    assert_eq!(witnesses::round(&city.office, &HttpMessenger).await.unwrap(), 0);
    let shown = page(&city).await;
    assert!(shown.contains("立会人につながりません") && !shown.contains("からの警告"), "{shown}");
    // What it signed before still counts.
    assert!(
        verified(&city, Against { witnesses: std::slice::from_ref(&witness.vkey), ..Against::default() })
            .await
            .sound
    );
}

#[tokio::test]
async fn a_witness_refuses_what_is_no_request_of_its_log() {
    let city = City::settled().await;
    let witness = Witness::of(&city, "refuses").await;
    let post = |body: String| {
        let router = witness.router.clone();
        async move {
            let request = Request::post("/add-checkpoint").body(Body::from(body)).unwrap();
            router.oneshot(request).await.unwrap().status()
        }
    };
    let note = setup::checkpoint(&city.office.store).await.unwrap().note;
    assert_eq!(post("nonsense".to_owned()).await, StatusCode::BAD_REQUEST);
    assert_eq!(
        post(format!("old 0\n\n{}", note.replace("minatono", "elsewhere"))).await,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        post(format!("old 0\n\n{}", note.replacen("\n\n", "x\n\n", 1))).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(post("a".repeat(200_000)).await, StatusCode::PAYLOAD_TOO_LARGE);
    let wrong = post(format!("old 7\n\n{note}")).await;
    assert_eq!(wrong, StatusCode::CONFLICT);
    assert_eq!(post(format!("old 0\n\n{note}")).await, StatusCode::OK);
    assert_eq!(post(format!("old 0\n\n{note}")).await, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_change_of_witnesses_is_an_entry_and_forgetting_the_list_changes_nothing() {
    let city = City::settled().await;
    let witness = Witness::of(&city, "list").await;
    let changes = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'ledger.witnesses'";
    witness.appointed_by(&city, "http://witness.test").await;
    witness.appointed_by(&city, "http://witness.test").await;
    assert_eq!(city.count(changes).await, 1, "the same list is no change");
    witness.appointed_by(&city, "http://elsewhere.test").await;
    assert_eq!(city.count(changes).await, 2);
    witnesses::appoint(&city.office, &[]).await.unwrap();
    assert_eq!(city.count(changes).await, 3, "to drop a witness leaves a trace");
    assert!(page(&city).await.contains("立会人はまだいません"));
}

#[tokio::test]
async fn every_difference_between_rows_and_entries_is_named() {
    let city = City::settled().await;
    act(&city).await;
    act(&city).await;
    sequencer::drain(&city.office).await.unwrap();
    let sound = verified(&city, Against::default()).await;
    assert!(sound.sound && says(&sound, "その記録と突き合わせました"), "{:?}", sound.text);
    assert!(reconcile(&city.office.store).await.unwrap().acts > 4);

    let (city, other) = city.and_backup().await;
    tamper(
        &city,
        &[
            // An act without entry: the entry it names is another one.
            "UPDATE case_act SET entry = 'gone' WHERE seq = 1 AND case_id = (SELECT MIN(case_id) FROM case_act)",
            // An act that says something else than its entry.
            "UPDATE case_act SET person = '9001' WHERE seq = 1 AND case_id = (SELECT MAX(case_id) FROM case_act)",
            // A content that is not what was committed to, and one that was silently removed.
            "UPDATE ledger_entry SET payload = REPLACE(payload, '要介護認定', '要介護忍定') WHERE kind = 'register.change' AND payload LIKE '%要介護認定%'",
            "UPDATE ledger_entry SET payload = NULL, salt = NULL WHERE id = (SELECT MIN(id) FROM ledger_entry WHERE kind = 'account.create')",
        ],
    )
    .await;
    let found = reconcile(&city.office.store).await.unwrap();
    let mut codes: Vec<_> = found.mismatches.iter().map(|m| m.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(
        codes,
        [
            "ledger.rows.act_differs",
            "ledger.rows.act_without_entry",
            "ledger.rows.entry_without_act",
            "ledger.rows.erased_silently",
            "ledger.rows.payload_altered",
        ]
    );
    let verdict = jobs::review(&city.office).await.unwrap();
    assert!(!verdict.sound && says(&verdict, "1 番（申請）"), "{:?}", verdict.text);
    let shown = page(&city).await;
    assert!(
        shown.contains("照合で、一致しないところが見つかりました") && shown.contains("不一致あり"),
        "{shown}"
    );

    // An act that disappears together with its entry, before anything was signed: the counter knows.
    act(&other).await;
    tamper(
        &other,
        &[
            "DELETE FROM case_act WHERE entry IN (SELECT id FROM ledger_entry WHERE leaf_index IS NULL)",
            "DELETE FROM ledger_entry WHERE leaf_index IS NULL",
        ],
    )
    .await;
    let verdict = verified(&other, Against::default()).await;
    assert!(!verdict.sound && says(&verdict, "1 番の記録がありません"), "{:?}", verdict.text);
}

#[tokio::test]
async fn a_quiet_day_has_a_heartbeat_and_a_silence_is_seen() {
    let city = City::settled().await;
    let beats = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'ledger.heartbeat'";
    assert!(heartbeat::beat(&city.office).await.unwrap(), "the first one at once");
    assert!(!heartbeat::beat(&city.office).await.unwrap());
    city.clock.set(at("2026-11-26", 9));
    assert!(!heartbeat::beat(&city.office).await.unwrap(), "23 hours");
    city.clock.set(at("2026-11-26", 10));
    assert!(heartbeat::beat(&city.office).await.unwrap());
    assert_eq!(city.count(beats).await, 2);
    city.clock.set(at("2026-11-27", 1));
    let admin = city.browser(ADMIN).await;
    let saved = admin.post("/registers/asset/new", &asset("Z-001", "夜間の記録", "11")).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    city.clock.set(at("2026-11-27", 11));
    assert!(!heartbeat::beat(&city.office).await.unwrap(), "an act 10 hours ago is no silence");
    sequencer::drain(&city.office).await.unwrap();
    assert!(reconcile(&city.office.store).await.unwrap().silences.is_empty());
    assert!(jobs::review_when_due(&city.office).await.unwrap());
    assert!(!jobs::review_when_due(&city.office).await.unwrap(), "once a day");
    assert!(page(&city).await.contains("すべて一致"));

    // The server stood still over the weekend.
    city.clock.set(at("2026-11-30", 9));
    assert!(heartbeat::beat(&city.office).await.unwrap());
    sequencer::drain(&city.office).await.unwrap();
    let silences = reconcile(&city.office.store).await.unwrap().silences;
    assert_eq!(silences.len(), 1);
    let verdict = jobs::review(&city.office).await.unwrap();
    assert!(verdict.sound && says(&verdict, "△") && says(&verdict, "記録がありません"), "{:?}", verdict.text);
    assert!(page(&city).await.contains("一致（記録のない期間あり）"));
}

#[tokio::test]
async fn content_is_erased_and_its_existence_stays_provable() {
    let city = City::settled().await;
    act(&city).await;
    sequencer::drain(&city.office).await.unwrap();
    let mut clerk = city.browser(CLERK).await;
    // Two pages hold everything that has happened.
    let listed = clerk.get("/ledger").await.text + &clerk.get("/ledger?before=50").await.text;
    let line = listed.split("<tr>").find(|l| l.contains("台帳の変更")).unwrap();
    let entry = line.split("href=\"/ledger/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let of_page = |text: &str| {
        let place =
            text.split("記録の流れと番号</dt><dd>").nth(1).unwrap().split(" 番").next().unwrap().to_owned();
        let (stream, seq) = place.split_once(" の ").unwrap();
        (stream.to_owned(), seq.parse::<i64>().unwrap())
    };
    let (stream, seq) = of_page(&clerk.get(&format!("/ledger/{entry}")).await.text);
    let wanted =
        Erasure { stream: stream.clone(), seq, reason: "本人の求めによる".into(), by: "9001".into() };

    let before = city.written().await;
    let told = erase::preview(&city.office, &wanted).await.unwrap();
    assert!(told.iter().any(|l| l.contains("存在は証明できます")));
    assert_eq!(city.written().await, before, "looking changes nothing");
    erase::erase(&city.office, &wanted).await.unwrap();
    sequencer::drain(&city.office).await.unwrap();
    assert_eq!(city.count("SELECT COUNT(*) FROM register_change WHERE after_row IS NULL").await, 1);

    let verdict = verified(&city, Against::default()).await;
    assert!(verdict.sound, "{:?}", verdict.text);
    assert!(
        says(&verdict, &format!("流れ {stream} の {seq} 番（台帳の変更）: 消去済み（存在は証明できる）")),
        "{:?}",
        verdict.text
    );
    assert!(clerk.get(&format!("/ledger/{entry}")).await.text.contains("消去済み"));
    let proof = proving::prove_numbered(&city.office.store, &stream, seq).await.unwrap();
    let log = Witness::of(&city, "key").await.log.clone();
    assert!(says(&proving::check(&proof, &log, &[]).unwrap(), "register.change"));

    let code = |r: Result<(), AppError>| match r {
        Err(AppError::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(erase::erase(&city.office, &wanted).await), "G011");
    // The record of the erasure and acts of cases stay.
    let next = Erasure { seq: seq + 1, ..wanted.clone() };
    assert_eq!(code(erase::erase(&city.office, &next).await), "G010");
    let case = listed.split("<tr>").find(|l| l.contains(">申請<")).unwrap();
    let entry = case.split("href=\"/ledger/").nth(1).unwrap().split('"').next().unwrap();
    let (stream, seq) = of_page(&clerk.get(&format!("/ledger/{entry}")).await.text);
    assert_eq!(code(erase::erase(&city.office, &Erasure { stream, seq, ..wanted.clone() }).await), "G010");
    assert_eq!(
        code(erase::erase(&city.office, &Erasure { reason: " ".into(), ..wanted.clone() }).await),
        "G012"
    );
    assert_eq!(
        code(erase::erase(&city.office, &Erasure { by: String::new(), ..wanted.clone() }).await),
        "G013"
    );
    assert_eq!(code(erase::erase(&city.office, &Erasure { seq: 999, ..wanted }).await), "G008");
}
