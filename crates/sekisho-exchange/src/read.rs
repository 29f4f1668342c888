//! From the bytes of an uploaded file to its sheets: recognizes the format and refuses, with a remedy, what it cannot
//! read.

use sekisho_base::limits;

use super::cell::Grid;
use super::{container, read_csv, read_xlsx};

/// Cells that one file may span, blank ones inside rows included.
pub(super) const CELLS: usize = 6_000_000;
/// Bytes of text of all cells of one file.
pub(super) const TEXT_BYTES: usize = 128 * 1024 * 1024;
/// Characters of one cell, the limit of spreadsheets.
pub(super) const CELL_CHARS: usize = 32_767;

/// Why a file cannot be read. The message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// No bytes, or no cell with a value.
    #[error("ファイルに何も入っていません。見出しの行とデータの行がある表を選んでください。")]
    Empty,
    /// More bytes than allowed, packed or unpacked.
    #[error("ファイルが大きすぎます（上限 {}MB）。画像や使っていないシートを除くか、いくつかのファイルに分けてください。", limits::UPLOAD_BYTES / 1024 / 1024)]
    TooLarge,
    /// More rows than allowed.
    #[error("{limit}行を超えています。いくつかのファイルに分けてください。")]
    TooManyRows {
        /// Rows allowed.
        limit: usize,
    },
    /// More columns than allowed.
    #[error("{row}行目に{limit}列を超えるデータがあります。取込に使わない列を削除してください。")]
    TooManyColumns {
        /// Row, from 1.
        row: usize,
        /// Columns allowed.
        limit: usize,
    },
    /// More cells or text than allowed, together.
    #[error(
        "データの量が多すぎます。使っていない列やシートを削除するか、いくつかのファイルに分けてください。"
    )]
    TooMuch,
    /// A single cell with too much text.
    #[error("{cell} の文字数が多すぎます（上限 {CELL_CHARS}字）。短くしてください。")]
    CellTooLong {
        /// Name of the cell, `C12`.
        cell: String,
    },
    /// Excel 97–2003.
    #[error(
        "古い形式のExcelファイル（.xls）は読めません。Excelで開き、「名前を付けて保存」で「Excel ブック（.xlsx）」を選んで保存してから取り込んでください。"
    )]
    OldExcel,
    /// Binary workbook.
    #[error(
        "バイナリ形式のExcelファイル（.xlsb）は読めません。Excelで開き、「Excel ブック（.xlsx）」として保存してから取り込んでください。"
    )]
    BinaryExcel,
    /// OpenDocument.
    #[error(
        "OpenDocument形式（.ods）は読めません。「名前を付けて保存」で「Excel（.xlsx）」を選んで保存してから取り込んでください。"
    )]
    OpenDocument,
    /// Password protected workbook.
    #[error(
        "パスワードで保護されたファイルは読めません。Excelで開いてパスワードを解除し、保存し直してから取り込んでください。"
    )]
    Encrypted,
    /// PDF.
    #[error("PDFは読めません。元になったExcelまたはCSVのファイルを選んでください。")]
    Pdf,
    /// Web page or XML with the ending of a spreadsheet.
    #[error(
        "中身がWebページまたはXMLのファイルです。Excelで開き、「Excel ブック（.xlsx）」として保存してから取り込んでください。"
    )]
    Markup,
    /// UTF-16 text.
    #[error(
        "文字コードがUTF-16のファイルは読めません。Excelで開き、「CSV UTF-8（コンマ区切り）」として保存してから取り込んでください。"
    )]
    Utf16,
    /// Neither UTF-8 nor code page 932.
    #[error(
        "文字コードを判別できません。Excelで開き、「CSV UTF-8（コンマ区切り）」または「Excel ブック（.xlsx）」として保存してから取り込んでください。"
    )]
    UnknownEncoding,
    /// A quotation mark of a CSV file that is not closed, or text after a closed one.
    #[error(
        "CSVの{row}行目の引用符（\"）の使い方が正しくありません。文字としての \" は \"\" と書き、\" で囲んだ項目は \" で閉じてください。"
    )]
    Quote {
        /// Row, from 1.
        row: usize,
    },
    /// Damaged or unusual workbook.
    #[error(
        "Excelファイルが壊れているか、読めない作りになっています。Excelで開いて保存し直してから取り込んでください。"
    )]
    Broken,
    /// Something else.
    #[error("表計算のファイルではありません。Excel（.xlsx）またはCSVのファイルを選んでください。")]
    Unknown,
}

impl ReadError {
    /// Code that stays when the wording changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "import.empty",
            Self::TooLarge => "import.too_large",
            Self::TooManyRows { .. } => "import.too_many_rows",
            Self::TooManyColumns { .. } => "import.too_many_columns",
            Self::TooMuch => "import.too_much",
            Self::CellTooLong { .. } => "import.cell_too_long",
            Self::OldExcel => "import.old_excel",
            Self::BinaryExcel => "import.binary_excel",
            Self::OpenDocument => "import.open_document",
            Self::Encrypted => "import.encrypted",
            Self::Pdf => "import.pdf",
            Self::Markup => "import.markup",
            Self::Utf16 => "import.utf16",
            Self::UnknownEncoding => "import.unknown_encoding",
            Self::Quote { .. } => "import.quote",
            Self::Broken => "import.broken",
            Self::Unknown => "import.unknown",
        }
    }
}

/// Reads every visible sheet of a workbook, or the one table of a CSV file. Blank sheets are left out.
///
/// # Errors
/// [`ReadError`] when the file cannot be read, is too large, or holds nothing.
pub fn read_workbook(bytes: &[u8]) -> Result<Vec<Grid>, ReadError> {
    let grids = match recognize(bytes)? {
        Format::Xlsx => read_xlsx::read(bytes)?,
        Format::Csv => vec![read_csv::read(bytes)?],
    };
    let grids: Vec<Grid> = grids.into_iter().filter(|g| !g.is_blank()).collect();
    if grids.is_empty() { Err(ReadError::Empty) } else { Ok(grids) }
}

/// Reads the first visible sheet that holds something.
///
/// # Errors
/// As [`read_workbook`].
pub fn read_grid(bytes: &[u8]) -> Result<Grid, ReadError> {
    read_workbook(bytes)?.into_iter().next().ok_or(ReadError::Empty)
}

enum Format {
    Xlsx,
    Csv,
}

/// Tells formats apart by their first bytes; names of files are not trusted.
fn recognize(bytes: &[u8]) -> Result<Format, ReadError> {
    if bytes.len() > limits::UPLOAD_BYTES {
        return Err(ReadError::TooLarge);
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ReadError::Empty);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return recognize_zip(bytes);
    }
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        // Names in compound files are UTF-16.
        let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let encrypted = bytes.windows(name.len()).any(|w| w == name);
        return Err(if encrypted { ReadError::Encrypted } else { ReadError::OldExcel });
    }
    if bytes.starts_with(b"%PDF") {
        return Err(ReadError::Pdf);
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(ReadError::Utf16);
    }
    if bytes.contains(&0) {
        return Err(ReadError::Unknown);
    }
    let head = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let head: Vec<u8> = head.iter().take(16).map(u8::to_ascii_lowercase).collect();
    let markup: [&[u8]; 4] = [b"<?xml", b"<html", b"<!doctype", b"{\\rtf"];
    if markup.iter().any(|m| head.starts_with(m)) {
        return Err(ReadError::Markup);
    }
    Ok(Format::Csv)
}

fn recognize_zip(bytes: &[u8]) -> Result<Format, ReadError> {
    let members = container::members(bytes)?;
    let has = |name: &str| members.iter().any(|m| m.eq_ignore_ascii_case(name));
    if has("xl/workbook.bin") {
        Err(ReadError::BinaryExcel)
    } else if has("mimetype") && has("content.xml") {
        Err(ReadError::OpenDocument)
    } else if has("_rels/.rels") && members.iter().any(|m| m.to_ascii_lowercase().contains("worksheets/")) {
        Ok(Format::Xlsx)
    } else {
        Err(ReadError::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::super::container::tests::zip_of;
    use super::*;

    #[test]
    fn what_cannot_be_read_is_named_with_a_remedy() {
        let mut encrypted = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
        assert_eq!(read_grid(&encrypted), Err(ReadError::OldExcel));
        encrypted.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(read_grid(&encrypted), Err(ReadError::Encrypted));
        let cases: [(&[u8], ReadError); 8] = [
            (b"", ReadError::Empty),
            (b" \r\n\r\n", ReadError::Empty),
            (b",,\r\n,,\r\n", ReadError::Empty),
            (b"%PDF-1.7", ReadError::Pdf),
            (b"\xff\xfea\0", ReadError::Utf16),
            (b"a\0b", ReadError::Unknown),
            (b"<html><table>", ReadError::Markup),
            (b"PK\x03\x04", ReadError::Broken),
        ];
        for (bytes, error) in cases {
            assert_eq!(read_grid(bytes), Err(error));
        }
        assert_eq!(read_grid(&zip_of("xl/workbook.bin", b"")), Err(ReadError::BinaryExcel));
        assert_eq!(read_grid(&zip_of("word/document.xml", b"")), Err(ReadError::Unknown));
        assert_eq!(read_grid(&vec![b'a'; limits::UPLOAD_BYTES + 1]), Err(ReadError::TooLarge));
        assert!(ReadError::OldExcel.to_string().contains("保存"));
    }
}
