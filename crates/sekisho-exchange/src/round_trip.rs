//! Property: what was exported and not touched imports as "same", in every format, for whatever values are stored.

use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_base::entropy::{Entropy as _, SeededEntropy};
use sekisho_base::table::Value;

use super::*;

/// Pieces of which texts are made: what formats, encodings and spreadsheets trip over.
const PIECES: [&str; 44] = [
    "=",
    "+",
    "-",
    "@",
    "'",
    "\"",
    ",",
    "\t",
    "\r",
    "\n",
    "\r\n",
    " ",
    "　",
    "、",
    ";",
    "\\",
    "\\n",
    "_x000D_",
    "_x005F_",
    "<&>",
    "&#65;",
    "]]>",
    "髙",
    "﨑",
    "邉\u{e0101}",
    "𠮷",
    "👩\u{200d}💻",
    "\u{e000}",
    "ｶﾞ",
    "Ａ１",
    "00123",
    "1,234",
    "2026/7/1",
    "R8.7.1",
    "TRUE",
    "○",
    "×",
    "本務",
    "main",
    "\u{feff}",
    "\u{1}",
    "\u{fffe}",
    "e\u{301}",
    "#N/A",
];

struct Nothing;

impl References for Nothing {
    fn exists(&self, _: &str, _: &str) -> bool {
        false
    }
}

struct Dice(SeededEntropy);

impl Dice {
    fn roll(&self, sides: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes).unwrap();
        usize::try_from(u64::from_le_bytes(bytes) % u64::try_from(sides).unwrap()).unwrap()
    }

    fn text(&self, most: usize) -> String {
        (0..self.roll(most + 1)).map(|_| PIECES[self.roll(PIECES.len())]).collect()
    }

    /// Any stored value, also such as no import would accept.
    fn value(&self) -> Value {
        match self.roll(8) {
            0 => Value::Null,
            1 => Value::Bool(self.roll(2) == 0),
            2 => Value::Int(
                [0, -5, 46_204, 20_260_701, i64::MAX, i64::MIN, 9_007_199_254_740_993][self.roll(7)],
            ),
            3 => Value::List((0..self.roll(4)).map(|_| self.text(3)).collect()),
            4 => Value::Text(
                ["2026-07-01", "1899-12-31", "1900-01-01", "9999-12-31", "0001-01-01", "main"][self.roll(6)]
                    .into(),
            ),
            _ => Value::Text(self.text(6)),
        }
    }
}

fn schema() -> Schema {
    let choices = vec![("main".to_owned(), "本務".to_owned()), ("concurrent".to_owned(), "兼務".to_owned())];
    let kinds = [
        Kind::Text,
        Kind::LongText,
        Kind::Code,
        Kind::Date,
        Kind::Integer,
        Kind::Bool,
        Kind::Choice(choices),
        Kind::Reference("unit".into()),
    ];
    let mut columns = vec![Column::new("key", &["番号"], Kind::Code).required()];
    for (i, kind) in kinds.into_iter().enumerate() {
        let one = Column::new(&format!("one{i}"), &[&format!("項目{i}")], kind.clone());
        let many = Column::new(&format!("many{i}"), &[&format!("複数{i}")], kind).many();
        columns.extend([one.required(), many]);
    }
    Schema { title: "往復".into(), key: vec!["key".into()], columns }
}

fn stored(dice: &Dice, schema: &Schema) -> BTreeMap<Vec<String>, Record> {
    (0..12)
        .map(|i| {
            let key = format!("{i:04}");
            let mut record: Record = schema.columns.iter().map(|c| (c.id.clone(), dice.value())).collect();
            record.insert("key".into(), Value::Text(key.clone()));
            (vec![key], record)
        })
        .collect()
}

fn assert_same(
    seed: u64,
    format: &str,
    schema: &Schema,
    existing: &BTreeMap<Vec<String>, Record>,
    bytes: &[u8],
) {
    let plan = plan(schema, &read_grid(bytes).unwrap(), existing, &Nothing);
    let odd: Vec<_> = plan.rows.iter().filter(|r| r.action != RowAction::Same).collect();
    assert!(odd.is_empty() && plan.can_apply(), "seed {seed}, {format}: {odd:#?} {:#?}", plan.errors);
    assert_eq!(plan.counts.same, existing.len());
}

#[test]
fn what_was_exported_imports_as_same() {
    let schema = schema();
    let created = Date::new(2026, 4, 1).unwrap();
    let mut narrow = 0;
    for seed in 0..60 {
        let existing = stored(&Dice(SeededEntropy::new(seed)), &schema);
        let table = Table::new(&schema, existing.values());
        assert_same(
            seed,
            "xlsx",
            &schema,
            &existing,
            &write_xlsx(std::slice::from_ref(&table), created).unwrap(),
        );
        assert_same(seed, "utf-8", &schema, &existing, &write_csv(&table, CsvEncoding::Utf8Bom).unwrap());
        // Code page 932: whole rows of characters that it holds.
        let holds = |r: &&Record| {
            let one = Table::new(&schema, [*r]);
            write_csv(&one, CsvEncoding::Cp932).is_ok()
        };
        let some: BTreeMap<_, _> =
            existing.iter().filter(|(_, r)| holds(r)).map(|(k, r)| (k.clone(), r.clone())).collect();
        narrow += some.len();
        let table = Table::new(&schema, some.values());
        let bytes = write_csv(&table, CsvEncoding::Cp932).unwrap();
        if !some.is_empty() {
            assert_same(seed, "cp932", &schema, &some, &bytes);
        }
    }
    assert!(narrow > 0);
}

#[test]
fn damaged_workbooks_are_refused_without_harm() {
    let schema = schema();
    let dice = Dice(SeededEntropy::new(7));
    let existing = stored(&dice, &schema);
    let good = write_xlsx(&[Table::new(&schema, existing.values())], Date::new(2026, 4, 1).unwrap()).unwrap();
    let mut refused = 0;
    for _ in 0..150 {
        let mut bytes = good.clone();
        for _ in 0..=dice.roll(3) {
            let at = dice.roll(bytes.len());
            bytes[at] ^= u8::try_from(1 + dice.roll(255)).unwrap();
        }
        bytes.truncate(bytes.len() - dice.roll(2) * dice.roll(bytes.len()));
        refused += usize::from(read_workbook(&bytes).is_err());
    }
    assert!(refused > 75, "{refused}");
}
