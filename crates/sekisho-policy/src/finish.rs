//! From raw clauses to nodes: id, citation, heading, text.

use std::collections::HashMap;

use crate::cite::{Citations, division_citations};
use crate::model::{Division, Form, Node, PolicyText};
use crate::region::Region;
use crate::source::Line;
use crate::token::{Style, is_space};
use crate::tree::{Branch, Piece, PieceKind, Raw, Tree, unfinished, without_brackets};

/// Characters of the longest line that is still taken for a heading.
const HEADING_CHARS: usize = 60;

/// Characters of a line that is rather broken by the width of the page than a heading, when a word or two stand alone in the next.
const LONG_LINE: usize = 28;

/// Fills nodes, preamble, 附則, 別表, divisions and title.
pub(crate) fn finish(lines: &[Line], tree: &Tree, out: &mut PolicyText) {
    let supplements = tree.branches.iter().filter(|b| b.region == Region::Supplement).count();
    let width = wrap_width(lines);
    let mut ids = Ids::default();
    let (mut supplement, mut annex) = (0, 0);
    for branch in &tree.branches {
        let writer = Writer { lines, branch, width };
        match branch.region {
            Region::Main => {
                out.form = branch.form;
                out.preamble = writer.preamble();
                out.title = out.preamble.as_ref().and_then(|p| title(&p.text));
                let mut citations = Citations::of(branch, None);
                out.nodes = writer.nodes(&mut citations, &mut ids, branch.form == Form::Articles);
                out.divisions = writer.divisions(&out.nodes);
            }
            Region::Supplement => {
                supplement += 1;
                let name = writer.head();
                let cite = supplement_citation(&name, supplement, supplements);
                let prefix = (format!("S.{supplement}"), cite);
                let mut nodes = vec![writer.named(&prefix, name, &mut ids)];
                nodes.extend(writer.nodes(
                    &mut Citations::of(branch, Some(&prefix)),
                    &mut ids,
                    branch.form == Form::Articles,
                ));
                if out.form == Form::Articles { &mut out.nodes } else { &mut out.supplementary }
                    .extend(nodes);
            }
            Region::Annex => {
                annex += 1;
                let name = writer.head();
                let cite = annex_citation(&name);
                out.annexes.push(writer.named(&(format!("T.{annex}"), cite), name, &mut ids));
            }
        }
    }
}

/// 附則 alone; with its bracket, or its place, when there are several.
fn supplement_citation(name: &str, n: usize, of: usize) -> String {
    let bracket: String =
        name.chars().skip_while(|c| !matches!(c, '（' | '(')).filter(|c| *c != '抄').collect();
    match (of, bracket.is_empty()) {
        (1, _) => "附則".to_owned(),
        (_, false) => format!("附則{bracket}"),
        (_, true) => format!("附則（{n}番目）"),
    }
}

/// 別表第1, 別表1, 様式第2号: the name of a 別表 without what it is about.
fn annex_citation(name: &str) -> String {
    let plain = name.split(['（', '(']).find(|w| !w.trim().is_empty()).unwrap_or(name);
    let mut words = plain.split(is_space).filter(|w| !w.is_empty());
    let first = words.next().unwrap_or(name).to_owned();
    let bare = matches!(first.as_str(), "別表" | "別紙" | "別記" | "別添" | "別図" | "別記様式");
    let number = |w: &&str| w.starts_with('第') || w.starts_with(|c| crate::numeral::digit(c).is_some());
    match words.next().filter(number) {
        Some(second) if bare => first + second,
        _ => first,
    }
}

/// Ids already given.
#[derive(Default)]
struct Ids {
    seen: HashMap<String, u32>,
}

impl Ids {
    /// The id itself; `~2`, `~3` … when it was given before.
    fn unique(&mut self, id: String) -> String {
        let count = self.seen.entry(id.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { id } else { format!("{id}~{count}") }
    }
}

/// The width at which the text was wrapped by hand, if it was: many lines of about the longest length.
fn wrap_width(lines: &[Line]) -> Option<usize> {
    let lengths: Vec<usize> = lines.iter().filter(|l| !l.table).map(|l| l.text.chars().count()).collect();
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let near = lengths.iter().filter(|n| **n + 4 >= longest).count();
    ((20..=120).contains(&longest) && near * 8 >= lengths.len() && near >= 4).then_some(longest)
}

struct Writer<'a> {
    lines: &'a [Line],
    branch: &'a Branch,
    width: Option<usize>,
}

impl Writer<'_> {
    fn line(&self, i: usize) -> Option<&Line> {
        self.lines.get(i)
    }

    fn no(&self, piece: Option<&Piece>) -> usize {
        piece.and_then(|p| self.line(p.line)).map_or(0, |l| l.no)
    }

    fn span(&self, raw: &Raw) -> [usize; 2] {
        [self.no(raw.pieces.first()), self.no(raw.pieces.last())]
    }

    /// The front page, one line a paragraph.
    fn preamble(&self) -> Option<Node> {
        let raw = &self.branch.front;
        let text = raw.pieces.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join("\n");
        (!text.is_empty()).then(|| Node {
            id: "0".into(),
            citation: "前付".into(),
            text,
            lines: self.span(raw),
            ..Node::default()
        })
    }

    fn head(&self) -> String {
        self.branch.front.pieces.first().map(|p| p.text.clone()).unwrap_or_default()
    }

    /// The node of a 附則 or 別表 itself.
    fn named(&self, (id, citation): &(String, String), name: String, ids: &mut Ids) -> Node {
        let raw = &self.branch.front;
        let pieces: Vec<&Piece> = raw.pieces.iter().skip(1).collect();
        Node {
            id: ids.unique(id.clone()),
            citation: citation.clone(),
            heading: name,
            text: self.join(&pieces),
            lines: self.span(raw),
            ..Node::default()
        }
    }

    fn nodes(&self, citations: &mut Citations, ids: &mut Ids, articles: bool) -> Vec<Node> {
        let mut has_children = vec![false; self.branch.clauses.len()];
        for raw in &self.branch.clauses {
            if let Some(slot) = raw.parent.and_then(|p| has_children.get_mut(p)) {
                *slot = true;
            }
        }
        let clauses = self.branch.clauses.iter().enumerate();
        let mut clash: HashMap<usize, String> = HashMap::new();
        clauses
            .map(|(i, raw)| {
                // A clause whose parent's number came twice is kept below that parent.
                let plain = citations.id(i);
                let base = raw.parent.and_then(|p| clash.get(&p).map(|renamed| (citations.id(p), renamed)));
                let id = match base {
                    Some((old, renamed)) => plain
                        .strip_prefix(&old)
                        .map_or_else(|| plain.clone(), |tail| format!("{renamed}{tail}")),
                    None => plain.clone(),
                };
                let id = ids.unique(id);
                if id != plain {
                    clash.insert(i, id.clone());
                }
                let (heading, text, history) =
                    self.words(raw, has_children.get(i).copied().unwrap_or(false), articles);
                let label = raw
                    .token
                    .as_ref()
                    .filter(|t| !t.style.is_bullet() && !matches!(t.style, Style::Heading(_)))
                    .map(|t| t.shown.clone());
                Node {
                    id,
                    citation: citations.take_citation(i),
                    label: label.unwrap_or_default(),
                    heading,
                    text,
                    lines: self.span(raw),
                    sentences: Vec::new(),
                    history,
                }
            })
            .collect()
    }

    /// Heading, text and notes of amendment of a clause.
    fn words(&self, raw: &Raw, children: bool, articles: bool) -> (String, String, Vec<String>) {
        let caption = raw.pieces.iter().find(|p| p.kind == PieceKind::Caption).map(|p| unbracket(&p.text));
        let (notes, mut pieces): (Vec<&Piece>, Vec<&Piece>) = raw
            .pieces
            .iter()
            .filter(|p| matches!(p.kind, PieceKind::First | PieceKind::Body))
            .partition(|p| p.kind == PieceKind::Body && is_amendment_note(&p.text));
        let history = notes.iter().map(|p| unbracket(&p.text)).collect();
        if let Some(caption) = caption {
            return (caption, self.join(&pieces), history);
        }
        let Some(first) = pieces.first().copied().filter(|p| p.kind == PieceKind::First) else {
            return (String::new(), self.join(&pieces), history);
        };
        let marked = self.line(first.line).is_some_and(|l| l.heading > 0);
        let division = raw.token.as_ref().is_some_and(|t| t.style.is_division());
        let followed = pieces.len() > 1 || children;
        if marked || division || (followed && self.is_heading(first, pieces.get(1).copied(), articles, raw)) {
            pieces.remove(0);
            return (first.text.clone(), self.join(&pieces), history);
        }
        if let Some((heading, rest)) = inline_heading(&first.text) {
            let rest = Piece { text: rest.to_owned(), ..first.clone() };
            pieces.remove(0);
            let all: Vec<&Piece> = std::iter::once(&rest).chain(pieces).collect();
            return (heading.to_owned(), self.join(&all), history);
        }
        (String::new(), self.join(&pieces), history)
    }

    /// A line behind a token, followed by text or clauses, that is a heading rather than the start of a sentence.
    fn is_heading(&self, first: &Piece, next: Option<&Piece>, articles: bool, raw: &Raw) -> bool {
        let bare = without_brackets(&first.text);
        if bare.chars().count() > HEADING_CHARS
            || is_clause_like(&bare)
            || ends_open(&first.text)
            || raw.token.as_ref().is_some_and(|t| t.style.is_bullet())
        {
            return false;
        }
        let chars = first.text.chars().count();
        // A table below an item does not make it a heading, but below a chapter; neither does the second half of a wrapped line.
        let Some(next) = next else { return !(articles && raw.level >= 1 && chars > 30) };
        let Some(below) = self.line(next.line) else { return true };
        if below.table {
            return raw.level <= 1;
        }
        // 「ただし、…」 is said of a sentence, not of a heading.
        if ["ただし", "この場合"].iter().any(|w| next.text.starts_with(w)) {
            return false;
        }
        // A page ends in the middle of an item: 「ネットワー」「ク」.
        let rest = next.text.chars().count();
        let tail = chars >= LONG_LINE && rest <= 6 && !below.blank_before;
        if !next.text.contains('。') && (below.page_break || tail) || rest <= 1 {
            return false;
        }
        let filled = self
            .width
            .is_some_and(|w| chars + raw.pieces.first().map_or(0, |p| p.text.chars().count()) + 4 >= w);
        (!filled || below.blank_before) && !starts_inside(&next.text)
    }

    /// Lines of one clause as text: a sentence broken over lines or pages is made whole.
    fn join(&self, pieces: &[&Piece]) -> String {
        let mut out = String::new();
        let mut before: Option<&Line> = None;
        for piece in pieces {
            let line = self.line(piece.line);
            let table = line.is_some_and(|l| l.table);
            if let Some(last) = before {
                let whole = self.goes_on(last, line, &out, &piece.text);
                match whole {
                    true if table || last.table => out.push('\n'),
                    true => {
                        let latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
                        if latin(out.chars().next_back()) && latin(piece.text.chars().next()) {
                            out.push(' ');
                        }
                    }
                    false => out.push('\n'),
                }
            }
            out.push_str(&piece.text);
            before = line;
        }
        out
    }

    /// `text` goes on with the sentence that `so_far` ends in.
    fn goes_on(&self, last: &Line, line: Option<&Line>, so_far: &str, text: &str) -> bool {
        let Some(line) = line else { return false };
        if last.table || line.table {
            return false;
        }
        // The end of the paragraph tells; a long one is not read again for every line.
        let end = so_far.char_indices().rev().nth(199).and_then(|(i, _)| so_far.get(i..)).unwrap_or(so_far);
        let paragraph = end.rsplit('\n').next().unwrap_or(end);
        if text.starts_with("ただし") && !ends_open(paragraph) {
            return false;
        }
        if unfinished(paragraph) || starts_inside(text) || (!line.blank_before && bracket_open(paragraph)) {
            return true;
        }
        // A line break or page break in the middle of a sentence; a list of bare names stays a list.
        let broken = !line.blank_before || line.page_break;
        let sentence = text.contains('。')
            || ["は", "を", "、"].iter().any(|w| paragraph.contains(w))
            || (line.page_break && text.chars().count() <= 2);
        if broken && sentence && !paragraph.ends_with(['。', '」', '）', ')', '：', ':']) {
            return true;
        }
        // Lines wrapped at a fixed width: a full line goes on even where it ends with a bracket.
        let full = self.width.is_some_and(|w| last.text.chars().count() + 2 >= w);
        full && !line.blank_before && line.indent <= last.indent && !so_far.ends_with('。')
    }

    fn divisions(&self, nodes: &[Node]) -> Vec<Division> {
        division_citations(self.branch)
            .into_iter()
            .zip(&self.branch.divisions)
            .map(|(citation, (line, token, index))| {
                let line = self.line(*line);
                let heading = line
                    .and_then(|l| l.text.get(token.len..))
                    .unwrap_or("")
                    .trim_matches(is_space)
                    .to_owned();
                Division {
                    citation,
                    heading,
                    line: line.map_or(0, |l| l.no),
                    first: nodes.get(*index).map(|n| n.id.clone()),
                }
            })
            .collect()
    }
}

/// Holds what sentences have and headings have not: a full stop, a topic, a condition, a verb at the end.
fn is_clause_like(text: &str) -> bool {
    ["。", "は、", "ため、", "場合、", "場合に", "おいて、"].iter().any(|w| text.contains(w))
        || ["こと", "ものとする", "しない"].iter().any(|w| text.ends_with(w))
        || bracket_open(text)
}

/// A bracket opens and does not close.
fn bracket_open(text: &str) -> bool {
    let count = |brackets: [char; 3]| text.matches(brackets).count();
    count(['（', '(', '「']) > count(['）', ')', '」'])
}

/// Ends so that a sentence must go on.
fn ends_open(text: &str) -> bool {
    // 「はじめに」「持出しと」 are too short to be half a sentence.
    text.chars().nth(8).is_some()
        && text.ends_with(['、', '，', 'を', 'に', 'は', 'が', 'で', 'と', 'や', 'の', 'て', 'へ', 'び'])
}

/// Begins with what cannot begin a sentence.
fn starts_inside(text: &str) -> bool {
    text.starts_with([
        '、', '。', '，', '）', ')', '」', '』', 'ー', 'っ', 'ゃ', 'ゅ', 'ょ', 'ッ', 'ャ', 'ュ', 'ョ', 'を',
        'ん', 'ン',
    ]) || (text.starts_with(['は', 'が', 'に', 'で', 'と', 'も'])
        && text.chars().nth(1).is_some_and(|c| "、，,".contains(c)))
}

/// 「目的　この規程は…。」: a short heading, a wide gap, a sentence.
fn inline_heading(text: &str) -> Option<(&str, &str)> {
    let wide = [text.find('\u{3000}'), text.find('\t')].into_iter().flatten().min();
    // 「端末 職員が用いる…をいう。」: a definition, where collections of rules on the web have narrow gaps.
    let narrow = || text.find(' ').filter(|_| text.contains("をいう。"));
    let gap = wide.or_else(|| text.find("  ")).or_else(narrow)?;
    let (heading, rest) = text.split_at_checked(gap)?;
    let rest = rest.trim_start_matches(is_space);
    let latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let particle = heading.ends_with(['は', 'に', 'て', 'で', 'を', 'の', 'と', 'が', 'も']);
    if particle || latin(heading.chars().next_back()) && latin(rest.chars().next()) {
        return None;
    }
    let short = heading.chars().count() <= 25 && !heading.contains(['。', '、', '「', '」']);
    (short && !heading.is_empty() && rest.ends_with('。') && rest.chars().count() > heading.chars().count())
        .then_some((heading, rest))
}

/// Takes the brackets off a heading.
fn unbracket(text: &str) -> String {
    let inner =
        text.strip_prefix(['（', '(', '〔', '［']).and_then(|t| t.strip_suffix(['）', ')', '〕', '］']));
    inner.unwrap_or(text).trim_matches(is_space).to_owned()
}

/// （令5訓令3・一部改正） behind an article: a note of the editor, not text.
fn is_amendment_note(text: &str) -> bool {
    let bracketed = text.starts_with(['（', '(', '〔']) && text.ends_with(['）', ')', '〕']);
    let era = ['令', '平', '昭', '大'].iter().any(|e| text.chars().nth(1) == Some(*e));
    bracketed
        && era
        && ["改正", "追加", "繰下", "繰上", "削る", "旧第"].iter().any(|w| text.contains(w))
        && text.chars().count() <= 120
}

/// The name of the text on its front page.
fn title(front: &str) -> Option<String> {
    const KINDS: &[&str] = &[
        "基準",
        "方針",
        "規程",
        "規則",
        "要綱",
        "要領",
        "条例",
        "ポリシー",
        "指針",
        "ガイドライン",
        "手順",
        "マニュアル",
        "計画",
    ];
    let lines: Vec<&str> = front.lines().collect();
    let i = lines.iter().position(|l| {
        let bare = l.split(['（', '(']).next().unwrap_or(l).trim();
        KINDS.iter().any(|k| bare.ends_with(k))
            && l.chars().count() <= 50
            && !bare.starts_with(['○', '改', '平', '令', '昭'])
            || l.starts_with('○')
    })?;
    let line = lines.get(i)?.trim_start_matches(['○', '◯']).trim();
    let city = i
        .checked_sub(1)
        .and_then(|j| lines.get(j))
        .filter(|c| c.ends_with(['市', '町', '村', '区', '県', '合']) && c.chars().count() <= 12);
    Some(city.map_or_else(|| line.to_owned(), |c| format!("{c}{line}")))
}
