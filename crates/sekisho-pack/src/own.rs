//! A city's own pack, started from the model: every file of the model, with the name tag of the city.

use std::collections::BTreeMap;

use crate::model::Pack;

/// The version a new pack starts with.
const FIRST: &str = "0.1.0";
/// Most characters of a title.
const TITLE_CHARS: usize = 100;

/// Why a pack cannot be started so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OwnError {
    /// The name is not one a pack can have.
    #[error(
        "「{0}」はパックの名前に使えません。英小文字で始まり、英小文字・数字・- だけの60文字までにしてください（例: minato-city）。"
    )]
    Name(String),
    /// The name is that of the pack it is made from.
    #[error("「{0}」は元にするパックと同じ名前です。自分の市の名前（例: minato-city）にしてください。")]
    Taken(String),
    /// The title is empty, too long or holds control characters.
    #[error("題名は1文字から{TITLE_CHARS}文字まで、改行のない文字で指定してください。")]
    Title,
}

/// Files of a new pack: those of `model`, with name, title, first version and where it comes from in `pack.toml`, whose
/// comments stay.
///
/// # Errors
/// The name or the title cannot be used.
pub fn own_pack(
    model: &BTreeMap<String, String>,
    name: &str,
    title: &str,
) -> Result<BTreeMap<String, String>, OwnError> {
    if !valid_name(name) {
        return Err(OwnError::Name(name.chars().take(60).collect()));
    }
    let title = title.trim();
    let count = title.chars().count();
    if count == 0 || count > TITLE_CHARS || title.chars().any(char::is_control) {
        return Err(OwnError::Title);
    }
    let mut files = model.clone();
    let tag = model.get("pack.toml").map_or("", String::as_str);
    let of = |key: &str| tag.lines().find_map(|l| value_of(l, key)).unwrap_or_default();
    if of("name") == name {
        return Err(OwnError::Taken(name.to_owned()));
    }
    let based_on = format!("based_on = {}", quoted(&format!("{} {}", of("name"), of("version"))));
    let mut lines: Vec<String> = Vec::new();
    for line in tag.lines() {
        if value_of(line, "name").is_some() {
            lines.push(format!("name = {}", quoted(name)));
        } else if value_of(line, "title").is_some() {
            lines.push(format!("title = {}", quoted(title)));
        } else if value_of(line, "version").is_some() {
            lines.push(format!("version = {}", quoted(FIRST)));
            lines.push(based_on.clone());
        } else if value_of(line, "based_on").is_none() {
            lines.push(line.to_owned());
        }
    }
    files.insert("pack.toml".to_owned(), lines.join("\n") + "\n");
    Ok(files)
}

/// Whether this may be the name of a pack: `[a-z][a-z0-9-]*`, at most 60 characters.
#[must_use]
pub fn valid_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 60
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The text of a `key = "…"` line.
fn value_of<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    let rest = line.strip_prefix(key)?.trim_start().strip_prefix('=')?.trim_start().strip_prefix('"')?;
    rest.split('"').next()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The model pack as the start of a city's own, see [`own_pack`].
///
/// # Errors
/// The name or the title cannot be used.
pub fn from_model(name: &str, title: &str) -> Result<BTreeMap<String, String>, OwnError> {
    own_pack(&Pack::model_city_files(), name, title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_pack_is_sound_and_says_where_it_comes_from() {
        let files = from_model("minato-city", "港市 \"情報\" セキュリティ対策基準 \\ 案").unwrap();
        let (pack, messages) = Pack::examine(&files);
        assert_eq!(messages, []);
        let pack = pack.unwrap();
        let model = Pack::model_city().unwrap();
        assert_eq!(pack.meta.name, "minato-city");
        assert_eq!(pack.meta.title, "港市 \"情報\" セキュリティ対策基準 \\ 案");
        assert_eq!(pack.meta.version, FIRST);
        assert_eq!(pack.meta.based_on, Some(format!("{} {}", model.meta.name, model.meta.version)));
        let tag = |files: &BTreeMap<String, String>| {
            files["pack.toml"].lines().filter(|l| l.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(tag(&files), tag(&Pack::model_city_files()), "comments stay");
        assert_eq!(files.len(), Pack::model_city_files().len());
        let again = own_pack(&files, "second-city", "第二").unwrap();
        let pack = Pack::load_files(&again).unwrap();
        assert_eq!(pack.meta.based_on.as_deref(), Some("minato-city 0.1.0"));
    }

    #[test]
    fn what_cannot_be_a_name_or_title_is_refused() {
        for name in ["", "Minato", "港", "1st", "a_b", &"a".repeat(61)] {
            assert!(matches!(from_model(name, "港市"), Err(OwnError::Name(_))), "{name}");
        }
        assert!(matches!(from_model("model-city", "港市"), Err(OwnError::Taken(_))));
        for title in ["", "  ", "二\n行", &"長".repeat(101)] {
            assert_eq!(from_model("minato-city", title), Err(OwnError::Title), "{title}");
        }
    }
}
