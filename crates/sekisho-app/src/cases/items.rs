//! Register rows as items of cases and contents of questions: by key, by number, by words.

use std::collections::BTreeSet;

use sekisho_base::text::normalize_code;
use sekisho_case::case::{Item, Snapshot};
use sekisho_pack::model::{Pack, Register};
use sekisho_store::register::{self, Filter, RegisterRow};
use sekisho_store::{Conn, Viewer};
use serde_json::json;

use crate::error::AppError;
use crate::registers::{class_of, table_spec};

/// Rows shown for one search.
pub(crate) const FOUND: i64 = 20;
/// Rows shown before anybody searched.
pub(crate) const FIRST: i64 = 10;

/// A register row as an item of a case.
pub(crate) fn item_of(field: &str, r: &Register, row: &RegisterRow) -> Item {
    let facts = r
        .columns
        .iter()
        .filter_map(|c| {
            let value = row.values.get(&c.id)?;
            let known = matches!(c.id.as_str(), "zone" | "device" | "personal" | "encryption" | "kind");
            known.then(|| (c.id.clone(), json!(value)))
        })
        .collect();
    Item {
        field: field.to_owned(),
        register: r.id.clone(),
        id: row.id.clone(),
        number: row.text(&r.key).to_owned(),
        name: row.text(&r.name).to_owned(),
        snapshot: Snapshot { class: class_of(r, &row.values), owner: row.text(&r.owner).to_owned(), facts },
    }
}

/// Rows named by `register/row` keys, as this viewer sees them; others fall away.
pub(crate) async fn items_by_key(
    c: &mut Conn<'_>,
    pack: &Pack,
    viewer: &Viewer,
    field: &str,
    allowed: &[String],
    keys: &[String],
    most: usize,
) -> Result<Vec<Item>, AppError> {
    let mut items: Vec<Item> = Vec::new();
    let mut seen = BTreeSet::new();
    for key in keys.iter().take(most + 1) {
        let Some((register, row)) = key.split_once('/') else { continue };
        let Some(r) = pack.registers.get(register).filter(|r| allowed.contains(&r.id)) else { continue };
        if let Some(row) = register::get(c, &table_spec(r), viewer, row).await?
            && seen.insert(row.id.clone())
        {
            items.push(item_of(field, r, &row));
        }
    }
    Ok(items)
}

/// Rows named by `register/row` or by their number (管理番号), as this viewer sees them, and the names that stand for none.
pub(crate) async fn items_named(
    c: &mut Conn<'_>,
    pack: &Pack,
    viewer: &Viewer,
    field: &str,
    registers: &[String],
    names: &[String],
) -> Result<(Vec<Item>, Vec<String>), AppError> {
    let (mut items, mut missing, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for name in names {
        let key = name.split_once('/').filter(|(register, _)| registers.iter().any(|r| r == register));
        let mut found = None;
        for r in registers.iter().filter_map(|id| pack.registers.get(id)) {
            let row = match key {
                Some((register, row)) if register == r.id => {
                    register::get(c, &table_spec(r), viewer, row).await?
                }
                Some(_) => None,
                None => register::by_key(c, &table_spec(r), viewer, &normalize_code(name)).await?,
            };
            found = row.map(|row| item_of(field, r, &row));
            if found.is_some() {
                break;
            }
        }
        match found {
            Some(item) if seen.insert(item.key()) => items.push(item),
            Some(_) => {}
            None => missing.push(name.clone()),
        }
    }
    Ok((items, missing))
}

/// The first rows in which every word occurs; `most` of them.
pub(crate) async fn find_items(
    c: &mut Conn<'_>,
    pack: &Pack,
    viewer: &Viewer,
    field: &str,
    registers: &[String],
    words: &str,
    most: i64,
) -> Result<Vec<Item>, AppError> {
    let words = words.split_whitespace().take(8).map(str::to_owned).collect();
    let filter = Filter { words, ..Filter::default() };
    let mut found = Vec::new();
    for r in registers.iter().filter_map(|id| pack.registers.get(id)) {
        let (rows, _) = register::list(c, &table_spec(r), viewer, &filter, 0, most).await?;
        found.extend(rows.iter().map(|row| item_of(field, r, row)));
    }
    found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(found)
}
