//! Permits that are checked without the server: the signed code on a permit, the list of those that ended, the file that a guard opens, and
//! the same judgement at the terminal (`docs/decisions/0026-permits-checked-offline.md`).

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use sekisho_base::Instant;
use sekisho_base::canonical::{hex, sha256};
use sekisho_boxed::boxed;
use sekisho_case::case::{CaseState, Direction, Permit};
use sekisho_ledger::permit::{
    Checked, End, EndedList, Item, MAX_ENDED, PermitKey, PermitSigner, Statement, Verdict, check, short_id,
};
use sekisho_pack::model::Procedure;
use sekisho_store::permit::{self as rows, EndRow};
use sekisho_store::{Conn, ledger, setting};
use serde::Serialize;
use serde_json::json;

use crate::directory::Directory;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::qr::Symbol;
use crate::record::record;

/// Setting that says that permits which ended before the table was there are in it.
const FILLED: &str = "permits.ends";
/// Cases looked at at once while filling.
const PAGE: i64 = 500;
/// A list is of use until noon of the next business day, so that the new one can be fetched in the morning.
const NOON_MS: i64 = 12 * 3_600_000;

/// The code on a permit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PermitCode {
    /// What the code says, to be copied where nothing reads it.
    pub digits: String,
    /// Its picture.
    pub symbol: Symbol,
}

/// What the checker's file is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checker {
    /// What the body is called.
    pub body_title: String,
    /// Public keys, a line each.
    pub keys: String,
    /// The signed list.
    pub list: String,
    /// When it was made, as shown.
    pub made: String,
    /// Until when it is of use, as shown.
    pub good_until: String,
    /// Name of the file.
    pub file: String,
}

/// The page from which the checker is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermitsPage {
    /// The public key.
    pub key: String,
    /// Permits on today's list.
    pub ended: usize,
    /// Until when a file fetched now is of use, as shown.
    pub good_until: String,
}

/// What the terminal says of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// 0 valid, 1 not, 2 unreadable.
    pub code: u8,
    /// For the person at the terminal.
    pub lines: Vec<String>,
}

/// For one time, and everything went out and came back.
fn used_up(p: &Permit) -> bool {
    let went = |i: &String| p.movements.iter().any(|m| m.direction == Direction::Out && m.item == *i);
    !p.blanket && !p.items.is_empty() && p.items.iter().all(went) && p.outside().is_empty()
}

/// How a case's permit ended before its last day.
fn end_of(state: &CaseState) -> Option<End> {
    let p = state.permit.as_ref()?;
    if p.revoked.is_some() {
        Some(End::Revoked)
    } else if state.status.ended() {
        Some(End::Closed)
    } else {
        used_up(p).then_some(End::Returned)
    }
}

fn end_row(state: &CaseState) -> Option<EndRow> {
    let (end, p) = (end_of(state)?, state.permit.as_ref()?);
    Some(EndRow {
        case_id: state.id.clone(),
        number: p.number.clone(),
        until: p.until,
        how: end.code().to_owned(),
    })
}

/// Notes, in the transaction of a case's acts, that its permit ended.
pub(crate) async fn after_case(c: &mut Conn<'_>, state: &CaseState) -> Result<(), AppError> {
    match end_row(state) {
        Some(row) => rows::ended(c, &row).await.map_err(AppError::from),
        None => Ok(()),
    }
}

/// Fills in one page of cases and says where the next begins. States are read where they are written from, so that no older one wins.
async fn fill_page(c: &mut Conn<'_>, from: &str) -> Result<Option<String>, AppError> {
    let page = rows::states_after(c, from, PAGE).await?;
    for (id, state) in &page {
        let state: CaseState =
            serde_json::from_str(state).map_err(|e| AppError::internal(format!("case {id}: {e}")))?;
        after_case(c, &state).await?;
    }
    if page.is_empty() {
        setting::set(c, FILLED, "1").await?;
    }
    Ok(page.into_iter().next_back().map(|(id, _)| id))
}

#[boxed]
impl Office {
    fn signs_permits(&self) -> Result<&PermitSigner, AppError> {
        self.permit_signer().ok_or_else(|| {
            AppError::refused(
                "K003",
                "署名鍵が無いため、この操作はできません。サーバの画面から行ってください。",
            )
        })
    }

    /// The code of a case's permit: while it is in force and something goes in and out under it.
    pub(crate) fn permit_code(
        &self,
        d: &Directory,
        p: &Procedure,
        state: &CaseState,
    ) -> Result<Option<PermitCode>, AppError> {
        let moves = p.permit.as_ref().is_some_and(|s| s.movements);
        let (Some(signer), Some(permit)) = (self.permit_signer(), &state.permit) else { return Ok(None) };
        if !moves || end_of(state).is_some() || permit.until < self.clock.today() {
            return Ok(None);
        }
        let covered = |key: &String| state.content.items.iter().find(|i| i.key() == *key);
        let items: Vec<Item> = permit
            .items
            .iter()
            .filter_map(covered)
            .map(|i| Item { code: i.number.clone(), name: i.name.clone() })
            .collect();
        let statement = Statement {
            body: self.body().to_owned(),
            body_title: self.body_title().to_owned(),
            title: p.title.clone(),
            number: permit.number.clone(),
            case: state.id.clone(),
            holder: d.person_name(&permit.holder).to_owned(),
            from: permit.from,
            until: permit.until,
            issued_at: permit.issued_at,
            blanket: permit.blanket,
            count: 0,
            hash: String::new(),
            items: vec![],
        };
        // A permit whose numbers have no room for a code is printed without one rather than not at all.
        let Ok(fitted) = statement.fit(&items) else { return Ok(None) };
        let digits = fitted.sign(signer).map_err(AppError::internal)?;
        Ok(Some(PermitCode { symbol: Symbol::of(&digits)?, digits }))
    }

    /// Fills in the permits that ended before the table was there; once.
    async fn fill_ends(&self) -> Result<(), AppError> {
        let done = self
            .store
            .read(|c| Box::pin(async move { setting::get(c, FILLED).await.map_err(AppError::from) }))
            .await?;
        let mut after = done.is_none().then(String::new);
        while let Some(from) = after.take() {
            after = self.store.write(move |c| Box::pin(async move { fill_page(c, &from).await })).await?;
        }
        Ok(())
    }

    /// What ended and would still look valid by its own dates.
    async fn ended_permits(&self) -> Result<EndedList, AppError> {
        self.fill_ends().await?;
        let now = self.clock.now();
        let today = now.date();
        let most = i64::try_from(MAX_ENDED).unwrap_or(i64::MAX) + 1;
        let found = self
            .store
            .read(move |c| Box::pin(async move { rows::since(c, today, most).await.map_err(AppError::from) }))
            .await?;
        let body = self.body().to_owned();
        let named = |r: &EndRow| Some((short_id(&body, &r.number), End::from_code(&r.how)?));
        let ended: BTreeMap<_, _> = found.iter().filter_map(named).collect();
        let next = self.pack().calendar.plus_business_days(today, 1);
        let good_until = Instant::start_of(next).plus_millis(NOON_MS);
        Ok(EndedList { body, made_at: now, good_until, ended })
    }

    /// The page 許可証の確認.
    ///
    /// # Errors
    /// Refused to whoever hands out no checkers.
    pub async fn permits_page(&self, who: &Identity) -> Result<PermitsPage, AppError> {
        self.hands_out(who).await?;
        let list = self.ended_permits().await?;
        Ok(PermitsPage {
            key: self.signs_permits()?.key().to_string(),
            ended: list.ended.len(),
            good_until: list.good_until.japanese(),
        })
    }

    async fn hands_out(&self, who: &Identity) -> Result<(), AppError> {
        if self.me(who).await?.hands_out_checkers() {
            return Ok(());
        }
        Err(AppError::refused(
            "R001",
            "許可証の確認ページを受け取れるのは、情報政策担当課と各課の長です。所属の長に頼んでください。",
        ))
    }

    /// The checker with the list of now; that it was given out is recorded, with the list's hash.
    ///
    /// # Errors
    /// Refused to whoever hands out no checkers.
    pub async fn permit_checker(self: &Arc<Self>, who: &Identity) -> Result<Checker, AppError> {
        self.hands_out(who).await?;
        self.checker_for(&who.person).await
    }

    /// The same at the terminal, by whoever can read the signing key's file.
    ///
    /// # Errors
    /// There is no signing key.
    pub async fn permit_checker_at_terminal(self: &Arc<Self>) -> Result<Checker, AppError> {
        self.checker_for("terminal").await
    }

    async fn checker_for(self: &Arc<Self>, by: &str) -> Result<Checker, AppError> {
        let signer = self.signs_permits()?;
        let list = self.ended_permits().await?;
        let text = list.sign(signer).map_err(|e| AppError::refused("R002", e.to_string()))?;
        let now = list.made_at;
        let payload = json!({"by": by, "at": now, "ended": list.ended.len(), "good_until": list.good_until, "list": hex(&sha256(text.as_bytes()))});
        let (seal, stream) = (self.seal()?, ledger::stream_id(self.new_id()?));
        self.store
            .write(move |c| {
                Box::pin(async move {
                    record(c, seal, &stream, "permit.checker", &payload, now).await.map(|_| ())
                })
            })
            .await?;
        Ok(Checker {
            body_title: self.body_title().to_owned(),
            keys: signer.key().to_string(),
            list: text,
            made: now.japanese(),
            good_until: list.good_until.japanese(),
            file: format!("許可証の確認_{}.html", now.date()),
        })
    }
}

/// The keys and the list that a checker's file holds; a file with a list alone has no keys.
fn read_file(text: &str) -> (Vec<String>, String) {
    let part = |id: &str| {
        let rest = text.split_once(&format!("id=\"{id}\">"))?.1;
        Some(rest.split_once("</script>")?.0.trim().to_owned())
    };
    match (part("keys"), part("list")) {
        (Some(keys), Some(list)) => (keys.lines().map(str::to_owned).collect(), list + "\n"),
        _ => (vec![], text.to_owned()),
    }
}

fn words(v: Verdict) -> (&'static str, &'static str) {
    match v {
        Verdict::Valid => ("有効", "この許可証は有効です。内容と、持っているもの・人を見比べてください。"),
        Verdict::NotYet => ("期間の前", "許可の期間がまだ始まっていません。"),
        Verdict::Expired => {
            ("期限切れ", "許可の期間が過ぎています。延長されたときは、印刷し直した許可証を確かめてください。")
        }
        Verdict::Revoked => ("取消し済み", "この許可は取り消されています。"),
        Verdict::Returned => ("返却済み", "この許可で持ち出したものは、もう返されています。"),
        Verdict::Closed => ("終了", "この許可は終わっています。"),
        Verdict::ListOld => (
            "この一覧は古い",
            "署名と期間は正しいのですが、一覧が古く、取り消されていないかを確かめられません。",
        ),
        Verdict::Clock => ("日時を確認", "日時が、一覧の作成より前になっています。"),
        Verdict::OtherBody => ("無効", "指定した鍵の団体の許可証ではありません。"),
        Verdict::Forged => ("無効", "署名が合いません。書き換えられたか、正しく発行されていない許可証です。"),
        Verdict::Unreadable => ("読み取れません", "許可証のQRコードの内容（数字の並び）ではありません。"),
    }
}

fn contents(s: &Statement) -> Vec<String> {
    let mut lines = vec![
        format!("団体: {}", s.body_title),
        format!(
            "許可: {}{}",
            s.title,
            if s.blanket { "（期間中、繰り返し出し入れできる包括許可）" } else { "" }
        ),
        format!("許可番号: {}", s.number),
        format!("持ち出す人: {}", s.holder),
        format!("期間: {} から {} まで", s.from.japanese(), s.until.japanese()),
        format!("もの: {}件", s.count),
    ];
    lines.extend(s.items.iter().map(|i| format!("  {} {}", i.code, i.name)));
    if s.items.len() < s.count {
        lines.push(format!("  ほか{}件（許可証の一覧を見てください）", s.count - s.items.len()));
    }
    lines.push(format!("許可した日時: {}", s.issued_at.japanese()));
    lines
}

/// Judges a code with nothing but keys, a file and a moment. `file` is a checker's file or the list alone; keys that are given count, those
/// of the file only where none is given.
///
/// # Errors
/// Refused when a key or the list cannot be read, or there is no key.
pub fn judge(text: &str, keys: &[String], file: Option<&str>, at: Instant) -> Result<Judged, AppError> {
    let refused = |e: &dyn std::fmt::Display| AppError::refused("R003", e.to_string());
    let (found, list) = file.map_or_else(
        || (vec![], None),
        |f| {
            let (keys, list) = read_file(f);
            (keys, Some(list))
        },
    );
    let lines = if keys.is_empty() { &found[..] } else { keys };
    let keys = lines.iter().map(|k| PermitKey::parse(k)).collect::<Result<Vec<_>, _>>();
    let keys = keys.map_err(|e| refused(&e))?;
    if keys.is_empty() {
        return Err(refused(
            &"許可証の検証鍵がありません。--key か、確認ページのファイルを --list に指定してください。",
        ));
    }
    let list = list.map(|l| EndedList::open(&l, &keys)).transpose().map_err(|e| refused(&e))?;
    let Checked { verdict, statement } = check(text, &keys, list.as_ref(), at);
    let (word, help) = words(verdict);
    let mut out = vec![format!("{word}: {help}")];
    out.extend(statement.iter().flat_map(contents));
    match &list {
        Some(l) => {
            out.push(format!("一覧: {}に作成、{}まで有効", l.made_at.japanese(), l.good_until.japanese()))
        }
        None => out.push("一覧を使っていないので、取り消されていないかは確かめていません。".to_owned()),
    }
    let code = match verdict {
        Verdict::Valid => 0,
        Verdict::Unreadable => 2,
        _ => 1,
    };
    Ok(Judged { code, lines: out })
}
