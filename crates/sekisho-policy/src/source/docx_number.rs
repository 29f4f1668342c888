//! Automatic numbering of .docx (ECMA-376 Part 1, 17.9): from numId and level to the label Word would print.

use std::borrow::Cow;
use std::collections::HashMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Levels of one list (Word has nine).
const LEVELS: usize = 9;

/// One level of an abstract list.
#[derive(Clone, Debug)]
struct Level {
    format: String,
    text: String,
    start: u32,
}

impl Default for Level {
    fn default() -> Self {
        Self { format: "decimal".into(), text: String::new(), start: 1 }
    }
}

/// What a paragraph or a paragraph style says about numbering and headings.
#[derive(Clone, Debug, Default)]
pub(super) struct ParagraphMark {
    /// List, if any; `0` turns the style's numbering off.
    pub num_id: Option<String>,
    /// Level in the list, from 0.
    pub level: Option<usize>,
    /// Outline level, from 1; 0 for body text.
    pub outline: u8,
    /// A style of the table of contents.
    pub contents: bool,
    /// The style it is based on.
    based_on: Option<String>,
}

/// Lists and styles of a document, with the counters as they stand.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    abstracts: HashMap<String, Vec<Level>>,
    instances: HashMap<String, String>,
    overrides: HashMap<(String, usize), u32>,
    counters: HashMap<String, Vec<u32>>,
    styles: HashMap<String, ParagraphMark>,
}

/// The value of an attribute by its local name.
pub(super) fn attr(e: &BytesStart<'_>, name: &str) -> Option<String> {
    e.attributes()
        .flatten()
        .find(|a| a.key.local_name().as_ref() == name)
        .and_then(|a| a.normalized_value(XmlVersion::Implicit1_0).ok().map(Cow::into_owned))
}

impl Numbering {
    /// Reads `word/numbering.xml`; what cannot be read is left out.
    pub(super) fn read_lists(&mut self, xml: &str) {
        let mut reader = Reader::from_str(xml);
        let (mut list, mut instance, mut level) = (None::<String>, None::<String>, 0usize);
        while let Ok(event) = reader.read_event() {
            match event {
                Event::Start(e) | Event::Empty(e) => {
                    let value = attr(&e, "val");
                    match e.local_name().as_ref() {
                        "abstractNum" => {
                            list = attr(&e, "abstractNumId");
                            instance = None;
                        }
                        "num" => {
                            instance = attr(&e, "numId");
                            list = None;
                        }
                        "lvl" | "lvlOverride" => {
                            level = attr(&e, "ilvl").and_then(|l| l.parse().ok()).unwrap_or(0)
                        }
                        "abstractNumId" => {
                            if let (Some(i), Some(v)) = (&instance, value) {
                                self.instances.insert(i.clone(), v);
                            }
                        }
                        "startOverride" => {
                            if let (Some(i), Some(v)) = (&instance, value.and_then(|v| v.parse().ok())) {
                                self.overrides.insert((i.clone(), level), v);
                            }
                        }
                        name => {
                            if let (Some(list), Some(v)) = (&list, value) {
                                self.set(list, level, name, v);
                            }
                        }
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
    }

    fn set(&mut self, list: &str, level: usize, name: &str, value: String) {
        let levels = self.abstracts.entry(list.to_owned()).or_insert_with(|| vec![Level::default(); LEVELS]);
        let Some(slot) = levels.get_mut(level) else { return };
        match name {
            "numFmt" => slot.format = value,
            "lvlText" => slot.text = value,
            "start" => slot.start = value.parse().unwrap_or(1),
            _ => {}
        }
    }

    /// Reads `word/styles.xml`.
    pub(super) fn read_styles(&mut self, xml: &str) {
        let mut reader = Reader::from_str(xml);
        let mut current: Option<(String, ParagraphMark)> = None;
        while let Ok(event) = reader.read_event() {
            match event {
                Event::Start(e) | Event::Empty(e) => {
                    if e.local_name().as_ref() == "style" {
                        self.styles.extend(current.take());
                        current = attr(&e, "styleId").map(|id| (id, ParagraphMark::default()));
                    } else if let Some((_, mark)) = &mut current {
                        mark.take(&e);
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        self.styles.extend(current);
    }

    /// What a paragraph style says, its bases included.
    pub(super) fn style(&self, id: &str) -> ParagraphMark {
        let mut mark = ParagraphMark::default();
        let mut next = Some(id.to_owned());
        for _ in 0..8 {
            let Some(style) = next.take().and_then(|id| self.styles.get(&id)) else { break };
            mark.num_id = mark.num_id.or_else(|| style.num_id.clone());
            mark.level = mark.level.or(style.level);
            mark.outline = if mark.outline > 0 { mark.outline } else { style.outline };
            mark.contents |= style.contents;
            next = style.based_on.clone();
        }
        mark
    }

    /// Counts one paragraph of a list and gives its printed label; `・` for bullets.
    pub(super) fn label(&mut self, num_id: &str, level: usize) -> Option<String> {
        let list = self.instances.get(num_id)?;
        let levels = self.abstracts.get(list)?;
        let own = levels.get(level)?;
        let start = |l: usize| {
            let from_list = levels.get(l).map_or(1, |x| x.start);
            self.overrides.get(&(num_id.to_owned(), l)).copied().unwrap_or(from_list)
        };
        // An instance that restarts counts for itself; others share the counters of the list.
        let key = if self.overrides.keys().any(|(n, _)| n == num_id) {
            format!("n{num_id}")
        } else {
            format!("a{list}")
        };
        let starts: Vec<u32> = (0..LEVELS).map(start).collect();
        let counters = self.counters.entry(key).or_insert_with(|| vec![0; LEVELS]);
        for (l, counter) in counters.iter_mut().enumerate() {
            let first = starts.get(l).copied().unwrap_or(1);
            match l.cmp(&level) {
                std::cmp::Ordering::Less if *counter == 0 => *counter = first,
                std::cmp::Ordering::Equal => {
                    *counter = if *counter == 0 { first } else { counter.saturating_add(1) }
                }
                std::cmp::Ordering::Greater => *counter = 0,
                std::cmp::Ordering::Less => {}
            }
        }
        match own.format.as_str() {
            "bullet" => return Some("・".to_owned()),
            "none" => return None,
            _ => {}
        }
        let mut label = String::new();
        let mut chars = own.text.chars();
        while let Some(c) = chars.next() {
            let digit = if c == '%' { chars.next().and_then(|d| d.to_digit(10)) } else { None };
            match digit.and_then(|d| usize::try_from(d).ok()).and_then(|d| d.checked_sub(1)) {
                Some(l) => {
                    let value = counters.get(l).copied().unwrap_or(0);
                    label.push_str(&formatted(value, levels.get(l).map_or("decimal", |x| x.format.as_str())));
                }
                None => label.push(c),
            }
        }
        (!label.trim().is_empty()).then_some(label)
    }
}

impl ParagraphMark {
    /// Takes what one element of `w:pPr` (or of a style) says.
    pub(super) fn take(&mut self, e: &BytesStart<'_>) {
        let value = attr(e, "val");
        match e.local_name().as_ref() {
            "numId" => self.num_id = value,
            "ilvl" => self.level = value.and_then(|v| v.parse().ok()),
            "outlineLvl" => {
                self.outline =
                    value.and_then(|v| v.parse::<u8>().ok()).filter(|l| *l < 9).map_or(0, |l| l + 1)
            }
            "basedOn" => self.based_on = value,
            "name" => {
                let name = value.unwrap_or_default().to_lowercase();
                self.contents |= name.starts_with("toc ") || name.starts_with("目次");
            }
            _ => {}
        }
    }
}

/// A number in one of Word's number formats (ST_NumberFormat), as far as Japanese documents use them.
fn formatted(n: u32, format: &str) -> String {
    let nth = |set: &str| {
        let index = usize::try_from(n).ok().and_then(|n| n.checked_sub(1));
        index.and_then(|i| set.chars().nth(i)).map_or_else(|| n.to_string(), String::from)
    };
    match format {
        "decimalEnclosedCircle" | "decimalEnclosedCircleChinese" => nth("①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"),
        "decimalEnclosedParen" => format!("({n})"),
        "decimalEnclosedFullstop" => format!("{n}."),
        "aiueo" | "aiueoFullWidth" => nth(
            "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン",
        ),
        "iroha" | "irohaFullWidth" => nth(
            "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセスン",
        ),
        "lowerLetter" => nth("abcdefghijklmnopqrstuvwxyz"),
        "upperLetter" => nth("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        "upperRoman" => nth("ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ"),
        "lowerRoman" => nth("ⅰⅱⅲⅳⅴⅵⅶⅷⅸⅹⅺⅻ"),
        "japaneseCounting"
        | "ideographDigital"
        | "chineseCounting"
        | "japaneseDigitalTenThousand"
        | "koreanDigital2" => kanji(n),
        _ => n.to_string(),
    }
}

/// A number below 1,000 in kanji.
fn kanji(n: u32) -> String {
    if n == 0 || n > 999 {
        return n.to_string();
    }
    let digit = |d: u32| {
        usize::try_from(d)
            .ok()
            .and_then(|d| "〇一二三四五六七八九".chars().nth(d))
            .map_or_else(String::new, String::from)
    };
    [(n / 100, "百"), (n / 10 % 10, "十"), (n % 10, "")]
        .into_iter()
        .filter(|(d, _)| *d > 0)
        .map(|(d, unit)| if d == 1 && !unit.is_empty() { unit.to_owned() } else { digit(d) + unit })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_levels_and_restarts() {
        let mut numbering = Numbering::default();
        numbering.read_lists(
            r#"<w:numbering xmlns:w="w"><w:abstractNum w:abstractNumId="4">
              <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="japaneseCounting"/><w:lvlText w:val="第%1条"/></w:lvl>
              <w:lvl w:ilvl="1"><w:start w:val="2"/><w:numFmt w:val="decimalFullWidth"/><w:lvlText w:val="%2"/></w:lvl>
              <w:lvl w:ilvl="2"><w:numFmt w:val="aiueo"/><w:lvlText w:val="(%3)"/></w:lvl>
            </w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="4"/></w:num>
            <w:num w:numId="2"><w:abstractNumId w:val="4"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num></w:numbering>"#,
        );
        let mut label = |n: &str, l| numbering.label(n, l).unwrap();
        assert_eq!(
            [label("1", 0), label("1", 1), label("1", 2), label("1", 2), label("1", 0)],
            ["第一条", "2", "(ア)", "(イ)", "第二条"]
        );
        assert_eq!([label("2", 0), label("2", 1)], ["第七条", "2"]);
        assert_eq!((kanji(12), kanji(105), kanji(20)), ("十二".into(), "百五".into(), "二十".into()));
    }
}
