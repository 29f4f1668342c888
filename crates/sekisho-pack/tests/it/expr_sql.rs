//! One condition, one meaning: random typed conditions over random rows give the same in Rust and in SQLite.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sekisho_base::Date;
use sekisho_base::table::Value;
use sekisho_pack::expr::sql::{SqlArg, to_sql};
use sekisho_pack::expr::{Bindings, Env, Expr, Place, Type};
use sqlx::Row as _;
use tokio::runtime::Runtime;

const CODES: [&str; 3] = ["usb", "cd", "paper"];

fn env() -> Env {
    let mut env = Env::for_sql();
    let ranks = [("3A", 3), ("3B", 3), ("2", 2), ("1", 1)].map(|(c, r)| (c.to_owned(), r)).to_vec();
    let column = |c: &str| Some(Place::Column(c.to_owned()));
    for n in ["1", "2"] {
        env.declare(&format!("t{n}"), Type::Text, column(&format!("t{n}")));
        env.declare(&format!("i{n}"), Type::Int, column(&format!("i{n}")));
        env.declare(&format!("b{n}"), Type::Bool, column(&format!("b{n}")));
        env.declare(&format!("d{n}"), Type::Date, column(&format!("d{n}")));
    }
    env.declare("kind", Type::Choice(CODES.map(str::to_owned).to_vec()), column("kind"));
    env.declare("class.c", Type::Class(ranks), column("class"));
    env.declare(
        "list",
        Type::List(None),
        Some(Place::Many { register: "x".to_owned(), column: "list".to_owned() }),
    );
    env
}

/// A row: texts, numbers, truth values, dates, choice, class, list.
#[derive(Debug, Clone)]
struct Line {
    texts: [String; 2],
    ints: [Option<i64>; 2],
    bools: [Option<bool>; 2],
    dates: [String; 2],
    kind: String,
    class: String,
    list: Vec<String>,
}

impl Line {
    fn bindings(&self, today: Date) -> Bindings {
        let text = |s: &String| Value::Text(s.clone());
        let mut b = Bindings::on(today)
            .with("kind", text(&self.kind))
            .with("class.c", text(&self.class))
            .with("list", Value::List(self.list.clone()));
        for (n, i) in [("1", 0), ("2", 1)] {
            b = b
                .with(&format!("t{n}"), text(&self.texts[i]))
                .with(&format!("i{n}"), self.ints[i].map_or(Value::Null, Value::Int))
                .with(&format!("b{n}"), self.bools[i].map_or(Value::Null, Value::Bool))
                .with(&format!("d{n}"), text(&self.dates[i]));
        }
        b
    }
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("usb".to_owned()),
        Just("髙橋".to_owned()),
        Just("a'b%_".to_owned()),
        "[ab髙]{1,3}"
    ]
}

fn date_text() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just(String::new()),
        1 => Just("9999-12-31".to_owned()),
        1 => Just("0999-12-31".to_owned()),
        1 => Just("2026-03-31".to_owned()),
        1 => Just("2026-04-01".to_owned()),
        4 => (9_000i64..25_000).prop_map(|d| Date::from_epoch_days(d).to_string()),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    let int = || {
        proptest::option::of(prop_oneof![
            -3i64..4,
            Just(i64::MAX),
            Just(i64::MIN),
            Just(1_000_000_000_000_000)
        ])
    };
    let bools = || proptest::option::of(any::<bool>());
    let kind = prop_oneof![
        Just(String::new()),
        Just("usb".to_owned()),
        Just("cd".to_owned()),
        Just("unknown".to_owned())
    ];
    let class = prop_oneof![
        Just(String::new()),
        Just("3A".to_owned()),
        Just("3B".to_owned()),
        Just("2".to_owned()),
        Just("1".to_owned()),
        Just("9".to_owned())
    ];
    let list = proptest::collection::vec(prop_oneof![Just("usb".to_owned()), Just("髙橋".to_owned())], 0..3);
    ([word(), word()], [int(), int()], [bools(), bools()], [date_text(), date_text()], kind, class, list)
        .prop_map(|(texts, ints, bools, dates, kind, class, list)| Line {
            texts,
            ints,
            bools,
            dates,
            kind,
            class,
            list,
        })
}

fn s(text: &str) -> String {
    format!("\"{text}\"")
}

fn text() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        Just("t1".to_owned()),
        Just("t2".to_owned()),
        Just("kind".to_owned()),
        Just(s("髙橋")),
        Just(s("a'b%_"))
    ];
    leaf.boxed()
}

fn date() -> BoxedStrategy<String> {
    let row =
        prop_oneof![Just("d1".to_owned()), Just("d2".to_owned()), Just("fiscal_year_end(d1)".to_owned())];
    let fixed = prop_oneof![Just("today".to_owned()), Just("date(\"2026-04-01\")".to_owned())];
    let shifted = (fixed.clone(), 0..40i64, any::<bool>(), any::<bool>()).prop_map(|(d, n, plus, months)| {
        format!("({d} {} {}({n}))", if plus { '+' } else { '-' }, if months { "months" } else { "days" })
    });
    let end = shifted.clone().prop_map(|d| format!("fiscal_year_end({d})"));
    prop_oneof![3 => row, 1 => fixed, 2 => shifted, 1 => end].boxed()
}

fn int() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        Just("i1".to_owned()),
        Just("i2".to_owned()),
        Just("size(list)".to_owned()),
        Just("size(t1)".to_owned()),
        (-4i64..5).prop_map(|n| format!("({n})"))
    ];
    leaf.prop_recursive(2, 6, 2, |i| {
        (i.clone(), i, any::<bool>())
            .prop_map(|(a, b, plus)| format!("({a} {} {b})", if plus { '+' } else { '-' }))
    })
    .boxed()
}

fn op() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("=="), Just("!="), Just("<"), Just("<="), Just(">"), Just(">=")]
}

fn equality() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("=="), Just("!=")]
}

fn truth() -> BoxedStrategy<String> {
    let name = prop_oneof![Just("t1"), Just("i1"), Just("b1"), Just("d1"), Just("kind"), Just("class.c")];
    let leaf = prop_oneof![
        Just("b1".to_owned()),
        Just("b2".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        (text(), equality(), text()).prop_filter_map("codes", |(a, o, b)| {
            let choice = |x: &str, y: &str| x == "kind" && y.starts_with('"');
            (!choice(&a, &b) && !choice(&b, &a)).then(|| format!("{a} {o} {b}"))
        }),
        (equality(), proptest::sample::select(&CODES[..])).prop_map(|(o, c)| format!("kind {o} {}", s(c))),
        (int(), op(), int()).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
        (date(), op(), date()).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
        (op(), 0..5i64).prop_map(|(o, n)| format!("class.c {o} {n}")),
        (op(), 0..5i64).prop_map(|(o, n)| format!("{n} {o} class.c")),
        (op(), proptest::sample::select(&["3A", "2", "1"][..]))
            .prop_map(|(o, c)| format!("class.c {o} {}", s(c))),
        Just("class.c in [\"3A\", \"3B\"]".to_owned()),
        Just("has(class.c)".to_owned()),
        (name, equality()).prop_map(|(n, o)| format!("{n} {o} null")),
        Just("kind in [\"usb\", \"cd\"]".to_owned()),
        Just("i1 in [0, 1, 2]".to_owned()),
        Just("d1 in [today, date(\"2026-04-01\")]".to_owned()),
        Just("\"usb\" in list".to_owned()),
        Just("t1 in list".to_owned()),
        Just("t1.startsWith(\"髙\")".to_owned()),
        Just("t2.contains(\"b%\")".to_owned()),
        Just("t1.contains(\"a\")".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 3, |t| {
        prop_oneof![
            (t.clone(), t.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (t.clone(), t.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            t.clone().prop_map(|a| format!("!({a})")),
            (t.clone(), t.clone(), t.clone()).prop_map(|(c, a, b)| format!("(({c}) ? ({a}) : ({b}))")),
            (t.clone(), int(), int(), op(), int())
                .prop_map(|(c, a, b, o, d)| format!("((({c}) ? {a} : {b}) {o} {d})")),
            (t.clone(), equality(), t).prop_map(|(a, o, b)| format!("(({a}) {o} ({b}))")),
        ]
    })
    .boxed()
}

const TABLES: [&str; 2] = [
    "CREATE TABLE r_x (id TEXT PRIMARY KEY NOT NULL, c_t1 TEXT NOT NULL, c_t2 TEXT NOT NULL, c_d1 TEXT NOT NULL, c_d2 TEXT NOT NULL, \
     c_kind TEXT NOT NULL, c_class TEXT NOT NULL, c_i1 BIGINT, c_i2 BIGINT, c_b1 BOOLEAN, c_b2 BOOLEAN)",
    "CREATE TABLE m_x (row_id TEXT NOT NULL, col TEXT NOT NULL, pos BIGINT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (row_id, col, pos))",
];
const ROW: &str = "INSERT INTO r_x (id, c_t1, c_t2, c_d1, c_d2, c_kind, c_class, c_i1, c_i2, c_b1, c_b2) \
                   VALUES ('1', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const VALUE: &str = "INSERT INTO m_x VALUES ('1', 'list', $1, $2)";

/// Puts the row into a database and asks it; the same statements for both.
macro_rules! ask {
    ($pool:expr, $e:expr, $line:expr, $today:expr) => {{
        for clear in ["DELETE FROM r_x", "DELETE FROM m_x"] {
            sqlx::query(clear).execute($pool).await.unwrap();
        }
        let l = $line;
        let row = sqlx::query(ROW)
            .bind(&l.texts[0])
            .bind(&l.texts[1])
            .bind(&l.dates[0])
            .bind(&l.dates[1])
            .bind(&l.kind)
            .bind(&l.class);
        row.bind(l.ints[0]).bind(l.ints[1]).bind(l.bools[0]).bind(l.bools[1]).execute($pool).await.unwrap();
        for (pos, value) in (0i64..).zip(&l.list) {
            sqlx::query(VALUE).bind(pos).bind(value).execute($pool).await.unwrap();
        }
        let sql = to_sql($e, $today).unwrap();
        let mut q = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {} FROM r_x r", sql.text)));
        for a in &sql.args {
            q = match a {
                SqlArg::Text(t) => q.bind(t.clone()),
                SqlArg::Int(n) => q.bind(*n),
                SqlArg::Bool(b) => q.bind(*b),
            };
        }
        q.fetch_one($pool).await.unwrap_or_else(|e| panic!("{}: {e}", sql.text)).get::<Option<bool>, _>(0)
    }};
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Runs cases of the property against one database.
fn agree(cases: u32, database: impl Fn(&Expr, &Line, Date) -> Option<bool>) {
    let outcomes = std::cell::RefCell::new([0usize; 3]);
    let mut runner = TestRunner::new(Config { cases, ..Config::default() });
    let inputs = (truth(), line(), 15_000i64..25_000);
    let result = runner.run(&inputs, |(source, line, today)| {
        let e = match Expr::parse(&source, &env()) {
            Ok(e) => e,
            // Generated sources are well typed; only the bounds on size may refuse one.
            Err(e)
                if e.problem.contains("長すぎ")
                    || e.problem.contains("大きすぎ")
                    || e.problem.contains("深すぎ") =>
            {
                return Err(TestCaseError::reject("too large"));
            }
            Err(e) => return Err(TestCaseError::fail(format!("{source}: {e:?}"))),
        };
        let today = Date::from_epoch_days(today);
        let here = e.eval_bool(&line.bindings(today));
        outcomes.borrow_mut()[here.map_or(2, usize::from)] += 1;
        prop_assert_eq!(
            here,
            database(&e, &line, today),
            "{} over {:?}: {}",
            source,
            line,
            to_sql(&e, today).unwrap().text
        );
        Ok(())
    });
    result.unwrap();
    let outcomes = outcomes.into_inner();
    // The generator reaches all three outcomes, so that agreement means something.
    assert!(outcomes.iter().all(|n| *n > cases as usize / 20), "false, true, null: {outcomes:?}");
}

#[test]
fn rust_and_sqlite_agree() {
    let rt = runtime();
    let pool = rt.block_on(async {
        let pool = sqlx::sqlite::SqlitePoolOptions::new()
            .max_connections(1)
            .connect("sqlite::memory:")
            .await
            .unwrap();
        for t in TABLES {
            sqlx::query(t).execute(&pool).await.unwrap();
        }
        pool
    });
    agree(1500, |e, line, today| rt.block_on(async { ask!(&pool, e, line, today) }));
}

#[test]
fn rust_and_postgresql_agree() {
    let url = sekisho_testkit::postgres_url().unwrap();
    let rt = runtime();
    let pool = rt.block_on(async {
        let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
        for t in TABLES {
            sqlx::query(t).execute(&pool).await.unwrap();
        }
        pool
    });
    agree(600, |e, line, today| rt.block_on(async { ask!(&pool, e, line, today) }));
}
