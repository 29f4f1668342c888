//! Which numbering tokens of a text are clauses, and what they stand under.
//!
//! A token at the start of a line may also be running text: 「(2)の契約に基づき」 after a page break, 「3 の場合」. It is
//! taken where it continues an open list or begins one; what does not fit is reported when the token is a strong one, and
//! read as text when it is not.

use std::collections::BTreeMap;

use crate::model::{Form, Warning, WarningCode};
use crate::order::{Levels, Nesting};
use crate::token::{Step, Style, Token, Value};

/// A token with what surrounds it.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Index of its line among the lines given.
    pub line: usize,
    /// Bytes before it in the line (a second token in one line).
    pub offset: usize,
    /// The token.
    pub token: Token,
    /// Line of the source.
    pub no: usize,
    /// A blank line or page break before it.
    pub blank: bool,
    /// The line before it ends in the middle of a sentence.
    pub mid: bool,
    /// Level of the marked-up heading that its line is, 0 for none.
    pub heading: u8,
    /// White space before its line.
    pub indent: u16,
    /// Short, without 。: may be a heading.
    pub heading_like: bool,
    /// Text that belongs to no token stands between the token before and this one, or behind the token before.
    pub text_before: bool,
}

/// A token taken as a clause.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    /// Index of its item.
    pub item: usize,
    /// Level, from 0.
    pub level: usize,
    /// Index of the clause above among the placed.
    pub parent: Option<usize>,
}

/// The clauses of a text, with what was odd about their numbers.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// In document order.
    pub placed: Vec<Placed>,
    /// How styles were nested.
    pub nesting: Nesting,
    /// What a reader should look at.
    pub warnings: Vec<Warning>,
}

/// How far a look ahead goes, in tokens.
const LOOK_AHEAD: usize = 400;

#[derive(Clone, Debug)]
struct Frame<'a> {
    style: Style,
    value: Value,
    until: Option<u32>,
    level: usize,
    /// Its index among the placed; none for a 項 that has no number of its own.
    placed: Option<usize>,
    shown: &'a str,
    heading: u8,
    indent: u16,
}

/// What is to be done with a token.
enum Verdict {
    /// It is text.
    Text,
    /// It continues the list of the frame at this depth.
    Sibling(usize, Option<WarningCode>),
    /// It begins a list below the frames before this depth.
    Child(usize, Option<WarningCode>),
}

struct Placer<'a> {
    items: &'a [Item],
    levels: &'a Levels,
    form: Form,
    supplement: bool,
    stack: Vec<Frame<'a>>,
    /// The last number of every style, open or not.
    last: BTreeMap<Style, Value>,
    out: Outline,
}

/// The first 項, which has no number.
fn unnumbered(level: usize) -> Frame<'static> {
    Frame {
        style: Style::Num(0),
        value: [1, 0, 0],
        until: None,
        level,
        placed: None,
        shown: "1",
        heading: 0,
        indent: 0,
    }
}

/// Places the tokens of a part. In a 附則 (`supplement`) unnumbered text before the first number counts as 1.
pub(crate) fn place(items: &[Item], levels: &Levels, form: Form, supplement: bool) -> Outline {
    let mut placer = Placer {
        items,
        levels,
        form,
        supplement,
        stack: Vec::new(),
        last: BTreeMap::new(),
        out: Outline::default(),
    };
    if supplement && form == Form::Chapters && items.first().is_some_and(|i| i.text_before) {
        placer.stack.push(unnumbered(0));
    }
    let mut text = false;
    for (i, item) in items.iter().enumerate() {
        text |= item.text_before;
        if placer.take(i, item, text) {
            text = false;
        } else {
            // The token itself is text.
            text = true;
        }
    }
    placer.out
}

impl<'a> Placer<'a> {
    fn take(&mut self, i: usize, item: &'a Item, text: bool) -> bool {
        self.open_paragraph(text);
        let token = &item.token;
        let verdict = self.judge(i, item);
        let (keep, level, code) = match verdict {
            Verdict::Text => return false,
            Verdict::Sibling(depth, code) => {
                let level = self.stack.get(depth).map_or(0, |f| f.level);
                (depth, level, code.map(|c| (c, self.stack.get(depth).map(|f| f.shown))))
            }
            Verdict::Child(depth, code) => {
                let above = depth.checked_sub(1).and_then(|d| self.stack.get(d));
                let level = self.levels.of(token.style).max(above.map_or(0, |f| f.level + 1));
                (depth, level, code.map(|c| (c, None)))
            }
        };
        if level >= crate::MAX_DEPTH {
            self.warn(
                item.no,
                WarningCode::TooDeep,
                format!("「{}」は階層が深すぎるため、本文として読みました。", token.shown),
            );
            return false;
        }
        if let Some((code, before)) = code {
            self.warn(item.no, code, odd_number(code, &token.shown, before));
        }
        self.stack.truncate(keep);
        for frame in &self.stack {
            self.out.nesting.saw(frame.style, token.style);
        }
        let parent = self.stack.iter().rev().find_map(|f| f.placed);
        self.last.insert(token.style, token.value);
        self.stack.push(Frame {
            style: token.style,
            value: token.value,
            until: token.until,
            level,
            placed: Some(self.out.placed.len()),
            shown: &token.shown,
            heading: item.heading,
            indent: item.indent,
        });
        self.out.placed.push(Placed { item: i, level, parent });
        true
    }

    /// The first 項 of an article has no number: its text stands right behind 第n条.
    fn open_paragraph(&mut self, text: bool) {
        if self.form == Form::Articles && text && self.stack.len() == 1 {
            self.stack.push(unnumbered(1));
        }
    }

    fn warn(&mut self, line: usize, code: WarningCode, message: String) {
        self.out.warnings.push(Warning { line, code, message });
    }

    fn judge(&self, i: usize, item: &Item) -> Verdict {
        let token = &item.token;
        if token.style == Style::Article && self.form == Form::Articles {
            return self.judge_article(item);
        }
        if self.form == Form::Articles && self.stack.is_empty() {
            return Verdict::Text;
        }
        let same: Vec<usize> = (0..self.stack.len())
            .rev()
            .filter(|d| self.stack.get(*d).is_some_and(|f| f.style == token.style))
            .collect();
        // Of several lists of the style that it would continue, the one set in as far as it is; else the deepest.
        let due = same.iter().copied().filter(|d| self.step(*d, token) == Some(Step::Next));
        if let Some(depth) =
            due.max_by_key(|d| (self.stack.get(*d).is_some_and(|f| f.indent == item.indent), *d))
        {
            // 「③及び」 in the middle of a sentence is no token even when ③ is due.
            return if item.mid && token.particle { Verdict::Text } else { Verdict::Sibling(depth, None) };
        }
        if let Some(depth) = self.unnumbered_paragraph(token) {
            return Verdict::Sibling(depth, None);
        }
        match same.first() {
            Some(depth) => self.judge_out_of_order(i, item, *depth),
            None => self.judge_new_list(i, item),
        }
    }

    /// Articles run through the whole text.
    fn judge_article(&self, item: &Item) -> Verdict {
        let Some(before) = self.stack.first() else {
            return if item.token.is_first() {
                Verdict::Child(0, None)
            } else {
                Verdict::Child(0, Some(WarningCode::SkippedNumber))
            };
        };
        let last = before.until.map_or(before.value, |n| [n, 0, 0]);
        match item.token.step_from(&last) {
            Step::Next => Verdict::Sibling(0, None),
            _ if item.mid || !item.token.apart => Verdict::Text,
            Step::Gap => Verdict::Sibling(0, Some(WarningCode::SkippedNumber)),
            Step::Same => Verdict::Sibling(0, Some(WarningCode::DuplicateNumber)),
            Step::First | Step::Back => Verdict::Sibling(0, Some(WarningCode::BackwardNumber)),
        }
    }

    fn step(&self, depth: usize, token: &Token) -> Option<Step> {
        self.stack.get(depth).map(|f| token.step_from(&f.value))
    }

    /// ② or `2.` after a first 項 without number: the frame of that 項.
    fn unnumbered_paragraph(&self, token: &Token) -> Option<usize> {
        let fits =
            matches!(token.style, Style::Num(_) | Style::NumDot(_) | Style::Circled | Style::HalfParen)
                && token.value == [2, 0, 0];
        self.stack
            .iter()
            .position(|f| f.placed.is_none())
            .filter(|d| fits && *d == 1 && self.stack.len() == 2 || fits && self.due_at(*d, token))
    }

    /// The 項 without number is followed by `token` and no open list of the same style would claim it.
    fn due_at(&self, depth: usize, token: &Token) -> bool {
        self.stack
            .iter()
            .skip(depth + 1)
            .all(|f| f.style != token.style || token.step_from(&f.value) != Step::Next)
    }

    /// A member of an open list whose number does not follow.
    fn judge_out_of_order(&self, i: usize, item: &Item, depth: usize) -> Verdict {
        let token = &item.token;
        let strong = token.style.is_strong();
        // 2.4 after 2.2 is a number by its form; 2 after 4 is not.
        let spelled_out = !token.above.is_empty() && token.apart && !item.mid;
        let Some(frame) = self.stack.get(depth) else { return Verdict::Text };
        if item.mid && (token.particle || !strong) {
            return Verdict::Text;
        }
        match token.step_from(&frame.value) {
            Step::First | Step::Same
                if token.is_first()
                    && (frame.placed.is_none()
                        || item.indent > frame.indent
                        || self.returns_to(i, frame)) =>
            {
                // A list inside a list of the same style.
                if self.begins_list(i, item) { Verdict::Child(self.stack.len(), None) } else { Verdict::Text }
            }
            Step::First if strong || (item.blank && self.begins_list(i, item)) => {
                Verdict::Sibling(depth, Some(WarningCode::BackwardNumber))
            }
            Step::Gap
                if strong
                    || item.heading > 0
                    || spelled_out
                    || (item.blank
                        && item.heading_like
                        && token.value.first() < frame.value.first().map(|v| v + 6).as_ref()) =>
            {
                Verdict::Sibling(depth, Some(WarningCode::SkippedNumber))
            }
            Step::Same if strong || item.heading > 0 || spelled_out || (item.blank && item.heading_like) => {
                Verdict::Sibling(depth, Some(WarningCode::DuplicateNumber))
            }
            Step::Back if strong => Verdict::Sibling(depth, Some(WarningCode::BackwardNumber)),
            _ => Verdict::Text,
        }
    }

    /// A style that is not open.
    fn judge_new_list(&self, i: usize, item: &Item) -> Verdict {
        let token = &item.token;
        let first = token.is_first();
        let strong = token.style.is_strong();
        if item.mid && token.particle {
            return Verdict::Text;
        }
        let spelled_out = !token.above.is_empty();
        let by_form = !item.mid && (strong || (spelled_out && token.apart));
        // 第3 in 第2章 after 第2 in 第1章: numbers that run through the chapters.
        let runs_on = !item.mid
            && token.apart
            && (strong || item.heading_like || item.blank)
            && self.stack.last().is_some_and(|f| f.style.is_division())
            && self.last.get(&token.style).is_some_and(|l| token.step_from(l) == Step::Next);
        if !(first || by_form || runs_on) {
            return Verdict::Text;
        }
        if first && !strong && !self.begins_list(i, item) {
            return Verdict::Text;
        }
        let level = self.levels.of(token.style);
        let mut keep = self.stack.len();
        let deepest = keep;
        while let Some(frame) = keep.checked_sub(1).and_then(|d| self.stack.get(d)) {
            let below_heading = frame.heading > 0 && item.heading == 0 && !token.style.is_division();
            let finer = frame.level == level
                && frame.style < token.style
                && !frame.style.is_bullet()
                && frame.indent <= item.indent;
            let inside = first && !token.style.is_division() && (finer || self.goes_on(i, keep - 1));
            // A bullet stands inside the bullets that are set in less.
            if let (Style::Bullet(_, outer), Style::Bullet(_, own)) = (frame.style, token.style) {
                if outer < own {
                    break;
                }
                keep -= 1;
                continue;
            }
            if frame.level >= level && inside && self.is_empty_heading(i) {
                // The usual level does not hold here; a heading without text has the list as its content.
                keep = deepest;
            }
            if frame.level < level || below_heading || inside {
                break;
            }
            keep -= 1;
        }
        Verdict::Child(keep, (!first && !runs_on).then_some(WarningCode::SkippedNumber))
    }

    /// The token before is the deepest open clause, looks like a heading, and has no text of its own below it.
    fn is_empty_heading(&self, i: usize) -> bool {
        let Some(before) = i.checked_sub(1).and_then(|b| self.items.get(b)) else { return false };
        let open =
            self.stack.last().is_some_and(|f| f.style == before.token.style && f.value == before.token.value);
        let next = self.items.get(i);
        open && before.heading_like && next.is_some_and(|n| n.line == before.line + 1)
    }

    /// The second member of the list follows, or the token alone looks like the start of one.
    fn begins_list(&self, i: usize, item: &Item) -> bool {
        let token = &item.token;
        let ahead = self.items.iter().skip(i + 1).take(LOOK_AHEAD).filter(|n| n.token.style == token.style);
        let followed = ahead.take(6).any(|n| n.token.step_from(&token.value) == Step::Next);
        let heading_alone = item.blank
            && item.heading_like
            && token.apart
            && matches!(token.style, Style::Num(_) | Style::NumDot(_) | Style::Decimal(_) | Style::Hyphen(_));
        // 2.1 by its form; 1 as the only 項 of a 附則 behind its heading.
        let by_form =
            token.apart && !item.mid && (!token.above.is_empty() || (self.supplement && !item.text_before));
        // ア alone, where the text has lists of ア, イ elsewhere.
        let alone = token.style.is_kana()
            && token.label == "ア"
            && token.apart
            && !item.mid
            && self.levels.knows(token.style);
        let weak = || followed || heading_alone || by_form || alone;
        if token.style.is_strong() { followed || !item.mid } else { weak() }
    }

    /// The list of the frame at `depth` goes on later, before any list above it does: what begins now stands inside it.
    fn goes_on(&self, i: usize, depth: usize) -> bool {
        let Some(frame) = self.stack.get(depth) else { return false };
        if frame.style.is_bullet() {
            return false;
        }
        for next in self.items.iter().skip(i + 1).take(LOOK_AHEAD) {
            let t = &next.token;
            if t.style.is_division() && !frame.style.is_division() {
                return false;
            }
            if t.style == frame.style {
                match t.step_from(&frame.value) {
                    Step::Next => return true,
                    _ if t.is_first() => return false,
                    _ => {}
                }
            }
            let above = self.stack.iter().take(depth).filter(|f| !f.style.is_bullet());
            if above.filter(|f| f.style == t.style).any(|f| t.step_from(&f.value) == Step::Next) {
                return false;
            }
        }
        false
    }

    /// After the list that begins at `i`, the list of `frame` (of the same style) goes on with its own next number.
    fn returns_to(&self, i: usize, frame: &Frame<'_>) -> bool {
        let Some(start) = self.items.get(i) else { return false };
        let mut inner = start.token.value;
        for next in self.items.iter().skip(i + 1).take(LOOK_AHEAD) {
            let t = &next.token;
            if t.style.is_division() && !frame.style.is_division() {
                return false;
            }
            if t.style != frame.style {
                continue;
            }
            if t.step_from(&inner) == Step::Next {
                inner = t.value;
            } else {
                return t.step_from(&frame.value) == Step::Next;
            }
        }
        false
    }
}

/// What is odd about a number, for the reader of the text.
fn odd_number(code: WarningCode, shown: &str, before: Option<&str>) -> String {
    match (code, before) {
        (WarningCode::DuplicateNumber, _) => {
            format!("「{shown}」が2回続けて使われています。番号の重複がないか確かめてください。")
        }
        (WarningCode::BackwardNumber, Some(b)) => format!(
            "「{b}」の後に「{shown}」があり、番号が戻っています。番号の誤りがないか確かめてください。"
        ),
        (_, Some(b)) => format!(
            "「{b}」の次が「{shown}」で、番号が飛んでいます。抜けている項目がないか確かめてください。"
        ),
        (_, None) => {
            format!("「{shown}」の前に最初の番号がありません。抜けている項目がないか確かめてください。")
        }
    }
}
