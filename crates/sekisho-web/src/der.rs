//! Who a certificate is about and who issued it (RFC 5280): the few parts of it that may be a login name or that tell it from others, read from
//! its DER. Whether it is to be believed is decided before, by rustls.

/// The part of a certificate that is a login name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The mail address among the subject's alternative names.
    Email,
    /// The user principal name of a Windows domain, among the same.
    Upn,
    /// The common name of the subject.
    CommonName,
}

/// Of the alternative names (RFC 5280, section 4.2.1.6): 2.5.29.17.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 1.3.6.1.4.1.311.20.2.3.
const PRINCIPAL_NAME: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x14, 0x02, 0x03];
/// Bytes of a name, at most.
const NAME_BYTES: usize = 200;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OBJECT_ID: u8 = 0x06;
const OCTETS: u8 = 0x04;
const UTF8: u8 = 0x0c;
/// UTF8String, PrintableString, TeletexString, IA5String: taken where they are UTF-8.
const TEXTS: [u8; 4] = [UTF8, 0x13, 0x14, 0x16];
/// BMPString: UTF-16, the high byte first.
const UTF16: u8 = 0x1e;
/// Attributes of a name that have a short name (RFC 4514, section 3), by the end of 2.5.4.x.
const ATTRIBUTES: [(u8, &str); 6] = [(3, "CN"), (6, "C"), (7, "L"), (8, "ST"), (10, "O"), (11, "OU")];
/// Parts of a name that are shown, and bytes of one.
const PARTS: usize = 16;
const PART_BYTES: usize = 400;

/// Elements that follow one another: tag and content. It ends at the first that is not DER.
struct Elements<'d>(&'d [u8]);

impl<'d> Iterator for Elements<'d> {
    type Item = (u8, &'d [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = std::mem::take(&mut self.0);
        let (&[tag, first], rest) = rest.split_first_chunk::<2>()?;
        // Tags of several bytes stand nowhere in a certificate.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (bytes.iter().fold(0, |n, b| (n << 8) | usize::from(*b)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }
}

/// The content of the first element, when it has a tag.
fn inside(der: &[u8], tag: u8) -> Option<&[u8]> {
    Elements(der).next().filter(|(t, _)| *t == tag).map(|(_, content)| content)
}

/// The one name of a kind that a certificate holds; none when there is none, or more than one.
pub(crate) fn name(certificate: &[u8], field: Field) -> Option<String> {
    let about = inside(inside(certificate, SEQUENCE)?, SEQUENCE)?;
    let found = match field {
        Field::CommonName => common_names(about),
        Field::Email | Field::Upn => alternative_names(about, field),
    };
    let [one] = found.as_slice() else { return None };
    let text = std::str::from_utf8(one).ok()?;
    let plain = !text.is_empty() && text.len() <= NAME_BYTES && !text.chars().any(char::is_control);
    plain.then(|| text.to_owned())
}

/// Who issued a certificate, in words, and its number there; none when it is no certificate.
pub(crate) fn issued(certificate: &[u8]) -> Option<(String, &[u8])> {
    let about = inside(inside(certificate, SEQUENCE)?, SEQUENCE)?;
    let mut fields = Elements(about).skip_while(|(tag, _)| *tag == 0xa0);
    let (_, serial) = fields.next().filter(|(tag, _)| *tag == INTEGER)?;
    // A number that would be negative has a zero before it.
    let serial = serial.strip_prefix(&[0]).filter(|rest| !rest.is_empty()).unwrap_or(serial);
    let (_, issuer) = fields.nth(1).filter(|(tag, _)| *tag == SEQUENCE)?;
    let sets = Elements(issuer).filter(|(tag, _)| *tag == SET).flat_map(|(_, set)| Elements(set));
    let parts = sets.take(PARTS).filter_map(|(_, pair)| {
        let mut pair = Elements(pair);
        let (_, attribute) = pair.next().filter(|(tag, _)| *tag == OBJECT_ID)?;
        let (tag, value) = pair.next().filter(|(_, value)| value.len() <= PART_BYTES)?;
        let text = match tag {
            UTF16 => {
                let units = value.chunks_exact(2).map(|p| p.iter().fold(0, |n, b| (n << 8) | u16::from(*b)));
                String::from_utf16(&units.collect::<Vec<u16>>()).ok()?
            }
            tag if TEXTS.contains(&tag) => std::str::from_utf8(value).ok()?.to_owned(),
            _ => return None,
        };
        let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let short = match attribute {
            [0x55, 0x04, last] => ATTRIBUTES.iter().find(|(n, _)| n == last).map(|(_, short)| *short),
            _ => None,
        };
        Some(short.map_or_else(|| plain.clone(), |short| format!("{short}={plain}")))
    });
    Some((parts.collect::<Vec<_>>().join(", "), serial))
}

fn common_names(about: &[u8]) -> Vec<&[u8]> {
    // Version in [0], where it stands; serial number, algorithm, issuer, validity, subject.
    let mut fields = Elements(about).skip_while(|(tag, _)| *tag == 0xa0);
    let Some((SEQUENCE, subject)) = fields.nth(4) else { return vec![] };
    let sets = Elements(subject).filter(|(tag, _)| *tag == SET);
    sets.flat_map(|(_, set)| Elements(set))
        .filter_map(|(_, pair)| {
            let mut pair = Elements(pair);
            (pair.next()? == (OBJECT_ID, COMMON_NAME)).then_some(())?;
            pair.next().filter(|(tag, _)| TEXTS.contains(tag)).map(|(_, text)| text)
        })
        .collect()
}

fn alternative_names(about: &[u8], field: Field) -> Vec<&[u8]> {
    let Some((_, extensions)) = Elements(about).find(|(tag, _)| *tag == 0xa3) else { return vec![] };
    let all = inside(extensions, SEQUENCE).map(Elements).into_iter().flatten();
    let named = all.filter_map(|(_, extension)| {
        let mut parts = Elements(extension);
        (parts.next()? == (OBJECT_ID, ALTERNATIVE_NAMES)).then_some(())?;
        // Whether it is critical may stand between.
        let (_, value) = parts.find(|(tag, _)| *tag == OCTETS)?;
        inside(value, SEQUENCE)
    });
    named
        .flat_map(Elements)
        .filter_map(|(tag, value)| match (field, tag) {
            (Field::Email, 0x81) => Some(value),
            (Field::Upn, 0xa0) => {
                let mut parts = Elements(value);
                (parts.next()? == (OBJECT_ID, PRINCIPAL_NAME)).then_some(())?;
                let (_, explicit) = parts.next().filter(|(tag, _)| *tag == 0xa0)?;
                inside(explicit, UTF8)
            }
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::issued;

    fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        [&[tag, u8::try_from(content.len()).unwrap()], &content[..]].concat()
    }

    fn part(attribute: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        element(0x31, &[&element(0x30, &[&element(0x06, &[attribute]), &element(tag, &[value])])])
    }

    fn certificate(serial: &[u8], issuer: &[&[u8]]) -> Vec<u8> {
        let version = element(0xa0, &[&element(0x02, &[&[2]])]);
        let (serial, issuer) = (element(0x02, &[serial]), element(0x30, issuer));
        element(0x30, &[&element(0x30, &[&version, &serial, &element(0x30, &[]), &issuer])])
    }

    #[test]
    fn who_issued_a_certificate_is_read_in_every_kind_of_text() {
        let utf16: Vec<u8> = "湊\n局".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let made = certificate(
            &[0, 0x8f, 1],
            &[
                &part(&[0x55, 4, 6], 0x13, b"JP"),
                &part(&[0x55, 4, 3], 0x1e, &utf16),
                &part(&[0x09, 0x92], 0x16, b"lg"),
                // Neither UTF-8 nor of a known kind: left out.
                &part(&[0x55, 4, 10], 0x14, &[0xe9]),
                &part(&[0x55, 4, 11], 0x02, &[1]),
            ],
        );
        let (issuer, serial) = issued(&made).unwrap();
        assert_eq!((issuer.as_str(), serial), ("C=JP, CN=湊 局, lg", &[0x8f, 1][..]));
        assert_eq!(issued(&certificate(&[0], &[])), Some((String::new(), &[0][..])));
        for end in 0..made.len() {
            assert_eq!(issued(&made[..end]), None, "{end}");
        }
    }
}
