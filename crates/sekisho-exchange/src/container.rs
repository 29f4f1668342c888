//! The zip container of a workbook, looked at before the workbook reader sees it: which files it holds, how large they
//! really become, and whether one of them would make the reader take unbounded memory. The reader opens containers with
//! the same library as this module, so it sees the members that were measured here and no others.

use std::io::{self, Cursor, Read};

use zip::{CompressionMethod, ZipArchive};

use super::read::ReadError;

/// Bytes that all members of a workbook may become together. Measured while unpacking, so it also bounds the ratio.
const INFLATED_BYTES: u64 = 300 * 1024 * 1024;
/// Bytes of the shared strings, which the reader keeps in memory.
const STRINGS_BYTES: u64 = 100 * 1024 * 1024;
/// Bytes of the styles and of the workbook's own list of sheets.
const STYLES_BYTES: u64 = 3 * 1024 * 1024;
/// Bytes of one attribute of the styles: the reader copies font names and formats into every cell format.
const STYLE_ATTRIBUTE_BYTES: usize = 1_024;
/// Members of one workbook.
const MEMBERS: usize = 2_000;

/// Names of the members, after all were measured.
///
/// # Errors
/// [`ReadError::TooLarge`] when the members become more than [`INFLATED_BYTES`]; [`ReadError::Broken`] when the
/// container is damaged or unusual.
pub(super) fn members(bytes: &[u8]) -> Result<Vec<String>, ReadError> {
    members_within(bytes, INFLATED_BYTES)
}

fn members_within(bytes: &[u8], limit: u64) -> Result<Vec<String>, ReadError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| ReadError::Broken)?;
    // Two members of one name, or a container behind another one: what the person saw may not be what is read.
    if archive.len() > MEMBERS || archive.has_duplicate_names() || archive.offset() != 0 {
        return Err(ReadError::Broken);
    }
    let mut left = limit;
    let mut names = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let (name, size) = measure(&mut archive, index, left)?;
        left = left.checked_sub(size).ok_or(ReadError::TooLarge)?;
        names.push(name);
    }
    Ok(names)
}

/// Name and real size of a member, which is unpacked to at most one byte more than `limit`. The library ends with an
/// error where a member becomes longer than declared or its checksum differs.
fn measure(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    limit: u64,
) -> Result<(String, u64), ReadError> {
    let entry = archive.by_index_data(index).map_err(|_| ReadError::Broken)?;
    // Other methods, which another crate may have switched on in the library, take memory of their own.
    if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
        return Err(ReadError::Broken);
    }
    let name = entry.name().map_err(|_| ReadError::Broken)?.into_owned();
    let mut member = archive.by_index(index).map_err(|_| ReadError::Broken)?;
    let Some(kind) = Kind::of(&name) else {
        let size = io::copy(&mut member.take(limit + 1), &mut io::sink()).map_err(|_| ReadError::Broken)?;
        return Ok((name, size));
    };
    let limit = limit.min(kind.limit());
    let mut opened = Vec::new();
    member.by_ref().take(limit + 1).read_to_end(&mut opened).map_err(|_| ReadError::Broken)?;
    let size = u64::try_from(opened.len()).unwrap_or(u64::MAX);
    if size > limit {
        return Err(ReadError::TooLarge);
    }
    harmless(kind, &opened)?;
    Ok((name, size))
}

/// Members that the workbook reader takes into memory as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Strings,
    Styles,
    Structure,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        if name.ends_with("sharedstrings.xml") {
            Some(Self::Strings)
        } else if name.ends_with("styles.xml") {
            Some(Self::Styles)
        } else if name.ends_with("workbook.xml") || name.ends_with(".rels") {
            Some(Self::Structure)
        } else {
            None
        }
    }

    fn limit(self) -> u64 {
        match self {
            Self::Strings => STRINGS_BYTES,
            Self::Styles | Self::Structure => STYLES_BYTES,
        }
    }
}

/// Refuses what makes the workbook reader take far more memory than the member has bytes.
fn harmless(kind: Kind, opened: &[u8]) -> Result<(), ReadError> {
    // Another encoding could hide from the tests below what the reader would still see.
    let text = std::str::from_utf8(opened).map_err(|_| ReadError::Broken)?;
    let head: String = text.chars().take(200).collect::<String>().to_ascii_lowercase();
    if text.contains('\0') || head.contains("encoding=") && !head.contains("utf-8") {
        return Err(ReadError::Broken);
    }
    // The reader reserves room for as many strings as the file claims to hold.
    let claims = text.match_indices("uniqueCount").filter_map(|(at, word)| {
        let rest = text.get(at + word.len()..)?;
        let digits: String =
            rest.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        Some(digits.parse::<usize>().unwrap_or(usize::MAX))
    });
    if kind == Kind::Strings && claims.into_iter().any(|claim| claim > opened.len()) {
        return Err(ReadError::Broken);
    }
    if kind == Kind::Styles && (text.contains("<!") || longest_attribute(opened) > STYLE_ATTRIBUTE_BYTES) {
        return Err(ReadError::Broken);
    }
    Ok(())
}

/// Bytes of the longest quoted value inside a tag.
fn longest_attribute(xml: &[u8]) -> usize {
    let (mut in_tag, mut quote, mut length, mut longest) = (false, None, 0, 0);
    for byte in xml {
        match (quote, byte) {
            (Some(open), b) if open == *b => quote = None,
            (Some(_), _) => {
                length += 1;
                longest = longest.max(length);
            }
            (None, b'<') => in_tag = true,
            (None, b'>') => in_tag = false,
            (None, b'"' | b'\'') if in_tag => (quote, length) = (Some(*byte), 0),
            _ => {}
        }
    }
    longest
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// A zip of one member, stored.
    pub(crate) fn zip_of(name: &str, data: &[u8]) -> Vec<u8> {
        pack(&[(name, data)], CompressionMethod::Stored)
    }

    /// A zip of members that are stored as they are.
    pub(crate) fn zip_of_many(members: &[(&str, &str)]) -> Vec<u8> {
        let members: Vec<_> = members.iter().map(|(name, data)| (*name, data.as_bytes())).collect();
        pack(&members, CompressionMethod::Stored)
    }

    fn pack(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
        let zip = writer(members, SimpleFileOptions::default().compression_method(method));
        zip.finish().unwrap().into_inner()
    }

    fn writer(members: &[(&str, &[u8])], options: SimpleFileOptions) -> ZipWriter<Cursor<Vec<u8>>> {
        let mut zip = ZipWriter::new(Cursor::default());
        for (name, data) in members {
            zip.start_file(*name, options).unwrap();
            zip.write_all(data).unwrap();
        }
        zip
    }

    /// Place of the last directory entry.
    fn directory_at(zip: &[u8]) -> usize {
        zip.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap()
    }

    #[test]
    fn members_that_unpack_to_too_much_are_refused() {
        let (sheet, text) = ("xl/worksheets/sheet1.xml", vec![b'a'; 2_000_000]);
        let zip = pack(&[(sheet, &text)], CompressionMethod::Deflated);
        assert!(zip.len() < 20_000);
        assert_eq!(members_within(&zip, 1_999_999), Err(ReadError::TooLarge));
        assert_eq!(members_within(&zip, 2_000_000).unwrap(), [sheet]);
        // Together, where each alone would do; a member that is kept in memory counts like the others.
        for second in ["xl/media/a.png", "xl/sharedStrings.xml"] {
            let two = pack(&[(sheet, &text), (second, &text)], CompressionMethod::Deflated);
            assert_eq!(members_within(&two, 3_999_999), Err(ReadError::TooLarge));
            assert!(members_within(&two, 4_000_000).is_ok());
        }
        let text = vec![b'a'; usize::try_from(STYLES_BYTES).unwrap() + 1];
        for (name, fits) in
            [("xl/styles.xml", false), ("xl/Workbook.xml", false), ("xl/sharedStrings.xml", true)]
        {
            let result = members(&pack(&[(name, &text)], CompressionMethod::Deflated));
            assert_eq!(result, if fits { Ok(vec![name.to_owned()]) } else { Err(ReadError::TooLarge) });
        }
    }

    #[test]
    fn a_directory_that_lies_about_sizes_is_found_out() {
        let mut zip = pack(&[("xl/worksheets/sheet1.xml", &[b'a'; 2_000_000])], CompressionMethod::Deflated);
        let at = directory_at(&zip) + 24;
        for declared in [0u32, 100, 1_999_999] {
            zip[at..at + 4].copy_from_slice(&declared.to_le_bytes());
            assert_eq!(members(&zip), Err(ReadError::Broken));
        }
        // A claim of more than there is costs nothing: no room is taken for it.
        zip[at..at + 4].copy_from_slice(&0xffff_fffeu32.to_le_bytes());
        assert!(members_within(&zip, 2_000_000).is_ok());
    }

    #[test]
    fn broken_streams_are_refused() {
        for name in ["a.txt", "xl/sharedStrings.xml"] {
            for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
                let mut zip = pack(&[(name, b"hello hello hello hello")], method);
                zip[30 + name.len() + 2] ^= 0x55;
                assert_eq!(members(&zip), Err(ReadError::Broken), "{name} {method}");
            }
        }
    }

    #[test]
    fn too_many_members_are_refused() {
        let names: Vec<String> = (0..=MEMBERS).map(|n| format!("{n}.xml")).collect();
        let all: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        assert_eq!(members(&pack(&all, CompressionMethod::Stored)), Err(ReadError::Broken));
        assert_eq!(members(&pack(&all[1..], CompressionMethod::Stored)).unwrap().len(), MEMBERS);
    }

    #[test]
    fn members_that_blow_up_in_the_reader_are_refused() {
        let strings = |xml: &str| members(&zip_of("xl/SharedStrings.xml", xml.as_bytes()));
        assert!(strings("<sst uniqueCount=\"2\"><si><t>a</t></si></sst>").is_ok());
        for claim in ["999999999999", "99999999999999999999999999"] {
            assert!(strings(&format!("<sst count='1' uniqueCount = '{claim}'></sst>")).is_err());
        }
        assert!(strings("<?xml version='1.0' encoding='UTF-16'?><sst/>").is_err());
        let styles = |n: usize| {
            let xml = format!(
                "<styleSheet><border><left/></border><font><name val=\"{}\"/></font></styleSheet>",
                "<".repeat(n)
            );
            members(&zip_of("xl/styles.xml", xml.as_bytes()))
        };
        assert!(styles(1_024).is_ok());
        assert!(styles(1_025).is_err());
    }

    #[test]
    fn plain_members_are_listed() {
        assert_eq!(members(&zip_of("a.txt", b"abc")).unwrap(), ["a.txt"]);
    }

    #[test]
    fn comments_zip64_and_embedded_containers_are_read() {
        let inner = zip_of("a.txt", b"abc");
        assert_eq!(members(&zip_of("xl/embeddings/a.bin", &inner)).unwrap(), ["xl/embeddings/a.bin"]);
        let mut zip = writer(&[("a.txt", b"abc")], SimpleFileOptions::default().large_file(true));
        zip.set_comment("庁内システムが作成").unwrap();
        zip.set_raw_zip64_extensible_data_sector(b"data".to_vec().into());
        let zip = zip.finish().unwrap().into_inner();
        assert!(zip.windows(4).any(|w| w == b"PK\x06\x06"));
        assert_eq!(members(&zip).unwrap(), ["a.txt"]);
    }

    #[test]
    fn unusual_containers_are_refused() {
        let good = zip_of("a.txt", b"abc");
        let mut two = good.clone();
        two.splice(0..0, good.clone());
        let at = directory_at(&good);
        let mut method = good.clone();
        method[at + 10] = 9;
        let mut encrypted = good.clone();
        encrypted[at + 8] |= 1;
        let mut twice = pack(&[("a.txt", b"abc"), ("b.txt", b"abc")], CompressionMethod::Stored);
        let at = directory_at(&twice);
        twice[at + 46] = b'a';
        for bytes in [&two, &method, &encrypted, &twice, &b"PK\x03\x04".to_vec()] {
            assert_eq!(members(bytes), Err(ReadError::Broken));
        }
        for cut in 0..good.len() {
            assert!(members(&good[..cut]).is_err());
        }
    }
}
