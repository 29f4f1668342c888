//! The little of BER (X.690) that is read here: elements with a definite length.

/// How deep elements may be nested: an entry with its attributes takes six.
const DEPTH: usize = 16;

/// Splits the first element: its tag, its contents, what follows it. Nothing when it is not whole, or its length takes more than four bytes.
pub(super) fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if first & 0x80 == 0 {
        (usize::from(*first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if digits.is_empty() || digits.len() > 4 {
            return None;
        }
        (digits.iter().fold(0, |n, d| (n << 8) | usize::from(*d)), rest)
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((*tag, contents, rest))
}

/// Bytes that the first element takes, once its length is there; more than there can be when the length is not definite or takes more than four.
pub(super) fn size(bytes: &[u8]) -> Option<usize> {
    let first = *bytes.get(1)?;
    let (head, length) = if first & 0x80 == 0 {
        (2, usize::from(first))
    } else {
        let digits = bytes.get(2..2 + usize::from(first & 0x7f))?;
        if digits.is_empty() || digits.len() > 4 {
            return Some(usize::MAX);
        }
        (2 + digits.len(), digits.iter().fold(0, |n, d| (n << 8) | usize::from(*d)))
    };
    Some(head + length)
}

/// How many elements a message (RFC 4511, 4.1.1) holds, one inside the other. Nothing when it is none, or they are nested deeper than any
/// message: the library walks into them by recursion.
pub(super) fn elements(message: &[u8]) -> Option<usize> {
    let (body, _) = of(0x30, message)?;
    if of(0x02, body)?.1.is_empty() {
        return None;
    }
    let (mut at, mut ends, mut count) = (0, vec![message.len()], 0);
    while let Some(end) = ends.last().copied() {
        if at == end {
            ends.pop();
            continue;
        }
        let (tag, contents, rest) = element(message.get(at..end)?)?;
        // A tag of several bytes, which LDAP does not have.
        if tag & 0x1f == 0x1f {
            return None;
        }
        count += 1;
        let next = end - rest.len();
        if tag & 0x20 == 0 {
            at = next;
        } else if ends.len() > DEPTH {
            return None;
        } else {
            at = next - contents.len();
            ends.push(next);
        }
    }
    Some(count)
}

/// The contents of the first element, which must have this tag, and what follows it.
pub(super) fn of(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    element(bytes).filter(|(t, ..)| *t == tag).map(|(_, contents, rest)| (contents, rest))
}

/// Result code of the answer to the message with number 1, an extended response (RFC 4511, 4.12).
pub(super) fn extended_result(message: &[u8]) -> Option<u8> {
    let (message, rest) = of(0x30, message)?;
    let (id, response) = of(0x02, message)?;
    let (response, _) = of(0x78, response)?;
    let (code, _) = of(0x0a, response)?;
    match (id, code, rest) {
        ([1], [code], []) => Some(*code),
        _ => None,
    }
}

/// Last day of a certificate (RFC 5280, 4.1.2.5), from its DER.
pub(crate) fn not_after(certificate: &[u8]) -> Option<sekisho_base::Date> {
    let (certificate, _) = of(0x30, certificate)?;
    let (mut rest, _) = of(0x30, certificate)?;
    // The version may be missing; serial number, algorithm and issuer come before the validity.
    if let Some((_, after)) = of(0xa0, rest) {
        rest = after;
    }
    for tag in [0x02, 0x30, 0x30] {
        rest = of(tag, rest)?.1;
    }
    let (validity, _) = of(0x30, rest)?;
    let (_, _, until) = element(validity)?;
    let (tag, digits, _) = element(until)?;
    let text = std::str::from_utf8(digits).ok()?;
    let (year, rest) = match tag {
        0x17 => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: u16 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        0x18 => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    format!("{year:04}-{}-{}", rest.get(..2)?, rest.get(2..4)?).parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_to_start_tls_are_read_as_openldap_and_active_directory_write_them() {
        let short = [0x30, 0x0c, 2, 1, 1, 0x78, 7, 0x0a, 1, 0, 4, 0, 4, 0];
        assert_eq!(extended_result(&short), Some(0));
        let long =
            [&[0x30, 0x84, 0, 0, 0, 0x10, 2, 1, 1, 0x78, 0x84, 0, 0, 0, 7, 0x0a, 1, 52][..], &[4, 0, 4, 0]]
                .concat();
        assert_eq!(extended_result(&long), Some(52));
        for end in 0..short.len() {
            assert_eq!(extended_result(&short[..end]), None);
        }
    }

    #[test]
    fn messages_are_counted_and_those_that_are_none_or_too_deep_are_refused() {
        let nested = |depth: usize| {
            (0..depth).fold(vec![4, 0], |inner, _| {
                let [a, b, ..] = u32::try_from(inner.len()).unwrap().to_le_bytes();
                [&[0x30, 0x82, b, a][..], &inner].concat()
            })
        };
        let message = |inner: &[u8]| {
            let [a, b, ..] = u32::try_from(inner.len() + 3).unwrap().to_le_bytes();
            [&[0x30, 0x82, b, a, 2, 1, 1][..], inner].concat()
        };
        assert_eq!(elements(&message(&nested(3))), Some(6));
        assert_eq!(elements(&message(&nested(10_000))), None);
        assert_eq!(elements(&message(&[])), None, "nothing but a number");
        assert_eq!(elements(&[0x30, 0]), None);
        assert_eq!(elements(&message(&[0x1f, 0x81, 1, 0])), None);
        assert_eq!(elements(&message(&[4, 9, 0])), None, "longer than what holds it");
        assert_eq!((size(&[0x30]), size(&[0x30, 0x81]), size(&[0x30, 0x80])), (None, None, Some(usize::MAX)));
        assert_eq!(size(b"HT"), Some(86));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some((_, contents, rest)) = element(&bytes) {
                prop_assert!(contents.len() + rest.len() < bytes.len());
            }
            let _ = (extended_result(&bytes), not_after(&bytes), elements(&bytes), size(&bytes));
        }
    }
}
