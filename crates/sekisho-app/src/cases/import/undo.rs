//! What files of applications came to, and taking one back: drafts that nobody changed since are deleted, applications that nobody has opened
//! are withdrawn by the ordinary act. Everything else stays as it is and is named.

use std::sync::Arc;

use sekisho_base::Instant;
use sekisho_boxed::boxed;
use sekisho_case::case::CaseState;
use sekisho_case::decide::{self, Command, Ctx};
use sekisho_store::Conn;
use sekisho_store::case::{self, DraftRow};
use sekisho_store::case_import::{self, CaseImportRow};
use serde_json::json;

use super::SHOWN;
use super::carry::{Kept, Made, hash_of};
use crate::cases::apply::refused;
use crate::cases::applying::Applying;
use crate::cases::store::{decide_and_keep, engine};
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;

/// Why the applications are withdrawn, in the record of each.
const SAYS: &str = "ファイルから行った申請の取消し";

/// What came of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseImportLine {
    /// 「12行目」.
    pub place: String,
    /// 下書きを作成, 下書きを変更, 申請, もう一度申請, そのまま.
    pub made: &'static str,
    /// Number of the draft or case.
    pub number: String,
    /// Its page; empty when it is not there any more.
    pub link: String,
}

/// A file that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseImportView {
    /// Id.
    pub id: String,
    /// When.
    pub at: String,
    /// File.
    pub file: String,
    /// 「申請 3件」.
    pub counts: String,
    /// Row by row.
    pub lines: Vec<CaseImportLine>,
    /// When it was undone; empty while it was not.
    pub undone: String,
    /// What the undoing left: number and why.
    pub kept: Vec<(String, String)>,
}

/// The page of the files that somebody loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseImportsView {
    /// Procedure.
    pub procedure: String,
    /// Its title.
    pub title: String,
    /// Files, the latest first.
    pub files: Vec<CaseImportView>,
}

/// What an undoing did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseUndo {
    /// Drafts that are gone.
    pub dropped: usize,
    /// Drafts that are as before.
    pub restored: usize,
    /// Applications that were withdrawn.
    pub withdrawn: usize,
    /// What stayed: number and why.
    pub kept: Vec<(String, String)>,
}

fn lines_of(i: &CaseImportRow) -> Result<Vec<Kept>, AppError> {
    serde_json::from_str(&i.lines).map_err(|e| AppError::internal(format!("case import {}: {e}", i.id)))
}

/// 「下書き 2件、申請 1件」.
fn counts(lines: &[Kept]) -> String {
    let words = [
        (Made::Draft, "下書きを作成"),
        (Made::Rewritten, "下書きを変更"),
        (Made::Case, "申請"),
        (Made::Again, "もう一度申請"),
        (Made::Left, "そのまま"),
    ];
    let count = |made: Made| lines.iter().filter(|l| l.made == made).count();
    let parts = words.iter().map(|(made, word)| (count(*made), word)).filter(|(n, _)| *n > 0);
    parts.map(|(n, word)| format!("{word} {n}件")).collect::<Vec<_>>().join("、")
}

#[boxed]
impl Office {
    /// The files that the person loaded for a procedure.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a procedure without such a form.
    pub async fn case_imports(
        self: &Arc<Self>,
        who: &Identity,
        procedure: &str,
    ) -> Result<CaseImportsView, AppError> {
        if !self.takes_file(procedure) {
            return Err(AppError::NotFound);
        }
        let (person, of) = (who.person.clone(), procedure.to_owned());
        let files = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let mut files = Vec::new();
                    for i in case_import::list(c, &person, &of, SHOWN).await? {
                        let lines = lines_of(&i)?;
                        let mut shown = Vec::with_capacity(lines.len());
                        for line in &lines {
                            shown.push(line_view(c, &person, &of, line).await?);
                        }
                        files.push(view(&i, &lines, shown)?);
                    }
                    Ok::<_, AppError>(files)
                })
            })
            .await?;
        Ok(CaseImportsView { procedure: procedure.to_owned(), title: self.procedure_title(procedure), files })
    }

    /// Takes back what a file made, as far as nothing came after it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for another person's; refused when it was taken back before, or nothing of it can be.
    pub async fn undo_case_import(
        self: &Arc<Self>,
        who: &Identity,
        procedure: &str,
        id: &str,
    ) -> Result<CaseUndo, AppError> {
        if !self.takes_file(procedure) {
            return Err(AppError::NotFound);
        }
        let applying = self.applying(who, procedure).await?;
        let id = id.to_owned();
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let found = case_import::get(c, &applying.me.person, &id).await?;
                    let found = found.filter(|i| i.procedure == applying.procedure);
                    let found = found.ok_or(AppError::NotFound)?;
                    if found.undone.is_some() {
                        return Err(AppError::refused(
                            "X006",
                            "このファイルの申請は、もう取り消されています。",
                        ));
                    }
                    undo(c, &applying, &found).await
                })
            })
            .await
    }
}

fn view(i: &CaseImportRow, lines: &[Kept], shown: Vec<CaseImportLine>) -> Result<CaseImportView, AppError> {
    let (undone, kept) = match &i.undone {
        Some((at, kept)) => (undone_words(*at), serde_json::from_str(kept).map_err(AppError::internal)?),
        None => (String::new(), vec![]),
    };
    Ok(CaseImportView {
        id: i.id.clone(),
        at: i.at.japanese(),
        file: i.file.clone(),
        counts: counts(lines),
        lines: shown,
        undone,
        kept,
    })
}

fn undone_words(at: Instant) -> String {
    format!("{}に取消し", at.japanese())
}

async fn line_view(
    c: &mut Conn<'_>,
    person: &str,
    procedure: &str,
    line: &Kept,
) -> Result<CaseImportLine, AppError> {
    let made = match line.made {
        Made::Draft => "下書きを作成",
        Made::Rewritten => "下書きを変更",
        Made::Case => "申請",
        Made::Again => "もう一度申請",
        Made::Left => "そのまま（差し戻された申請に下書きはありません）",
    };
    let link = match line.made {
        Made::Draft | Made::Rewritten => match case::get_draft(c, person, &line.id).await? {
            Some(_) => format!("/apply/{procedure}?draft={}", line.id),
            None => String::new(),
        },
        Made::Case | Made::Again | Made::Left => format!("/cases/{}", line.id),
    };
    Ok(CaseImportLine { place: format!("{}行目", line.row), made, number: line.number.clone(), link })
}

/// What became of a row's undoing.
enum Fate {
    Dropped,
    Restored,
    Withdrawn,
    Kept(String),
    Nothing,
}

async fn undo(c: &mut Conn<'_>, a: &Applying, found: &CaseImportRow) -> Result<CaseUndo, AppError> {
    let mut done = CaseUndo::default();
    for line in lines_of(found)? {
        match fate(c, a, &line).await? {
            Fate::Dropped => done.dropped += 1,
            Fate::Restored => done.restored += 1,
            Fate::Withdrawn => done.withdrawn += 1,
            Fate::Kept(why) => done.kept.push((line.number, why)),
            Fate::Nothing => {}
        }
    }
    if done.dropped + done.restored + done.withdrawn == 0 {
        let why: Vec<String> =
            done.kept.iter().take(10).map(|(number, why)| format!("{number}：{why}")).collect();
        let message = format!("取り消せるものがありません。{}", why.join(" "));
        return Err(AppError::refused("X007", message.trim()));
    }
    case_import::undo(c, &found.id, a.office.clock.now(), &json!(done.kept).to_string()).await?;
    Ok(done)
}

async fn fate(c: &mut Conn<'_>, a: &Applying, line: &Kept) -> Result<Fate, AppError> {
    match line.made {
        Made::Draft | Made::Rewritten => draft(c, a, line).await,
        Made::Case => withdraw(c, a, line).await,
        Made::Again => Ok(Fate::Kept(
            "差し戻された申請をもう一度申請したものは、案件の画面で引き戻してください。".to_owned(),
        )),
        Made::Left => Ok(Fate::Nothing),
    }
}

async fn draft(c: &mut Conn<'_>, a: &Applying, line: &Kept) -> Result<Fate, AppError> {
    let Some(now) = case::get_draft(c, &a.me.person, &line.id).await? else {
        return Ok(Fate::Kept("申請されたか、削除されています。".to_owned()));
    };
    if hash_of(&now.body) != line.hash {
        return Ok(Fate::Kept("読み込んだ後に直されています。".to_owned()));
    }
    if line.made == Made::Draft {
        case::drop_draft(c, &a.me.person, &line.id).await?;
        return Ok(Fate::Dropped);
    }
    let back = DraftRow { body: line.before.clone(), updated_at: a.office.clock.now(), ..now };
    case::put_draft(c, &back).await?;
    Ok(Fate::Restored)
}

/// Withdraws an application by the ordinary act. The engine refuses when somebody has opened it, before anything is written.
async fn withdraw(c: &mut Conn<'_>, a: &Applying, line: &Kept) -> Result<Fate, AppError> {
    let row = case::get(c, &engine(), &line.id).await?.ok_or(AppError::NotFound)?;
    let decision = |state: &CaseState, ctx: &Ctx<'_>| {
        let command = Command::Withdraw { shown: state.content_hash(None), says: SAYS.to_owned() };
        decide::decide(state, ctx, command).map_err(|r| refused(r, ""))
    };
    match decide_and_keep(c, &a.office, &row, &a.me.person, decision).await {
        Ok(()) => Ok(Fate::Withdrawn),
        Err(AppError::Refused { message, .. }) => Ok(Fate::Kept(message)),
        Err(e) => Err(e),
    }
}
