//! Text as it is searched: folded, cell by cell.

use sekisho_base::text::fold_key;

use crate::conn::Arg;
use crate::index::TEXT_CHARS;

/// Ends each text, so that the last character begins a pair too and no word reaches from one cell into the next.
const END: char = '\u{1f}';
/// Words of one search, and characters of one word, that count.
const WORDS: usize = 16;
const WORD_CHARS: usize = 200;

/// Adds a text to those by which a row is found; what would make them too long is left out.
pub(crate) fn push(out: &mut String, text: &str) {
    let folded = fold_key(text);
    // A character has a byte at least.
    if !folded.is_empty() && out.len() + folded.len() < TEXT_CHARS {
        out.push_str(&folded);
        out.push(END);
    }
}

/// What one [`push`] made of a text, without its end.
pub(crate) fn shown(stored: String) -> String {
    stored.strip_suffix(END).map(str::to_owned).unwrap_or(stored)
}

/// Words as typed, folded; empty ones are none.
pub(crate) fn fold(words: &[String]) -> Vec<String> {
    words
        .iter()
        .map(|w| fold_key(w).chars().take(WORD_CHARS).collect::<String>())
        .filter(|w| !w.is_empty())
        .take(WORDS)
        .collect()
}

/// `column LIKE` a folded word, with what LIKE treats specially escaped by `!`; adds its argument.
pub(crate) fn like(column: &str, word: &str, args: &mut Vec<Arg>) -> String {
    let escaped = word.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    args.push(format!("%{escaped}%").into());
    format!("{column} LIKE ${} ESCAPE '!'", args.len())
}
