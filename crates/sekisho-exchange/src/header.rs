//! Finds the row of headers, also below title rows, and says which column stands where.

use sekisho_base::text::{fold_key, shorten};

use super::cell::{Cell, Grid};
use super::column::Schema;

/// Rows from the top in which headers are looked for.
const SEARCHED: usize = 30;
/// What forms add to a label, folded.
const DECORATIONS: [&str; 9] = ["※必須", "(必須)", "【必須】", "(任意)", "※任意", "※", "*", "★", ":"];

/// Where the columns of a schema stand in a grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// Zero-based row of the headers.
    pub row: usize,
    /// For every column of the schema, the zero-based column of the grid.
    pub places: Vec<Option<usize>>,
    /// Headers that the schema does not know, with their zero-based column.
    pub unknown: Vec<(usize, String)>,
    /// Columns of the schema that stand twice: (index in the schema, second place).
    pub twice: Vec<(usize, usize)>,
}

impl Header {
    /// Number of columns found.
    pub fn found(&self) -> usize {
        self.places.iter().flatten().count()
    }
}

/// A label without width, white space and decoration.
fn fold(label: &str) -> String {
    let mut folded = fold_key(label);
    while let Some(shorter) = DECORATIONS
        .iter()
        .find_map(|d| folded.strip_suffix(d).or_else(|| folded.strip_prefix(d)).map(str::to_owned))
    {
        folded = shorter;
    }
    folded
}

/// The first of the rows in which most columns are found; none when no row names any.
pub(super) fn find(schema: &Schema, grid: &Grid) -> Option<Header> {
    let accepted: Vec<Vec<String>> =
        schema.columns.iter().map(|c| c.labels.iter().chain([&c.id]).map(|l| fold(l)).collect()).collect();
    let rows = grid.rows.iter().enumerate().take(SEARCHED);
    rows.map(|(row, cells)| read_row(&accepted, row, cells))
        .fold(None, |best: Option<Header>, next| match best {
            Some(best) if best.found() >= next.found() => Some(best),
            _ => Some(next),
        })
        .filter(|h| h.found() > 0)
}

fn read_row(accepted: &[Vec<String>], row: usize, cells: &[Cell]) -> Header {
    let mut header =
        Header { row, places: vec![None; accepted.len()], unknown: Vec::new(), twice: Vec::new() };
    for (place, cell) in cells.iter().enumerate().filter(|(_, c)| !c.is_blank()) {
        let folded = fold(&cell.text());
        match accepted.iter().position(|labels| labels.contains(&folded)) {
            None => header.unknown.push((place, shorten(&cell.text(), 40))),
            Some(column) => match header.places.get_mut(column) {
                Some(free @ None) => *free = Some(place),
                _ => header.twice.push((column, place)),
            },
        }
    }
    header
}

#[cfg(test)]
mod tests {
    use super::super::cell::Source;
    use super::super::column::{Column, Kind};
    use super::*;

    fn grid(rows: &[&[&str]]) -> Grid {
        let rows = rows.iter().map(|r| r.iter().map(|c| Cell::Text((*c).into())).collect()).collect();
        Grid { name: None, rows, source: Source::Xlsx, encoding: None }
    }

    #[test]
    fn headers_are_found_below_titles() {
        let schema = Schema {
            title: "職員".into(),
            key: vec!["number".into()],
            columns: vec![
                Column::new("number", &["職員番号", "番号"], Kind::Code),
                Column::new("name", &["氏名"], Kind::Text),
            ],
        };
        let header = find(
            &schema,
            &grid(&[
                &["職員一覧"],
                &[],
                &["", "職員 番号※必須", "氏　名", "備考", "氏名"],
                &["", "1", "氏名"],
            ]),
        )
        .unwrap();
        assert_eq!((header.row, header.places, header.twice), (2, vec![Some(1), Some(2)], vec![(1, 4)]));
        assert_eq!(header.unknown, [(3, "備考".to_owned())]);
        assert_eq!(find(&schema, &grid(&[&["組織"], &["課"]])), None);
        assert_eq!(find(&schema, &grid(&[&["ＮＵＭＢＥＲ"]])).unwrap().places, [Some(0), None]);
    }
}
