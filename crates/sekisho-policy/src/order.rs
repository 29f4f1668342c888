//! Which level a style of numbering stands for, from how the text nests its styles.
//!
//! Every style has a level where it usually stands (第n節 is the second, (1) the third, (ア) the fifth). A text may nest
//! otherwise: what it nests under what is counted first, and levels give way where a child would not be below its parent.

use std::collections::BTreeMap;

use crate::model::Form;
use crate::token::Style;

/// Level of bullets: counted from 1 at the sixth level.
pub(crate) const BULLET: usize = 5;

/// Levels of the styles of one text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Levels {
    form: Form,
    levels: BTreeMap<Style, usize>,
}

/// How often a style stood below another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nesting {
    below: BTreeMap<(Style, Style), usize>,
}

impl Nesting {
    /// `child` began a list below `parent`.
    pub(crate) fn saw(&mut self, parent: Style, child: Style) {
        if parent != child {
            *self.below.entry((parent, child)).or_default() += 1;
        }
    }

    /// True when `child` stands below `parent` more often than above it.
    fn is_below(&self, parent: Style, child: Style) -> bool {
        let count = |a, b| self.below.get(&(a, b)).copied().unwrap_or(0);
        count(parent, child) > count(child, parent)
    }

    fn styles(&self) -> Vec<Style> {
        let mut all: Vec<Style> = self.below.keys().flat_map(|(a, b)| [*a, *b]).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// The level where a style usually stands.
fn usual(style: Style, form: Form) -> usize {
    if form == Form::Articles {
        return match style {
            Style::Article => 0,
            Style::Num(_) | Style::NumDot(_) => 1,
            Style::Paren | Style::Kanji | Style::Hyphen(_) => 2,
            Style::Bullet(..) => BULLET,
            Style::KanaParen | Style::LatinParen | Style::RomanSmall | Style::RomanParen | Style::Latin => 4,
            _ => 3,
        };
    }
    match style {
        Style::Part
        | Style::Chapter
        | Style::Article
        | Style::Dai
        | Style::Roman
        | Style::Num(_)
        | Style::NumDot(_)
        | Style::Kanji => 0,
        Style::Section => 1,
        Style::Decimal(depth) | Style::Hyphen(depth) => usize::from(depth).saturating_sub(1),
        Style::Heading(level) => usize::from(level).saturating_sub(1),
        Style::Subsection | Style::Paren | Style::KanjiParen | Style::HalfParen => 2,
        Style::Division | Style::Circled => 3,
        Style::Bullet(..) => BULLET,
        _ => 4,
    }
}

impl Levels {
    /// The usual levels.
    pub(crate) fn usual(form: Form) -> Self {
        Self { form, levels: BTreeMap::new() }
    }

    /// Levels for a text that nests its styles in this way.
    pub(crate) fn from_nesting(form: Form, nesting: &Nesting) -> Self {
        let styles: Vec<Style> = nesting.styles().into_iter().filter(|s| !s.is_bullet()).collect();
        let top: usize = usize::from(form == Form::Articles);
        // The least level of a style is one below the least level of what it stands under.
        let least = relax(
            &styles,
            |_| 0,
            |s, l| styles.iter().filter(|p| nesting.is_below(**p, s)).map(|p| l(*p) + 1).max(),
        );
        let wanted = relax(
            &styles,
            |s| usual(s, form),
            |s, l| styles.iter().filter(|p| nesting.is_below(**p, s)).map(|p| l(*p) + 1).max(),
        );
        // Numbered levels end above the bullets, if the chain is short enough.
        let mut levels: BTreeMap<Style, usize> = wanted;
        for _ in 0..styles.len() {
            for style in &styles {
                let ceiling = styles
                    .iter()
                    .filter(|c| nesting.is_below(*style, **c))
                    .filter_map(|c| levels.get(c))
                    .min();
                let cap = ceiling.map_or(BULLET - 1, |c| c.saturating_sub(1)).min(BULLET - 1);
                let floor = least.get(style).copied().unwrap_or(0).max(if *style == Style::Article {
                    0
                } else {
                    top
                });
                if let Some(level) = levels.get_mut(style) {
                    *level = (*level).min(cap).max(floor);
                }
            }
        }
        Self { form, levels }
    }

    /// Whether the text was seen to number in this way, below something or above.
    pub(crate) fn knows(&self, style: Style) -> bool {
        self.levels.contains_key(&style)
    }

    /// The level of a style.
    pub(crate) fn of(&self, style: Style) -> usize {
        let bullets = || self.levels.values().max().map_or(0, |deepest| deepest + 1).max(BULLET);
        match style {
            Style::Bullet(..) => bullets(),
            style => self.levels.get(&style).copied().unwrap_or_else(|| usual(style, self.form)),
        }
    }
}

/// Raises levels until `lift` asks for no more; a cycle ends after as many rounds as there are styles.
fn relax(
    styles: &[Style],
    start: impl Fn(Style) -> usize,
    lift: impl Fn(Style, &dyn Fn(Style) -> usize) -> Option<usize>,
) -> BTreeMap<Style, usize> {
    let mut levels: BTreeMap<Style, usize> = styles.iter().map(|s| (*s, start(*s))).collect();
    for _ in 0..styles.len() {
        for style in styles {
            let needed = lift(*style, &|s| levels.get(&s).copied().unwrap_or(0)).unwrap_or(0);
            if let Some(level) = levels.get_mut(style) {
                *level = (*level).max(needed).min(crate::MAX_DEPTH - 1);
            }
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(chain: &[Style]) -> Vec<usize> {
        let mut nesting = Nesting::default();
        for (i, parent) in chain.iter().enumerate() {
            for child in chain.iter().skip(i + 1) {
                nesting.saw(*parent, *child);
            }
        }
        let levels = Levels::from_nesting(Form::Chapters, &nesting);
        chain.iter().map(|s| levels.of(*s)).collect()
    }

    #[test]
    fn styles_stand_where_they_usually_do_unless_the_text_nests_otherwise() {
        use Style::{Chapter, Circled, Dai, Decimal, Kana, KanaParen, Num, Paren, Section};
        assert_eq!(levels(&[Chapter, Section, Paren, Circled, KanaParen]), [0, 1, 2, 3, 4]);
        assert_eq!(levels(&[Num(0), Paren, Circled]), [0, 2, 3]);
        assert_eq!(levels(&[Chapter, Num(0), Paren, Kana, KanaParen]), [0, 1, 2, 3, 4]);
        assert_eq!(levels(&[Dai, Num(0), Paren, Kana, KanaParen]), [0, 1, 2, 3, 4]);
        assert_eq!(levels(&[Chapter, Section, Num(0), Paren, Kana]), [0, 1, 2, 3, 4]);
        assert_eq!(levels(&[Num(0), Decimal(2), Decimal(3), Paren, Kana]), [0, 1, 2, 3, 4]);
        assert_eq!(levels(&[Num(0), Paren, Kana]), [0, 2, 4]);
        assert_eq!(levels(&[Chapter, Section, Num(0), Paren, Circled, Kana]), [0, 1, 2, 3, 4, 5]);
    }
}
