//! The two embedded typefaces: IPAex Mincho for text, IPAex Gothic for headings. Embedded, because a server in a
//! closed network has no fonts to count on and the same form must look the same everywhere.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use typst::foundations::Bytes;
use typst::layout::Abs;
use typst::text::{Font, FontBook, FontInstance, FontVariant, FontVariations};
use typst::utils::LazyHash;

/// The files as published; licence in `fonts/LICENSE-IPA.txt`.
const FILES: [&[u8]; 2] = [include_bytes!("../fonts/ipaexm.ttf"), include_bytes!("../fonts/ipaexg.ttf")];

static FONTS: LazyLock<Vec<Font>> =
    LazyLock::new(|| FILES.iter().flat_map(|file| Font::iter(Bytes::new(*file))).collect());

static BOOK: LazyLock<LazyHash<FontBook>> =
    LazyLock::new(|| LazyHash::new(FontBook::from_fonts(FONTS.iter())));

static TEXT: LazyLock<Option<FontInstance>> = LazyLock::new(|| {
    let font = FONTS.first()?.clone();
    Some(font.instantiate(FontVariant::default(), Abs::pt(10.0), &FontVariations::default()))
});

/// What typst chooses fonts from.
pub(crate) fn book() -> &'static LazyHash<FontBook> {
    &BOOK
}

/// The font at a place of [`book`].
pub(crate) fn font(index: usize) -> Option<Font> {
    FONTS.get(index).cloned()
}

/// What the embedded typefaces cannot show as written: characters that neither has (an empty box is printed) and, of
/// a character followed by a variation selector, the pair when the text typeface lacks that shape (the plain shape is
/// printed). In code point order, so that a form can name them.
#[must_use]
pub fn unprintable(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut before = None;
    for c in text.chars() {
        if is_selector(c) {
            if let Some(base) = before
                && has(base)
                && !has_shape(base, c)
            {
                found.insert([base, c].iter().collect());
            }
        } else if !c.is_control() && !has(c) {
            found.insert(c.to_string());
        }
        before = Some(c);
    }
    found
}

fn has(c: char) -> bool {
    FONTS.iter().any(|font| font.info().coverage.contains(u32::from(c)))
}

/// The text typeface, which is the first, has the shape that the selector asks for.
fn has_shape(base: char, selector: char) -> bool {
    TEXT.as_ref().is_some_and(|font| font.ttf().glyph_variation_index(base, selector).is_some())
}

/// Ideographic variation selectors VS17–VS256: they choose the shape of the character before them.
fn is_selector(c: char) -> bool {
    matches!(c, '\u{E0100}'..='\u{E01EF}')
}
