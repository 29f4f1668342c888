//! A register's list: filtered, sorted, paged, within what the viewer may see.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use sekisho_base::limits::{PAGE_ROWS, count_words};
use sekisho_base::table::Value;
use sekisho_boxed::boxed;
use sekisho_pack::model::{ColumnType, Register};
use sekisho_pack::words::item_registers;
use sekisho_store::register::{self, Filter, RegisterRow};
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;
use crate::registers::show::{RefChoice, choices, show_cell};
use crate::registers::table_spec;
use crate::sight::hide_cells;

/// A register in the list of registers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RegisterLine {
    /// Id.
    pub id: String,
    /// Japanese name.
    pub title: String,
    /// How many rows this person may see, 「10000以上」 beyond the cap.
    pub total: String,
}

/// What a list was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuery {
    /// Words.
    pub q: String,
    /// Column and code.
    pub filters: Vec<(String, String)>,
    /// Column to sort by, with `-` before it for descending.
    pub sort: String,
    /// Page from 1.
    pub page: i64,
    /// Columns that are shown beside the key; empty for all that the list has.
    pub columns: Vec<String>,
}

/// A column head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ColumnHead {
    /// Column id.
    pub id: String,
    /// Label.
    pub label: String,
    /// Whether the list can be sorted by it.
    pub sortable: bool,
}

/// A filter above the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FilterView {
    /// Column id.
    pub id: String,
    /// Label.
    pub label: String,
    /// Choices.
    pub choices: Vec<RefChoice>,
    /// Chosen code.
    pub value: String,
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RowLine {
    /// Row id.
    pub id: String,
    /// Cells in the order of the heads.
    pub cells: Vec<String>,
    /// Version of the row.
    pub version: i64,
    /// Stored values of the columns shown, by column id, for programs: codes and ISO dates. The others are behind the row, where looks are
    /// recorded.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub values: BTreeMap<String, Value>,
}

/// A page of a register.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RegisterList {
    /// Register id.
    pub id: String,
    /// Japanese name.
    pub title: String,
    /// Heads; the first is the key.
    pub columns: Vec<ColumnHead>,
    /// Columns that can be chosen: id, label, whether it is shown.
    pub choices: Vec<(String, String, bool)>,
    /// Filters.
    pub filters: Vec<FilterView>,
    /// Lines.
    pub rows: Vec<RowLine>,
    /// How many rows there are, 「10000以上」 beyond the cap.
    pub total: String,
    /// Page from 1.
    pub page: i64,
    /// Whether there is a page after this one.
    pub more: bool,
    /// Whether this person may write rows somewhere.
    pub may_edit: bool,
    /// Procedures that change classes of its rows in bulk: id and title.
    pub bulk: Vec<(String, String)>,
}

#[boxed]
impl Office {
    /// The registers of the running pack.
    ///
    /// # Errors
    /// The database failed.
    pub async fn registers(&self, who: &Identity) -> Result<Vec<RegisterLine>, AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let mut lines = Vec::new();
        for r in pack.registers.values() {
            let (spec, viewer) = (table_spec(r), me.viewer().clone());
            let (_, total) = self
                .store
                .read(move |c| {
                    Box::pin(async move {
                        register::list(c, &spec, &viewer, &Filter::default(), 0, 1)
                            .await
                            .map_err(AppError::from)
                    })
                })
                .await?;
            lines.push(RegisterLine { id: r.id.clone(), title: r.title.clone(), total: shown_total(total) });
        }
        Ok(lines)
    }

    /// One page of a register.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an unknown register.
    pub async fn register_list(
        &self,
        who: &Identity,
        id: &str,
        query: &ListQuery,
    ) -> Result<RegisterList, AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let r = pack.registers.get(id).ok_or(AppError::NotFound)?;
        let spec = table_spec(r);
        let filter = filter(r, query);
        let viewer = me.viewer().clone();
        let offset = (query.page.clamp(1, 1_000_000) - 1) * PAGE_ROWS;
        let (rows, total) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    register::list(c, &spec, &viewer, &filter, offset, PAGE_ROWS + 1)
                        .await
                        .map_err(AppError::from)
                })
            })
            .await?;
        self.list_view(&me, r, query, rows, total, usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX)).await
    }

    /// Rows as a list shows them to somebody: the first `most`; of `total`, as counted.
    pub(crate) async fn list_view(
        &self,
        me: &Me,
        r: &Register,
        query: &ListQuery,
        mut rows: Vec<RegisterRow>,
        total: i64,
        most: usize,
    ) -> Result<RegisterList, AppError> {
        let pack = self.pack();
        rows.iter_mut().for_each(|row| hide_cells(me, r, row));
        let directory = self.directory().await?;
        // Only what the list shows anyway can be chosen: the rest is behind the row, where looks are recorded.
        let listed = || r.columns.iter().filter(|c| c.list && c.id != r.key);
        let known = listed().any(|c| query.columns.contains(&c.id));
        let chosen = |id: &String| !known || query.columns.contains(id);
        let shown: Vec<_> = std::iter::once(r.key.as_str())
            .chain(listed().filter(|c| chosen(&c.id)).map(|c| c.id.as_str()))
            .filter_map(|id| r.columns.iter().find(|c| c.id == id))
            .collect();
        let more = rows.len() > most;
        let lines = rows
            .into_iter()
            .take(most)
            .map(|mut row| {
                let cells =
                    shown.iter().map(|c| show_cell(&pack, &directory, c, row.values.get(&c.id))).collect();
                row.values.retain(|id, _| shown.iter().any(|c| c.id == *id));
                RowLine { cells, id: row.id, version: row.version, values: row.values }
            })
            .collect();
        let columns = shown
            .iter()
            .map(|c| ColumnHead {
                id: c.id.clone(),
                label: c.label.clone(),
                sortable: !c.many && !c.personal && !matches!(c.kind, ColumnType::Integer | ColumnType::Bool),
            })
            .collect();
        Ok(RegisterList {
            id: r.id.clone(),
            title: r.title.clone(),
            columns,
            choices: listed().map(|c| (c.id.clone(), c.label.clone(), chosen(&c.id))).collect(),
            filters: self.filters(r, query),
            rows: lines,
            total: shown_total(total),
            page: query.page.max(1),
            more,
            may_edit: me.keeps_anything(r),
            bulk: pack
                .procedures
                .values()
                .filter(|p| p.changes_classes() && item_registers(p).contains(&r.id.as_str()))
                .map(|p| (p.id.clone(), p.title.clone()))
                .collect(),
        })
    }

    fn filters(&self, r: &Register, query: &ListQuery) -> Vec<FilterView> {
        let pack = self.pack();
        let chosen = |id: &str| {
            query.filters.iter().find(|(c, _)| c == id).map(|(_, v)| v.clone()).unwrap_or_default()
        };
        let columns = r.columns.iter().filter(|c| c.list && !c.many && !c.personal);
        columns
            .filter_map(|c| {
                let list = match &c.kind {
                    ColumnType::Choice => choices(&c.choices),
                    ColumnType::Class(axis) => {
                        let axis = pack.classification.axes.get(axis)?;
                        axis.levels
                            .iter()
                            .map(|l| RefChoice { code: l.code.clone(), label: l.title.clone() })
                            .collect()
                    }
                    _ => return None,
                };
                Some(FilterView {
                    id: c.id.clone(),
                    label: c.label.clone(),
                    choices: list,
                    value: chosen(&c.id),
                })
            })
            .collect()
    }
}

/// A count as shown.
fn shown_total(total: i64) -> String {
    count_words(total)
}

/// The store's filter of a query; unknown columns fall away there.
pub(crate) fn filter(r: &Register, query: &ListQuery) -> Filter {
    let (descending, sort) = match query.sort.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, query.sort.as_str()),
    };
    Filter {
        words: query.q.split_whitespace().take(8).map(str::to_owned).collect(),
        equals: query.filters.iter().filter(|(_, v)| !v.is_empty()).cloned().collect(),
        sort: r.columns.iter().any(|c| c.id == sort).then(|| sort.to_owned()),
        descending,
    }
}
