//! Bytes as decimal digits: seven bytes are seventeen digits.
//!
//! Digits pass through every scanner that types like a keyboard, whatever the layout of the keyboard, Caps Lock and the input method are
//! set to, and a QR code holds them in its numeric mode with one percent of loss.

/// Digits of a group of so many bytes.
const DIGITS: [usize; 8] = [0, 3, 5, 8, 10, 13, 15, 17];
/// Bytes of a whole group.
const GROUP: usize = 7;

/// Writes bytes as digits.
pub(super) fn write(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(GROUP) * 17);
    for group in bytes.chunks(GROUP) {
        let number = group.iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
        let width = DIGITS.get(group.len()).copied().unwrap_or_default();
        out.push_str(&format!("{number:0width$}"));
    }
    out
}

/// Reads what [`write`] wrote, and nothing else: each byte string has one spelling.
pub(super) fn read(digits: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(digits.len() / 17 * GROUP + GROUP);
    for group in digits.as_bytes().chunks(17) {
        let bytes = DIGITS.iter().position(|n| *n == group.len())?;
        let text = std::str::from_utf8(group).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?;
        let number: u64 = text.parse().ok()?;
        if number >> (8 * bytes) != 0 {
            return None;
        }
        out.extend(number.to_be_bytes().iter().skip(8 - bytes));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_group_is_a_big_endian_number() {
        assert_eq!(write(&[0xff; 7]), "72057594037927935");
        assert_eq!(write(&[1]), "001");
        assert_eq!(write(&[1, 0]), "00256");
        assert_eq!(read("256"), None, "no byte is so large");
        assert_eq!(read("72057594037927936"), None);
        assert_eq!(read("1"), None);
        assert_eq!(read("+01"), None);
    }

    proptest! {
        #[test]
        fn bytes_round_trip_and_digits_have_one_spelling(bytes in prop::collection::vec(any::<u8>(), 0..60), text in "[0-9]{0,40}") {
            prop_assert_eq!(read(&write(&bytes)), Some(bytes));
            if let Some(read) = read(&text) {
                prop_assert_eq!(write(&read), text);
            }
        }
    }
}
