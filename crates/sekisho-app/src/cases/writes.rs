//! What a step writes into the registers when it is done: the thing disposed of is disposed of there too, by the act that did it.

use sekisho_base::table::Value;
use sekisho_case::case::{Act, CaseState, Item, Verdict, What};
use sekisho_pack::model::{ColumnType, Pack, Register, Write};
use sekisho_store::{Conn, register};

use crate::cases::store::engine;
use crate::error::AppError;
use crate::office::Office;
use crate::registers::{keep_row, table_spec};

/// Writes what the acts' steps say into the rows of the items they cover, in the transaction of the acts.
pub(super) async fn write_rows(
    c: &mut Conn<'_>,
    office: &Office,
    pack: &Pack,
    state: &CaseState,
    acts: &[Act],
) -> Result<(), AppError> {
    let Some(procedure) = pack.procedures.get(&state.procedure) else { return Ok(()) };
    for act in acts {
        let What::Decided { step, verdict: Verdict::Done, covers, .. } = &act.what else { continue };
        let Some(spec) = procedure.steps.iter().find(|s| s.id == *step && !s.writes.is_empty()) else {
            continue;
        };
        let whole = covers.iter().any(|k| k.item.is_none());
        let covered = |i: &Item| whole || covers.iter().any(|k| k.item.as_deref() == Some(i.key().as_str()));
        for item in state.items().into_iter().filter(|i| covered(i)) {
            let writes = spec.writes.iter().filter(|w| w.field.as_ref().is_none_or(|f| *f == item.field));
            write_row(c, office, &writes.collect::<Vec<_>>(), state, item, act).await?;
        }
    }
    Ok(())
}

async fn write_row(
    c: &mut Conn<'_>,
    office: &Office,
    writes: &[&Write],
    state: &CaseState,
    item: &Item,
    act: &Act,
) -> Result<(), AppError> {
    // The register as it is kept today; a column that a newer version no longer has is left alone.
    let running = office.pack();
    let Some(r) = running.registers.get(&item.register) else { return Ok(()) };
    let Some(before) = register::get(c, &table_spec(r), &engine(), &item.id).await? else { return Ok(()) };
    let mut row = before.clone();
    for w in writes {
        if let Some(value) = value(r, w, state, act) {
            row.values.insert(w.column.clone(), value);
        }
    }
    if row.values == before.values {
        return Ok(());
    }
    row.version += 1;
    row.updated_at = act.at;
    keep_row(c, office, r, Some(&before), &row, &act.person, &format!("case:{}", state.number)).await
}

fn value(r: &Register, w: &Write, state: &CaseState, act: &Act) -> Option<Value> {
    let column = r.columns.iter().find(|c| c.id == w.column)?;
    Some(match column.kind {
        ColumnType::Date => Value::Text(act.at.date().to_string()),
        ColumnType::Bool => Value::Bool(w.value == "true"),
        ColumnType::Text | ColumnType::LongText | ColumnType::Code if w.value == "number" => {
            Value::Text(state.number.clone())
        }
        _ => Value::Text(w.value.clone()),
    })
}
