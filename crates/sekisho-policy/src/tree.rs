//! From lines to clauses: finds tokens, has them placed, and gives every line to exactly one clause.

use std::collections::BTreeMap;

use crate::PolicyError;
use crate::model::{Form, Warning};
use crate::order::Levels;
use crate::outline::{Item, Placed, place};
use crate::region::{Part, Region, parts, preface_name};
use crate::source::Line;
use crate::token::{Style, Token, is_space, outside_brackets, recognize};

/// Characters of the longest heading, what it has in brackets included.
const LONG_HEADING: usize = 160;

/// A piece of a line that belongs to a clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Index of the line.
    pub line: usize,
    /// The text.
    pub text: String,
    /// What it is.
    pub kind: PieceKind,
}

/// What a piece of a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PieceKind {
    /// The numbering token.
    Label,
    /// The heading in brackets before or after 第n条, brackets included.
    Caption,
    /// What stands behind the token in the same line.
    First,
    /// A line below it.
    Body,
}

/// A clause before its id, citation, heading and text are worked out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raw {
    /// Its token; none for 項 without number, 附則, 別表, the front page.
    pub token: Option<Token>,
    /// Level, from 0.
    pub level: usize,
    /// Clause above, in the same part.
    pub parent: Option<usize>,
    /// Its place among its siblings of the same kind (bullets, unnumbered headings), from 1.
    pub ordinal: u32,
    /// Its pieces, in order of lines.
    pub pieces: Vec<Piece>,
}

/// A part of the text with its clauses.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    /// What it is.
    pub region: Region,
    /// How it is built.
    pub form: Form,
    /// What stands before its first clause: front page; for 附則 and 別表 the line that names it and unnumbered text.
    pub front: Raw,
    /// Its clauses.
    pub clauses: Vec<Raw>,
    /// 章 and 節 of a 条-style text: line, token, and the number of clauses before it.
    pub divisions: Vec<(usize, Token, usize)>,
}

/// All parts of a text.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The main text is the first.
    pub branches: Vec<Branch>,
    /// What was odd about numbers.
    pub warnings: Vec<Warning>,
}

/// Builds the tree.
///
/// # Errors
/// [`PolicyError::TooManyNodes`] when there are too many numbering tokens.
pub(crate) fn build(lines: &[Line]) -> Result<Tree, PolicyError> {
    let mut branches = Vec::new();
    let mut warnings = Vec::new();
    let mut tokens: Vec<Option<Token>> = lines.iter().map(token_of).collect();
    // 「○何々市…基準」 at the very top is how collections of rules mark a title.
    if let (Some(line), Some(first)) = (lines.first(), tokens.first_mut())
        && line.text.starts_with(['○', '◯'])
    {
        *first = None;
    }
    for part in parts(lines, &tokens) {
        branches.push(branch(Text { lines, tokens: &mut tokens }, &part, &mut warnings)?);
    }
    let clauses: usize = branches.iter().map(|b: &Branch| b.clauses.len()).sum();
    if clauses > crate::MAX_NODES {
        return Err(PolicyError::TooManyNodes { limit: crate::MAX_NODES });
    }
    Ok(Tree { branches, warnings })
}

/// Lines with the token that each begins with: recognized once, looked at often.
struct Text<'a> {
    lines: &'a [Line],
    tokens: &'a mut [Option<Token>],
}

impl Text<'_> {
    fn token(&self, i: usize) -> Option<&Token> {
        self.tokens.get(i).and_then(Option::as_ref)
    }

    /// The token of a line that is not looked at again.
    fn take(&mut self, i: usize) -> Option<Token> {
        self.tokens.get_mut(i).and_then(Option::take)
    }
}

/// 条-style when articles follow each other and there are at least as many as chapters.
fn form_of(text: &Text<'_>, part: &Part) -> Form {
    let mut last = None::<&Token>;
    let (mut articles, mut steps, mut chapters) = (0usize, 0usize, 0usize);
    let mut first = None;
    for token in part.lines.iter().filter_map(|i| text.token(*i)) {
        if !token.style.is_bullet() && !token.style.is_division() {
            first = first.or(Some(token.style));
        }
        chapters += usize::from(token.style == Style::Chapter);
        if token.style == Style::Article {
            articles += 1;
            steps += usize::from(last.is_some_and(|l| token.step_from(&l.value) == crate::token::Step::Next));
            last = Some(token);
        }
    }
    let chained = steps >= 1 && articles >= chapters.max(2);
    let lone = articles >= 1 && first == Some(Style::Article) && articles > chapters;
    if chained || lone { Form::Articles } else { Form::Chapters }
}

fn branch(mut text: Text<'_>, part: &Part, warnings: &mut Vec<Warning>) -> Result<Branch, PolicyError> {
    let lines = text.lines;
    let mut front = Raw::default();
    if let Some(head) = part.head {
        let name = lines.get(head).map(|l| l.text.clone()).unwrap_or_default();
        front.pieces.push(Piece { line: head, text: name, kind: PieceKind::Label });
    }
    if part.region == Region::Annex {
        front.pieces.extend(part.lines.iter().filter_map(|i| body(lines, *i)));
        let form = Form::Chapters;
        return Ok(Branch { region: Region::Annex, form, front, clauses: Vec::new(), divisions: Vec::new() });
    }
    let form = form_of(&text, part);
    let scan = Scan::of(&mut text, part, form);
    // Tokens that are read as text do not count as clauses, but they cost time.
    if scan.items.len() > 4 * crate::MAX_NODES {
        return Err(PolicyError::TooManyNodes { limit: crate::MAX_NODES });
    }
    let levels = Levels::usual(form);
    let draft = place(&scan.items, &levels, form, part.region == Region::Supplement);
    let levels = Levels::from_nesting(form, &draft.nesting);
    let outline = place(&scan.items, &levels, form, part.region == Region::Supplement);
    warnings.extend(outline.warnings);
    let assembly = Assembly {
        lines,
        scan: &scan,
        placed: &outline.placed,
        form,
        front,
        clauses: Vec::new(),
        divisions: Vec::new(),
        preface: None,
    };
    Ok(assembly.run(part))
}

fn body(lines: &[Line], i: usize) -> Option<Piece> {
    lines.get(i).map(|l| Piece { line: i, text: l.text.clone(), kind: PieceKind::Body })
}

/// What the lines of a part hold, before anything is placed.
struct Scan {
    items: Vec<Item>,
    /// Line → 章 or 節 of a 条-style text.
    divisions: BTreeMap<usize, Token>,
    /// Lines that are a heading in brackets for the line below.
    captions: Vec<usize>,
}

impl Scan {
    fn of(source: &mut Text<'_>, part: &Part, form: Form) -> Self {
        let lines = source.lines;
        let mut scan = Self { items: Vec::new(), divisions: BTreeMap::new(), captions: Vec::new() };
        let headings = headings_without_number(source, part);
        let top = headings.iter().filter_map(|i| lines.get(*i)).map(|l| l.heading).min().unwrap_or(1);
        let mut text = false;
        for (k, &i) in part.lines.iter().enumerate() {
            let Some(line) = lines.get(i) else { continue };
            let before = k.checked_sub(1).and_then(|p| part.lines.get(p)).and_then(|p| lines.get(*p));
            let found = source
                .take(i)
                .or_else(|| headings.binary_search(&i).is_ok().then(|| heading_token(line, top)));
            let Some(token) = found else {
                let next = part.lines.get(k + 1).and_then(|n| source.token(*n));
                if is_caption(&line.text) && next.is_some_and(|n| takes_caption(n, &part.region)) {
                    scan.captions.push(i);
                } else {
                    text = true;
                }
                continue;
            };
            if form == Form::Articles && token.style.is_division() {
                scan.divisions.insert(i, token);
                continue;
            }
            let rest = line.text.get(token.len..).unwrap_or("");
            let second = if token.style.is_bullet() { None } else { second_token(&token, rest) };
            let offset = token.len;
            scan.push(i, 0, token, line, before, text);
            text = false;
            let rest = match second {
                Some(second) => {
                    let rest = rest.get(second.len..).unwrap_or("");
                    scan.push(i, offset, second, line, None, false);
                    rest
                }
                None => rest,
            };
            text |= !rest.is_empty() && !is_caption(rest);
        }
        scan
    }

    fn push(
        &mut self,
        i: usize,
        offset: usize,
        token: Token,
        line: &Line,
        before: Option<&Line>,
        text: bool,
    ) {
        let rest = line.text.get(offset + token.len..).unwrap_or("");
        self.items.push(Item {
            line: i,
            offset,
            no: line.no,
            blank: line.blank_before || before.is_none(),
            heading: line.heading,
            indent: line.indent,
            mid: before.is_some_and(|b| unfinished(&b.text)),
            heading_like: {
                let bare = without_brackets(rest);
                (1..=40).contains(&bare.chars().take(41).count())
                    && !bare.contains('。')
                    && !bare.ends_with('、')
            },
            text_before: text,
            token,
        });
    }
}

/// The token of a line; rows of tables have none.
fn token_of(line: &Line) -> Option<Token> {
    if line.table { None } else { recognize(&line.text, line.heading, line.indent) }
}

/// 「第3条　1　…」, 「①(ア)…」: a first number right behind a number.
fn second_token(first: &Token, rest: &str) -> Option<Token> {
    let token = recognize(rest, 0, 0)?;
    let begins =
        token.is_first() && !token.particle && !token.style.is_bullet() && token.style != first.style;
    let fits =
        token.style.is_strong() || (first.style == Style::Article && matches!(token.style, Style::Num(_)));
    (begins && fits && !token.style.is_division() && token.style != Style::Article && rest.len() > token.len)
        .then_some(token)
}

/// Headings that a format marks up and that carry no number, in a text whose headings are not numbered. The first one
/// alone at its level is the title.
fn headings_without_number(text: &Text<'_>, part: &Part) -> Vec<usize> {
    let marked: Vec<(usize, &Line)> = part
        .lines
        .iter()
        .filter_map(|i| text.lines.get(*i).map(|l| (*i, l)))
        .filter(|(_, l)| l.heading > 0)
        .collect();
    let numbered = |i: usize| text.token(i).is_some_and(|t| !t.style.is_bullet());
    let bare: Vec<(usize, &Line)> =
        marked.iter().copied().filter(|(i, l)| !numbered(*i) && !is_caption(&l.text)).collect();
    let top = marked.iter().map(|(_, l)| l.heading).min();
    let alone = |l: &Line| {
        Some(l.heading) == top && marked.iter().filter(|(_, m)| m.heading == l.heading).count() == 1
    };
    bare.iter()
        .filter(|(_, l)| !alone(l))
        .filter(|(_, l)| !marked.iter().any(|(j, m)| m.heading == l.heading && numbered(*j)))
        .map(|(i, _)| *i)
        .collect()
}

/// A heading without number; `top` is the level of the topmost of them.
fn heading_token(line: &Line, top: u8) -> Token {
    Token {
        style: Style::Heading(line.heading.saturating_sub(top) + 1),
        value: [1, 0, 0],
        label: String::new(),
        shown: format!("「{}」", line.text),
        above: Vec::new(),
        len: 0,
        apart: true,
        particle: false,
        until: None,
    }
}

/// A text without what stands in round brackets: 「責任者（以下「CISO」という。）」 is 「責任者」. As it is where brackets do not match, or where
/// it has none.
pub(crate) fn without_brackets(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains(['（', '(']) || !balanced(text) || text.chars().nth(LONG_HEADING).is_some() {
        return text.into();
    }
    outside_brackets(text).into()
}

/// A whole line in brackets: 見出し.
fn is_caption(text: &str) -> bool {
    let inner = text.strip_prefix(['（', '(']).and_then(|t| t.strip_suffix(['）', ')']));
    inner.is_some_and(|t| !t.is_empty() && t.chars().count() <= 60 && !t.contains('。') && balanced(t))
        && recognize(text, 0, 0).is_none()
}

/// Brackets open before they close.
fn balanced(text: &str) -> bool {
    let mut depth = 0i32;
    for c in text.chars() {
        match c {
            '（' | '(' => depth += 1,
            '）' | ')' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

fn takes_caption(token: &Token, region: &Region) -> bool {
    token.style == Style::Article || (*region == Region::Supplement && matches!(token.style, Style::Num(_)))
}

/// The line ends in the middle of a sentence.
pub(crate) fn unfinished(text: &str) -> bool {
    let Some(last) = text.chars().next_back() else { return false };
    if matches!(last, '。' | '．' | '！' | '？' | '」' | '』' | '】' | '）' | ')' | ':' | '：' | '；')
    {
        return false;
    }
    matches!(
        last,
        '、' | '，'
            | 'の'
            | 'を'
            | 'に'
            | 'は'
            | 'が'
            | 'で'
            | 'と'
            | 'や'
            | 'も'
            | 'へ'
            | 'て'
            | 'び'
            | '・'
    ) || text.chars().nth(29).is_some()
}

/// Gives every line of a part to a clause.
struct Assembly<'a> {
    lines: &'a [Line],
    scan: &'a Scan,
    placed: &'a [Placed],
    form: Form,
    front: Raw,
    clauses: Vec<Raw>,
    divisions: Vec<(usize, Token, usize)>,
    preface: Option<usize>,
}

impl Assembly<'_> {
    fn run(mut self, part: &Part) -> Branch {
        // Placed index → clause index.
        let mut at: Vec<usize> = Vec::with_capacity(self.placed.len());
        let mut next = 0;
        let mut pending: Vec<Piece> = Vec::new();
        for &i in &part.lines {
            let Some(line) = self.lines.get(i) else { continue };
            if let Some(token) = self.scan.divisions.get(&i) {
                self.divisions.push((i, token.clone(), self.clauses.len()));
                continue;
            }
            if self.scan.captions.binary_search(&i).is_ok() {
                pending.push(Piece { line: i, text: line.text.clone(), kind: PieceKind::Caption });
                continue;
            }
            let mut offset = None;
            while let Some((placed, item)) =
                self.placed.get(next).and_then(|p| self.scan.items.get(p.item).map(|it| (p, it)))
            {
                if item.line != i {
                    break;
                }
                let end = item.offset + item.token.len;
                let label = line.text.get(item.offset..end).unwrap_or("").trim_matches(is_space).to_owned();
                let mut raw = Raw {
                    token: Some(item.token.clone()),
                    level: placed.level,
                    parent: placed.parent.and_then(|p| at.get(p)).map(|p| self.paragraph(*p, placed.level)),
                    ..Raw::default()
                };
                raw.pieces.append(&mut pending);
                raw.pieces.push(Piece { line: i, text: label, kind: PieceKind::Label });
                at.push(self.clauses.len());
                self.add(raw);
                offset = Some(end);
                next += 1;
            }
            // A caption whose clause was not placed is text.
            for piece in std::mem::take(&mut pending) {
                self.text(Piece { kind: PieceKind::Body, ..piece });
            }
            match offset {
                Some(end) => self.first(i, line.text.get(end..).unwrap_or("")),
                None if self.preface.is_none()
                    && self.clauses.is_empty()
                    && self.form == Form::Chapters
                    && let Some(name) = preface_name(&line.text) =>
                {
                    self.preface = Some(i);
                    self.add(preface(i, &line.text, name));
                }
                None => self.text(Piece { line: i, text: line.text.clone(), kind: PieceKind::Body }),
            }
        }
        for piece in pending {
            self.text(Piece { kind: PieceKind::Body, ..piece });
        }
        Branch {
            region: part.region.clone(),
            form: self.form,
            front: self.front,
            clauses: self.clauses,
            divisions: self.divisions,
        }
    }

    /// What stands below an article without being one of its 項 belongs to the 項 that has no number.
    fn paragraph(&self, parent: usize, level: usize) -> usize {
        let unnumbered = self.form == Form::Articles
            && level > 1
            && self.clauses.get(parent + 1).is_some_and(|c| c.token.is_none() && c.parent == Some(parent));
        if unnumbered { parent + 1 } else { parent }
    }

    fn add(&mut self, mut raw: Raw) {
        let counted = |r: &Raw| {
            r.token.as_ref().is_some_and(|t| t.style.is_bullet() || matches!(t.style, Style::Heading(_)))
        };
        if counted(&raw) {
            let least = raw.parent.and_then(|p| self.clauses.get(p)).map_or(0, |p| p.level + 1);
            let before = self
                .clauses
                .iter()
                .rev()
                .take_while(|c| c.level >= least)
                .find(|c| c.parent == raw.parent && c.level == raw.level && counted(c));
            raw.ordinal = before.map_or(0, |c| c.ordinal) + 1;
        }
        self.clauses.push(raw);
    }

    /// What stands behind the token of a line; in a 条-style text a heading in brackets, then the text of the first 項.
    fn first(&mut self, i: usize, rest: &str) {
        let rest = rest.trim_matches(is_space);
        let bare_heading = self.is_bare_heading(i, rest);
        let Some(raw) = self.clauses.last_mut() else { return };
        let article = raw.token.as_ref().is_some_and(|t| t.style == Style::Article);
        let mut rest = rest;
        if article
            && !raw.pieces.iter().any(|p| p.kind == PieceKind::Caption)
            && let Some((caption, tail)) = leading_bracket(rest)
        {
            raw.pieces.push(Piece { line: i, text: caption.to_owned(), kind: PieceKind::Caption });
            rest = tail.trim_start_matches(is_space);
        }
        if article && bare_heading && !raw.pieces.iter().any(|p| p.kind == PieceKind::Caption) {
            raw.pieces.push(Piece { line: i, text: rest.to_owned(), kind: PieceKind::Caption });
            return;
        }
        if !rest.is_empty() {
            let kind = if article { PieceKind::Body } else { PieceKind::First };
            self.text(Piece { line: i, text: rest.to_owned(), kind });
        }
    }

    /// 「第3条　情報資産の分類」 with the text of the article from the next line on.
    fn is_bare_heading(&self, i: usize, rest: &str) -> bool {
        let short = (1..=30).contains(&rest.chars().take(31).count());
        let Some(next) = self.lines.get(i + 1).filter(|_| short && rest != "削除") else { return false };
        !rest.contains(['。', '、', '，', 'は', 'を'])
            && !unfinished(rest)
            && !next.table
            && next.text.ends_with('。')
            && next.text.chars().count() > rest.chars().count()
            && recognize(&next.text, next.heading, next.indent).is_none()
    }

    /// Text of the clause read last.
    fn text(&mut self, piece: Piece) {
        let Some(last) = self.clauses.len().checked_sub(1) else {
            self.front.pieces.push(piece);
            return;
        };
        let article = self.form == Form::Articles
            && self
                .clauses
                .last()
                .is_some_and(|c| c.token.as_ref().is_some_and(|t| t.style == Style::Article));
        if article {
            self.clauses.push(Raw { level: 1, parent: Some(last), pieces: vec![piece], ..Raw::default() });
        } else if let Some(raw) = self.clauses.last_mut() {
            raw.pieces.push(piece);
        }
    }
}

fn preface(i: usize, text: &str, name: String) -> Raw {
    let heading = text
        .strip_prefix(name.as_str())
        .map(|t| t.trim_matches(is_space))
        .filter(|t| !t.is_empty())
        .unwrap_or(text);
    let token = Token {
        style: Style::Chapter,
        value: [0; 3],
        label: "P".into(),
        shown: name,
        above: Vec::new(),
        len: 0,
        apart: true,
        particle: false,
        until: None,
    };
    Raw {
        token: Some(token),
        // 「序　この文書の構成」 has a heading of its own.
        pieces: vec![Piece { line: i, text: heading.to_owned(), kind: PieceKind::Caption }],
        ..Raw::default()
    }
}

/// （目的） at the start, and what follows.
fn leading_bracket(text: &str) -> Option<(&str, &str)> {
    let close = text.char_indices().take(62).find(|(_, c)| matches!(c, '）' | ')'))?;
    let end = close.0 + close.1.len_utf8();
    let (caption, tail) = text.split_at_checked(end)?;
    is_caption(caption).then_some((caption, tail))
}
