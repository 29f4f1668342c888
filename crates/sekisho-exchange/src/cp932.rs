//! Windows code page 932, both ways and without loss: what would come back as another character counts as a character
//! that the code page cannot hold.

use encoding_rs::SHIFT_JIS;

/// First and last character of the user-defined area (外字) that code page 932 stores at F040–F9FC.
const GAIJI: std::ops::RangeInclusive<u32> = 0xe000..=0xe757;

/// Decodes, `None` when some byte sequence is not code page 932. 外字 become U+E000–U+E757.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let (text, malformed) = SHIFT_JIS.decode_without_bom_handling(bytes);
    (!malformed).then(|| text.into_owned())
}

/// Encodes one text.
///
/// # Errors
/// The first character that code page 932 cannot hold. Characters that an encoder would quietly replace by a similar
/// one (¥ U+00A5, ‾, − U+2212, 〜 U+301C) are reported too.
pub(super) fn encode(text: &str) -> Result<Vec<u8>, char> {
    let (bytes, _, unmappable) = SHIFT_JIS.encode(text);
    if !unmappable && decode(&bytes).as_deref() == Some(text) {
        return Ok(bytes.into_owned());
    }
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        if let Some(pair) = gaiji(c) {
            out.extend(pair);
            continue;
        }
        let mut buffer = [0; 4];
        let one: &str = c.encode_utf8(&mut buffer);
        let (bytes, _, unmappable) = SHIFT_JIS.encode(one);
        if unmappable || decode(&bytes).as_deref() != Some(one) {
            return Err(c);
        }
        out.extend_from_slice(&bytes);
    }
    Ok(out)
}

/// The two bytes of a user-defined character.
fn gaiji(c: char) -> Option<[u8; 2]> {
    let index = GAIJI.contains(&u32::from(c)).then(|| u32::from(c) - GAIJI.start())?;
    let trail = index % 188;
    // Trail bytes run 40–7E and 80–FC.
    let trail = trail + if trail < 63 { 0x40 } else { 0x41 };
    Some([u8::try_from(0xf0 + index / 188).ok()?, u8::try_from(trail).ok()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_ibm_extension_and_gaiji_survive() {
        for text in ["髙﨑", "①㈱～－", "ｶﾅ\t\"", "\u{e000}\u{e757}山田", "", "\\"] {
            assert_eq!(decode(&encode(text).unwrap()).as_deref(), Some(text), "{text}");
        }
        for code in GAIJI {
            let c = char::from_u32(code).unwrap().to_string();
            assert_eq!(decode(&encode(&c).unwrap()), Some(c));
        }
    }

    #[test]
    fn what_it_cannot_hold_is_named() {
        for (text, c) in [
            ("渡邉󠄁", '\u{e0101}'),
            ("𠮷田", '𠮷'),
            ("¥", '¥'),
            ("1−2", '−'),
            ("〜", '〜'),
            ("㋿", '㋿'),
            ("é", 'é'),
        ] {
            assert_eq!(encode(text), Err(c), "{text}");
        }
        assert_eq!(decode(&[0x81]), None);
        assert_eq!(decode(&[0xa0, 0xfd]), None);
    }
}
