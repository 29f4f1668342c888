//! Bytes to characters: BOM, declared charset, then what fits best.

use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes at the start of a page in which a charset is declared (HTML says 1,024).
const META_WINDOW: usize = 2048;

/// Names the format of files that are certainly no text.
pub(super) fn foreign(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: &[(&[u8], &str)] = &[
        (b"%PDF", "PDFファイル"),
        (b"\xD0\xCF\x11\xE0", "古い形式のOfficeファイル（.doc、.xlsなど）"),
        (b"{\\rtf", "リッチテキスト（.rtf）"),
        (b"\x89PNG", "画像ファイル"),
        (b"\xFF\xD8\xFF", "画像ファイル"),
        (b"GIF8", "画像ファイル"),
        (b"\x7FELF", "実行ファイル"),
        (b"MZ\x90", "実行ファイル"),
        (b"\x1F\x8B", "圧縮ファイル"),
        (b"7z\xBC\xAF", "圧縮ファイル"),
        (b"Rar!", "圧縮ファイル"),
    ];
    if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(kind);
    }
    let wide = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
    let head = bytes.get(..65_536).unwrap_or(bytes);
    (!wide && head.contains(&0)).then_some("バイナリファイル")
}

/// Decodes; gives the text and the number of characters that could not be decoded.
pub(super) fn decode(bytes: &[u8], markup: bool) -> (String, usize) {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return with(encoding, bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        // ISO-2022-JP is seven-bit and therefore valid UTF-8.
        return if bytes.contains(&0x1b) && bytes.windows(3).any(|w| w == b"\x1b$B" || w == b"\x1b$@") {
            with(ISO_2022_JP, bytes)
        } else {
            (text.to_owned(), 0)
        };
    }
    if let Some(encoding) = markup.then(|| declared(bytes)).flatten() {
        return with(encoding, bytes);
    }
    [UTF_8, SHIFT_JIS, EUC_JP]
        .into_iter()
        .map(|encoding| with(encoding, bytes))
        .min_by_key(|(text, bad)| (*bad * 8 + oddities(text), text.len()))
        .unwrap_or_default()
}

fn with(encoding: &'static Encoding, bytes: &[u8]) -> (String, usize) {
    // decode() looks at the BOM again, so that an UTF-16 file is decoded as such.
    let (text, _, bad) = encoding.decode(bytes);
    let count = if bad { text.chars().filter(|c| *c == '\u{fffd}').count() } else { 0 };
    (text.into_owned(), count)
}

/// Half-width katakana and private-use characters: rare in a standard, common in a wrong guess.
fn oddities(text: &str) -> usize {
    text.chars()
        .take(20_000)
        .filter(|c| matches!(c, '\u{ff61}'..='\u{ff9f}' | '\u{e000}'..='\u{f8ff}'))
        .count()
}

/// The charset a page declares in `<meta>` or in its XML declaration.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head: Vec<u8> = bytes.iter().take(META_WINDOW).map(u8::to_ascii_lowercase).collect();
    let head = String::from_utf8_lossy(&head);
    ["charset=", "encoding="].iter().find_map(|key| {
        let (_, rest) = head.split_once(key)?;
        let label: String = rest
            .trim_start_matches(['"', '\'', ' '])
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            .collect();
        Encoding::for_label(label.as_bytes()).filter(|e| *e != UTF_16LE && *e != UTF_16BE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "第１条　この規程は、情報資産の管理について必要な事項を定める。";

    #[test]
    fn every_encoding_without_being_told() {
        for encoding in [UTF_8, SHIFT_JIS, EUC_JP, ISO_2022_JP] {
            let (bytes, _, lossy) = encoding.encode(TEXT);
            assert!(!lossy);
            assert_eq!(decode(&bytes, false), (TEXT.to_owned(), 0), "{}", encoding.name());
        }
        let utf16: Vec<u8> =
            [0xFEFFu16].into_iter().chain(TEXT.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&utf16, false).0, TEXT);
    }

    #[test]
    fn declared_charset_is_believed_in_pages() {
        let page = format!("<html><head><meta charset=\"euc-jp\"></head><body>{TEXT}</body></html>");
        let (bytes, _, _) = EUC_JP.encode(&page);
        assert_eq!(decode(&bytes, true).0, page);
    }
}
