//! Accounts by file, in the form of SCIM or as a table: makes logins for people who have none, and stops those that are no longer active. Nobody's
//! password is set anew, and nobody who was stopped comes back by it. An import is undone where nothing came after it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sekisho_base::Id;
use sekisho_base::canonical::{content_hash, hex, sha256};
use sekisho_base::text::fold_key;
use sekisho_boxed::boxed;
use sekisho_store::account::{self, AccountRow};
use sekisho_store::account_import::{self as imports, AccountImportRow};
use sekisho_store::import::Undone;
use sekisho_store::{Conn, ledger, upload};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::accounts::{Change, Checked, Slip};
use crate::directory::Directory;
use crate::error::AppError;
use crate::exchange::Conflict;
use crate::exchange::users::{UserRow, Users, read_users};
use crate::login::{Identity, login_fault, login_name, stream_of};
use crate::office::Office;
use crate::record::{Seal, record};
use crate::registers::{ErrorLine, PlanLine, changed_meanwhile, error_lines};

/// Kind under which a file is kept between the two steps.
const UPLOAD: &str = "users";
/// Logins with a temporary password that one import makes: each costs a hash.
const SLIPS: usize = 500;
/// Rows of the plan that are shown; all of them are carried out.
const SHOWN: usize = 200;
/// Imports that the page shows.
const PAST: i64 = 20;

/// Kinds of entries of failed logins, and how many of them are looked through before an undoing.
const VAIN: [&str; 2] = ["account.login_failed", "account.locked"];
const TRIES: i64 = 100;

/// What the person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct How {
    /// What becomes of people who have another login: an error, or they stay as they are.
    pub conflict: Conflict,
    /// Where the passwords of new logins are checked.
    pub checked: Checked,
}

/// The dry run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsersPlan {
    /// Id under which the file waits.
    pub upload: String,
    /// Digest of what it would do; the second step does nothing else.
    pub shown: String,
    /// File name.
    pub file: String,
    /// What was chosen.
    pub how: How,
    /// Logins to make.
    pub made: usize,
    /// Logins to stop.
    pub stopped: usize,
    /// Rows that change nothing.
    pub same: usize,
    /// What must be corrected.
    pub errors: Vec<ErrorLine>,
    /// What the person should know.
    pub notes: Vec<String>,
    /// Rows that change something or that something is to be said about.
    pub rows: Vec<PlanLine>,
}

/// What an import did. The passwords are shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsersDone {
    /// What is handed out.
    pub slips: Vec<Slip>,
    /// Logins stopped.
    pub stopped: usize,
}

/// An import that was carried out, as shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsersImportLine {
    /// Id.
    pub id: String,
    /// When.
    pub at: String,
    /// Who.
    pub by: String,
    /// File.
    pub file: String,
    /// 「発行 3人、停止 1人」.
    pub counts: String,
    /// Ledger entry.
    pub entry: String,
    /// When it was undone; empty while it was not.
    pub undone: String,
}

/// What undoing did: how many are as before, and who stays as they are, with why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsersUndone {
    /// Accounts that are as before.
    pub restored: usize,
    /// Login and why.
    pub kept: Vec<(String, &'static str)>,
}

/// What one row does.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Act {
    Make { login: String, person: String },
    Stop(String),
    Nothing,
}

/// What was done to one account, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    login: String,
    person: String,
    made: bool,
    entry: String,
}

/// What a file would do.
#[derive(Default)]
struct Decided {
    acts: Vec<Act>,
    lines: Vec<PlanLine>,
    errors: Vec<ErrorLine>,
}

/// Accounts as they are.
struct Present {
    by_login: BTreeMap<String, AccountRow>,
    by_person: BTreeMap<String, AccountRow>,
}

impl Present {
    fn of(all: Vec<AccountRow>) -> Self {
        Self {
            by_login: all.iter().map(|a| (a.login.clone(), a.clone())).collect(),
            by_person: all.into_iter().map(|a| (a.person.clone(), a)).collect(),
        }
    }
}

fn decide(users: &Users, present: &Present, d: &Directory, who: &Identity, how: How) -> Decided {
    let mut out = Decided { errors: error_lines(users.errors.iter()), ..Decided::default() };
    let (mut seen, mut logins) = (BTreeSet::new(), BTreeSet::new());
    for row in &users.rows {
        let mut wrong = |column: &str, value: &str, message: String| {
            out.errors.push(ErrorLine {
                place: row.place.clone(),
                column: column.to_owned(),
                value: value.to_owned(),
                message,
            });
        };
        let login = login_name(&row.login);
        if let Some(says) = login_fault(&login) {
            wrong("ログイン名", &row.login, says.to_owned());
            continue;
        }
        if !logins.insert(login.clone()) {
            wrong(
                "ログイン名",
                &row.login,
                "同じログイン名の行が2つあります（大文字と小文字は区別しません）。どちらか一方を直してください。"
                    .to_owned(),
            );
            continue;
        }
        let Some(person) = d.person(&row.number) else {
            wrong(
                "職員番号",
                &row.number,
                "この職員番号の人は組織にいません。先に組織と職員を取り込んでください。".to_owned(),
            );
            continue;
        };
        if !seen.insert(row.number.clone()) {
            wrong(
                "職員番号",
                &row.number,
                "同じ職員番号の行が2つあります。どちらか一方を除いてください。".to_owned(),
            );
            continue;
        }
        let mut notes = differences(row, &person.name, &person.mail);
        let act = match (present.by_person.get(&row.number), row.active) {
            (Some(a), _) if a.login != login && how.conflict == Conflict::Stop => {
                wrong(
                    "ログイン名",
                    &row.login,
                    format!(
                        "この人には別のログイン名（{}）があります。行を除くか、扱いを「今のままにする」にしてください。",
                        a.login
                    ),
                );
                continue;
            }
            (Some(a), _) if a.login != login => {
                notes.push(format!("別のログイン名（{}）があるので、今のままにします", a.login));
                Act::Nothing
            }
            (Some(a), false) if a.active && a.person == who.person => {
                wrong(
                    "利用",
                    "×",
                    "自分のログインは止められません。ほかの管理者に依頼してください。".to_owned(),
                );
                continue;
            }
            (Some(a), false) if a.active => Act::Stop(a.login.clone()),
            (Some(a), true) if !a.active => {
                notes.push("停止中です。取込みでは再開しません（「利用者」の画面で再開します）".to_owned());
                Act::Nothing
            }
            (Some(_), _) | (None, false) => Act::Nothing,
            (None, true) if present.by_login.contains_key(&login) => {
                wrong(
                    "ログイン名",
                    &row.login,
                    "このログイン名はほかの人が使っています。別の名前にしてください。".to_owned(),
                );
                continue;
            }
            (None, true) => Act::Make { login: login.clone(), person: row.number.clone() },
        };
        let action = match act {
            Act::Make { .. } => "発行",
            Act::Stop(_) => "停止",
            Act::Nothing => "そのまま",
        };
        if act != Act::Nothing || !notes.is_empty() {
            out.lines.push(PlanLine {
                place: row.place.clone(),
                key: format!("{login} {}", person.name),
                action: action.to_owned(),
                diffs: notes,
            });
        }
        out.acts.push(act);
    }
    out
}

/// What the file says otherwise than the organization: perhaps the number is somebody else's.
fn differences(row: &UserRow, name: &str, mail: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if !row.name.is_empty() && fold_key(&row.name) != fold_key(name) {
        notes.push(format!("氏名が組織（{name}）と違います：{}", row.name));
    }
    if !row.mail.is_empty() && !mail.is_empty() && !row.mail.eq_ignore_ascii_case(mail) {
        notes.push(format!("メールが組織（{mail}）と違います（取り込みません）：{}", row.mail));
    }
    notes
}

#[boxed]
impl Office {
    async fn decided(
        &self,
        who: &Identity,
        bytes: Vec<u8>,
        how: How,
    ) -> Result<(Decided, Vec<String>, String), AppError> {
        let file = hex(&sha256(&bytes));
        let users =
            tokio::task::spawn_blocking(move || read_users(&bytes)).await.map_err(AppError::internal)?;
        let users = users.map_err(|e| {
            AppError::refused("X004", format!("{e} SCIMのJSON、Excel（.xlsx）、CSVを読めます。"))
        })?;
        let all = self
            .store
            .read(|c| Box::pin(async move { account::all(c).await.map_err(AppError::from) }))
            .await?;
        let d = self.directory().await?;
        let mut decided = decide(&users, &Present::of(all), &d, who, how);
        let made = decided.acts.iter().filter(|a| matches!(a, Act::Make { .. })).count();
        if how.checked == Checked::Own && made > SLIPS {
            decided.errors.push(ErrorLine {
                place: "全体".to_owned(),
                column: String::new(),
                value: format!("{made}人"),
                message: format!(
                    "仮のパスワードは、一度に{SLIPS}人まで発行できます。ファイルを分けてください。"
                ),
            });
        }
        let unknown = &users.unknown;
        let notes = if unknown.is_empty() {
            vec![]
        } else {
            vec![format!("次の列は使いません：{}", unknown.join("、"))]
        };
        let shown = format!("{file} {:?} {:?} {:?}", decided.acts, how.checked, how.conflict);
        Ok((decided, notes, content_hash(&json!(shown))))
    }

    /// First step: what a file would do. Nothing changes.
    ///
    /// # Errors
    /// Refused for others than administrators, when the file is neither a table nor SCIM, and for the directory where there is none.
    pub async fn plan_users_import(
        &self,
        who: &Identity,
        file: &str,
        bytes: Vec<u8>,
        how: How,
    ) -> Result<UsersPlan, AppError> {
        self.may_import_organization(who).await?;
        self.may_check_at(how.checked, None)?;
        let (decided, notes, shown) = self.decided(who, bytes.clone(), how).await?;
        let upload = self.keep_upload(who, UPLOAD, file, bytes).await?;
        let of = |test: fn(&Act) -> bool| decided.acts.iter().filter(|a| test(a)).count();
        Ok(UsersPlan {
            upload,
            shown,
            file: file.to_owned(),
            how,
            made: of(|a| matches!(a, Act::Make { .. })),
            stopped: of(|a| matches!(a, Act::Stop(_))),
            same: of(|a| *a == Act::Nothing),
            errors: decided.errors,
            notes,
            rows: decided.lines.into_iter().take(SHOWN).collect(),
        })
    }

    /// Second step: does what the first one told, all or nothing.
    ///
    /// # Errors
    /// Refused for others than administrators, without a fresh proof, when the file has errors, does nothing or no longer fits.
    pub async fn apply_users_import(
        self: &Arc<Self>,
        who: &Identity,
        upload: &str,
        shown: &str,
        how: How,
    ) -> Result<UsersDone, AppError> {
        self.may_import_organization(who).await?;
        self.proved(who)?;
        Self::may_decide_now(who)?;
        self.may_check_at(how.checked, None)?;
        let (kept, bytes) = self.kept_upload(who, UPLOAD, upload).await?;
        let (decided, _, now_shown) = self.decided(who, bytes, how).await?;
        if !decided.errors.is_empty() || now_shown != shown {
            return Err(changed_meanwhile());
        }
        let acts: Vec<Act> = decided.acts.into_iter().filter(|a| *a != Act::Nothing).collect();
        if acts.is_empty() {
            return Err(AppError::refused("U005", "このファイルで変わるところはありません。"));
        }
        let (d, now) = (self.directory().await?, self.clock.now());
        let (mut jobs, mut slips, mut stopped) = (Vec::new(), Vec::new(), 0);
        for act in acts {
            let seal = self.seal()?;
            match act {
                Act::Make { login, person } => {
                    let (password, hash) = self.new_credentials(how.checked).await?;
                    let above = if self.holds_power(&d, &person) {
                        self.takers(&person, &who.person).await?
                    } else {
                        vec![]
                    };
                    slips.push(Slip {
                        name: d.person_name(&person).to_owned(),
                        login: login.clone(),
                        password,
                    });
                    let row = AccountRow {
                        login,
                        person,
                        password: hash,
                        must_change: how.checked == Checked::Own,
                        active: true,
                        changed_at: now,
                        checked: how.checked,
                    };
                    jobs.push((Job::Make(row), seal, above));
                }
                Act::Stop(login) => {
                    stopped += 1;
                    let asked = login.clone();
                    let a = self.store.read(move |c| {
                        Box::pin(async move { account::by_login(c, &asked).await.map_err(AppError::from) })
                    });
                    let a = a.await?.ok_or_else(changed_meanwhile)?;
                    let above = self.takers(&a.person, &who.person).await?;
                    jobs.push((Job::Stop(a), seal, above));
                }
                Act::Nothing => {}
            }
        }
        let apply = Apply {
            office: Arc::clone(self),
            by: who.person.clone(),
            id: self.new_id()?,
            seal: self.seal()?,
            upload: kept.id,
            file: (kept.name, kept.sha256),
        };
        self.store.write(move |c| Box::pin(apply.run(c, jobs))).await?;
        Ok(UsersDone { slips, stopped })
    }

    /// The latest imports, for administrators.
    ///
    /// # Errors
    /// Refused for others.
    pub async fn users_imports(&self, who: &Identity) -> Result<Vec<UsersImportLine>, AppError> {
        self.may_import_organization(who).await?;
        let rows = self
            .store
            .read(|c| Box::pin(async move { imports::list(c, PAST).await.map_err(AppError::from) }))
            .await?;
        let d = self.directory().await?;
        let line = |i: AccountImportRow| -> Result<UsersImportLine, AppError> {
            let lines: Vec<Line> = serde_json::from_str(&i.lines).map_err(AppError::internal)?;
            let made = lines.iter().filter(|l| l.made).count();
            let undone = i.undone.map(|u| {
                let kept =
                    if u.kept > 0 { format!("（{}人はそのまま）", u.kept) } else { String::new() };
                format!("{} {}が取消し{kept}", u.at.short(), d.person_name(&u.by))
            });
            Ok(UsersImportLine {
                at: i.at.short(),
                by: d.person_name(&i.person).to_owned(),
                counts: format!("発行 {made}人、停止 {}人", lines.len() - made),
                undone: undone.unwrap_or_default(),
                id: i.id,
                file: i.file,
                entry: i.entry,
            })
        };
        rows.into_iter().map(line).collect()
    }

    /// Undoes an import: logins that it made and that nobody has tried go away, logins that it stopped are resumed, where nothing came after.
    ///
    /// # Errors
    /// Refused for others than administrators, without a fresh proof, and when it was undone before or nothing of it can be undone.
    pub async fn undo_users_import(
        self: &Arc<Self>,
        who: &Identity,
        id: &str,
    ) -> Result<UsersUndone, AppError> {
        self.may_import_organization(who).await?;
        self.proved(who)?;
        Self::may_decide_now(who)?;
        let key = id.to_owned();
        let found = self
            .store
            .read(move |c| Box::pin(async move { imports::get(c, &key).await.map_err(AppError::from) }))
            .await?
            .ok_or(AppError::NotFound)?;
        let lines: Vec<Line> = serde_json::from_str(&found.lines).map_err(AppError::internal)?;
        let mut jobs = Vec::new();
        for line in lines {
            let above = if line.made { vec![] } else { self.takers(&line.person, &who.person).await? };
            jobs.push((line, self.seal()?, above));
        }
        let (office, by, seal) = (Arc::clone(self), who.person.clone(), self.seal()?);
        self.store.write(move |c| Box::pin(undo(c, office, found, jobs, by, seal))).await
    }
}

enum Job {
    Make(AccountRow),
    Stop(AccountRow),
}

struct Apply {
    office: Arc<Office>,
    by: String,
    id: Id,
    seal: Seal,
    upload: String,
    /// Name and SHA-256.
    file: (String, String),
}

impl Apply {
    async fn run(self, c: &mut Conn<'_>, jobs: Vec<(Job, Seal, Vec<String>)>) -> Result<(), AppError> {
        let now = self.office.clock.now();
        let (mut lines, mut made) = (Vec::new(), 0);
        for (job, seal, above) in jobs {
            let entry = seal.id();
            match job {
                Job::Make(row) => {
                    let taken = account::by_person(c, &row.person).await?.is_some()
                        || account::by_login(c, &row.login).await?.is_some();
                    if taken {
                        return Err(changed_meanwhile());
                    }
                    self.office.put_new_account(c, &row, &self.by, seal, &above).await?;
                    made += 1;
                    lines.push(Line { login: row.login, person: row.person, made: true, entry });
                }
                Job::Stop(a) => {
                    if !account::by_login(c, &a.login).await?.is_some_and(|a| a.active) {
                        return Err(changed_meanwhile());
                    }
                    self.office.switch_account(c, &a, &self.by, Change::Stop, seal, &above).await?;
                    lines.push(Line { login: a.login, person: a.person, made: false, entry });
                }
            }
        }
        let stopped = lines.len() - made;
        let logins: Vec<&str> = lines.iter().map(|l| l.person.as_str()).collect();
        let payload = json!({"import": self.id.to_string(), "by": self.by, "at": now, "file": self.file.1, "made": made, "stopped": stopped, "persons": logins});
        let entry =
            record(c, self.seal, &ledger::stream_id(self.id), "account.import", &payload, now).await?;
        let row = AccountImportRow {
            id: self.id.to_string(),
            person: self.by,
            at: now,
            file: self.file.0,
            lines: serde_json::to_string(&lines).map_err(AppError::internal)?,
            entry,
            undone: None,
        };
        imports::put(c, &row).await?;
        upload::drop_used(c, &self.upload, now).await?;
        Ok(())
    }
}

async fn undo(
    c: &mut Conn<'_>,
    office: Arc<Office>,
    found: AccountImportRow,
    jobs: Vec<(Line, Seal, Vec<String>)>,
    by: String,
    seal: Seal,
) -> Result<UsersUndone, AppError> {
    let now = office.clock.now();
    let mut out = UsersUndone { restored: 0, kept: Vec::new() };
    for (line, seal, above) in jobs {
        let stream = stream_of(&line.person);
        // Somebody who only tried in vain has changed nothing.
        let newest = ledger::newest_of(c, &stream, TRIES).await?;
        let newest = newest.into_iter().find(|e| !VAIN.contains(&e.kind.as_str()));
        let account = account::by_login(c, &line.login).await?.filter(|a| a.person == line.person);
        let fresh = newest.is_some_and(|e| e.id == line.entry);
        let Some(account) = account.filter(|_| fresh) else {
            let why = "取り込んだ後に、ログインや変更がありました";
            out.kept.push((line.login, why));
            continue;
        };
        if line.person == by {
            out.kept.push((line.login, "自分のログインは、自分では管理できません"));
            continue;
        }
        if line.made {
            let payload = json!({"person": line.person, "by": by, "at": now, "import": found.id});
            record(c, seal, &stream, "account.create_undone", &payload, now).await?;
            account::remove(c, &line.login).await?;
        } else {
            office.switch_account(c, &account, &by, Change::Resume, seal, &above).await?;
        }
        out.restored += 1;
    }
    if out.restored == 0 {
        return Err(AppError::refused(
            "X007",
            "取り消せるものがありません。取り込んだ後に、すべてのログインが使われたか、変えられています。",
        ));
    }
    let payload =
        json!({"import": found.id, "by": by, "at": now, "restored": out.restored, "kept": out.kept.len()});
    let stream = crate::record::stream_of(&found.id)?;
    let entry = record(c, seal, &stream, "account.import_undone", &payload, now).await?;
    let kept = i64::try_from(out.kept.len()).unwrap_or(i64::MAX);
    if !imports::undo(c, &found.id, &Undone { at: now, by, kept, entry }).await? {
        return Err(AppError::refused("X006", "この取込みは、もう取り消されています。"));
    }
    Ok(out)
}
