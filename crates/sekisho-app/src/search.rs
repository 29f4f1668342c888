//! One search over everything somebody may see: what can be applied for, cases, rows of every register, the standard in the pack's and in the city's own words,
//! duties, documents, people and sections. Each kind goes through the list that its own page uses, so that nothing is found here that
//! is not shown there.

use std::sync::Arc;

use schemars::JsonSchema;
use sekisho_base::limits::{COUNT_CAP, LINE_CHARS, PAGE_ROWS, count_words};
use sekisho_base::text::{fold_key, normalize_code, search_words, shorten};
use sekisho_boxed::boxed;
use sekisho_pack::model::{Pack, Procedure, Register};
use sekisho_store::case::{self, CaseFilter, CaseRow};
use sekisho_store::org::{PersonRow, UnitRow};
use sekisho_store::register::{self, RegisterRow};
use serde::Serialize;

use crate::clauses::citation;
use crate::directory::Directory;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;
use crate::registers::table_spec;

/// Hits of a kind while all kinds are shown.
const FEW: usize = 5;
/// Words that count.
const WORDS: usize = 8;
/// Characters of a hit's text.
const SHOWN: usize = 120;

/// What is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// Words as typed.
    pub q: String,
    /// Only this kind, with pages; empty for all kinds.
    pub kind: String,
    /// Page from 1.
    pub page: i64,
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hit {
    /// Its page.
    pub link: String,
    /// Number, citation or name.
    pub head: String,
    /// What it is called or says.
    pub text: String,
    /// Where it belongs.
    pub note: String,
}

/// What was found of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HitGroup {
    /// Kind, as addresses name it.
    pub kind: String,
    /// 案件, 情報資産管理台帳 …
    pub title: String,
    /// How many, 「10000以上」 beyond the cap.
    pub total: String,
    /// The first ones, or those of the page.
    pub hits: Vec<Hit>,
    /// Whether there are more than are shown here.
    pub more: bool,
}

/// What a search gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SearchView {
    /// Words as typed.
    pub q: String,
    /// What has exactly this number.
    pub exact: Vec<Hit>,
    /// Kinds in which something was found.
    pub groups: Vec<HitGroup>,
    /// The only kind that was asked for; empty for all.
    pub kind: String,
    /// Page from 1.
    pub page: i64,
}

/// The texts of a pack, folded once.
pub(crate) struct Texts {
    hash: String,
    procedures: Vec<(String, Hit)>,
    clauses: Vec<(String, Hit)>,
    duties: Vec<(String, Hit)>,
    documents: Vec<(String, Hit)>,
    notices: Vec<(String, Hit)>,
}

/// A text to be found by, with what is shown.
fn text_of(parts: &[&str], hit: Hit) -> (String, Hit) {
    (parts.iter().map(|p| fold_key(p)).collect::<Vec<_>>().join("\u{1f}"), hit)
}

impl Texts {
    fn of(pack: &Pack) -> Self {
        let clause = |c: &sekisho_pack::model::Clause| {
            let own: Vec<_> = pack.bindings.iter().filter(|b| b.clauses.contains(&c.id)).collect();
            let cited = citation(&c.id);
            let mut parts = vec![c.id.as_str(), &cited, &c.says, c.title.as_deref().unwrap_or_default()];
            parts.extend(own.iter().flat_map(|b| [b.citation.as_str(), b.text.as_str()]));
            let says = if c.says.is_empty() { c.title.clone().unwrap_or_default() } else { c.says.clone() };
            let note = own.first().map(|b| format!("市の規程 {}", b.citation)).unwrap_or_default();
            let link = format!("/clauses/{}", c.id);
            text_of(&parts, Hit { link, head: cited.clone(), text: shorten(&says, SHOWN), note })
        };
        let plain = |link: String, title: &str, says: &str| {
            let hit = Hit { link, head: title.to_owned(), text: shorten(says, SHOWN), note: String::new() };
            text_of(&[title, says], hit)
        };
        // Whoever looks for an act in own words wants its form: 「持ち出したい」.
        let procedure = |p: &Procedure| {
            let mut parts = vec![p.title.as_str()];
            parts.extend(p.wish.iter().map(String::as_str));
            let text = shorten(&p.wish.join("、"), SHOWN);
            let link = format!("/apply/{}", p.id);
            text_of(&parts, Hit { link, head: p.title.clone(), text, note: "申請する".to_owned() })
        };
        Self {
            hash: pack.hash.clone(),
            procedures: pack.procedures.values().filter(|p| p.applied_for()).map(procedure).collect(),
            clauses: pack.clauses.iter().filter(|c| c.kind != "heading").map(clause).collect(),
            duties: pack
                .duties
                .values()
                .map(|d| plain(format!("/duties/{}", d.id), &d.title, &d.says))
                .collect(),
            documents: pack
                .documents
                .values()
                .map(|d| plain(format!("/documents/{}", d.id), &d.title, &d.says))
                .collect(),
            notices: pack
                .notices
                .values()
                .map(|n| plain(format!("/notices/{}", n.id), &n.title, &n.says))
                .collect(),
        }
    }
}

/// A part of what was found: an offset, and how many at most.
#[derive(Debug, Clone, Copy)]
struct Part {
    skip: usize,
    take: usize,
}

impl Part {
    fn offset(self) -> i64 {
        i64::try_from(self.skip).unwrap_or(i64::MAX)
    }

    /// One more than is shown tells whether there are more.
    fn limit(self) -> i64 {
        i64::try_from(self.take + 1).unwrap_or(i64::MAX)
    }
}

fn group(kind: &str, title: &str, total: i64, mut hits: Vec<Hit>, part: Part) -> HitGroup {
    let more = hits.len() > part.take;
    hits.truncate(part.take);
    HitGroup { kind: kind.to_owned(), title: title.to_owned(), total: count_words(total), hits, more }
}

/// What was found of a kind that is in memory; only what is shown becomes a hit.
fn shown<T>(kind: &str, title: &str, found: &[T], part: Part, hit: impl Fn(&T) -> Hit) -> HitGroup {
    let hits = found.iter().skip(part.skip).take(part.take + 1).map(hit).collect();
    group(kind, title, i64::try_from(found.len()).unwrap_or(i64::MAX), hits, part)
}

fn holds_all(text: &str, words: &[String]) -> bool {
    words.iter().all(|w| text.contains(w.as_str()))
}

/// A wish in its own words, without what binds them: 「USBを捨てたい」 is usb and 捨て. Split as typed, since folding makes one of ヲ and を.
fn core_of_wish(typed: &str) -> Vec<String> {
    let ends = ["です", "したい", "たい"];
    let core = |w: &str| {
        let bare = ends.iter().fold(w, |w, end| w.strip_suffix(end).unwrap_or(w));
        fold_key(bare)
    };
    typed
        .split(|c: char| c.is_whitespace() || "をにへはがで、。".contains(c))
        .map(core)
        .filter(|w| !w.is_empty())
        .take(WORDS)
        .collect()
}

/// Texts that hold every word.
fn among(kind: &str, title: &str, all: &[(String, Hit)], words: &[String], part: Part) -> HitGroup {
    let found: Vec<&Hit> =
        all.iter().filter(|(text, _)| holds_all(text, words)).map(|(_, hit)| hit).collect();
    shown(kind, title, &found, part, |hit| (*hit).clone())
}

#[boxed]
impl Office {
    /// The running pack's texts, folded once for each version.
    fn texts(&self) -> Arc<Texts> {
        let pack = self.pack();
        let mut kept = self.texts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match kept.as_ref().filter(|t| t.hash == pack.hash) {
            Some(texts) => Arc::clone(texts),
            None => Arc::clone(kept.insert(Arc::new(Texts::of(&pack)))),
        }
    }

    /// Looks for words in everything that somebody may see: a number of queries that depends on the pack alone.
    ///
    /// # Errors
    /// The database failed.
    pub async fn search(&self, who: &Identity, asked: &SearchQuery) -> Result<SearchView, AppError> {
        let typed = shorten(asked.q.trim(), LINE_CHARS);
        let words: Vec<String> = search_words(&typed).take(WORDS).collect();
        let page = asked.page.clamp(1, 1_000);
        let mut view = SearchView { q: typed, exact: vec![], groups: vec![], kind: asked.kind.clone(), page };
        if words.is_empty() {
            return Ok(view);
        }
        let rows = usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
        let part = if asked.kind.is_empty() {
            Part { skip: 0, take: FEW }
        } else {
            Part { skip: usize::try_from(page - 1).unwrap_or(0).saturating_mul(rows), take: rows }
        };
        let me = self.me(who).await?;
        let stored;
        (view.exact, stored) = self.stored(&me, &view.q, &words, &asked.kind, part).await?;
        let [forms, written @ ..] = self.written(&view.q, &words, part);
        view.groups = std::iter::once(forms).chain(stored).chain(written).collect();
        view.groups.extend(self.organized(me.directory(), &words, part));
        view.groups.retain(|g| !g.hits.is_empty() && (asked.kind.is_empty() || asked.kind == g.kind));
        Ok(view)
    }

    /// The one case or row with this number (案件番号・許可番号, 管理番号), and the clause with this id.
    fn exactly(
        &self,
        d: &Directory,
        q: &str,
        case: Option<CaseRow>,
        rows: Vec<(&Register, RegisterRow)>,
    ) -> Vec<Hit> {
        let pack = self.pack();
        let mut hits = Vec::new();
        hits.extend(case.map(|row| {
            let line = self.case_line(d, &row);
            Hit {
                link: format!("/cases/{}", line.id),
                head: line.number,
                text: line.title,
                note: format!("案件 {}", line.status),
            }
        }));
        for (r, row) in rows {
            let unit = d.unit_name(row.text(&r.owner)).to_owned();
            let hit = row_hit(r, &row, String::new());
            hits.push(Hit { note: format!("{} {unit}", r.title), ..hit });
        }
        let folded = fold_key(q);
        let named = pack.clauses.iter().filter(|c| c.kind != "heading");
        let named = named.filter(|c| fold_key(&c.id) == folded || fold_key(&citation(&c.id)) == folded);
        hits.extend(named.map(|c| Hit {
            link: format!("/clauses/{}", c.id),
            head: citation(&c.id),
            text: shorten(&c.says, SHOWN),
            note: "条項".to_owned(),
        }));
        hits
    }

    /// What has exactly this number, while all kinds are asked for; cases and rows of the registers.
    async fn stored(
        &self,
        me: &Me,
        q: &str,
        words: &[String],
        kind: &str,
        part: Part,
    ) -> Result<(Vec<Hit>, Vec<HitGroup>), AppError> {
        let wanted = |k: &str| kind.is_empty() || kind == k;
        let pack = self.pack();
        let registers: Vec<_> =
            pack.registers.values().filter(|r| wanted(&format!("register-{}", r.id))).cloned().collect();
        let specs: Vec<_> = registers.iter().map(table_spec).collect();
        let (words, viewer, cases) = (words.to_vec(), me.viewer().clone(), wanted("cases"));
        let number = kind.is_empty().then(|| normalize_code(q));
        let (case_words, case_viewer, case_number) = (words.clone(), viewer.clone(), number.clone());
        let of_cases = self.store.read(move |c| {
            Box::pin(async move {
                let exact = match case_number {
                    Some(number) => case::by_number(c, &case_viewer, &number).await?,
                    None => None,
                };
                if !cases {
                    return Ok((exact, vec![], 0));
                }
                let filter = CaseFilter { words: case_words, ..CaseFilter::default() };
                let (found, total) =
                    case::list(c, &case_viewer, &filter, part.offset(), part.limit()).await?;
                Ok::<_, AppError>((exact, found, total))
            })
        });
        let of_registers = self.store.read(move |c| {
            Box::pin(async move {
                let exact = match number {
                    Some(number) => register::by_key_among(c, &specs, &viewer, &number).await?,
                    None => vec![],
                };
                let rows = register::find(c, &specs, &viewer, &words, part.offset(), part.limit()).await?;
                Ok::<_, AppError>((exact, rows))
            })
        });
        // Both at a time, each half of the waiting.
        let ((case, found, total), (keyed, rows)) = tokio::try_join!(of_cases, of_registers)?;
        let d = me.directory();
        let keyed = keyed.into_iter().filter_map(|(at, row)| Some((registers.get(at)?, row))).collect();
        let exact = if kind.is_empty() { self.exactly(d, q, case, keyed) } else { vec![] };
        let case_hit = |row| {
            let line = self.case_line(d, row);
            Hit {
                link: format!("/cases/{}", line.id),
                head: line.number,
                text: line.title,
                note: format!("{} {}（{}）", line.section, line.applicant, line.status),
            }
        };
        let mut groups = vec![group("cases", "案件", total, found.iter().map(case_hit).collect(), part)];
        for (r, (rows, total)) in registers.iter().zip(rows) {
            let hits =
                rows.iter().map(|row| row_hit(r, row, d.unit_name(row.text(&r.owner)).to_owned())).collect();
            groups.push(group(&format!("register-{}", r.id), &r.title, total, hits, part));
        }
        Ok((exact, groups))
    }

    /// The forms, the standard, duties, documents and rules of conduct: for all staff.
    fn written(&self, typed: &str, words: &[String], part: Part) -> [HitGroup; 5] {
        let texts = self.texts();
        let wish = core_of_wish(typed);
        [
            // What the words themselves find, its core finds too.
            among(
                "procedures",
                "申請できること",
                &texts.procedures,
                if wish.is_empty() { words } else { &wish },
                part,
            ),
            among("clauses", "条項", &texts.clauses, words, part),
            among("duties", "定期の仕事", &texts.duties, words, part),
            among("documents", "文書", &texts.documents, words, part),
            among("notices", "守ること", &texts.notices, words, part),
        ]
    }

    /// People by name, ふりがな and number, and sections by name: for all staff, as the page 組織 shows them.
    fn organized(&self, d: &Directory, words: &[String], part: Part) -> [HitGroup; 2] {
        let today = self.clock.today();
        let hit = |link: String, head: &str, text: String| Hit {
            link,
            head: head.to_owned(),
            text,
            note: String::new(),
        };
        let people = d.search(&words.join(" "), usize::try_from(COUNT_CAP).unwrap_or(usize::MAX));
        let person = |p: &&PersonRow| {
            hit(format!("/organization?q={}", p.number), &p.name, d.main_post(&p.number, today))
        };
        let sections: Vec<&UnitRow> = d
            .rows()
            .units
            .iter()
            .filter(|u| u.exists_on(today) && holds_all(&fold_key(&u.name), words))
            .collect();
        let section = |u: &&UnitRow| {
            let above = u.parent.as_deref().map(|p| d.unit_name(p).to_owned()).unwrap_or_default();
            hit("/organization".to_owned(), &u.name, above)
        };
        [
            shown("people", "職員", &people, part, person),
            shown("sections", "部局・課", &sections, part, section),
        ]
    }
}

fn row_hit(r: &Register, row: &RegisterRow, note: String) -> Hit {
    Hit {
        link: format!("/registers/{}/{}", r.id, row.id),
        head: row.text(&r.key).to_owned(),
        text: row.text(&r.name).to_owned(),
        note,
    }
}
