//! References to clauses: 第6章第4節(3)⑦, 第3条第2項第1号, 前条, 前項, 上記3, (2)の契約, 別表第1.

use std::collections::HashMap;

use super::ancestors;
use super::cited::{
    Part, annex, between, bracket_label, completed, fold, is_external, is_serial, kana_label, neighbour,
    parts, same, starts_reference,
};
use super::places::{Kind, Places};
use crate::model::{Form, Node, Ref};
use crate::numeral::{after, arabic};

/// A reference as found, with what is to be said when it leads nowhere.
pub(crate) struct Found {
    /// The reference.
    pub found: Ref,
    /// Message for a reader, when it leads nowhere.
    pub dangling: Option<String>,
}

/// Where references of one text can lead.
pub(crate) struct Index<'a> {
    nodes: &'a [Node],
    form: Form,
    by_id: HashMap<&'a str, usize>,
    by_citation: HashMap<&'a str, usize>,
    /// Places of the clauses directly below each id ("" for the topmost).
    siblings: HashMap<&'a str, Vec<usize>>,
    annexes: &'a [String],
}

/// References in one sentence, at most.
const MAX_REFS: usize = 60;

impl<'a> Index<'a> {
    /// Of the nodes of a text.
    pub(crate) fn of(nodes: &'a [Node], form: Form, annexes: &'a [String]) -> Self {
        let mut index = Self {
            nodes,
            form,
            by_id: HashMap::with_capacity(nodes.len()),
            by_citation: HashMap::with_capacity(nodes.len()),
            siblings: HashMap::new(),
            annexes,
        };
        for (i, node) in nodes.iter().enumerate() {
            index.by_id.entry(&node.id).or_insert(i);
            index.by_citation.entry(&node.citation).or_insert(i);
            let above = node.id.rsplit_once('.').map_or("", |(head, _)| head);
            index.siblings.entry(above).or_default().push(i);
        }
        index
    }

    fn id(&self, i: usize) -> Option<String> {
        self.nodes.get(i).map(|n| n.id.clone())
    }

    /// The references of a sentence of node `at`.
    pub(super) fn references(&self, at: usize, text: &str, places: &Places) -> Vec<Found> {
        let mut out: Vec<Found> = Vec::new();
        let mut base: Vec<Part> = Vec::new();
        let mut external = false;
        let mut end = 0;
        for (i, c) in places.each(Kind::Reference) {
            if i < end || out.len() >= MAX_REFS {
                continue;
            }
            let Some(rest) = text.get(i..) else { continue };
            let before = text.get(..i).unwrap_or("");
            let hit = match c {
                '第' if let Some((len, target)) = self.spelled(rest) => {
                    Some((len, Some(target), false, false))
                }
                '第' => parts(rest).map(|(found, len)| {
                    let joined = end > 0 && (i == end || i == end + between(text.get(end..).unwrap_or("")));
                    if !joined || base.is_empty() {
                        external = is_external(before);
                        base.clear();
                    }
                    let whole = completed(&base, &found);
                    base.clone_from(&whole);
                    let known = if external { None } else { self.resolve(at, before, &whole) };
                    let skip = is_serial(before, &found)
                        || (!external && known.is_none() && self.is_foreign_unit(&whole));
                    (len, known, external, skip)
                }),
                '前' | '次' => neighbour(rest)
                    .filter(|_| !before.ends_with(['以', '事', '午', '従', '直', '目']))
                    .map(|(unit, len)| {
                        let target = self.neighbour(at, unit, c == '前');
                        // 前項第2号: what follows is counted from there.
                        base = target.as_deref().map(|id| self.units(id)).unwrap_or_default();
                        external = false;
                        (len, target, false, false)
                    }),
                // 同条第2項: the article named last.
                '同' if !base.is_empty() || external => same(rest).map(|(unit, len)| {
                    let upto = base.iter().position(|(u, _)| *u == unit).map_or(base.len(), |p| p + 1);
                    base.truncate(upto);
                    (len, None, external, true)
                }),
                '上' => rest
                    .strip_prefix("上記")
                    .and_then(arabic)
                    .filter(|(_, tail)| !tail.starts_with(['人', '件', '年', '回']))
                    .map(|(n, tail)| {
                        base = vec![('上', n.to_string())];
                        external = false;
                        (rest.len() - tail.len(), self.top(n), false, false)
                    }),
                // 「上記6、7及び8」
                '0'..='9' | '０'..='９'
                    if base.first().is_some_and(|(u, _)| *u == '上')
                        && i == end + between(text.get(end..).unwrap_or("")) =>
                {
                    arabic(rest)
                        .filter(|(_, tail)| {
                            tail.starts_with(['に', 'の', 'を', 'で', 'か', '、', '及', '又'])
                        })
                        .map(|(n, tail)| (rest.len() - tail.len(), self.top(n), false, false))
                }
                '0'..='9' | '０'..='９' if let Some((len, target)) = self.spelled(rest) => {
                    Some((len, Some(target), false, false))
                }
                '(' | '（' | '①'..='⑳' if i > 0 || starts_reference(rest) => {
                    self.relative(at, rest).map(|(len, target)| (len, Some(target), false, false))
                }
                '別' => annex(rest).map(|len| {
                    let name: String = rest.get(..len).unwrap_or("").to_owned();
                    let same = |a: &String| fold(a) == fold(&name);
                    let target = self.annexes.iter().position(same).map(|n| format!("T.{}", n + 1));
                    let skip = target.is_none() && self.annexes.is_empty();
                    (len, target, false, skip)
                }),
                _ => None,
            };
            let Some((len, target, foreign, skip)) = hit else { continue };
            end = i + len;
            let citation = text.get(i..end).unwrap_or("").to_owned();
            if skip {
                continue;
            }
            let dangling = (target.is_none() && !foreign)
                .then(|| format!("「{citation}」が指す条項が、この文書の中に見つかりません。番号の誤りや、削られた条項への引用がないか確かめてください。"));
            out.push(Found { found: Ref { citation, target, external: foreign }, dangling });
        }
        out
    }

    /// The clause that a 第n… reference leads to.
    fn resolve(&self, at: usize, before: &str, whole: &[Part]) -> Option<String> {
        if before.ends_with("附則") {
            let written: String = whole.iter().map(|(u, n)| format!("第{n}{u}")).collect();
            let place = self.by_citation.get(format!("附則{written}").as_str()).copied();
            return place.and_then(|i| self.id(i));
        }
        let node = self.nodes.get(at)?;
        if self.form == Form::Articles && whole.iter().all(|(u, _)| matches!(u, '条' | '項' | '号' | '細'))
        {
            let mut own = node.id.split('.');
            let get = |unit: char| whole.iter().find(|(u, _)| *u == unit).map(|(_, n)| n.clone());
            let (article, has_article) = match get('条') {
                Some(a) => (a, true),
                None => (own.next()?.to_owned(), false),
            };
            let paragraph = match (get('項'), get('号'), has_article) {
                (Some(p), ..) => Some(p),
                (None, Some(_), false) => Some(own.next().unwrap_or("1").to_owned()),
                (None, Some(_), true) => Some("1".to_owned()),
                (None, None, _) => None,
            };
            let id: Vec<String> =
                [Some(article), paragraph, get('号'), get('細')].into_iter().flatten().collect();
            let id = id.join(".");
            return self.by_id.get(id.as_str()).and_then(|i| self.id(*i));
        }
        let written: String =
            whole.iter().map(|(u, n)| if *u == '細' { n.clone() } else { format!("第{n}{u}") }).collect();
        // As written from the top, then from each clause above.
        let above =
            ancestors(&node.id).filter_map(|id| self.by_id.get(id)).filter_map(|i| self.nodes.get(*i));
        let starts = std::iter::once("").chain(above.map(|n| n.citation.as_str()));
        starts
            .filter_map(|start| self.by_citation.get(format!("{start}{written}").as_str()))
            .find_map(|i| self.id(*i))
    }

    /// An id of a 条-style text as the units of a reference.
    fn units(&self, id: &str) -> Vec<Part> {
        if self.form != Form::Articles || id.starts_with("S.") {
            return Vec::new();
        }
        id.split('.').zip(['条', '項', '号', '細']).map(|(n, u)| (u, n.to_owned())).collect()
    }

    /// Units that this kind of text does not number (第2項 in a text of chapters): said of another text.
    fn is_foreign_unit(&self, whole: &[Part]) -> bool {
        match self.form {
            Form::Chapters => whole.iter().any(|(u, _)| matches!(u, '条' | '項' | '号')),
            Form::Articles => {
                whole.first().is_some_and(|(u, _)| matches!(u, '編' | '章' | '節' | '款' | '目'))
            }
        }
    }

    /// 前条, 次項 …: the clause before or behind.
    fn neighbour(&self, at: usize, unit: char, backward: bool) -> Option<String> {
        let node = self.nodes.get(at)?;
        let depth = node.id.split('.').count();
        // 附則 are S.n: their 項 is S.n.m, or S.n.a.m below an article.
        let in_supplement = node.id.starts_with("S.");
        let level = match (self.form, unit) {
            (Form::Articles, '条') if in_supplement => 3,
            (Form::Articles, '項') if in_supplement => depth.clamp(3, 4),

            (Form::Articles, '条') => 1,
            (Form::Articles, '項') => 2,
            (Form::Articles, '号') => 3,
            (Form::Chapters, '編' | '章') => 1,
            (Form::Chapters, '節') => 2,
            // 項 and 号 of a text of chapters: the clause beside this one.
            (Form::Chapters, '項' | '号' | '条') => depth,
            _ => return None,
        };
        let own: Vec<&str> = node.id.split('.').take(level).collect();
        if own.len() < level {
            return None;
        }
        let own = own.join(".");
        let above = own.rsplit_once('.').map_or("", |(head, _)| head);
        let list = self.siblings.get(above)?;
        let fitting = |i: &&usize| {
            self.nodes.get(**i).is_some_and(|n| !n.id.starts_with("S.") || in_supplement)
                && (self.form == Form::Articles || unit != '節' || self.is_section(**i))
        };
        if self.form == Form::Chapters
            && unit == '節'
            && !self.by_id.get(own.as_str()).is_some_and(|i| self.is_section(*i))
        {
            return None;
        }
        let list: Vec<&usize> = list.iter().filter(fitting).collect();
        let here = list.iter().position(|i| self.nodes.get(**i).is_some_and(|n| n.id == own))?;
        let there = if backward { here.checked_sub(1)? } else { here + 1 };
        list.get(there).and_then(|i| self.id(**i))
    }

    fn is_section(&self, i: usize) -> bool {
        self.nodes.get(i).is_some_and(|n| n.label.ends_with('節'))
    }

    /// 2.1.3, 1-2, 第2の1(1): numbers that spell out the levels above; what leads nowhere is no reference.
    fn spelled(&self, rest: &str) -> Option<(usize, String)> {
        let body = rest.strip_prefix('第').unwrap_or(rest);
        let (n, mut tail) = arabic(body)?;
        let mut written = if body.len() < rest.len() { format!("第{n}") } else { n.to_string() };
        let mut levels = 1;
        while let Some(c) = tail.chars().next().filter(|c| matches!(c, '.' | '．' | '-' | '－' | 'の')) {
            let Some((n, next)) = arabic(after(tail, c)) else { break };
            let mark = match c {
                '．' => '.',
                '－' => '-',
                c => c,
            };
            written.push(mark);
            written.push_str(&n.to_string());
            tail = next;
            levels += 1;
        }
        while let Some((label, next)) = bracket_label(tail) {
            written.push_str(&label);
            tail = next;
            levels += 1;
        }
        if levels == 1 {
            return None;
        }
        if let Some((kana, next)) = kana_label(tail)
            && let Some(i) = self.by_citation.get(format!("{written}{kana}").as_str())
        {
            return Some((rest.len() - next.len(), self.id(*i)?));
        }
        let target = self.by_citation.get(written.as_str()).and_then(|i| self.id(*i))?;
        Some((rest.len() - tail.len(), target))
    }

    /// 上記3: a clause at the top.
    fn top(&self, n: u32) -> Option<String> {
        self.by_id.get(n.to_string().as_str()).and_then(|i| self.id(*i))
    }

    /// (2)の…, ①及び②: a clause beside or below, or beside one above. What leads nowhere is no reference.
    fn relative(&self, at: usize, rest: &str) -> Option<(usize, String)> {
        let (label, tail) = bracket_label(rest)?;
        if !starts_reference(rest) {
            return None;
        }
        let node = self.nodes.get(at)?;
        let above =
            ancestors(&node.id).filter_map(|id| self.by_id.get(id)).filter_map(|i| self.nodes.get(*i));
        let starts: Vec<&str> = std::iter::once(node.citation.as_str())
            .chain(above.map(|n| n.citation.as_str()))
            .chain(std::iter::once(""))
            .collect();
        let lead_to = |label: &str| {
            let hit = |start: &&str| self.by_citation.get(format!("{start}{label}").as_str());
            starts.iter().filter_map(hit).find_map(|i| self.id(*i))
        };
        let below =
            kana_label(tail).and_then(|(kana, next)| Some((next, lead_to(&format!("{label}{kana}"))?)));
        let (tail, target) = match below {
            Some(found) => found,
            None => (tail, lead_to(&label)?),
        };
        (target != node.id).then_some((rest.len() - tail.len(), target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, citation: &str) -> Node {
        Node { id: id.into(), citation: citation.into(), label: citation.into(), ..Node::default() }
    }

    fn seen(index: &Index<'_>, at: usize, text: &str) -> Vec<(String, Option<String>, bool, bool)> {
        index
            .references(at, text, &Places::of(text))
            .into_iter()
            .map(|f| (f.found.citation, f.found.target, f.found.external, f.dangling.is_some()))
            .collect()
    }

    #[test]
    fn articles() {
        let nodes = [
            node("3", "第3条"),
            node("3.1", "第3条第1項"),
            node("3.1.2", "第3条第1項第2号"),
            node("3.1.2.ア", "第3条第1項第2号ア"),
            node("3.2", "第3条第2項"),
            node("5-2", "第5条の2"),
            node("5-2.1", "第5条の2"),
            node("S.1.2", "附則第2項"),
        ];
        let annexes = ["別表第1".to_owned()];
        let index = Index::of(&nodes, Form::Articles, &annexes);
        let one = |at, text: &str| {
            seen(&index, at, text)
                .into_iter()
                .map(|(c, t, ..)| (c, t.unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(one(6, "第三条第1項及び第2項の規定"), [pair("第三条第1項", "3.1"), pair("第2項", "3.2")]);
        assert_eq!(
            one(4, "前項第2号アの機器及び次条の手続"),
            [pair("前項", "3.1"), pair("第2号ア", "3.1.2.ア"), pair("次条", "5-2")]
        );
        assert_eq!(
            one(0, "第5条の2の規定、附則第2項及び別表第１"),
            [pair("第5条の2", "5-2"), pair("第2項", "S.1.2"), pair("別表第１", "T.1")]
        );
        assert_eq!(
            one(6, "第3条第1項の記録及び同条第2項の台帳"),
            [pair("第3条第1項", "3.1"), pair("第2項", "3.2")]
        );
        assert_eq!(one(1, "前条件及び以前項目"), []);
        assert!(seen(&index, 1, "第99条の規定").iter().all(|r| r.3));
    }

    #[test]
    fn other_laws_are_not_dangling() {
        let nodes = [node("1", "第1条"), node("2", "第2条")];
        let index = Index::of(&nodes, Form::Articles, &[]);
        for text in [
            "個人情報の保護に関する法律（平成15年法律第57号）第66条第1項",
            "同法第9条及び第10条",
            "基本方針（以下「方針」という。）第9条",
            "条例第30条",
        ] {
            let refs = seen(&index, 0, text);
            assert!(!refs.is_empty() && refs.iter().all(|r| r.2 && !r.3), "{text} {refs:?}");
        }
        assert_eq!(
            seen(&index, 0, "この規程第2条の規定"),
            [("第2条".into(), Some("2".into()), false, false)]
        );
        assert_eq!(seen(&index, 0, "様式第1号により、令和4年訓令第41号で"), []);
    }

    #[test]
    fn chapters() {
        let nodes = [
            node("2", "第2章"),
            node("2.0.1", "第2章(1)"),
            node("2.0.1.0.ア", "第2章(1)ア"),
            node("2.0.2", "第2章(2)"),
            node("2.0.2.1", "第2章(2)①"),
            node("6", "第6章"),
            node("6.4", "第6章第4節"),
            node("6.4.3.7", "第6章第4節(3)⑦"),
        ];
        let index = Index::of(&nodes, Form::Chapters, &[]);
        assert_eq!(
            seen(&index, 0, "本基準第6章第4節(3)⑦のとおり"),
            [("第6章第4節(3)⑦".into(), Some("6.4.3.7".into()), false, false)]
        );
        assert_eq!(seen(&index, 4, "(1)の契約に基づき")[0].1.as_deref(), Some("2.0.1"));
        let kana = seen(&index, 4, "(1)アの者及び(1)アクセス権の者");
        assert_eq!(kana, [("(1)ア".into(), Some("2.0.1.0.ア".into()), false, false)]);
        assert_eq!(seen(&index, 4, "前節の分類"), [("前節".into(), None, false, true)]);
        assert_eq!(seen(&index, 6, "前章の分類")[0].1.as_deref(), Some("2"));
    }
}
