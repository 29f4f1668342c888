//! Canonical JSON (RFC 8785) and SHA-256 over it: the form in which content is decided upon and anchored.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Canonical JSON of a value: members sorted by UTF-16 code units, no white space, ECMAScript number and string forms.
///
/// Sekisho keeps only integers in decided content, so a non-integer number is written as JSON's own text.
#[must_use]
pub fn canonical_json(value: &serde_json::Value) -> String {
    let mut out = String::new();
    write_value(value, &mut out);
    out
}

fn write_value(value: &serde_json::Value, out: &mut String) {
    use serde_json::Value as V;
    match value {
        V::Null => out.push_str("null"),
        V::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        V::Number(n) => {
            let _ = write!(out, "{n}");
        }
        V::String(s) => write_string(s, out),
        V::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        V::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            if keys.iter().all(|k| k.is_ascii()) {
                keys.sort_unstable();
            } else {
                keys.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
            }
            out.push('{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                if let Some(member) = map.get(key) {
                    write_value(member, out);
                }
            }
            out.push('}');
        }
    }
}

fn write_string(s: &str, out: &mut String) {
    out.push('"');
    let mut rest = s;
    while let Some(at) = rest.find(|c| c < ' ' || c == '"' || c == '\\') {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = special.chars();
        match chars.next().unwrap_or_default() {
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.extend(['\\', c]),
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        out.extend([b >> 4, b & 15].map(|d| char::from_digit(u32::from(d), 16).unwrap_or_default()));
    }
    out
}

/// Bytes of lower- or upper-case hexadecimal; `None` when it is none.
#[must_use]
pub fn unhex(s: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        s.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[hi, lo]| hi * 16 + lo).collect())
}

/// SHA-256 of everything a reader gives.
///
/// # Errors
/// Reading failed.
pub fn sha256_reader(from: &mut impl std::io::Read) -> std::io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut piece = vec![0u8; 64 * 1024];
    loop {
        match from.read(&mut piece)? {
            0 => return Ok(hash.finalize().into()),
            n => hash.update(piece.get(..n).unwrap_or_default()),
        }
    }
}

/// SHA-256 of bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 of the canonical JSON, lower-case hexadecimal.
#[must_use]
pub fn content_hash(value: &serde_json::Value) -> String {
    hex(&sha256(canonical_json(value).as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sorts_by_utf16_and_escapes_as_rfc_8785() {
        // RFC 8785, 3.2.3: the example's order of members.
        let v = json!({"\u{20ac}": "Euro", "\r": "CR", "\u{fb33}": "Dalet", "1": "One", "\u{1f600}": "Smile", "\u{80}": "Ctl", "\u{f6}": "o"});
        let got = canonical_json(&v);
        let order: Vec<usize> = ["CR", "One", "Ctl", "\"o\"", "Euro", "Smile", "Dalet"]
            .iter()
            .map(|k| got.find(k).unwrap())
            .collect();
        assert!(order.is_sorted(), "{got}");
        assert_eq!(
            canonical_json(&json!({"b": [1, true, null], "a": "\u{1}\n\"髙"})),
            "{\"a\":\"\\u0001\\n\\\"髙\",\"b\":[1,true,null]}"
        );
    }

    #[test]
    fn hexadecimal_round_trips() {
        assert_eq!(unhex(&hex(&[0, 171, 255])), Some(vec![0, 171, 255]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("zz"), None);
        assert_eq!(hex(&sha256(b"")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
