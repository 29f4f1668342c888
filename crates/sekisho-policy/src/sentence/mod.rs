//! What the sentences of a clause ask for: who, must or may, when, under which condition, from which level up.

mod actors;
mod cited;
mod modality;
mod refer;
mod words;

use std::collections::HashMap;

use crate::model::{Form, Modality, Node, PolicyText, Sentence, Warning, WarningCode};

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
    actors: Vec<String>,
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
            let mut sentence = read(part, &lead.actors, list);
            for reference in index.references(i, part) {
                if let Some(message) = reference.dangling {
                    warnings.push(Warning {
                        line: node.lines.first().copied().unwrap_or(0),
                        code: WarningCode::DanglingReference,
                        message,
                    });
                }
                sentence.refs.push(reference.found);
            }
            if !sentence.actors.is_empty() {
                lead.actors.clone_from(&sentence.actors);
            }
            if announces_list(part) {
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

/// 「次の事項を…」, 「以下の内容を…」; not a list of cases (いずれかに該当する).
fn announces_list(text: &str) -> bool {
    let list = ["次の", "次に掲げる", "次に定める", "以下の", "以下に", "下記の", "各号に掲げる"]
        .iter()
        .any(|w| text.contains(w));
    list && !["該当", "いずれか", "場合は"].iter().any(|w| text.contains(w))
}

/// Ids above an id, nearest first.
pub(crate) fn ancestors(id: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(id.rsplit_once('.').map(|(head, _)| head), |id| {
        id.rsplit_once('.').map(|(head, _)| head)
    })
}

/// Reads one sentence; `before` are those who act where it names nobody, `list` what the list it stands in asks for.
fn read(text: &str, before: &[String], list: Modality) -> Sentence {
    let plain = without_brackets(text);
    let named = actors::actors(&plain);
    let acting = if named.is_empty() { before } else { &named };
    let modality = modality::in_list(modality::modality(&plain, !acting.is_empty()), list, &plain);
    // Definitions and explanations have nobody who acts, unless they name him.
    let actors = if modality == Modality::None { named } else { acting.to_vec() };
    Sentence {
        actors,
        modality,
        deadline: words::deadline(&plain),
        condition: words::condition(&plain),
        threshold: words::threshold(text),
        refs: Vec::new(),
        text: text.to_owned(),
    }
}

/// The sentences of a text; rows of tables are none.
fn split(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for paragraph in text.split('\n').filter(|p| !p.contains('\t')) {
        // Brackets hold whole sentences: （…を除く。）. Where they do not close, they are not looked at.
        let opens = paragraph.chars().filter(|c| is_open(*c)).count();
        let closes = paragraph.chars().filter(|c| is_close(*c)).count();
        let mut depth = 0usize;
        let mut start = 0;
        for (i, c) in paragraph.char_indices() {
            if opens == closes {
                if is_open(c) {
                    depth += 1;
                } else if is_close(c) {
                    depth = depth.saturating_sub(1);
                }
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
fn without_brackets(text: &str) -> String {
    let opens = text.chars().filter(|c| matches!(c, '（' | '(')).count();
    let closes = text.chars().filter(|c| matches!(c, '）' | ')')).count();
    if opens != closes {
        return text.trim_end_matches('。').to_owned();
    }
    let mut depth = 0usize;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '（' | '(' => depth += 1,
            '）' | ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out.trim_end_matches('。').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let above = vec!["staff".to_owned()];
        assert_eq!(read("また、これを返却しなければならない。", &above, Modality::None).actors, above);
        assert_eq!(read("端末とは、パソコンをいう。", &above, Modality::None).actors, Vec::<String>::new());
    }
}
