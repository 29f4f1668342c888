//! Applications from a file (`docs/decisions/0040-a-file-is-many-applications.md`): each row is one application by the person who loads the
//! file, checked by the form's own code. First a dry run, then drafts or applications, all or nothing; what nobody touched since is taken back as one.

mod carry;
mod look;
mod sheet;
mod undo;

use std::sync::Arc;

use sekisho_boxed::boxed;
use sekisho_case::decide;
use sekisho_pack::model::Procedure;
use sekisho_store::case_import;

use crate::cases::apply::refused;
use crate::cases::applying::Applying;
use crate::cases::view::{Explained, PostChoice};
use crate::error::AppError;
use crate::exchange::{CellError, Conflict, Grid, Table, read_grid};
use crate::login::Identity;
use crate::office::Office;
use crate::registers::{ErrorLine, ExportFormat, ExportedFile, error_lines, write};

pub use carry::{CONFIRMED, CaseImportOrder};
pub use look::MOST_ROWS;
pub use undo::{CaseImportLine, CaseImportView, CaseImportsView, CaseUndo};

use look::{AGAIN, Asked, Looked, NEW, REWRITE, SAME, SKIPPED, look, own_table};

/// Imports that the page shows.
const SHOWN: i64 = 20;

/// What the page of an import begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseImportHead {
    /// Procedure.
    pub procedure: String,
    /// Its title.
    pub title: String,
    /// Posts from which the person may apply.
    pub posts: Vec<PostChoice>,
    /// Drafts and cases sent back that a file could name.
    pub begun: usize,
    /// Whether files were loaded before.
    pub past: bool,
    /// Most rows of one file.
    pub most: usize,
}

/// What a file asks for besides its rows, as the page sends it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseImportChoice {
    /// Post applied from; empty: the first from which the person may.
    pub post: String,
    /// What becomes of rows that name a draft or a case sent back and differ from it.
    pub conflict: Conflict,
}

/// What becomes of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseImportRowView {
    /// 「12行目」.
    pub place: String,
    /// Its number; empty for a new application.
    pub number: String,
    /// 新しい申請, 下書きを直す, 差し戻された申請を直す, とばす, 変更なし, 誤り.
    pub action: &'static str,
    /// First values of a new one, or what changes.
    pub diffs: Vec<String>,
}

/// The dry run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseImportPlan {
    /// Id under which the file waits.
    pub upload: String,
    /// Digest of what it would do.
    pub shown: String,
    /// File name.
    pub file: String,
    /// Post applied from.
    pub post: String,
    /// New applications.
    pub fresh: usize,
    /// Drafts that would be rewritten.
    pub rewritten: usize,
    /// Cases sent back that would be applied for again, if sent.
    pub again: usize,
    /// Rows that stay.
    pub same: usize,
    /// What must be corrected.
    pub errors: Vec<ErrorLine>,
    /// What the person should know: headers that are missing or unknown.
    pub notes: Vec<String>,
    /// Row by row.
    pub rows: Vec<CaseImportRowView>,
    /// What must be kept to, over all rows; confirmed once when they are sent.
    pub safeguards: Vec<Explained>,
}

impl CaseImportPlan {
    /// How many rows do something.
    #[must_use]
    pub fn doing(&self) -> usize {
        self.fresh + self.rewritten + self.again
    }

    fn of(looked: &Looked, upload: String, file: String, post: String) -> Self {
        let row = |l: &look::Line| CaseImportRowView {
            place: format!("{}行目", l.row),
            number: l.number.clone(),
            action: l.action,
            diffs: l.diffs.clone(),
        };
        let plan = &looked.plan;
        let mut notes = Vec::new();
        if !plan.unknown_columns.is_empty() {
            let columns = plan.unknown_columns.join("、");
            notes.push(format!("次の列は申請書にないため、読みません：{columns}"));
        }
        let missing = plan.missing_columns.iter().filter(|c| *c != sheet::NUMBER);
        let missing: Vec<&str> = missing.map(String::as_str).collect();
        if !missing.is_empty() && !plan.rows.is_empty() {
            let columns = missing.join("、");
            notes.push(format!("次の欄はファイルにないため、新しい申請では空になります：{columns}"));
        }
        let mut errors: Vec<&CellError> = plan.errors.iter().collect();
        errors.sort_by_key(|e| e.row);
        let explained = |(says, clause): &(String, String)| Explained::of(says.clone(), clause);
        Self {
            upload,
            shown: looked.shown.clone(),
            file,
            post,
            fresh: looked.count(NEW),
            rewritten: looked.count(REWRITE),
            again: looked.count(AGAIN),
            same: looked.count(SAME) + looked.count(SKIPPED),
            errors: error_lines(errors.into_iter()),
            notes,
            rows: looked.lines.iter().map(row).collect(),
            safeguards: looked.safeguards.iter().map(explained).collect(),
        }
    }
}

/// Under what a file waits between its two steps.
fn kind(procedure: &str) -> String {
    format!("case:{procedure}")
}

/// Reads the table of a file, away from the other requests.
async fn grid_of(bytes: Vec<u8>) -> Result<Grid, AppError> {
    let read = move || read_grid(&bytes).map_err(|e| AppError::refused("X004", e.to_string()));
    tokio::task::spawn_blocking(read).await.map_err(AppError::internal)?
}

#[boxed]
impl Office {
    /// Whether a procedure's applications can come from a file: it has a form, and no dry run of its own.
    #[must_use]
    pub fn takes_file(&self, procedure: &str) -> bool {
        let takes = |p: &Procedure| p.applied_for() && !p.changes_classes();
        self.pack().procedures.get(procedure).is_some_and(takes)
    }

    /// Who applies, and the posts from which they may.
    async fn loading(
        self: &Arc<Self>,
        who: &Identity,
        procedure: &str,
    ) -> Result<(Applying, Vec<PostChoice>), AppError> {
        if !self.takes_file(procedure) {
            return Err(AppError::NotFound);
        }
        let applying = self.applying(who, procedure).await?;
        let (org, posts) = (self.org().await?, self.posts_of(&applying.me).await?);
        let ctx = applying.ctx(&org);
        let (mut may, mut why) = (Vec::new(), None);
        for post in posts {
            match decide::may_apply_from(procedure, &ctx, &post.code) {
                Ok(()) => may.push(post),
                Err(refusal) => why = Some(refusal),
            }
        }
        match why {
            Some(refusal) if may.is_empty() => Err(refused(refusal, "")),
            None if may.is_empty() => {
                Err(AppError::refused("C003", "申請に使える職がありません。人事の担当課に確かめてください。"))
            }
            _ => Ok((applying, may)),
        }
    }

    /// What the page begins with.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a procedure without such a form; refused for whoever may not apply.
    pub async fn case_import_head(
        self: &Arc<Self>,
        who: &Identity,
        procedure: &str,
    ) -> Result<CaseImportHead, AppError> {
        let (applying, posts) = self.loading(who, procedure).await?;
        let (title, of) = (self.procedure_title(procedure), procedure.to_owned());
        let (begun, past) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let begun = own_table(c, &applying).await?.1.len();
                    let past = !case_import::list(c, &applying.me.person, &of, 1).await?.is_empty();
                    Ok::<_, AppError>((begun, past))
                })
            })
            .await?;
        Ok(CaseImportHead { procedure: procedure.to_owned(), title, posts, begun, past, most: MOST_ROWS })
    }

    fn procedure_title(&self, procedure: &str) -> String {
        self.pack().procedures.get(procedure).map(|p| p.title.clone()).unwrap_or_default()
    }

    /// A table to fill in, with or without what the person has begun already.
    ///
    /// # Errors
    /// As [`Office::case_import_head`]; refused when the code page lacks a character.
    pub async fn case_import_table(
        self: &Arc<Self>,
        who: &Identity,
        procedure: &str,
        begun: bool,
        format: ExportFormat,
    ) -> Result<ExportedFile, AppError> {
        let (applying, _) = self.loading(who, procedure).await?;
        let (schema, records) =
            self.store.read(move |c| Box::pin(async move { own_table(c, &applying).await })).await?;
        let title = schema.title.clone();
        let name = format!("{title}_{}", if begun { "下書き" } else { "ひな形" });
        let table = Table::new(&schema, records.iter().filter(|_| begun));
        let today = self.clock.today();
        let work = move || write(&[table], format, &name, today);
        tokio::task::spawn_blocking(work).await.map_err(AppError::internal)?
    }

    /// First step: reads the file, keeps it, and tells what each row would do. Nothing else is written.
    ///
    /// # Errors
    /// Refused when the file is no table, has too many rows, or the person may not apply.
    pub async fn plan_case_import(
        self: &Arc<Self>,
        who: &Identity,
        procedure: &str,
        (file, bytes): (&str, Vec<u8>),
        choice: &CaseImportChoice,
    ) -> Result<CaseImportPlan, AppError> {
        let asked = self.asked(who, procedure, bytes.clone(), choice).await?;
        let post = asked.post.clone();
        let looked = self.store.read(move |c| Box::pin(async move { look(c, &asked).await })).await?;
        let upload = self.keep_upload(who, &kind(procedure), file, bytes).await?;
        Ok(CaseImportPlan::of(&looked, upload, file.to_owned(), post))
    }

    /// The first step once more, with the file that was kept.
    ///
    /// # Errors
    /// Refused when the file is gone or somebody else's; otherwise as [`Office::plan_case_import`].
    pub async fn plan_case_import_again(
        self: &Arc<Self>,
        who: &Identity,
        procedure: &str,
        upload: &str,
        choice: &CaseImportChoice,
    ) -> Result<CaseImportPlan, AppError> {
        let (kept, bytes) = self.kept_upload(who, &kind(procedure), upload).await?;
        let asked = self.asked(who, procedure, bytes, choice).await?;
        let post = asked.post.clone();
        let looked = self.store.read(move |c| Box::pin(async move { look(c, &asked).await })).await?;
        Ok(CaseImportPlan::of(&looked, kept.id, kept.name, post))
    }

    async fn asked(
        self: &Arc<Self>,
        who: &Identity,
        procedure: &str,
        bytes: Vec<u8>,
        choice: &CaseImportChoice,
    ) -> Result<Asked, AppError> {
        let (applying, posts) = self.loading(who, procedure).await?;
        let first = posts.first().map(|p| p.code.clone()).unwrap_or_default();
        let post = if choice.post.is_empty() { first } else { choice.post.clone() };
        Ok(Asked { applying, post, conflict: choice.conflict, grid: grid_of(bytes).await? })
    }
}
