//! Register rows of the demo city: information assets, storage media and devices. A few per cent are incomplete or were not
//! looked at for too long, so that the checks have something to say.

use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_base::table::Value;
use sekisho_store::org::AppointmentRow;

use super::organization::{Organization, SectionPlace};
use super::rng::Rng;

#[path = "equipment.rs"]
mod equipment;
#[path = "assets_list.rs"]
mod list;

use list::{EVERYWHERE, OF_SECTION};

/// A row: value by column id of the model pack's register.
pub type Row = BTreeMap<String, Value>;

/// Rows of the three registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registers {
    /// `asset`: 情報資産管理台帳.
    pub assets: Vec<Row>,
    /// `media`: 電磁的記録媒体.
    pub media: Vec<Row>,
    /// `device`: 機器.
    pub devices: Vec<Row>,
}

/// How many assets the city has.
pub const ASSETS: usize = 4000;

/// Makes the rows of all three registers.
#[must_use]
pub fn registers(seed: u64, today: Date, org: &Organization) -> Registers {
    Registers {
        assets: assets(seed, today, org),
        media: equipment::media(seed, today, org),
        devices: equipment::devices(seed, today, org),
    }
}

/// Text of a cell, or nothing.
#[must_use]
pub fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_text).unwrap_or_default()
}

fn put(row: &mut Row, column: &str, value: impl Into<String>) {
    row.insert(column.to_owned(), Value::Text(value.into()));
}

/// Splits a total over the sections by weight so that the parts add up to it exactly.
fn shares(
    sections: &[SectionPlace],
    total: usize,
    weight: impl Fn(&SectionPlace) -> usize,
) -> Vec<(&SectionPlace, usize)> {
    let sum: usize = sections.iter().map(&weight).sum::<usize>().max(1);
    let mut before = 0;
    sections
        .iter()
        .map(|s| {
            let start = before * total / sum;
            before += weight(s);
            (s, before * total / sum - start)
        })
        .collect()
}

/// Numbers of the people with a main post in each section today.
fn people_by_section(today: Date, org: &Organization) -> BTreeMap<String, Vec<String>> {
    let section_of: BTreeMap<&str, String> = org
        .posts
        .iter()
        .map(|p| (p.code.as_str(), p.unit.chars().take(4).chain("00".chars()).collect::<String>()))
        .collect();
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let current = |a: &&AppointmentRow| a.main && a.in_force(today);
    for a in org.appointments.iter().filter(current) {
        if let Some(section) = section_of.get(a.post.as_str()) {
            out.entry(section.clone()).or_default().push(a.person.clone());
        }
    }
    out
}

/// Day on which a row was last looked at: within the year.
fn recently(rng: &mut Rng, today: Date) -> String {
    today.plus_days(-rng.range(15, 330)).to_string()
}

fn assets(seed: u64, today: Date, org: &Organization) -> Vec<Row> {
    let mut rng = Rng::part(seed, "assets");
    let mut out = Vec::with_capacity(ASSETS);
    for (section, count) in shares(&org.sections, ASSETS, |s| s.staff + 20) {
        let own =
            OF_SECTION.iter().find(|(name, _)| *name == section.name).map(|(_, t)| *t).unwrap_or_default();
        let titles: Vec<&str> = own.split_whitespace().chain(EVERYWHERE.split_whitespace()).collect();
        // Own titles first for every year, then what every section has: the newest years are always there.
        let years = (0..12i16).flat_map(|back| titles.iter().map(move |t| (back, *t)));
        for (n, (back, title)) in years.take(count).enumerate() {
            out.push(asset(&mut rng, today, section, n + 1, back, title));
        }
    }
    out
}

/// What a title's letter says: (personal, confidentiality, integrity, availability, zone).
fn nature(
    rng: &mut Rng,
    letter: Option<char>,
) -> (&'static str, &'static str, &'static str, &'static str, &'static str) {
    match letter {
        Some('M') => ("my_number", "3", "2", "2", "mynumber"),
        Some('S') => ("sensitive", "3", "2", rng.pick(&["1", "2"]), rng.pick(&["lgwan", "mynumber"])),
        Some('P') => (
            "personal",
            if rng.chance(12) { "3" } else { "2" },
            "2",
            rng.pick(&["1", "2", "2"]),
            rng.pick(&["lgwan", "lgwan", "none"]),
        ),
        Some('H') => ("none", "3", "2", rng.pick(&["1", "2"]), "lgwan"),
        Some('O') => ("none", "1", "1", "1", rng.pick(&["lgwan", "internet", "none"])),
        _ => ("none", "2", rng.pick(&["1", "2"]), "1", rng.pick(&["lgwan", "lgwan", "lgwan", "none"])),
    }
}

fn asset(rng: &mut Rng, today: Date, section: &SectionPlace, number: usize, back: i16, title: &str) -> Row {
    let (personal, confidentiality, integrity, availability, zone) = nature(rng, title.chars().next());
    let title: String = title.chars().skip(1).collect();
    let year = today.fiscal_year_start().plus_months(-12 * i32::from(back));
    let name = match year.era() {
        Some((era, _, 1)) => format!("{era}元年度 {title}"),
        Some((era, _, n)) => format!("{era}{n}年度 {title}"),
        None => format!("{}年度 {title}", year.fiscal_year()),
    };
    let system = ["データ", "システム", "台帳"].iter().any(|end| title.ends_with(end));
    let paper = zone == "none";
    let kind = match title.as_str() {
        "ネットワーク構成図" | "システム設計書" | "調達仕様書" => "system_document",
        _ => "information",
    };
    let (medium, place) = match (paper, system) {
        (true, _) => ("紙", rng.pick(&["課内の施錠書庫", "課内の鍵付きキャビネット", "文書庫"])),
        (false, true) => ("業務システム", "情報システム室"),
        (false, false) => ("電子データ", "ファイルサーバの課専用フォルダ"),
    };
    let mut row = Row::new();
    put(&mut row, "number", format!("A-{}-{number:04}", section.code.chars().take(4).collect::<String>()));
    put(&mut row, "name", name);
    put(&mut row, "kind", kind);
    put(&mut row, "section", section.code.as_str());
    put(&mut row, "manager", section.head.as_str());
    put(&mut row, "confidentiality", confidentiality);
    put(&mut row, "integrity", integrity);
    put(&mut row, "availability", availability);
    put(&mut row, "personal", personal);
    if personal != "none" {
        let size = rng.pick(&[40, 120, 300, 900, 2500, 12_000, 48_000]);
        row.insert("persons".to_owned(), Value::Int(size + rng.range(0, size)));
    }
    let restriction = match confidentiality {
        "3" => rng.pick(&[
            "複製・持出し・再配付禁止",
            "課長の許可なく持出し禁止",
            "暗号化必須、復元できない方法で廃棄",
        ]),
        "2" => rng.pick(&["庁内限り", "課内限り", "持出しは許可制"]),
        _ => "",
    };
    put(&mut row, "restriction", restriction);
    put(&mut row, "zone", zone);
    put(&mut row, "medium", medium);
    put(&mut row, "place", place);
    put(
        &mut row,
        "users",
        if confidentiality == "3" {
            "担当係の職員"
        } else {
            rng.pick(&["課の職員", "部の職員", "課の職員"])
        },
    );
    let keep = rng.pick(&[36, 60, 60, 120, 360]);
    // What would be past its retention was kept on by decision; the register shows the new end.
    let until = (1..=40).map(|n| year.fiscal_year_end().plus_months(keep * n)).find(|d| *d >= today);
    if let Some(until) = until {
        put(&mut row, "retention_until", until.to_string());
    }
    put(
        &mut row,
        "backup",
        if paper { "なし（紙）" } else { rng.pick(&["毎日（別拠点）", "毎日", "週1回"]) },
    );
    if system && rng.chance(30) {
        put(
            &mut row,
            "contractor",
            rng.pick(&[
                "株式会社しおみデータサービス",
                "北浜情報システム株式会社",
                "公益社団法人汐見野市シルバー人材センター",
            ]),
        );
    }
    put(&mut row, "checked_on", recently(rng, today));
    if rng.below(1000) < 42 {
        spoil(rng, today, &mut row);
    }
    row
}

/// Makes a row incomplete or stale, as real registers are.
fn spoil(rng: &mut Rng, today: Date, row: &mut Row) {
    match rng.below(10) {
        0 | 1 => drop(row.remove("confidentiality")),
        2 => drop(row.remove("manager")),
        3 => drop(row.remove("checked_on")),
        4 => drop(row.remove("retention_until")),
        _ => put(row, "checked_on", today.plus_days(-rng.range(380, 900)).to_string()),
    }
}

#[cfg(test)]
#[path = "assets_tests.rs"]
mod tests;
