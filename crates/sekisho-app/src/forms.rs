//! Printed forms: the forms crate runs typst in a process of its own; here is the way there and back.

use sekisho_forms::{FormError, Limits, RenderRequest, render_limited};

use crate::error::AppError;
use crate::office::Office;

/// What the hidden subcommand does: a request on standard input, a PDF on standard output.
///
/// # Errors
/// The form could not be made; the reason also went to standard output for the caller.
pub fn child_main() -> Result<(), String> {
    sekisho_forms::child_main(std::io::stdin().lock(), std::io::stdout().lock()).map_err(|e| e.to_string())
}

impl Office {
    /// Renders a form of the pack. One at a time on a small server: typst takes memory.
    pub(crate) async fn render(&self, request: RenderRequest) -> Result<Vec<u8>, AppError> {
        let _slot = self.print_place().await?;
        // Its own file also after a package has put a newer program in its place.
        let running = || format!("/proc/{}/exe", std::process::id()).into();
        let exe = self.print_program.clone().unwrap_or_else(running);
        let job = move || render_limited(&exe, &request, &Limits::default());
        let made = tokio::task::spawn_blocking(job).await.map_err(AppError::internal)?;
        made.map_err(|e| {
            if matches!(e, FormError::Time { .. } | FormError::Resources { .. }) {
                tracing::warn!(error = %e, "a form was stopped");
                return AppError::refused(
                    "P007",
                    "印刷するものが多すぎて、時間の内に作れませんでした。条件や期間で絞り込んで、もう一度印刷してください。絞り込んでも同じときは、情報政策担当課へ連絡してください（様式に終わらない繰返しがあるおそれがあります）。",
                );
            }
            AppError::refused(
                "P001",
                format!("様式を作れませんでした。情報政策担当課へ連絡してください。{e}"),
            )
        })
    }
}
