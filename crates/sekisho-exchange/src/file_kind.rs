//! Which files are taken as attachments: by what they are called and by what they hold, which must agree. What could run on the reader's machine
//! is never taken. This looks at the outside of a file only; taking what is active out of it is another's work.

use std::io::{Cursor, Read as _};

use sekisho_base::limits;
use zip::ZipArchive;

/// Members of an archive whose names are looked at; one with more is not taken.
const MEMBERS: usize = 10_000;
/// Largest list of what the parts of an office document are, in bytes.
const TYPES: u64 = 1 << 20;
/// Where the mark of a PDF may begin: readers accept some bytes before it.
const PDF_HEAD: usize = 1_024;

/// A group of kinds that is taken or not as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// PDF.
    Pdf,
    /// Documents of office programs (OOXML, ODF) without macros.
    Office,
    /// Pictures.
    Image,
    /// Plain text and CSV.
    Text,
    /// Archives whose members' names can be read.
    Zip,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pdf, Self::Office, Self::Image, Self::Text, Self::Zip];

    /// Its word in the configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Office => "office",
            Self::Image => "image",
            Self::Text => "text",
            Self::Zip => "zip",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Pdf => "PDF",
            Self::Office => "Word・Excel・PowerPoint（docx・xlsx・pptx）とOpenDocument（odt・ods・odp）",
            Self::Image => "画像（png・jpg・gif・tif・webp・heic）",
            Self::Text => "テキスト・CSV（txt・csv・tsv）",
            Self::Zip => "zip",
        }
    }
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Pdf,
    Word,
    Excel,
    PowerPoint,
    Odt,
    Ods,
    Odp,
    Png,
    Jpeg,
    Gif,
    Tiff,
    Webp,
    Heic,
    Zip,
    Text,
    /// Office documents of before 2007, which may hide macros.
    OldOffice,
    /// An office document that only a password opens.
    Locked,
    Macro,
    Executable,
    Broken,
    Unknown,
}

impl Content {
    fn label(self) -> &'static str {
        match self {
            Self::Pdf => "PDF",
            Self::Word => "Wordの文書",
            Self::Excel => "Excelのブック",
            Self::PowerPoint => "PowerPointのスライド",
            Self::Odt | Self::Ods | Self::Odp => "OpenDocumentの文書",
            Self::Png | Self::Jpeg | Self::Gif | Self::Tiff | Self::Webp | Self::Heic => "画像",
            Self::Zip => "zip",
            Self::Text => "テキスト",
            Self::OldOffice => "古い形式のOfficeの文書",
            Self::Locked => "パスワードの付いた文書",
            Self::Macro => "マクロの付いた文書",
            Self::Executable => "実行できるプログラム",
            Self::Broken => "壊れたファイル",
            Self::Unknown => "種類の分からないもの",
        }
    }
}

/// Endings that are known, with what such a file holds.
const ENDINGS: [(&str, Content, Group); 20] = [
    ("pdf", Content::Pdf, Group::Pdf),
    ("docx", Content::Word, Group::Office),
    ("xlsx", Content::Excel, Group::Office),
    ("pptx", Content::PowerPoint, Group::Office),
    ("odt", Content::Odt, Group::Office),
    ("ods", Content::Ods, Group::Office),
    ("odp", Content::Odp, Group::Office),
    ("png", Content::Png, Group::Image),
    ("jpg", Content::Jpeg, Group::Image),
    ("jpeg", Content::Jpeg, Group::Image),
    ("gif", Content::Gif, Group::Image),
    ("tif", Content::Tiff, Group::Image),
    ("tiff", Content::Tiff, Group::Image),
    ("webp", Content::Webp, Group::Image),
    ("heic", Content::Heic, Group::Image),
    ("heif", Content::Heic, Group::Image),
    ("txt", Content::Text, Group::Text),
    ("csv", Content::Text, Group::Text),
    ("tsv", Content::Text, Group::Text),
    ("zip", Content::Zip, Group::Zip),
];

/// Endings of what Windows runs, or opens so that something runs.
const RUNS: &str = "appref-ms application bat chm cmd com cpl dll exe gadget hlp hta img inf ins iso jar jnlp js jse lnk \
    mde msc msh msi msix msp mst one pif ps1 psm1 py rdp reg rgs scf scr sct settingcontent-ms sh shb \
    shs sys url vb vbe vbs vhd vhdx website ws wsc wsf wsh xll";

/// Endings of office documents that carry macros.
const MACROS: &str = "docm dotm pot potm ppam ppsm pptm sldm xlam xlsm xltm";

/// Why a file is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFault {
    /// Its name holds characters that turn the direction of writing, so that another ending is seen than the file has.
    Disguised,
    /// It can run, or one of the members of an archive can: its name then.
    Runs(Option<String>),
    /// It has macros or controls that run.
    Macro(Option<String>),
    /// It is an office document of before 2007.
    OldOffice,
    /// Only a password opens it.
    Locked,
    /// It cannot be opened.
    Broken,
    /// Its name says one thing and its content is another.
    Differs {
        /// Ending of the name.
        named: String,
        /// What it holds, in Japanese.
        holds: &'static str,
    },
    /// A kind that is not taken here; its ending, empty when it has none.
    NotTaken(String),
}

/// The kinds that are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    groups: Vec<Group>,
    /// Further endings that are taken by their name, whatever they hold, as long as it does not run.
    endings: Vec<String>,
}

impl Default for Accepted {
    /// Every group and no further endings.
    fn default() -> Self {
        Self { groups: Group::ALL.to_vec(), endings: Vec::new() }
    }
}

impl Accepted {
    /// Reads the words of groups and endings like `.dwg` between commas.
    ///
    /// # Errors
    /// The word that is neither, or an ending of what runs.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut groups, mut endings) = (Vec::new(), Vec::new());
        for word in text.split(',').map(str::trim) {
            let known = Group::ALL.into_iter().find(|g| g.word() == word);
            let ending = word.strip_prefix('.').map(str::to_ascii_lowercase);
            let plain = |e: &String| {
                !e.is_empty() && e.bytes().all(|b| b.is_ascii_alphanumeric()) && !runs(e) && !has_macros(e)
            };
            match (known, ending.filter(plain)) {
                (Some(group), _) => groups.push(group),
                (None, Some(ending)) => endings.push(ending),
                (None, None) => return Err(word.to_owned()),
            }
        }
        groups.sort_unstable();
        groups.dedup();
        Ok(Self { groups, endings })
    }

    /// What is taken, for the person who chooses a file.
    #[must_use]
    pub fn words(&self) -> String {
        let groups = self.groups.iter().map(|g| g.label().to_owned());
        groups.chain(self.endings.iter().map(|e| format!(".{e}"))).collect::<Vec<_>>().join("、")
    }

    /// Looks at a file.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn judge(&self, name: &str, bytes: &[u8]) -> Result<(), FileFault> {
        let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
        if name.chars().any(turns) {
            return Err(FileFault::Disguised);
        }
        let ending = ending(name);
        if runs(&ending) {
            return Err(FileFault::Runs(None));
        }
        if has_macros(&ending) {
            return Err(FileFault::Macro(None));
        }
        let (content, member) = look(bytes);
        match content {
            Content::Executable => return Err(FileFault::Runs(member)),
            Content::Macro => return Err(FileFault::Macro(member)),
            _ => {}
        }
        if self.endings.contains(&ending) {
            return Ok(());
        }
        let known = ENDINGS.iter().find(|(e, ..)| *e == ending);
        let Some((_, expected, group)) = known else {
            return Err(match content {
                Content::OldOffice => FileFault::OldOffice,
                Content::Locked => FileFault::Locked,
                _ => FileFault::NotTaken(ending),
            });
        };
        if !self.groups.contains(group) {
            return Err(FileFault::NotTaken(ending));
        }
        match content {
            c if c == *expected => Ok(()),
            Content::Locked if *group == Group::Office => Err(FileFault::Locked),
            Content::Broken | Content::Unknown if *group != Group::Text => Err(FileFault::Broken),
            c => Err(FileFault::Differs { named: ending, holds: c.label() }),
        }
    }
}

impl FileFault {
    /// What is wrong with a file and what to do, for the person who chose it.
    #[must_use]
    pub fn says(&self, name: &str, accepted: &Accepted) -> String {
        let within =
            |member: &Option<String>| member.as_ref().map_or_else(String::new, |m| format!("の中の「{m}」"));
        match self {
            Self::Disguised => {
                "ファイルの名前に、文字の向きを変える記号が入っています。本当の種類が分からないため受け付けません。名前を付け直してください。"
                    .to_owned()
            }
            Self::Runs(member) => format!(
                "「{name}」{}は、開くとプログラムが動く種類のファイルです。ウイルスの感染を防ぐため受け付けません。内容をPDFや文書にして選んでください。",
                within(member)
            ),
            Self::Macro(member) => format!(
                "「{name}」{}には、マクロ（開くと動くプログラム）が入っています。ウイルスの感染を防ぐため受け付けません。マクロなしの形式（docx・xlsx・pptx）かPDFで保存し直してください。",
                within(member)
            ),
            Self::OldOffice => format!(
                "「{name}」は古い形式のOfficeの文書（doc・xls・ppt）で、マクロが入っていないかを確かめられません。docx・xlsx・pptxかPDFで保存し直してください。"
            ),
            Self::Locked => format!(
                "「{name}」にはパスワードが付いていて、中を確かめられません。パスワードを外して選び直してください。"
            ),
            Self::Broken => format!(
                "「{name}」は壊れているか、名前のとおりの種類ではありません。開けることを確かめて選び直してください。"
            ),
            Self::Differs { named, holds } => format!(
                "「{name}」は、名前では .{named} ですが、中身は{holds}です。正しい名前に直すか、正しいファイルを選び直してください。"
            ),
            Self::NotTaken(ending) => {
                let what = if ending.is_empty() {
                    "名前に種類（.pdf など）がありません".to_owned()
                } else {
                    format!("種類（.{ending}）は受け付けていません")
                };
                format!("「{name}」の{what}。受け付けるのは次の種類です：{}。", accepted.words())
            }
        }
    }
}

/// The ending of a name in lower case, as the reader's machine takes it: spaces and dots at the end do not count.
fn ending(name: &str) -> String {
    let name = name.trim_end_matches([' ', '.', '　']);
    name.rsplit_once('.').map_or_else(String::new, |(_, e)| e.to_ascii_lowercase())
}

fn runs(ending: &str) -> bool {
    RUNS.split(' ').any(|e| e == ending)
}

fn has_macros(ending: &str) -> bool {
    MACROS.split(' ').any(|e| e == ending)
}

/// What a file holds; for an archive also the member that is the reason.
fn look(bytes: &[u8]) -> (Content, Option<String>) {
    let begins = |mark: &[u8]| bytes.starts_with(mark);
    let at = |from: usize, mark: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(mark));
    let programs: [&[u8]; 5] =
        [b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\x4c\0\0\0\x01\x14\x02\0"];
    let content = if begins(b"MZ") && bytes.contains(&0) || programs.iter().any(|p| begins(p)) {
        Content::Executable
    } else if begins(b"PK\x03\x04") || begins(b"PK\x05\x06") {
        return look_into(bytes);
    } else if begins(b"\xd0\xcf\x11\xe0") {
        // Names in compound files are UTF-16.
        let locked: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        if bytes.windows(locked.len()).any(|w| w == locked) { Content::Locked } else { Content::OldOffice }
    } else if begins(b"\x89PNG\r\n\x1a\n") {
        Content::Png
    } else if begins(b"\xff\xd8\xff") {
        Content::Jpeg
    } else if begins(b"GIF87a") || begins(b"GIF89a") {
        Content::Gif
    } else if begins(b"II*\0") || begins(b"MM\0*") {
        Content::Tiff
    } else if begins(b"RIFF") && at(8, b"WEBP") {
        Content::Webp
    } else if at(4, b"ftyp") && [&b"heic"[..], b"heix", b"mif1", b"msf1", b"heim"].iter().any(|b| at(8, b)) {
        Content::Heic
    } else if bytes.get(..PDF_HEAD.min(bytes.len())).unwrap_or_default().windows(5).any(|w| w == b"%PDF-") {
        Content::Pdf
    } else if is_text(bytes) {
        Content::Text
    } else {
        Content::Unknown
    };
    (content, None)
}

/// Text in whatever encoding a city office writes (UTF-8, Shift JIS, EUC-JP, UTF-16 with its mark): no control characters but those of lines.
fn is_text(bytes: &[u8]) -> bool {
    let wide = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    wide || bytes
        .iter()
        .all(|b| *b >= 0x20 && *b != 0x7f || matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1a | 0x1b))
}

fn look_into(bytes: &[u8]) -> (Content, Option<String>) {
    let broken = (Content::Broken, None);
    if bytes.len() > limits::UPLOAD_BYTES {
        return broken;
    }
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else { return broken };
    // A container behind another one, or two members of one name: who opens it may see another than was looked at here.
    if archive.len() > MEMBERS || archive.has_duplicate_names() || archive.offset() != 0 {
        return broken;
    }
    let mut names = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let Ok(entry) = archive.by_index_data(index) else { return broken };
        let Ok(name) = entry.name().map(std::borrow::Cow::into_owned) else { return broken };
        names.push(name);
    }
    let lower: Vec<String> = names.iter().map(|n| n.to_ascii_lowercase()).collect();
    let has = |name: &str| lower.iter().any(|n| n == name);
    let below = |folder: &str| lower.iter().any(|n| n.starts_with(folder));
    if let Some(index) = lower.iter().position(|n| n == "[content_types].xml") {
        // What a part is, is said here; its name may be any.
        let Ok(member) = archive.by_index(index) else { return broken };
        let mut types = String::new();
        if member.size() > TYPES || member.take(TYPES).read_to_string(&mut types).is_err() {
            return broken;
        }
        let types = types.to_ascii_lowercase();
        if types.contains("macroenabled") || types.contains("vbaproject") || types.contains("activex") {
            return (Content::Macro, None);
        }
        let runs = |n: &String| {
            n.ends_with("vbaproject.bin") || n.contains("/macrosheets/") || n.contains("/activex/")
        };
        return match ["word/", "xl/", "ppt/"].map(below) {
            _ if lower.iter().any(runs) => (Content::Macro, None),
            [true, false, false] => (Content::Word, None),
            // The binary workbook is not looked into.
            [false, true, false] if !has("xl/workbook.bin") => (Content::Excel, None),
            [false, false, true] => (Content::PowerPoint, None),
            _ => (Content::Unknown, None),
        };
    }
    if has("mimetype") && has("content.xml") {
        if below("basic/") || below("scripts/") {
            return (Content::Macro, None);
        }
        return (open_document(&mut archive), None);
    }
    for (name, lower) in names.iter().zip(&lower) {
        let ending = ending(lower);
        let member = || Some(sekisho_base::text::shorten(name.rsplit('/').next().unwrap_or(name), 60));
        if runs(&ending) {
            return (Content::Executable, member());
        }
        if has_macros(&ending) {
            return (Content::Macro, member());
        }
    }
    (Content::Zip, None)
}

fn open_document(archive: &mut ZipArchive<Cursor<&[u8]>>) -> Content {
    let mut kind = String::new();
    let Ok(member) = archive.by_name("mimetype") else { return Content::Broken };
    if member.take(100).read_to_string(&mut kind).is_err() {
        return Content::Broken;
    }
    match kind.trim() {
        "application/vnd.oasis.opendocument.text" => Content::Odt,
        "application/vnd.oasis.opendocument.spreadsheet" => Content::Ods,
        "application/vnd.oasis.opendocument.presentation" => Content::Odp,
        _ => Content::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn word(more: &[&str]) -> Vec<u8> {
        let mut members: Vec<(&str, &[u8])> =
            vec![("[Content_Types].xml", &b"<x/>"[..]), ("word/document.xml", &b"<x/>"[..])];
        members.extend(more.iter().map(|m| (*m, &b"x"[..])));
        zip(&members)
    }

    fn judge(name: &str, bytes: &[u8]) -> Result<(), FileFault> {
        Accepted::default().judge(name, bytes)
    }

    #[test]
    fn what_offices_send_each_other_is_taken() {
        let odt: [(&str, &[u8]); 2] =
            [("mimetype", b"application/vnd.oasis.opendocument.text"), ("content.xml", b"<x/>")];
        let excel = zip(&[("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"<x/>")]);
        let slides = zip(&[("[Content_Types].xml", b"<x/>"), ("ppt/presentation.xml", b"<x/>")]);
        for (name, bytes) in [
            ("計画.pdf", b"%PDF-1.7 a plan".to_vec()),
            ("計画.PDF", b"\n%PDF-1.4".to_vec()),
            ("写真.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec()),
            ("画面.png", b"\x89PNG\r\n\x1a\n\0\0".to_vec()),
            ("電話で撮った.HEIC", b"\0\0\0\x18ftypheic\0\0".to_vec()),
            ("控え.txt", "高齢福祉課の控え\r\n".as_bytes().to_vec()),
            // Shift JIS.
            ("一覧.csv", b"\x94\xd4\x8d\x86,\x96\xbc\x91O\r\n1,\x96k\r\n".to_vec()),
            ("文書.docx", word(&[])),
            ("表.xlsx", excel),
            ("説明.pptx", slides),
            ("文書.odt", zip(&odt)),
            ("まとめ.zip", zip(&[("a/計画.pdf", b"x"), ("b.txt", b"y")])),
        ] {
            assert_eq!(judge(name, &bytes), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_runs_is_never_taken() {
        let program = b"MZ\x90\0\x03\0\0\0";
        for name in ["道具.exe", "計画.pdf.exe", "計画.pdf.exe. ", "x.ps1", "x.JS", "x.lnk", "x.hta", "x.iso"]
        {
            assert_eq!(judge(name, b"%PDF-1.7"), Err(FileFault::Runs(None)), "{name}");
        }
        assert_eq!(judge("計画.pdf", program), Err(FileFault::Runs(None)));
        assert_eq!(
            judge("計画.zip", &zip(&[("a/道具.EXE", b"x")])),
            Err(FileFault::Runs(Some("道具.EXE".to_owned())))
        );
        assert_eq!(judge("\u{202e}fdp.計画", b"%PDF-1.7"), Err(FileFault::Disguised));
        // A further ending does not open the door to it either.
        let wide = Accepted::parse("pdf, .dwg").unwrap();
        assert_eq!(wide.judge("図面.dwg", b"AC1032\0\0"), Ok(()));
        assert_eq!(wide.judge("図面.dwg", program), Err(FileFault::Runs(None)));
        for bad in [".exe", "pdf, .docm", "word", "", ".", "."] {
            assert!(Accepted::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn macros_are_not_taken_under_any_name() {
        for name in ["文書.docm", "文書.docx"] {
            let fault = judge(name, &word(&["word/vbaProject.bin"])).unwrap_err();
            assert_eq!(fault, FileFault::Macro(None));
            assert!(fault.says(name, &Accepted::default()).contains("マクロなしの形式"));
        }
        assert_eq!(judge("文書.docx", &word(&["word/activeX/activeX1.xml"])), Err(FileFault::Macro(None)));
        let types = b"<Override ContentType=\"application/vnd.ms-office.vbaProject\"/>";
        let renamed = zip(&[("[Content_Types].xml", types), ("word/other.bin", b"x")]);
        assert_eq!(judge("文書.docx", &renamed), Err(FileFault::Macro(None)));
        let packed = zip(&[("a/集計.xlsm", b"x")]);
        assert_eq!(judge("集計.zip", &packed), Err(FileFault::Macro(Some("集計.xlsm".to_owned()))));
        let old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
        assert_eq!(judge("文書.doc", &old), Err(FileFault::OldOffice));
        let mut locked = old.clone();
        locked.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(judge("文書.docx", &locked), Err(FileFault::Locked));
    }

    #[test]
    fn name_and_content_must_agree() {
        let differs = |name: &str, bytes: &[u8]| match judge(name, bytes) {
            Err(FileFault::Differs { holds, .. }) => holds,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(differs("計画.pdf", b"\x89PNG\r\n\x1a\n"), "画像");
        assert_eq!(differs("計画.txt", b"%PDF-1.7"), "PDF");
        assert_eq!(differs("写真.jpg", b"<html>"), "テキスト");
        assert_eq!(differs("表.xlsx", &word(&[])), "Wordの文書");
        assert_eq!(differs("文書.docx", &zip(&[("a.txt", b"x")])), "zip");
        assert_eq!(differs("一覧.csv", b"a,b\0\x01"), "種類の分からないもの");
        assert_eq!(judge("まとめ.zip", b"PK\x03\x04 not really"), Err(FileFault::Broken));
        assert_eq!(judge("計画", b"%PDF-1.7"), Err(FileFault::NotTaken(String::new())));
        let fault = judge("ページ.html", b"<html>").unwrap_err();
        assert_eq!(fault, FileFault::NotTaken("html".to_owned()));
        assert!(
            fault.says("ページ.html", &Accepted::default()).contains("受け付けるのは次の種類です：PDF、")
        );
        let narrow = Accepted::parse("pdf").unwrap();
        assert_eq!(narrow.judge("控え.txt", b"x"), Err(FileFault::NotTaken("txt".to_owned())));
        assert_eq!(narrow.words(), "PDF");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(name in ".{0,30}", mut bytes in proptest::collection::vec(any::<u8>(), 0..300), zipped: bool) {
            if zipped {
                bytes.splice(0..0, *b"PK\x03\x04");
            }
            let fault = judge(&name, &bytes).err();
            prop_assert!(fault.is_none_or(|f| !f.says(&name, &Accepted::default()).is_empty()));
        }
    }
}
