//! Accounts of people: a table (xlsx, CSV), or JSON in the form of SCIM 2.0 (RFC 7643: core user and enterprise extension; a list response of
//! RFC 7644, an array of users, or one user).

use std::collections::{HashMap, HashSet};

use sekisho_base::limits::LINE_CHARS;
use sekisho_base::table::Value;
use sekisho_base::text::{normalize_code, shorten};
use serde_json::{Map, Value as Json};

use super::cell::{Cell, Grid, Source};
use super::column::{Column, Kind, Record, Schema};
use super::plan::{CellError, References, RowAction, plan};
use super::read::{ReadError, read_grid};

/// Bytes of a JSON file.
const JSON_BYTES: usize = 8 * 1024 * 1024;
/// People of one file.
pub const USERS: usize = 20_000;
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// Columns, with their names in a table and in SCIM.
const COLUMNS: [&str; 5] = ["login", "number", "name", "email", "active"];

/// One person of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Where they stand: 「3行目」, `Resources[2]`.
    pub place: String,
    /// Login as written.
    pub login: String,
    /// 職員番号.
    pub number: String,
    /// Name, may be empty.
    pub name: String,
    /// Mail address, may be empty.
    pub mail: String,
    /// Whether they may log in.
    pub active: bool,
}

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    /// People without errors.
    pub rows: Vec<UserRow>,
    /// What is wrong, by row and attribute.
    pub errors: Vec<CellError>,
    /// Headers that are not known.
    pub unknown: Vec<String>,
}

/// The table in which accounts are exchanged.
#[must_use]
pub fn schema() -> Schema {
    Schema {
        title: "利用者".into(),
        key: vec!["login".into()],
        columns: vec![
            Column::new("login", &["ログイン名", "userName"], Kind::Code).required(),
            Column::new("number", &["職員番号", "employeeNumber", "externalId"], Kind::Code).required(),
            Column::new("name", &["氏名", "displayName"], Kind::Text),
            Column::new("email", &["メール", "メールアドレス", "email"], Kind::Code),
            Column::new("active", &["利用", "有効", "active"], Kind::Bool),
        ],
    }
}

/// Reads a file.
///
/// # Errors
/// It is neither a table nor such JSON, or too large.
pub fn read_users(bytes: &[u8]) -> Result<Users, ReadError> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let users = if text.starts_with(b"{") || text.starts_with(b"[") {
        if bytes.len() > JSON_BYTES {
            return Err(ReadError::TooLarge);
        }
        let (grid, errors) = grid_of(&serde_json::from_slice(text).map_err(|_| ReadError::Unknown)?)?;
        let mut users = read_table(&grid, |row| format!("Resources[{}]", row.saturating_sub(2)));
        users.errors.splice(0..0, errors);
        users
    } else {
        read_table(&read_grid(bytes)?, |row| format!("{row}行目"))
    };
    if users.rows.len() > USERS {
        return Err(ReadError::TooManyRows { limit: USERS });
    }
    Ok(users)
}

/// A table refers to nothing.
struct Nothing;

impl References for Nothing {
    fn exists(&self, _: &str, _: &str) -> bool {
        true
    }
}

fn read_table(grid: &Grid, place: impl Fn(usize) -> String) -> Users {
    let nobody: HashMap<Vec<String>, Record> = HashMap::new();
    let planned = plan(&schema(), grid, &nobody, &Nothing);
    let text = |r: &Record, c: &str| r.get(c).and_then(Value::as_text).unwrap_or_default().to_owned();
    let row = |row: usize, r: &Record| UserRow {
        place: place(row),
        login: text(r, "login"),
        number: text(r, "number"),
        name: text(r, "name"),
        mail: text(r, "email"),
        active: r.get("active") != Some(&Value::Bool(false)),
    };
    let rows = planned.rows.iter().filter_map(|p| match &p.action {
        RowAction::Add(record) => Some(row(p.row, record)),
        _ => None,
    });
    let json = grid.name.as_deref() == Some(CORE);
    let errors = planned.errors.iter().map(|e| {
        let cell = if json { place(e.row) } else { e.cell.clone() };
        CellError { sheet: e.sheet.clone().filter(|_| !json), cell, ..e.clone() }
    });
    Users { rows: rows.collect(), errors: errors.collect(), unknown: planned.unknown_columns.clone() }
}

/// An attribute; names are compared without case (RFC 7643, 2.1).
fn attribute<'a>(of: &'a Map<String, Json>, name: &str) -> Option<&'a Json> {
    of.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v).filter(|v| !v.is_null())
}

fn text_of(v: &Json) -> Option<String> {
    match v {
        Json::String(s) => Some(s.clone()),
        Json::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

/// SCIM users as a table whose first row names the columns, and what is wrong with its attributes.
fn grid_of(json: &Json) -> Result<(Grid, Vec<CellError>), ReadError> {
    let users: Vec<&Json> = match json {
        Json::Array(list) => list.iter().collect(),
        Json::Object(o) => match attribute(o, "Resources") {
            Some(Json::Array(list)) => list.iter().collect(),
            Some(_) => return Err(ReadError::Unknown),
            None if attribute(o, "userName").is_some() => vec![json],
            // A list response with nobody in it leaves the list out.
            None if attribute(o, "totalResults").is_some() => vec![],
            None => return Err(ReadError::Unknown),
        },
        _ => return Err(ReadError::Unknown),
    };
    if users.len() > USERS {
        return Err(ReadError::TooManyRows { limit: USERS });
    }
    let (mut errors, mut seen) = (Vec::new(), HashSet::new());
    let mut rows = vec![COLUMNS.map(|c| Cell::Text(label(c))).to_vec()];
    for (n, user) in users.into_iter().enumerate() {
        let before = errors.len();
        let mut wrong = |label: &str, value: &Json, message: &str, remedy: &str| {
            errors.push(CellError {
                sheet: None,
                cell: format!("Resources[{n}]"),
                row: n + 2,
                label: label.to_owned(),
                value: shorten(&value.to_string(), 60),
                message: message.to_owned(),
                remedy: remedy.to_owned(),
            });
        };
        let cells = match user {
            Json::Object(o) => cells(o, &mut wrong),
            other => {
                wrong("", other, "利用者の形をしていません。", "{\"userName\": …} の形にしてください。");
                vec![]
            }
        };
        if let Some(Cell::Text(login)) = cells.first()
            && !seen.insert(normalize_code(login).to_lowercase())
        {
            wrong(
                "userName",
                &Json::String(login.clone()),
                "同じuserNameの人が2人います。",
                "どちらか一方を除いてください。",
            );
        }
        // A row with errors stays empty, so that the others keep their places.
        rows.push(if errors.len() == before { cells } else { vec![] });
    }
    let grid = Grid { name: Some(CORE.into()), rows, source: Source::Csv, encoding: None };
    Ok((grid, errors))
}

fn label(column: &str) -> String {
    schema().columns.iter().find(|c| c.id == column).map_or_else(String::new, |c| c.label().to_owned())
}

type Wrong<'a> = dyn FnMut(&str, &Json, &str, &str) + 'a;

/// The cells of one user, in the order of [`COLUMNS`].
fn cells(o: &Map<String, Json>, wrong: &mut Wrong<'_>) -> Vec<Cell> {
    if let Some(schemas) = attribute(o, "schemas")
        && !schemas.as_array().is_some_and(|all| all.iter().any(|s| s == CORE))
    {
        wrong(
            "schemas",
            schemas,
            "SCIMの利用者（User）ではありません。",
            &format!("schemas に {CORE} を入れてください。"),
        );
    }
    let mut text = |of: &Map<String, Json>, name: &str| match attribute(of, name) {
        None => String::new(),
        Some(v) => match text_of(v) {
            Some(s) if s.chars().count() <= LINE_CHARS => s,
            Some(_) => {
                wrong(name, v, "長すぎます。", &format!("{LINE_CHARS}文字以内にしてください。"));
                String::new()
            }
            None => {
                wrong(name, v, "文字ではありません。", "\"…\" の形で書いてください。");
                String::new()
            }
        },
    };
    let none = Map::new();
    let part = |name: &str| attribute(o, name).and_then(Json::as_object).unwrap_or(&none);
    let login = text(o, "userName");
    let of_enterprise = text(part(ENTERPRISE), "employeeNumber");
    let number = if of_enterprise.is_empty() { text(o, "externalId") } else { of_enterprise };
    let names = part("name");
    let mut name = text(o, "displayName");
    if name.is_empty() {
        name = text(names, "formatted");
    }
    if name.is_empty() {
        // Family name first, as Japanese names are written.
        name = format!("{} {}", text(names, "familyName"), text(names, "givenName")).trim().to_owned();
    }
    let mails = attribute(o, "emails").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let primary = |m: &&Json| m.get("primary") == Some(&Json::Bool(true));
    let mail = mails.iter().find(primary).or(mails.first()).and_then(Json::as_object);
    let mail = mail.map(|m| text(m, "value")).unwrap_or_default();
    let active = match attribute(o, "active") {
        None => Cell::Empty,
        Some(Json::Bool(b)) => Cell::Bool(*b),
        // As Entra ID writes it.
        Some(Json::String(s)) if s.eq_ignore_ascii_case("true") => Cell::Bool(true),
        Some(Json::String(s)) if s.eq_ignore_ascii_case("false") => Cell::Bool(false),
        Some(v) => {
            wrong("active", v, "true か false ではありません。", "true か false を書いてください。");
            Cell::Empty
        }
    };
    vec![Cell::Text(login), Cell::Text(number), Cell::Text(name), Cell::Text(mail), active]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(place: &str, login: &str, number: &str, name: &str, mail: &str, active: bool) -> UserRow {
        let own = str::to_owned;
        UserRow {
            place: own(place),
            login: own(login),
            number: own(number),
            name: own(name),
            mail: own(mail),
            active,
        }
    }

    #[test]
    fn scim_users_are_read_as_identity_providers_write_them() {
        let json = r#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 3, "Resources": [
            {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
             "userName": "hanako", "externalId": "x-1", "name": {"familyName": "髙橋", "givenName": "花子"},
             "emails": [{"value": "old@city.example"}, {"value": "hanako@city.example", "primary": true}], "active": true,
             "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": "1001", "department": "21"}},
            {"USERNAME": "taro", "externalId": 1002, "displayName": "山﨑 太郎", "active": "False"},
            {"userName": "jiro", "externalId": "1003"}]}"#;
        let users = read_users(json.as_bytes()).unwrap();
        assert_eq!(users.errors, []);
        assert_eq!(
            users.rows,
            [
                row("Resources[0]", "hanako", "1001", "髙橋 花子", "hanako@city.example", true),
                row("Resources[1]", "taro", "1002", "山﨑 太郎", "", false),
                row("Resources[2]", "jiro", "1003", "", "", true),
            ]
        );
        let one = read_users(r#"{"userName": "a-b", "externalId": "9"}"#.as_bytes()).unwrap();
        assert_eq!(one.rows, [row("Resources[0]", "a-b", "9", "", "", true)]);
        assert_eq!(read_users(br#"{"totalResults": 0}"#).unwrap(), Users::default());
    }

    #[test]
    fn errors_name_the_person_and_the_attribute() {
        let json = r#"[{"userName": {"a": 1}, "externalId": "1"}, {"userName": "b", "externalId": "2", "active": 5}, 7,
            {"userName": "c"}, {"userName": "d", "externalId": "4", "schemas": ["urn:x"]}, {"userName": "e", "externalId": "5"}, {"userName": "Ｅ", "externalId": "6"}]"#;
        let users = read_users(json.as_bytes()).unwrap();
        let told: Vec<(&str, &str)> =
            users.errors.iter().map(|e| (e.cell.as_str(), e.label.as_str())).collect();
        for at in [
            ("Resources[0]", "userName"),
            ("Resources[1]", "active"),
            ("Resources[2]", ""),
            ("Resources[4]", "schemas"),
            ("Resources[6]", "userName"),
            ("Resources[3]", "職員番号"),
        ] {
            assert!(told.contains(&at), "{at:?} in {told:?}");
        }
        assert_eq!(users.rows.iter().map(|r| r.login.as_str()).collect::<Vec<_>>(), ["e"]);
    }

    #[test]
    fn tables_are_read_by_their_headers() {
        let csv = "ログイン名,職員番号,氏名,利用\r\nHanako,1001,髙橋 花子,○\r\ntaro,1002,,×\r\n,1003,,\r\nichiro,1004,,たぶん\r\n";
        let users = read_users(csv.as_bytes()).unwrap();
        assert_eq!(
            users.rows,
            [
                row("2行目", "Hanako", "1001", "髙橋 花子", "", true),
                row("3行目", "taro", "1002", "", "", false)
            ]
        );
        let cells: Vec<&str> = users.errors.iter().map(|e| e.cell.as_str()).collect();
        assert_eq!(cells, ["A4", "D5"]);
        assert!(!read_users("a,b\r\n1,2\r\n".as_bytes()).unwrap().errors.is_empty(), "no such columns");
    }

    #[test]
    fn what_is_too_much_or_something_else_is_refused() {
        for bad in ["{}", "[", "{\"Resources\": 5}", "{\"a\": [1]}"] {
            assert_eq!(read_users(bad.as_bytes()), Err(ReadError::Unknown), "{bad}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(read_users(deep.as_bytes()), Err(ReadError::Unknown));
        let many = format!("[{}0]", "0,".repeat(USERS));
        assert_eq!(read_users(many.as_bytes()), Err(ReadError::TooManyRows { limit: USERS }));
        assert_eq!(read_users(&[&b"["[..], &vec![b' '; JSON_BYTES]].concat()), Err(ReadError::TooLarge));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_no_panic(text in "[\\[\\]{}\":,a-z0-9 ]{0,80}|.{0,80}") {
            let _ = read_users(text.as_bytes());
        }
    }
}
