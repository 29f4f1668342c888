//! UUID version 5 (RFC 9562, 5.5): the same name, the same id.

use sha1::{Digest as _, Sha1};

/// The space of names of Sekisho, a random UUID.
const SPACE: [u8; 16] =
    [0x6f, 0x1d, 0x0e, 0x52, 0x8a, 0x3c, 0x4b, 0x7e, 0x9c, 0x51, 0x27, 0xd4, 0xe0, 0x93, 0x5a, 0xb8];

/// The id of a name.
pub(super) fn uuid5(name: &str) -> String {
    in_space(&SPACE, name)
}

fn in_space(space: &[u8; 16], name: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(space);
    hash.update(name.as_bytes());
    let digits: String = hash
        .finalize()
        .iter()
        .take(16)
        .enumerate()
        .map(|(i, b)| match i {
            6 => (b & 0x0f) | 0x50,
            8 => (b & 0x3f) | 0x80,
            _ => *b,
        })
        .map(|b| format!("{b:02x}"))
        .collect();
    let mut out = String::with_capacity(36);
    for (i, c) in digits.chars().enumerate() {
        if [8, 12, 16, 20].contains(&i) {
            out.push('-');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::in_space;

    #[test]
    fn it_is_that_of_the_specification() {
        // RFC 9562, A.4: name space DNS, www.example.com.
        let dns =
            [0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];
        assert_eq!(in_space(&dns, "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }
}
