//! Reviews after the fact: 後閲 of decisions in absence, post-review of overrides, review of reclassified permits.

use super::need_text;
use super::route::plain;
use super::run::Run;
use super::who::Asking;
use crate::case::{ReviewCause, What};
use crate::refusal::{Code, Refusal};

/// Does one open review. A case that has ended can still be reviewed.
pub(super) fn review(run: &mut Run<'_>, of: u32, shown: &str, says: String) -> Result<(), Refusal> {
    let open: Vec<_> = run.state.reviews.iter().filter(|r| r.of == of && r.done.is_none()).cloned().collect();
    if open.is_empty() {
        return Err(Refusal::new(Code::NothingToDo, "確認を待っているものはありません。"));
    }
    let content = run.state.content_hash(None);
    let asking =
        Asking { action: "post_review", shown, content: &content, reason: false, open: true, judging: true };
    let mut refusal = None;
    for r in &open {
        match run.leave_to_review(&r.by, &r.author, asking) {
            Ok(held) => {
                if matches!(r.cause, ReviewCause::Override | ReviewCause::Reclassified) {
                    need_text(&says, "確認した結果")?;
                }
                return run.emit(plain(held, &content), What::Reviewed { of, says });
            }
            Err(e) => refusal = Some(e),
        }
    }
    Err(refusal.unwrap_or_else(|| Refusal::new(Code::NotAuthorized, "この操作を行う権限がありません。")))
}
