//! Reading CBOR (RFC 8949) as authenticators write it (CTAP 2.1, section 8: definite lengths, few levels). Bounded: a hostile text costs no more
//! than its own length.

/// Levels of nesting: an attestation object holds maps within a map.
const DEPTH: usize = 4;
/// Entries of one array or map.
const ENTRIES: u64 = 64;

/// One item, borrowed from what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item<'b> {
    Int(i64),
    Bytes(&'b [u8]),
    Text(&'b str),
    Array(Vec<Item<'b>>),
    Map(Vec<(Item<'b>, Item<'b>)>),
    /// `false`, `true`, `null` and the like: by number.
    Simple(u8),
}

impl<'b> Item<'b> {
    fn get(&self, key: &Item<'_>) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        let mut fit = entries.iter().filter(|(k, _)| k == key).map(|(_, v)| v);
        // A key that stands twice has no meaning.
        fit.next().filter(|_| fit.next().is_none())
    }

    /// An entry of a map by a number.
    pub(crate) fn at(&self, key: i64) -> Option<&Self> {
        self.get(&Item::Int(key))
    }

    /// An entry of a map by a name.
    pub(crate) fn named(&self, key: &str) -> Option<&Self> {
        self.get(&Item::Text(key))
    }

    pub(crate) fn int(&self) -> Option<i64> {
        if let Self::Int(n) = self { Some(*n) } else { None }
    }

    pub(crate) fn bytes(&self) -> Option<&'b [u8]> {
        if let Self::Bytes(b) = self { Some(b) } else { None }
    }
}

/// Reads one item; gives what follows it. None: it is cut off, too deep, too long, or of a kind that authenticators do not write.
pub(crate) fn read(bytes: &[u8]) -> Option<(Item<'_>, &[u8])> {
    item(bytes, DEPTH)
}

/// Major type, argument, what follows.
fn head(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let width = match first & 0x1f {
        n @ 0..=23 => return Some((first >> 5, u64::from(n), rest)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let (argument, rest) = rest.split_at_checked(width)?;
    Some((first >> 5, argument.iter().fold(0, |n, b| (n << 8) | u64::from(*b)), rest))
}

fn item(bytes: &[u8], depth: usize) -> Option<(Item<'_>, &[u8])> {
    let (major, n, rest) = head(bytes)?;
    let take = || rest.split_at_checked(usize::try_from(n).ok()?);
    let below = || depth.checked_sub(1).filter(|_| n <= ENTRIES);
    Some(match major {
        0 => (Item::Int(i64::try_from(n).ok()?), rest),
        1 => (Item::Int(-1 - i64::try_from(n).ok()?), rest),
        2 => take().map(|(own, rest)| (Item::Bytes(own), rest))?,
        3 => {
            let (own, rest) = take()?;
            (Item::Text(std::str::from_utf8(own).ok()?), rest)
        }
        4 => {
            let (depth, mut list, mut rest) = (below()?, Vec::new(), rest);
            for _ in 0..n {
                let (value, after) = item(rest, depth)?;
                list.push(value);
                rest = after;
            }
            (Item::Array(list), rest)
        }
        5 => {
            let (depth, mut map, mut rest) = (below()?, Vec::new(), rest);
            for _ in 0..n {
                let (key, after) = item(rest, depth)?;
                let (value, after) = item(after, depth)?;
                map.push((key, value));
                rest = after;
            }
            (Item::Map(map), rest)
        }
        // Of one byte: with more it is a fraction, which nobody here writes.
        7 if rest.len() + 1 == bytes.len() => (Item::Simple(u8::try_from(n).ok()?), rest),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_examples_of_the_specification() {
        // RFC 8949, appendix A.
        assert_eq!(read(&[0x18, 0x64]), Some((Item::Int(100), &[][..])));
        assert_eq!(read(&[0x38, 0x63]), Some((Item::Int(-100), &[][..])));
        assert_eq!(read(&[0x39, 0x03, 0xe7, 9]), Some((Item::Int(-1000), &[9][..])));
        assert_eq!(read(&[0x44, 1, 2, 3, 4]), Some((Item::Bytes(&[1, 2, 3, 4]), &[][..])));
        assert_eq!(read(&[0x64, b'I', b'E', b'T', b'F']), Some((Item::Text("IETF"), &[][..])));
        assert_eq!(read(&[0xf6]), Some((Item::Simple(22), &[][..])));
        let (map, rest) = read(&[0xa2, 0x61, 0x61, 0x01, 0x02, 0x82, 0x02, 0x03]).unwrap();
        assert_eq!((map.named("a").and_then(Item::int), rest.len()), (Some(1), 0));
        assert_eq!(map.at(2), Some(&Item::Array(vec![Item::Int(2), Item::Int(3)])));
    }

    #[test]
    fn refuses_what_is_cut_off_too_deep_too_long_or_doubled() {
        let deep = [&[0x81; DEPTH + 1][..], &[0]].concat();
        for bad in [
            &[][..],
            &[0x18],
            &[0x44, 1, 2],
            &[0x9f, 0xff],
            &[0x5f],
            &[0xc0, 0x00],
            &[0x62, 0xff, 0xff],
            &[0x1b, 255, 255, 255, 255, 255, 255, 255, 255],
            &[0x5b, 255, 255, 255, 255, 255, 255, 255, 255],
            &[0x9a, 0, 1, 0, 0],
            &[0xfb, 0, 0, 0, 0, 0, 0, 0, 0],
            &deep,
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
        let (map, _) = read(&[0xa2, 0x01, 0x01, 0x01, 0x02]).unwrap();
        assert_eq!(map.at(1), None, "a key that stands twice");
    }

    proptest! {
        #[test]
        fn never_fails_on_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some((_, rest)) = read(&bytes) {
                prop_assert!(rest.len() < bytes.len());
            }
        }
    }
}
