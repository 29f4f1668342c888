//! Reads the confirmed table back: what a person entered in 確定 becomes the pack's bindings.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sekisho_base::Date;
use sekisho_base::text::normalize_code;
use sekisho_pack::binding::{Binding, to_toml};
use sekisho_pack::model::Pack;

use super::matching::COLUMNS;
use crate::exchange::{Grid, ReadError, cell_name, read_grid};

/// Rows in which the headers are looked for.
const HEADER_ROWS: usize = 20;
/// Open clauses that are named one by one.
const LISTED: usize = 20;

/// A cell that cannot be taken, with what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Name of the cell, `G12`.
    pub cell: String,
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}。{}", self.cell, self.text, self.remedy)
    }
}

/// Why nothing was bound. Nothing is taken from a table with a defect.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// No spreadsheet.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The columns are not there.
    #[error(
        "見出しの行（「条番号」と「確定」の列）が見つかりません。`sekisho policy match --format csv` で書き出した表を使ってください。"
    )]
    NoHeader,
    /// Cells that cannot be taken.
    #[error("{}", list(.0))]
    Rows(Vec<RowError>),
}

impl BindError {
    /// A code that outlives the wording.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read(e) => e.code(),
            Self::NoHeader => "policy_bind_no_header",
            Self::Rows(_) => "policy_bind_rows",
        }
    }
}

fn list(errors: &[RowError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    format!("{}\n誤りが{}件あるため、対応を書き込みませんでした。", lines.join("\n"), errors.len())
}

/// What comes of a confirmed table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The new text of `bindings.toml`.
    pub toml: String,
    /// The bindings in it, those of earlier tables too.
    pub bindings: Vec<Binding>,
    /// Citations of clauses that nobody has decided on.
    pub open: Vec<String>,
    /// Ids of the pack's clauses, headings left out, that no own clause is bound to.
    pub unbound: Vec<String>,
}

impl Bound {
    /// What was done and what is still open, for the person at the terminal.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let none = self.bindings.iter().filter(|b| b.clauses.is_empty()).count();
        let mut out = vec![format!(
            "{}件の対応を書きました（うち、対応するものがないと確かめた条項 {none}件）。",
            self.bindings.len()
        )];
        let mut say = |what: &str, all: &[String]| {
            if all.is_empty() {
                return;
            }
            let some = all.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join("、");
            let more = if all.len() > LISTED { " ほか" } else { "" };
            out.push(format!("{what} {}件: {some}{more}", all.len()));
        };
        say("まだ「確定」のない条項", &self.open);
        say("どの条項にも結び付いていないパックの条項", &self.unbound);
        out
    }
}

/// Takes the confirmed rows of a table into the bindings of a pack. What was bound before and has not changed keeps who
/// confirmed it and when; rows left blank stay as they were.
///
/// # Errors
/// [`BindError`]: every cell that cannot be taken, with what to do.
pub fn bind(table: &[u8], pack: &Pack, by: &str, on: Date) -> Result<Bound, BindError> {
    let grid = read_grid(table)?;
    let (header, label, confirmed, words) = header(&grid).ok_or(BindError::NoHeader)?;
    let known: BTreeSet<&str> = pack.clauses.iter().map(|c| c.id.as_str()).collect();
    let mut bindings: BTreeMap<String, Binding> =
        pack.bindings.iter().map(|b| (b.own.clone(), b.clone())).collect();
    let mut order: Vec<String> = pack.bindings.iter().map(|b| b.own.clone()).collect();
    let (mut errors, mut open, mut seen) = (Vec::new(), Vec::new(), BTreeMap::new());
    for row in header + 1..grid.rows.len() {
        let mut refuse = |column: usize, text: String, remedy: &str| {
            errors.push(RowError { cell: cell_name(column, row), text, remedy: remedy.to_owned() });
        };
        let (own, answer) = (grid.cell(row, label).text(), grid.cell(row, confirmed).text());
        let (own, answer) = (own.trim(), answer.trim());
        if own.is_empty() {
            if !answer.is_empty() {
                refuse(
                    confirmed,
                    "条番号のない行に「確定」があります".to_owned(),
                    "対応する市の条項の行に移してください",
                );
            }
            continue;
        }
        let Some((citation, id)) = own_id(own) else {
            refuse(
                label,
                format!("「{own}」から条項の番号を読み取れません"),
                "条番号の列は「第3条第1項 [3.1]」の形のまま、書き換えないでください",
            );
            continue;
        };
        if let Some(first) = seen.insert(id.clone(), row + 1) {
            refuse(
                label,
                format!("条項「{id}」が{first}行目にもあります"),
                "どちらかの行を消してください。対応するものが複数あるときは、「確定」に「、」で区切って書きます",
            );
            continue;
        }
        if answer.is_empty() {
            if !bindings.contains_key(&id) {
                open.push(citation);
            }
            continue;
        }
        let clauses = match answered(answer, &known) {
            Ok(clauses) => clauses,
            Err((text, remedy)) => {
                refuse(confirmed, text, &remedy);
                continue;
            }
        };
        let text = words.map(|column| grid.cell(row, column).text().trim().to_owned()).unwrap_or_default();
        if let Some(b) = bindings.get_mut(&id).filter(|b| b.clauses == clauses && b.citation == citation) {
            // Who confirmed it stays, but for a text that changed.
            let same = text.is_empty() || b.text.is_empty() || b.text == text;
            if same {
                if !text.is_empty() {
                    b.text = text;
                }
                continue;
            }
        }
        let new = Binding { own: id.clone(), citation, clauses, by: by.to_owned(), on, text };
        if bindings.insert(id.clone(), new).is_none() {
            order.push(id);
        }
    }
    if !errors.is_empty() {
        return Err(BindError::Rows(errors));
    }
    let bindings: Vec<Binding> = order.iter().filter_map(|id| bindings.remove(id)).collect();
    let bound: BTreeSet<&str> = bindings.iter().flat_map(|b| &b.clauses).map(String::as_str).collect();
    let unbound = pack.clauses.iter().filter(|c| c.kind != "heading" && !bound.contains(c.id.as_str()));
    Ok(Bound { toml: to_toml(&bindings), open, unbound: unbound.map(|c| c.id.clone()).collect(), bindings })
}

/// The row of the headers, the columns 条番号 and 確定, and 本文 where it is there.
fn header(grid: &Grid) -> Option<(usize, usize, usize, Option<usize>)> {
    let [label, words, .., confirmed] = COLUMNS;
    (0..grid.rows.len().min(HEADER_ROWS)).find_map(|row| {
        let cells = grid.rows.get(row)?;
        let place = |name: &str| cells.iter().position(|c| c.text().trim() == name);
        Some((row, place(label)?, place(confirmed)?, place(words)))
    })
}

/// Citation and id of 「第3条第1項 [3.1]」.
fn own_id(cell: &str) -> Option<(String, String)> {
    let (citation, id) = cell.strip_suffix([']', '］'])?.rsplit_once(['[', '［'])?;
    let id = normalize_code(id);
    (!id.is_empty()).then(|| (citation.trim().to_owned(), id))
}

/// The clauses that an answer names; none for 「なし」.
fn answered(answer: &str, known: &BTreeSet<&str>) -> Result<Vec<String>, (String, String)> {
    if matches!(answer.trim_end_matches('。'), "なし" | "無し" | "無" | "ナシ") {
        return Ok(Vec::new());
    }
    let mut out: Vec<String> = Vec::new();
    let names = answer.split(['、', ',', '，', ' ', '\u{3000}', '\n', '\r', '・', ';', '；']);
    for written in names.filter(|n| !n.trim().is_empty()) {
        let bare = normalize_code(written);
        let id = bare.trim_start_matches('[').trim_end_matches(']').trim();
        // A spreadsheet turns a typed 6.10 into 6.1.
        let doubtful =
            id == bare && id.matches('.').count() == 1 && known.contains(format!("{id}0").as_str());
        if doubtful && known.contains(id) {
            return Err((
                format!("「{id}」は「{id}0」の0が表計算で落ちたものかもしれません"),
                format!("[{id}] か [{id}0] のように、角括弧を付けて書いてください"),
            ));
        }
        if !known.contains(id) {
            return Err((
                format!("「{written}」という条項はパックにありません"),
                "候補の列にある番号か、「なし」を書いてください".to_owned(),
            ));
        }
        if !out.iter().any(|o| o == id) {
            out.push(id.to_owned());
        }
    }
    Ok(out)
}
