//! What the sentences of a clause ask for: who, must or may, when, under which condition, from which level up.

mod actors;
mod buckets;
mod cited;
mod modality;
mod places;
mod refer;
mod words;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::model::{Form, Modality, Node, PolicyText, Sentence, Warning, WarningCode};
use crate::token::outside_brackets;

use buckets::{Buckets, plain};
use places::{Kind, Places};
pub(crate) use refer::Index;

/// Fills the sentences of every node and reports references that lead nowhere.
pub(crate) fn analyse(text: &mut PolicyText) {
    let annexes: Vec<String> = text.annexes.iter().map(|a| a.citation.clone()).collect();
    let mut warnings = Vec::new();
    for nodes in [&mut text.nodes, &mut text.supplementary, &mut text.annexes] {
        fill(nodes, text.form, &annexes, &mut warnings);
    }
    text.warnings.append(&mut warnings);
    text.warnings.sort_by_key(|w| w.line);
}

/// What a clause hands down to those below it.
#[derive(Clone, Debug, Default)]
struct Lead {
    /// Who acts.
    actors: Vec<&'static str>,
    /// What a list below asks for: that of 「次の…しなければならない」.
    list: Modality,
}

fn fill(nodes: &mut [Node], form: Form, annexes: &[String], warnings: &mut Vec<Warning>) {
    let index = Index::of(nodes, form, annexes);
    let mut all: Vec<Vec<Sentence>> = Vec::with_capacity(nodes.len());
    let mut leads: HashMap<&str, Lead> = HashMap::new();
    for (i, node) in nodes.iter().enumerate() {
        let mut lead = ancestors(&node.id).find_map(|id| leads.get(id)).cloned().unwrap_or_default();
        let list = lead.list;
        let mut sentences = Vec::new();
        for part in split(&node.text) {
            let places = Places::of(part);
            let (mut sentence, named) = read(part, &places, &lead.actors, list);
            for reference in index.references(i, part, &places) {
                if let Some(message) = reference.dangling {
                    warnings.push(Warning {
                        line: node.lines.first().copied().unwrap_or(0),
                        code: WarningCode::DanglingReference,
                        message,
                    });
                }
                sentence.refs.push(reference.found);
            }
            if let Some(named) = named {
                lead.actors = named;
            }
            if announces_list(part, &places) {
                lead.list = sentence.modality;
            }
            sentences.push(sentence);
        }
        leads.insert(&node.id, lead);
        all.push(sentences);
    }
    for (node, sentences) in nodes.iter_mut().zip(all) {
        node.sentences = sentences;
    }
}

/// 「次の事項を…」, 「以下の内容を…」 announce a list.
const LISTS: &[&str] = &["次の", "次に掲げる", "次に定める", "以下の", "以下に", "下記の", "各号に掲げる"];

/// A list is announced, and not one of cases (いずれかに該当する).
fn announces_list(text: &str, places: &Places) -> bool {
    static BY_START: LazyLock<Buckets<()>> = LazyLock::new(|| Buckets::by_start(plain(LISTS)));
    let list = |(i, c)| BY_START.at_start(c, text.get(i..).unwrap_or("")).next().is_some();
    places.each(Kind::List).any(list) && !["該当", "いずれか", "場合は"].iter().any(|w| text.contains(w))
}

/// Ids above an id, nearest first.
pub(crate) fn ancestors(id: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(id.rsplit_once('.').map(|(head, _)| head), |id| {
        id.rsplit_once('.').map(|(head, _)| head)
    })
}

/// Reads one sentence; `before` are those who act where it names nobody, `list` what the list it stands in asks for. Gives
/// those whom it names beside it.
fn read(
    text: &str,
    places: &Places,
    before: &[&'static str],
    list: Modality,
) -> (Sentence, Option<Vec<&'static str>>) {
    let plain = without_brackets(text, places);
    let of_plain;
    let near = if matches!(plain, Cow::Owned(_)) {
        of_plain = Places::of(&plain);
        &of_plain
    } else {
        places
    };
    let named = Some(actors::actors(&plain, near)).filter(|named| !named.is_empty());
    let acting = named.as_deref().unwrap_or(before);
    let modality = modality::in_list(modality::modality(&plain, !acting.is_empty()), list, &plain);
    // Definitions and explanations have nobody who acts, unless they name him.
    let actors = if modality == Modality::None { named.as_deref().unwrap_or(&[]) } else { acting };
    let sentence = Sentence {
        actors: actors.iter().map(|id| (*id).to_owned()).collect(),
        modality,
        deadline: words::deadline(&plain, near),
        condition: words::condition(&plain, near),
        threshold: words::threshold(text, places),
        refs: Vec::new(),
        text: text.to_owned(),
    };
    (sentence, named)
}

/// The sentences of a text; rows of tables are none.
fn split(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for paragraph in text.split('\n').filter(|p| !p.contains('\t')) {
        // Brackets hold whole sentences: （…を除く。）. Where they do not close, they are not looked at.
        let (opens, closes) = paragraph
            .chars()
            .fold((0usize, 0usize), |(o, c), x| (o + usize::from(is_open(x)), c + usize::from(is_close(x))));
        if opens != closes || opens == 0 {
            out.extend(paragraph.split_inclusive('。'));
            continue;
        }
        let mut depth = 0usize;
        let mut start = 0;
        for (i, c) in paragraph.char_indices() {
            if is_open(c) {
                depth += 1;
            } else if is_close(c) {
                depth = depth.saturating_sub(1);
            }
            if c == '。' && depth == 0 {
                let end = i + c.len_utf8();
                out.extend(paragraph.get(start..end));
                start = end;
            }
        }
        out.extend(paragraph.get(start..));
    }
    out.into_iter().map(str::trim).filter(|s| !s.is_empty()).collect()
}

fn is_open(c: char) -> bool {
    matches!(c, '（' | '(' | '「' | '『' | '【' | '〔')
}

fn is_close(c: char) -> bool {
    matches!(c, '）' | ')' | '」' | '』' | '】' | '〕')
}

/// The sentence without what stands in round brackets, and without its final 。.
fn without_brackets<'t>(text: &'t str, places: &Places) -> Cow<'t, str> {
    let count =
        |brackets: [char; 2]| places.each(Kind::Bracket).filter(|(_, c)| brackets.contains(c)).count();
    let (opens, closes) = (count(['（', '(']), count(['）', ')']));
    if opens != closes || opens == 0 {
        return Cow::Borrowed(text.trim_end_matches('。'));
    }
    let mut out = outside_brackets(text);
    out.truncate(out.trim_end_matches('。').len());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, before: &[&'static str], list: Modality) -> Sentence {
        super::read(text, &Places::of(text), before, list).0
    }

    #[test]
    fn sentences_keep_their_brackets() {
        let text = "甲は、行う（乙を除く。）。また、丙とする。\n区分\t例\n見出しだけ";
        assert_eq!(split(text), ["甲は、行う（乙を除く。）。", "また、丙とする。", "見出しだけ"]);
        assert_eq!(split("閉じない（括弧。次の文。"), ["閉じない（括弧。", "次の文。"]);
    }

    #[test]
    fn one_sentence_read_whole() {
        let s = read(
            "情報セキュリティ管理者及び職員等は、機密性２以上の情報を紛失した場合（疑いを含む。）は、直ちに、かつ2日以内に報告しなければならない。",
            &[],
            Modality::None,
        );
        assert_eq!(s.actors, ["section_security_manager", "staff"]);
        assert_eq!(s.modality, Modality::Must);
        assert_eq!(s.deadline.as_deref(), Some("直ちに、2日以内に"));
        assert_eq!(s.condition.as_deref(), Some("機密性２以上の情報を紛失した場合は"));
        assert_eq!(s.threshold.as_deref(), Some("機密性２以上"));
    }

    #[test]
    fn actors_pass_down_to_sentences_without_one() {
        let above = ["staff"];
        assert_eq!(read("また、これを返却しなければならない。", &above, Modality::None).actors, above);
        assert_eq!(read("端末とは、パソコンをいう。", &above, Modality::None).actors, Vec::<String>::new());
    }
}
