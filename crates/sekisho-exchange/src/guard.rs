//! Protection of CSV files against formula injection, undone on import.
//!
//! Rule: a text that begins with any number of apostrophes followed by one of `= + - @`, their full-width forms, TAB,
//! CR or LF is written with one more apostrophe in front; reading takes one apostrophe off exactly such texts. So every
//! text comes back as it was, and no cell that we write starts a formula. Numbers are written as they are.

use std::borrow::Cow;

fn is_starter(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠')
}

/// The text as a CSV file may hold it.
pub(super) fn protect(text: &str) -> Cow<'_, str> {
    if text.trim_start_matches('\'').starts_with(is_starter) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text that [`protect`] was given.
pub(super) fn restore(text: &str) -> &str {
    text.strip_prefix('\'')
        .filter(|rest| rest.trim_start_matches('\'').starts_with(is_starter))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_and_none_starts_a_formula() {
        for text in [
            "=1+1", "'=1", "''=1", "+81", "-", "@x", "\tx", "\r", "＝1", "'quoted'", "'", "", "a=b", " =1",
            "''",
        ] {
            let written = protect(text);
            assert_eq!(restore(&written), text);
            assert!(!written.starts_with(is_starter), "{text}");
        }
        assert_eq!(protect("=1"), "'=1");
        assert_eq!(protect("山田"), "山田");
    }
}
