//! What a form sent: fields in order, several with the same name, and at most one file.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use sekisho_app::login::Identity;
use sekisho_base::limits;

use crate::Web;
use crate::error::WebError;
use crate::guard::{Level, from_own_page, identity, same};
use crate::kept;
use crate::refused;

/// Fields of a form, or of an address' query.
#[derive(Debug, Default, Clone, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// First value of a field, trimmed; empty when missing.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim())
    }

    /// A value exactly as typed (passwords).
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    /// Fields whose name begins with a prefix, without it.
    pub(crate) fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(n, v)| Some((n.strip_prefix(prefix)?, v.as_str())))
    }

    /// Every field by name with all its values, as typed.
    pub(crate) fn lists(&self) -> BTreeMap<String, Vec<String>> {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in self.with_prefix("") {
            all.entry(name.to_owned()).or_default().push(value.to_owned());
        }
        all
    }

    /// Every field by name with its last value, as typed.
    pub(crate) fn singles(&self) -> BTreeMap<String, String> {
        self.with_prefix("").map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Every value of a field, as typed.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(n, _)| n == name).map(|(_, v)| v.clone()).collect()
    }

    /// Without a field.
    pub(crate) fn drop(&mut self, name: &str) {
        self.0.retain(|(n, _)| n != name);
    }

    /// Page of a list, from 1.
    pub(crate) fn page(&self) -> i64 {
        self.get("page").parse().unwrap_or(1)
    }

    fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded(body))
    }
}

/// A file that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub name: String,
    pub bytes: Bytes,
}

/// A form from one of our own pages, by a logged-in person, with the session's token in it.
pub(crate) struct Posted {
    pub who: Identity,
    pub fields: Fields,
    pub file: Option<Upload>,
    /// Every file with the name of its field.
    pub files: Vec<(String, Upload)>,
}

/// The same, also with a temporary password.
pub(crate) struct AnyPosted(pub Posted);

/// The same, also from somebody who must still enrol a second factor.
pub(crate) struct EnrolPosted(pub Posted);

/// The same, also from somebody whose code is missing.
pub(crate) struct CodePosted(pub Posted);

/// A form sent before login: only that it comes from our own page is checked.
pub(crate) struct Open(pub Fields);

impl FromRequest<Web> for Open {
    type Rejection = WebError;

    async fn from_request(request: Request, _: &Web) -> Result<Self, WebError> {
        if !from_own_page(request.headers()) {
            return Err(WebError::ForeignForm);
        }
        let body = axum::body::to_bytes(request.into_body(), limits::FORM_BYTES)
            .await
            .map_err(|_| WebError::TooLarge)?;
        Ok(Self(Fields::parse(&body)))
    }
}

/// Reads a form of somebody who has come this far.
async fn read_posted(request: Request, web: &Web, level: Level) -> Result<Posted, WebError> {
    let (parts, body) = request.into_parts();
    let who = match identity(&parts, web, level).await {
        Ok(who) => who,
        Err(login @ (WebError::Login { .. } | WebError::NeedsCode { .. })) => {
            return Err(kept::ended(web, Request::from_parts(parts, body), login).await);
        }
        Err(e) => return Err(e),
    };
    let read = read_fields(Request::from_parts(parts.clone(), body), web, Files::Whole).await;
    refused::vouch(&who.csrf);
    let (fields, files) = read?;
    if !same(fields.raw("csrf"), &who.csrf) {
        return Err(kept::of_before(web, &who, &parts, &fields, &files).await);
    }
    let file = files.first().map(|(_, f)| f.clone());
    Ok(Posted { who, fields, file, files })
}

/// What is taken of the files of a form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    /// Their names: nobody is logged in, and a stranger must not fill the memory.
    Named,
    /// Everything.
    Whole,
}

/// Files of a form, each with its field.
type Uploads = Vec<(String, Upload)>;

/// Fields and files of a form from our own page; whose it is remains to be seen.
pub(crate) async fn read_fields(
    request: Request,
    web: &Web,
    take: Files,
) -> Result<(Fields, Uploads), WebError> {
    let (parts, body) = request.into_parts();
    if !from_own_page(&parts.headers) {
        return Err(WebError::ForeignForm);
    }
    let multipart = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|t| t.starts_with("multipart/form-data"));
    let (mut fields, mut files) = (Fields::default(), Uploads::new());
    let read = if multipart {
        let request = Request::from_parts(parts, body);
        read_multipart(request, web, take, &mut fields, &mut files).await
    } else {
        let bytes = axum::body::to_bytes(body, limits::FORM_BYTES).await;
        bytes.map(|bytes| fields = Fields::parse(&bytes)).map_err(|_| WebError::TooLarge)
    };
    // Of what was too large, the text that came before it.
    refused::hold(&mut fields, &files);
    read.map(|()| (fields, files))
}

macro_rules! posted {
    ($($name:ident $level:ident)*) => {$(
        impl FromRequest<Web> for $name {
            type Rejection = WebError;

            async fn from_request(request: Request, web: &Web) -> Result<Self, WebError> {
                read_posted(request, web, Level::$level).await.map(Self)
            }
        }
    )*};
}

posted! { AnyPosted Known EnrolPosted OwnPassword CodePosted Session }

impl FromRequest<Web> for Posted {
    type Rejection = WebError;

    async fn from_request(request: Request, web: &Web) -> Result<Self, WebError> {
        read_posted(request, web, Level::Page).await
    }
}

/// Files of one form.
const MOST_FILES: usize = 10;

async fn read_multipart(
    request: Request,
    web: &Web,
    take: Files,
    Fields(fields): &mut Fields,
    files: &mut Uploads,
) -> Result<(), WebError> {
    let mut parts = Multipart::from_request(request, web).await.map_err(|_| WebError::BadForm)?;
    let mut typed = 0;
    while let Some(mut part) = parts.next_field().await.map_err(|_| WebError::TooLarge)? {
        let name = part.name().unwrap_or_default().to_owned();
        let file_name = part.file_name().map(str::to_owned);
        if let (Files::Named, Some(name_of_file)) = (take, &file_name) {
            while part.chunk().await.map_err(|_| WebError::TooLarge)?.is_some() {}
            if !name_of_file.is_empty() && files.len() < MOST_FILES {
                files.push((name, Upload { name: name_of_file.clone(), bytes: Bytes::new() }));
            }
            continue;
        }
        let bytes = part.bytes().await.map_err(|_| WebError::TooLarge)?;
        typed += if file_name.is_none() { bytes.len() } else { 0 };
        if take == Files::Named && typed > limits::FORM_BYTES {
            return Err(WebError::TooLarge);
        }
        match file_name {
            // A browser sends an empty name when no file was chosen; a file that is empty has its name.
            Some(file_name) if !file_name.is_empty() && files.len() < MOST_FILES => {
                files.push((name, Upload { name: file_name, bytes }));
            }
            Some(_) => {}
            None if fields.len() < 2000 => fields.push((name, String::from_utf8_lossy(&bytes).into_owned())),
            None => return Err(WebError::TooLarge),
        }
    }
    Ok(())
}

/// `application/x-www-form-urlencoded` (WHATWG URL, 5.1): `+` is a space, `%XX` a byte of UTF-8. Line ends become `\n`.
pub(crate) fn form_urlencoded(body: &[u8]) -> Vec<(String, String)> {
    body.split(|b| *b == b'&')
        .filter(|pair| !pair.is_empty())
        .take(5000)
        .map(|pair| {
            let mut halves = pair.splitn(2, |b| *b == b'=');
            (decode(halves.next().unwrap_or_default()), decode(halves.next().unwrap_or_default()))
        })
        .collect()
}

fn decode(bytes: &[u8]) -> String {
    let spaced: Vec<u8> = bytes.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    String::from_utf8_lossy(&percent_decoded(&spaced)).replace("\r\n", "\n").replace('\0', "")
}

/// The bytes that `%XX` stands for; a `%` before anything else stays.
pub(crate) fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'%' => match tail.split_at_checked(2).and_then(|(hex, after)| {
                Some((u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?, after))
            }) {
                Some((byte, after)) => {
                    out.push(byte);
                    rest = after;
                }
                None => out.push(b'%'),
            },
            b => out.push(*b),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_forms_as_browsers_send_them() {
        let f = Fields::parse("a=1+2&b=%E9%AB%99&b=x&c=%zz&d=1%0D%0A2&=&e".as_bytes());
        assert_eq!(f.get("a"), "1 2");
        assert_eq!(f.with_prefix("b").map(|(_, v)| v).collect::<Vec<_>>(), ["髙", "x"]);
        assert_eq!(f.get("c"), "%zz");
        assert_eq!(f.get("d"), "1\n2");
        assert_eq!(f.with_prefix("e").count(), 1);
    }
}
