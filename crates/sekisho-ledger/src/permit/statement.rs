//! What a permit's code says: written within the room of a printed code, read from foreign digits within the same bounds.

use sekisho_base::canonical::{hex, sha256};
use sekisho_base::text::shorten;
use sekisho_base::{Date, Instant};

use super::{PermitError, PermitKey, PermitSigner, digits};

/// Bytes of a content. With the signature 1,500 digits: a QR code of version 20 at level M holds 1,600.
pub const MAX_CONTENT: usize = 560;
/// Characters of a text that is looked at, with the blanks that a scanner or a mail may have put in.
pub const MAX_TEXT: usize = 4_000;
/// Items are listed while the content stays below this: a smaller code is read more easily.
const ROOM: usize = 380;
/// Begins every text: the form and its version.
const MARK: &str = "4701";
/// Lines before the items.
const HEAD_LINES: usize = 11;
/// Digits of an item hash.
const HASH: usize = 32;
const SIGNATURE: usize = 64;
/// What the signature is over begins with this, and no other signature of these keys does.
const CONTEXT: &[u8] = b"sekisho permit statement v1\n";

/// One thing that the permit covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// 管理番号.
    pub code: String,
    /// Name, possibly cut.
    pub name: String,
}

/// What a permit's code says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Body, as the key names it.
    pub body: String,
    /// Body, as people call it.
    pub body_title: String,
    /// What is permitted.
    pub title: String,
    /// Number of the permit.
    pub number: String,
    /// Id of the case.
    pub case: String,
    /// Name of who holds it, every character as registered.
    pub holder: String,
    /// First day.
    pub from: Date,
    /// Last day, inclusive.
    pub until: Date,
    /// When it was issued.
    pub issued_at: Instant,
    /// Goes in and out in the period (包括許可).
    pub blanket: bool,
    /// How many things it covers.
    pub count: usize,
    /// SHA-256 over all things, a line `code⇥name` each, its first 16 bytes in hexadecimal; empty where all are listed.
    pub hash: String,
    /// The things listed, as many as there is room for.
    pub items: Vec<Item>,
}

/// One line, cut to so many characters. What would break the lines becomes a blank.
fn line(text: &str, chars: usize) -> String {
    shorten(&text.replace(char::is_control, " "), chars)
}

/// The same for what must not be cut.
fn whole(what: &'static str, text: &str, bytes: usize) -> Result<String, PermitError> {
    if text.len() > bytes || text.contains(char::is_control) {
        return Err(PermitError::TooLong(what));
    }
    Ok(text.to_owned())
}

impl Statement {
    /// Fits a permit into a code: names are cut, numbers never; of many items those that have room are listed. `count`, `hash` and
    /// `items` are set from `items`.
    ///
    /// # Errors
    /// A number is too long.
    pub fn fit(mut self, items: &[Item]) -> Result<Self, PermitError> {
        self.body_title = line(&self.body_title, 20);
        self.title = line(&self.title, 16);
        self.holder = line(&self.holder, 20);
        self.number = whole("許可番号", &self.number, 80)?;
        self.case = whole("案件", &self.case, 36)?;
        let mut all = String::new();
        for i in items {
            whole("管理番号", &i.code, 120)?;
            all.push_str(&format!("{}\t{}\n", i.code, i.name.replace(char::is_control, " ")));
        }
        self.count = items.len();
        self.items.clear();
        self.hash = hex(&sha256(all.as_bytes())).chars().take(HASH).collect();
        for i in items {
            self.items.push(Item { code: i.code.clone(), name: line(&i.name, 20) });
            if self.content().len() > ROOM {
                self.items.pop();
                break;
            }
        }
        if self.items.len() == items.len() {
            self.hash.clear();
        }
        if self.content().len() > MAX_CONTENT { Err(PermitError::TooLong("内容")) } else { Ok(self) }
    }

    fn content(&self) -> String {
        let mut out = format!(
            "{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{} {}\n",
            self.body,
            self.body_title,
            self.title,
            self.number,
            self.case,
            self.holder,
            self.from,
            self.until,
            self.issued_at,
            if self.blanket { "blanket" } else { "once" },
            self.count,
            if self.hash.is_empty() { "-" } else { &self.hash },
        );
        for i in &self.items {
            out.push_str(&format!("{}\t{}\n", i.code, i.name));
        }
        out
    }

    /// Signs it: the digits of the code.
    ///
    /// # Errors
    /// It is another body's, or was not made to [`fit`](Self::fit).
    pub fn sign(&self, signer: &PermitSigner) -> Result<String, PermitError> {
        let content = self.content();
        // What would not be read back is not signed.
        if self.body != signer.body() || read_content(content.as_bytes()).as_ref() != Some(self) {
            return Err(PermitError::TooLong("内容"));
        }
        let signature = signer.sign_bytes(&message(content.as_bytes()));
        Ok(format!("{MARK}{}", digits::write(&[content.as_bytes(), &signature].concat())))
    }
}

/// A statement with its signature, not yet verified.
pub(super) struct Signed {
    pub(super) statement: Statement,
    message: Vec<u8>,
    signature: [u8; SIGNATURE],
}

impl Signed {
    /// Reads a text as scanners and mails bring it: blanks and line breaks between the digits and digits of full width are accepted,
    /// anything else is not.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut plain = String::new();
        for (n, c) in text.chars().enumerate() {
            if n >= MAX_TEXT {
                return None;
            }
            match c {
                '0'..='9' => plain.push(c),
                '０'..='９' => plain.push(char::from_digit(u32::from(c) - u32::from('０'), 10)?),
                ' ' | '\t' | '\r' | '\n' | '\u{3000}' => {}
                _ => return None,
            }
        }
        let bytes = digits::read(plain.strip_prefix(MARK)?)?;
        let (content, signature) = bytes.split_at_checked(bytes.len().checked_sub(SIGNATURE)?)?;
        Some(Self {
            statement: read_content(content)?,
            message: message(content),
            signature: signature.try_into().ok()?,
        })
    }

    pub(super) fn signed_by(&self, key: &PermitKey) -> bool {
        self.statement.body == key.body() && key.verifies(&self.message, &self.signature)
    }
}

fn message(content: &[u8]) -> Vec<u8> {
    [CONTEXT, &sha256(content)].concat()
}

fn read_content(content: &[u8]) -> Option<Statement> {
    if content.len() > MAX_CONTENT {
        return None;
    }
    let text = std::str::from_utf8(content).ok()?;
    let lines: Vec<&str> = text.strip_suffix('\n')?.split('\n').collect();
    let (head, rest) = lines.split_at_checked(HEAD_LINES)?;
    let [body, body_title, title, number, case, holder, from, until, issued_at, kind, items] = head else {
        return None;
    };
    let (count, hash) = items.split_once(' ')?;
    let item = |l: &&str| {
        let (code, name) = l.split_once('\t')?;
        Some(Item { code: code.to_owned(), name: name.to_owned() })
    };
    let statement = Statement {
        body: (*body).to_owned(),
        body_title: (*body_title).to_owned(),
        title: (*title).to_owned(),
        number: (*number).to_owned(),
        case: (*case).to_owned(),
        holder: (*holder).to_owned(),
        from: from.parse().ok()?,
        until: until.parse().ok()?,
        issued_at: issued_at.parse().ok()?,
        blanket: *kind == "blanket",
        count: count.parse().ok()?,
        hash: if hash == "-" { String::new() } else { hash.to_owned() },
        items: rest.iter().map(item).collect::<Option<_>>()?,
    };
    let listed = statement.items.len();
    let complete = statement.hash.is_empty() && listed == statement.count
        || statement.hash.len() == HASH && listed < statement.count;
    let clean = !text.contains(|c: char| c.is_control() && c != '\n' && c != '\t');
    // Written again it is the same: numbers, dates and words have one spelling.
    (complete && clean && statement.content() == text).then_some(statement)
}
