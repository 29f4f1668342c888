//! What the loader says about a pack: every defect with file, line, key and remedy.

use std::cell::RefCell;
use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth a look; the pack loads.
    Warning,
    /// The pack is refused.
    Error,
}

/// One remark about a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// File within the pack folder, with `/`.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Key within the file, such as `step[1].by`; empty for the whole file.
    pub key: String,
    /// What is wrong, in Japanese.
    pub text: String,
    /// What to do, in Japanese.
    pub remedy: String,
    /// How bad it is.
    pub severity: Severity,
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.severity {
            Severity::Warning => "注意",
            Severity::Error => "誤り",
        };
        write!(f, "{}:{}: {mark}: ", self.file, self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}。{}", self.text, self.remedy)
    }
}

/// Messages collected during one load.
#[derive(Debug, Default)]
pub(crate) struct Log(RefCell<Vec<Message>>);

/// Most messages kept: a pack of another format would otherwise fill the screen.
const MAX_MESSAGES: usize = 1_000;

impl Log {
    pub(crate) fn say(&self, m: Message) {
        let mut all = self.0.borrow_mut();
        if all.len() < MAX_MESSAGES {
            all.push(m);
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.0.borrow().iter().any(|m| m.severity == Severity::Error)
    }

    /// All messages in the order of files and lines.
    pub(crate) fn into_messages(self) -> Vec<Message> {
        let mut all = self.0.into_inner();
        all.sort_by(|a, b| (&a.file, a.line, &a.key).cmp(&(&b.file, b.line, &b.key)));
        all.dedup();
        all
    }
}

/// The known word nearest to a misspelt one, when it is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() * 2 / 5).clamp(1, 3);
    known.into_iter().map(|k| (distance(word, k), k)).filter(|(d, _)| *d <= limit).min().map(|(_, k)| k)
}

/// The known word that a word differs from by a slip of the hand: in one place, by one character, or two in a long word.
/// Stricter than [`nearest`], for words that may well be new, and quick enough to be asked of every binding.
pub(crate) fn slip_of<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = if word.len() >= 10 { 2 } else { 1 };
    let differs = |k: &str| {
        let (short, long) = (word.len().min(k.len()), word.len().max(k.len()));
        let head = word.bytes().zip(k.bytes()).take_while(|(a, b)| a == b).count();
        let tail = word.bytes().rev().zip(k.bytes().rev()).take_while(|(a, b)| a == b).count();
        long - head - tail.min(short - head)
    };
    known.into_iter().map(|k| (differs(k), k)).filter(|(d, _)| *d <= limit).min().map(|(_, k)| k)
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(80).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(80).enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, pair) in b.iter().zip(row.windows(2)) {
            let [diagonal, up] = pair else { continue };
            left = (diagonal + usize::from(x != *y)).min(up + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_what_is_near() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(nearest("titel", ["id", "title", "number"]), Some("title"));
        assert_eq!(nearest("whatever", ["id", "title"]), None);
        assert_eq!(nearest("lable", ["label", "table"]), Some("table"));
        assert_eq!(slip_of("take_ou", ["take_out", "loan"]), Some("take_out"));
        assert_eq!(slip_of("laon", ["loan", "taken"]), None, "two characters of a short word");
        assert_eq!(slip_of("external_connectoin", ["external_connection"]), Some("external_connection"));
        assert_eq!(slip_of("exception", ["emergency_exception", "exceptions"]), Some("exceptions"));
    }
}
