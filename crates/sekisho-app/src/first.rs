//! The first filling of an empty body, from the terminal: organization and first administrator. Once somebody can log in, the terminal
//! gives nobody a login and only proposes an organization (design §5: the first start is excepted and recorded).

use std::sync::Arc;

use sekisho_base::clock::SystemClock;
use sekisho_base::entropy::OsEntropy;
use sekisho_boxed::boxed;
use sekisho_store::account::{self, AccountRow, Checked};
use sekisho_store::{Store, ledger};
use serde_json::json;

use crate::error::AppError;
use crate::login::login_name;
use crate::office::{Office, Opening};
use crate::password::hash_password;
use crate::people::RUNNERS;
use crate::record::record;
use crate::setup::{self, Verdict};

/// Opens a body for the terminal: entries wait in the outbox until the server signs them. The names count only when the store is new.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn open_for_terminal(store: Store, body: &str, title: &str) -> Result<Arc<Office>, AppError> {
    open(store, None, body, title).await
}

/// Opens a body that was started before, with its signing key: for what the terminal signs besides checkpoints.
///
/// # Errors
/// The database failed, it has no ledger yet, or the key's file cannot be read or is another body's.
#[boxed]
pub async fn open_with_key(store: Store, key: &std::path::Path) -> Result<Arc<Office>, AppError> {
    crate::ledger::must_exist(&store).await?;
    let seed = setup::signing_seed(&store, key, &OsEntropy).await?;
    open(store, Some(seed), "", "").await
}

async fn open(
    store: Store,
    seed: Option<[u8; 32]>,
    body: &str,
    title: &str,
) -> Result<Arc<Office>, AppError> {
    Office::open(Opening {
        store,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        seed,
        body: body.to_owned(),
        title: title.to_owned(),
        pack: setup::model_pack()?,
        pack_files: setup::model_pack_files(),
        print_program: None,
    })
    .await
}

async fn nobody_can_log_in(office: &Office) -> Result<bool, AppError> {
    let accounts = office
        .store
        .read(|c| Box::pin(async move { account::count(c).await.map_err(AppError::from) }))
        .await?;
    Ok(accounts == 0)
}

/// Shows what an organization file would make. With `apply`, makes it on a body where nobody can log in yet, and on a running one proposes
/// it: somebody who may import takes the proposal over, and a second person confirms it, both on the page.
///
/// # Errors
/// Refused when the file is no table or changes nothing.
#[boxed]
pub async fn import(
    office: &Arc<Office>,
    name: &str,
    bytes: Vec<u8>,
    apply: bool,
) -> Result<Verdict, AppError> {
    let empty = nobody_can_log_in(office).await?;
    let plan = office.plan_file(bytes.clone()).await?;
    let mut text = vec![format!(
        "追加 {}件、変更 {}件、変更なし {}件、誤り {}件",
        plan.added,
        plan.changed,
        plan.same,
        plan.errors.len()
    )];
    text.extend(plan.notes.iter().map(|n| format!("・{n}")));
    text.extend(
        plan.errors
            .iter()
            .take(50)
            .map(|e| format!("× {} {}「{}」：{}", e.place, e.column, e.value, e.message)),
    );
    let sound = plan.errors.is_empty();
    match (sound, apply, empty) {
        (false, ..) => {}
        (true, true, true) => {
            let rows = office.apply_org_file("system", None, bytes).await?;
            text.push(format!("{rows}件を取り込みました。"));
        }
        (true, true, false) => {
            office.propose_from_terminal(name, bytes, &plan).await?;
            text.push(
                "まだ取り込んでいません。提案として残しました。取り込める人が「組織」のページで内容を確かめて引き取り、別の人が確認すると取り込まれます。"
                    .to_owned(),
            );
        }
        (true, false, _) => text
            .push("まだ取り込んでいません。この内容でよければ --apply を付けて実行してください。".to_owned()),
    }
    Ok(Verdict { text, sound })
}

/// Gives the first administrator a temporary password.
///
/// # Errors
/// Refused when somebody can already log in or the person does not administer.
#[boxed]
pub async fn first_login(office: &Arc<Office>, person: &str, login: &str) -> Result<String, AppError> {
    if !nobody_can_log_in(office).await? {
        return Err(AppError::refused(
            "F001",
            "すでにログインできる人がいます。利用者の登録は、画面から行ってください。",
        ));
    }
    let directory = office.directory().await?;
    let today = office.clock.today();
    let roles = crate::people::roles(&office.pack(), &directory, person, today);
    if directory.person(person).is_none() || !roles.iter().any(|r| RUNNERS.contains(&r.role.as_str())) {
        return Err(AppError::refused(
            "F002",
            "この職員番号の人は、今日の時点で情報システム管理者でもその担当者でもありません。組織の取込みを確かめてください。",
        ));
    }
    let password = temporary_password(office)?;
    let row = AccountRow {
        login: login_name(login),
        person: person.to_owned(),
        password: hash_password(office, &password)?,
        must_change: true,
        active: true,
        changed_at: office.clock.now(),
        checked: Checked::Own,
    };
    if row.login.is_empty() {
        return Err(AppError::refused("F003", "ログイン名を指定してください。"));
    }
    let (seal, stream) = (office.seal()?, ledger::stream_id(office.new_id()?));
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                account::put(c, &row).await?;
                let payload =
                    json!({"person": row.person, "by": "system", "at": row.changed_at, "first": true});
                record(c, seal, &stream, "account.create", &payload, row.changed_at).await?;
                Ok::<_, AppError>(())
            })
        })
        .await?;
    Ok(password)
}

/// Sixteen characters without those that look alike, in groups: 80 bits.
pub(crate) fn temporary_password(office: &Office) -> Result<String, AppError> {
    let id = office.new_id()?.to_string();
    // The last sixteen characters of a ULID are its 80 random bits.
    let random: Vec<char> = id.chars().skip(10).map(|c| c.to_ascii_lowercase()).collect();
    Ok(random.chunks(4).map(|c| c.iter().collect::<String>()).collect::<Vec<_>>().join("-"))
}
