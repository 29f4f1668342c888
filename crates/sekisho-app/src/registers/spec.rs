//! From the pack's register to the store's table and the exchange's schema.

use std::collections::BTreeMap;

use sekisho_base::table::{ColumnSpec, Storage, TableSpec, Value};
use sekisho_pack::model::{ColumnType, Pack, Register};

use crate::exchange::{Column, Kind, Schema};

/// The table of a register.
#[must_use]
pub fn table_spec(r: &Register) -> TableSpec {
    let columns = r
        .columns
        .iter()
        .map(|c| ColumnSpec {
            id: c.id.clone(),
            storage: match c.kind {
                ColumnType::Integer => Storage::Int,
                ColumnType::Bool => Storage::Bool,
                _ => Storage::Text,
            },
            many: c.many,
            // Lists filter by what they show; copies are looked for by their original.
            indexed: (c.list || Some(&c.id) == r.copy_of.as_ref()) && !c.many && !c.personal,
            // What is hidden from some must not be found out by searching, filtering or sorting either.
            unsearched: c.personal,
        })
        .collect();
    TableSpec { id: r.id.clone(), key: r.key.clone(), name: r.name.clone(), owner: r.owner.clone(), columns }
}

/// What a register's sheet exchanges.
pub(super) fn schema(pack: &Pack, r: &Register) -> Schema {
    let columns = r
        .columns
        .iter()
        .map(|c| {
            let kind = match &c.kind {
                ColumnType::Text => Kind::Text,
                ColumnType::LongText => Kind::LongText,
                ColumnType::Code => Kind::Code,
                ColumnType::Date => Kind::Date,
                ColumnType::Integer => Kind::Integer,
                ColumnType::Bool => Kind::Bool,
                ColumnType::Choice => {
                    Kind::Choice(c.choices.iter().map(|x| (x.code.clone(), x.label.clone())).collect())
                }
                ColumnType::Class(axis) => Kind::Choice(
                    pack.classification
                        .axes
                        .get(axis)
                        .map(|a| a.levels.iter().map(|l| (l.code.clone(), l.title.clone())).collect())
                        .unwrap_or_default(),
                ),
                ColumnType::Unit => Kind::Reference("unit".to_owned()),
                ColumnType::Post => Kind::Reference("post".to_owned()),
                ColumnType::Person => Kind::Reference("person".to_owned()),
                ColumnType::Ref(_) => Kind::Code,
            };
            Column {
                id: c.id.clone(),
                labels: vec![c.label.clone()],
                kind,
                many: c.many,
                // A copy takes the class of its original: `copies` asks for it after that.
                required: c.required && !(r.copy_of.is_some() && r.class.values().any(|k| *k == c.id)),
            }
        })
        .collect();
    Schema { title: r.title.clone(), key: vec![r.key.clone()], columns }
}

/// Class codes of a row by axis.
pub(crate) fn class_of(r: &Register, values: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let code = |column: &String| values.get(column).and_then(Value::as_text).unwrap_or_default().to_owned();
    r.class
        .iter()
        .map(|(axis, column)| (axis.clone(), code(column)))
        .filter(|(_, code)| !code.is_empty())
        .collect()
}
