//! What a step writes into the registers when it is done: the thing disposed of is disposed of there too, by the act that did it.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::table::Value;
use sekisho_case::case::{Act, CaseState, Item, Verdict, What};
use sekisho_pack::model::{Classification, ColumnType, Pack, Register, Write, WriteValue};
use sekisho_store::Conn;
use sekisho_store::case::{self, ActRow};
use sekisho_store::register::{self, RegisterRow};
use serde_json::json;

use crate::cases::follow::case_cause;
use crate::cases::store::engine;
use crate::error::AppError;
use crate::office::Office;
use crate::record::{record, stream_of};
use crate::registers::{batch_payload, copies, keep_row, keep_rows, table_spec};

/// Writes what the acts' steps say into the rows of the items they cover, in the transaction of the acts. A bulk change of classes
/// is one batch with one entry; a row whose class changed after it was applied for is left alone, and the case's page names it.
pub(super) async fn write_rows(
    c: &mut Conn<'_>,
    office: &Office,
    pack: &Pack,
    state: &CaseState,
    acts: &[Act],
) -> Result<(), AppError> {
    let Some(procedure) = pack.procedures.get(&state.procedure) else { return Ok(()) };
    // The registers as they are kept today; a column that a newer version no longer has is left alone.
    let running = office.pack();
    let bulk = procedure.changes_classes();
    let cause = case_cause(&state.number);
    for act in acts {
        let What::Decided { step, verdict: Verdict::Done, covers, .. } = &act.what else { continue };
        let Some(spec) = procedure.steps.iter().find(|s| s.id == *step && !s.writes.is_empty()) else {
            continue;
        };
        let moved = if bulk { moved_meanwhile(&case::acts(c, &state.id).await?)? } else { BTreeSet::new() };
        let whole = covers.iter().any(|k| k.item.is_none());
        let covers: BTreeSet<&str> = covers.iter().filter_map(|k| k.item.as_deref()).collect();
        let covered = |i: &Item| (whole || covers.contains(i.key().as_str())) && !moved.contains(&i.key());
        let mut batches: BTreeMap<&str, Vec<(Option<RegisterRow>, RegisterRow)>> = BTreeMap::new();
        for item in state.items().into_iter().filter(|i| covered(i)) {
            let Some(r) = running.registers.get(&item.register) else { continue };
            let Some(before) = register::get(c, &table_spec(r), &engine(), &item.id).await? else { continue };
            let mut row = before.clone();
            let meant = |w: &&Write| w.field.as_ref().is_none_or(|f| *f == item.field);
            for w in spec.writes.iter().filter(meant) {
                if let Some(value) = value(&running.classification, r, w, &row, state, act) {
                    row.values.insert(w.column.clone(), value);
                }
            }
            if row.values == before.values {
                continue;
            }
            row.version += 1;
            row.updated_at = act.at;
            if bulk {
                batches.entry(&r.id).or_default().push((Some(before), row));
            } else {
                keep_row(c, office, r, Some(&before), &row, &act.person, &cause).await?;
            }
        }
        for (id, rows) in batches {
            let Some(r) = running.registers.get(id) else { continue };
            keep_batch(c, office, r, &rows, state, act).await?;
        }
    }
    Ok(())
}

/// One batch of rows with one entry; refused when a copy would end below its original.
async fn keep_batch(
    c: &mut Conn<'_>,
    office: &Office,
    r: &Register,
    rows: &[(Option<RegisterRow>, RegisterRow)],
    state: &CaseState,
    act: &Act,
) -> Result<(), AppError> {
    let after: Vec<&RegisterRow> = rows.iter().map(|(_, row)| row).collect();
    let low = copies::lower_rows(c, &office.pack(), r, &after).await?;
    if !low.is_empty() {
        let says: Vec<String> = low.values().take(20).cloned().collect();
        let message =
            format!("次のものは変えられません。差し戻して、外してもらってください。{}", says.join(" "));
        return Err(AppError::refused("C030", message));
    }
    let mut payload = batch_payload(r, rows, &act.person, act.at);
    payload.insert("case".to_owned(), json!(state.number));
    let stream = stream_of(&state.id)?;
    let entry = record(c, office.seal()?, &stream, "register.case", &json!(payload), act.at).await?;
    keep_rows(c, office, r, rows, &act.person, &case_cause(&state.number), &entry).await
}

/// Keys of the items whose class, owner or marks changed after the case was applied for.
pub(super) fn moved_meanwhile(acts: &[ActRow]) -> Result<BTreeSet<String>, AppError> {
    let mut moved = BTreeSet::new();
    for row in acts.iter().filter(|a| a.kind == "reclassified") {
        let act: Act = serde_json::from_str(&row.body).map_err(AppError::internal)?;
        if let What::Reclassified { item, .. } = act.what {
            moved.insert(item);
        }
    }
    Ok(moved)
}

fn value(
    classification: &Classification,
    r: &Register,
    w: &Write,
    row: &RegisterRow,
    state: &CaseState,
    act: &Act,
) -> Option<Value> {
    let column = r.columns.iter().find(|c| c.id == w.column)?;
    Some(match (&w.value, &column.kind) {
        (WriteValue::Field(field), ColumnType::Class(axis)) => {
            let target = state.content.fields.get(field)?.as_str()?;
            Value::Text(classification.converted(axis, row.text(&w.column), target))
        }
        (WriteValue::Field(_), _) => return None,
        (WriteValue::Text(_), ColumnType::Date) => Value::Text(act.at.date().to_string()),
        (WriteValue::Text(text), ColumnType::Bool) => Value::Bool(text == "true"),
        (WriteValue::Text(text), ColumnType::Text | ColumnType::LongText | ColumnType::Code)
            if text == "number" =>
        {
            Value::Text(state.number.clone())
        }
        (WriteValue::Text(text), _) => Value::Text(text.clone()),
    })
}
