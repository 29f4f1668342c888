//! Policy text to clause tree. Pure: bytes in, clauses out.
//!
//! [`parse`] reads plain text, Markdown, .docx and 例規 HTML. The steps, each a module: bytes to lines (`source`), what is
//! printed around the text away (`clean`), tokens at the start of lines (`token`), which of them are clauses and what they
//! stand under (`outline`, with the levels of `order`), every line to one clause (`tree`), ids, citations and wording
//! (`finish`, `cite`), and what each sentence asks for (`sentence`).

mod cite;
mod clean;
mod error;
mod finish;
mod judge;
pub mod matching;
mod model;
mod numeral;
mod order;
mod outline;
#[cfg(test)]
mod props;
mod region;
mod render;
mod sentence;
mod source;
mod token;
mod tree;

pub use clean::{Dropped, Reason};
pub use error::PolicyError;
pub use model::{Division, Form, Modality, Node, PolicyText, Ref, Sentence, Warning, WarningCode};
pub use render::{to_markdown, to_text};

/// Bytes of a file.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Clauses of a text.
pub const MAX_NODES: usize = 20_000;
/// Levels of a text.
pub const MAX_DEPTH: usize = 12;

/// Reads a standard. `name_hint` is the name of the file; its ending decides between formats that look alike.
///
/// # Errors
/// [`PolicyError`] when the file is too big, of another format, or no standard.
pub fn parse(bytes: &[u8], name_hint: Option<&str>) -> Result<PolicyText, PolicyError> {
    let source = source::read(bytes, name_hint)?;
    let (lines, dropped) = clean::clean(source.lines);
    let tree = tree::build(&lines)?;
    let mut text = PolicyText { dropped, ..PolicyText::default() };
    finish::finish(&lines, &tree, &mut text);
    text.warnings = tree.warnings;
    if source.undecodable > 0 {
        let message = format!(
            "読み取れない文字が{}文字あり、「�」に置き換えました。元のファイルの文字コードを確かめてください。",
            source.undecodable
        );
        text.warnings.push(Warning { line: 1, code: WarningCode::Undecodable, message });
    }
    sentence::analyse(&mut text);
    judge::judge(&lines, &text)?;
    Ok(text)
}
