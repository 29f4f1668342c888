//! Files of an application: kept by SHA-256 before it is sent, part of the content that is decided on, given out only to who may see
//! the case, and never altered in between without notice.

use sekisho_base::canonical::{hex, sha256};
use sekisho_base::limits;
use sekisho_boxed::boxed;
use sekisho_case::case::Attachment;
use sekisho_exchange::Accepted;
use sekisho_pack::model::{Field, FieldType};
use sekisho_store::Conn;
use sekisho_store::attachment::{self, AttachmentRow};

use crate::cases::EVIDENCE;
use crate::cases::view::{ActInput, AttachmentLine};
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;

/// What the value of an evidence field begins with while its file waits for the act.
pub const WAITING: &str = "file:";
/// Name of the form field that lists the files attached so far.
pub(super) const FIELD: &str = "attachment";

/// `1.2 MB`, `340 kB`.
fn size_words(bytes: i64) -> String {
    match bytes {
        n if n >= 1_000_000 => format!("{}.{} MB", n / 1_000_000, n % 1_000_000 / 100_000),
        n => format!("{} kB", (n + 999) / 1_000),
    }
}

fn line(a: &AttachmentRow) -> AttachmentLine {
    AttachmentLine {
        id: a.id.clone(),
        name: a.name.clone(),
        size: size_words(a.size),
        sha256: a.sha256.clone(),
        link: format!("/cases/{}/files/{}", a.case_id, a.pos),
    }
}

#[boxed]
impl Office {
    /// Takes other kinds of files as attachments than the usual ones; once, before the first is sent.
    pub fn take_attachments(&self, accepted: Accepted) {
        if self.attachments.set(accepted).is_err() {
            tracing::warn!("the kinds of attachments were said twice; the first stays");
        }
    }

    /// Which files are taken as attachments, in words for whoever chooses one.
    pub fn attachments_taken(&self) -> String {
        self.attachments.get_or_init(Accepted::default).words()
    }

    /// Keeps a file until its application is sent. Returns its id.
    ///
    /// # Errors
    /// Refused when it is empty, too large or of a kind that is not taken.
    pub async fn attach(&self, who: &Identity, name: &str, bytes: Vec<u8>) -> Result<String, AppError> {
        let refuse = |message: String| Err(AppError::field("attachments", message));
        if bytes.is_empty() {
            return refuse(format!("「{name}」は空のファイルです。中身を確かめて選び直してください。"));
        }
        if bytes.len() > limits::UPLOAD_BYTES {
            let limit = limits::UPLOAD_BYTES / 1024 / 1024;
            return refuse(format!("「{name}」は大きすぎます。{limit}MBまでのファイルを選んでください。"));
        }
        let accepted = self.attachments.get_or_init(Accepted::default);
        let plain = name.rsplit(['/', '\\']).next().unwrap_or(name);
        if let Err(fault) = accepted.judge(plain, &bytes) {
            return refuse(fault.says(plain, accepted));
        }
        let row = AttachmentRow {
            id: self.new_id()?.to_string(),
            case_id: String::new(),
            pos: 0,
            person: who.person.clone(),
            name: sekisho_base::text::shorten(plain, 120),
            sha256: hex(&sha256(&bytes)),
            size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
            at: self.clock.now(),
        };
        let id = row.id.clone();
        self.store
            .write(move |c| {
                Box::pin(async move { attachment::put(c, &row, &bytes).await.map_err(AppError::from) })
            })
            .await?;
        Ok(id)
    }

    /// The person's own files among these ids that wait for their application.
    pub(super) async fn attached(
        &self,
        who: &Identity,
        ids: &[String],
    ) -> Result<Vec<AttachmentLine>, AppError> {
        let (person, ids) = (who.person.clone(), ids.to_vec());
        let rows = self.store.read(move |c| Box::pin(async move { waiting(c, &person, &ids).await })).await?;
        Ok(rows.iter().map(line).collect())
    }

    /// Files sent for the evidence of a step: each value that names a waiting file becomes its hash and name. Returns what was
    /// sent with these values, and the ids of the files.
    pub(super) async fn files_of(
        &self,
        who: &Identity,
        fields: &[Field],
        input: &ActInput,
    ) -> Result<(ActInput, Vec<String>), AppError> {
        let (mut sent, mut ids) = (input.clone(), Vec::new());
        for f in fields.iter().filter(|f| f.kind == FieldType::File) {
            let name = format!("{EVIDENCE}{}", f.id);
            let Some(id) = input.first(&name).strip_prefix(WAITING).map(str::to_owned) else { continue };
            let found = self.attached(who, std::slice::from_ref(&id)).await?;
            let value = found.first().map(|a| format!("{} {}", a.sha256, a.name)).unwrap_or_default();
            sent.values.insert(name, vec![value]);
            ids.push(id);
        }
        Ok((sent, ids))
    }

    /// A file of a case that the person may see, with its name.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also when the person may not see the case; refused when the bytes are no longer those that
    /// were attached.
    pub async fn case_file(&self, who: &Identity, id: &str, pos: i64) -> Result<(String, Vec<u8>), AppError> {
        let (row, state) = self.load_case(&self.me(who).await?, id).await?;
        let pack = self.pack_of(&row.pack).await?;
        let procedure = pack.procedures.get(&state.procedure).ok_or(AppError::NotFound)?;
        let found = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let files = attachment::of_case(c, &row.id).await?;
                    let Some(file) = files.into_iter().find(|f| f.pos == pos) else { return Ok(None) };
                    let bytes = attachment::bytes(c, &file.id).await?;
                    Ok::<_, AppError>(Some((file, bytes)))
                })
            })
            .await?;
        let (file, bytes) = found.ok_or(AppError::NotFound)?;
        if hex(&sha256(&bytes)) != file.sha256 {
            return Err(AppError::refused(
                "C010",
                "添付されたときと中身が変わっているため、渡せません。情報政策担当課へ連絡してください。",
            ));
        }
        self.note_case_look(who, &pack, procedure, &state, "file").await?;
        Ok((file.name, bytes))
    }

    /// Files of a case for its page.
    pub(super) async fn case_files(&self, id: &str) -> Result<Vec<AttachmentLine>, AppError> {
        let id = id.to_owned();
        let rows = self
            .store
            .ask(move |c| Box::pin(async move { attachment::of_case(c, &id).await.map_err(AppError::from) }))
            .await?;
        Ok(rows.iter().map(line).collect())
    }
}

/// Files of this person that wait for their application, of these ids.
pub(super) async fn waiting(
    c: &mut Conn<'_>,
    person: &str,
    ids: &[String],
) -> Result<Vec<AttachmentRow>, AppError> {
    let mut found: Vec<AttachmentRow> = Vec::new();
    for id in ids.iter().take(limits::CASE_FILES + 1) {
        let known = found.iter().any(|f| f.id == *id);
        found.extend(attachment::waiting(c, person, id).await?.filter(|_| !known));
    }
    Ok(found)
}

/// Gives the files that wait to their case, in the transaction of the application.
pub(super) async fn give(
    c: &mut Conn<'_>,
    person: &str,
    ids: &[String],
    case_id: &str,
) -> Result<Vec<Attachment>, AppError> {
    let rows = waiting(c, person, ids).await?;
    if rows.len() > limits::CASE_FILES {
        let message =
            format!("添付できるのは{}件までです。まとめるか、減らしてください。", limits::CASE_FILES);
        return Err(AppError::field("attachments", message));
    }
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let first = attachment::of_case(c, case_id).await?.len();
    for (n, row) in rows.iter().enumerate() {
        let pos = i64::try_from(first.saturating_add(n)).unwrap_or(i64::MAX);
        attachment::give(c, &row.id, case_id, pos).await?;
    }
    Ok(rows.into_iter().map(|a| Attachment { name: a.name, sha256: a.sha256 }).collect())
}
