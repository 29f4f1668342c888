//! Storage media and devices of the demo city.

use sekisho_base::Date;
use sekisho_base::table::Value;

use super::super::organization::{Organization, SectionPlace};
use super::super::rng::Rng;
use super::{Row, people_by_section, put, recently, shares};

/// How many storage media.
pub(super) const MEDIA: usize = 600;
/// How many devices.
pub(super) const DEVICES: usize = 1400;

/// Section that keeps the servers, the network and the spare PCs.
const INFORMATION_SECTION: &str = "情報政策課";

fn serial(rng: &mut Rng) -> String {
    const LETTERS: &[char] =
        &['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N', 'P', 'R', 'T', 'W', 'X'];
    let head: String = (0..3).map(|_| rng.pick(LETTERS)).collect();
    format!("{head}{:07}", rng.below(10_000_000))
}

pub(super) fn media(seed: u64, today: Date, org: &Organization) -> Vec<Row> {
    let mut rng = Rng::part(seed, "media");
    let mut out = Vec::with_capacity(MEDIA);
    let heavy = |s: &SectionPlace| 12 + s.staff / 2 + if s.name == INFORMATION_SECTION { 60 } else { 0 };
    for (section, count) in shares(&org.sections, MEDIA, heavy) {
        for n in 1..=count {
            out.push(medium(&mut rng, today, section, n));
        }
    }
    out
}

fn medium(rng: &mut Rng, today: Date, section: &SectionPlace, n: usize) -> Row {
    // The first two of a section are always sticks: that is what people carry.
    let (kind, name, product, gigabytes) = match if n <= 2 { 0 } else { rng.below(10) } {
        0..=5 => ("usb", "USBメモリ", "パスワード付き暗号化USBメモリ", rng.pick(&[8, 16, 32])),
        6 | 7 => ("external_hdd", "外付けHDD", "暗号化ポータブルHDD", rng.pick(&[500, 1000, 2000])),
        _ => ("optical", "DVD-R", "記録用DVD-R", 4),
    };
    let confidentiality = rng.pick(&["2", "2", "2", "3", "1"]);
    let mut row = Row::new();
    let code: String = section.code.chars().take(4).collect();
    put(&mut row, "number", format!("M-{code}-{n:03}"));
    put(&mut row, "name", format!("{name} {n:03}"));
    put(&mut row, "kind", kind);
    put(&mut row, "section", section.code.as_str());
    put(&mut row, "manager", section.head.as_str());
    put(&mut row, "serial", serial(rng));
    put(&mut row, "product", product);
    row.insert("capacity_gb".to_owned(), Value::Int(gigabytes));
    put(&mut row, "confidentiality", confidentiality);
    put(&mut row, "encryption", if kind == "optical" { "software" } else { "hardware" });
    put(&mut row, "place", rng.pick(&["課長席横の金庫", "鍵付き保管庫", "課内の施錠書庫"]));
    put(&mut row, "status", if rng.chance(90) { "in_use" } else { "stored" });
    put(&mut row, "expires_on", today.fiscal_year_end().to_string());
    put(&mut row, "sighted_on", recently(rng, today));
    match rng.below(100) {
        0 | 1 => put(&mut row, "sighted_on", today.plus_days(-rng.range(380, 700)).to_string()),
        2 => drop(row.remove("sighted_on")),
        3 if n > 2 => drop(row.remove("encryption")),
        _ => {}
    }
    row
}

pub(super) fn devices(seed: u64, today: Date, org: &Organization) -> Vec<Row> {
    let mut rng = Rng::part(seed, "devices");
    let people = people_by_section(today, org);
    let mut out = Vec::with_capacity(DEVICES);
    for section in &org.sections {
        for person in people.get(&section.code).into_iter().flatten() {
            // Some share a device: outdoor crews, nursery and kitchen staff.
            if rng.chance(14) {
                continue;
            }
            let at = out.len() + 1;
            out.push(device(&mut rng, today, section, "pc", at, Some(person)));
        }
        let mobile = 1 + usize::from(matches!(section.department, "福祉部" | "こども部")) * 2;
        for kind in std::iter::repeat_n("mobile", mobile).chain(["mfp"]) {
            let at = out.len() + 1;
            out.push(device(&mut rng, today, section, kind, at, None));
        }
    }
    if let Some(section) = org.sections.iter().find(|s| s.name == INFORMATION_SECTION) {
        let fixed = std::iter::repeat_n("server", 34).chain(std::iter::repeat_n("network", 62));
        for kind in fixed.chain(std::iter::repeat("pc")) {
            if out.len() >= DEVICES {
                break;
            }
            let at = out.len() + 1;
            out.push(device(&mut rng, today, section, kind, at, None));
        }
    }
    out
}

fn device(
    rng: &mut Rng,
    today: Date,
    section: &SectionPlace,
    kind: &str,
    at: usize,
    user: Option<&String>,
) -> Row {
    let (prefix, name, product, os, confidentiality) = match kind {
        "server" => ("SV", "サーバ", "ラック型サーバ", rng.pick(&["Windows Server 2022", "Linux"]), "3"),
        "network" => (
            "NW",
            rng.pick(&["スイッチ", "ルータ", "ファイアウォール", "無線アクセスポイント"]),
            "ネットワーク機器",
            "",
            "2",
        ),
        "mfp" => ("MF", "複合機", "カラー複合機", "", "2"),
        "mobile" => ("MB", "タブレット端末", "10型タブレット", "Windows 11", "2"),
        _ => (
            "PC",
            "業務用パソコン",
            rng.pick(&["ノート型パソコン A4", "ノート型パソコン 13型"]),
            "Windows 11",
            "2",
        ),
    };
    let mut row = Row::new();
    put(&mut row, "number", format!("{prefix}-{at:05}"));
    put(&mut row, "name", format!("{name} {at:05}"));
    put(&mut row, "kind", kind);
    put(&mut row, "section", section.code.as_str());
    put(&mut row, "manager", if kind == "mfp" { section.head.as_str() } else { "info_policy_manager" });
    put(&mut row, "product", product);
    put(&mut row, "serial", serial(rng));
    put(&mut row, "os", os);
    put(
        &mut row,
        "zone",
        if kind == "server" { rng.pick(&["lgwan", "mynumber", "internet"]) } else { "lgwan" },
    );
    put(&mut row, "confidentiality", confidentiality);
    let indoors = if matches!(kind, "server" | "network") { "情報システム室" } else { section.name };
    put(&mut row, "place", indoors);
    if let Some(user) = user {
        put(&mut row, "user", user.as_str());
    }
    row.insert("loanable".to_owned(), Value::Bool(kind == "mobile" || (kind == "pc" && user.is_none())));
    if matches!(kind, "pc" | "mobile" | "server") {
        put(&mut row, "encryption", "hardware");
    }
    let installed = today.plus_days(-rng.range(60, 1500));
    put(&mut row, "installed_on", installed.to_string());
    put(&mut row, "support_until", today.fiscal_year_end().plus_months(rng.pick(&[12, 24, 36])).to_string());
    put(&mut row, "checked_on", recently(rng, today).max(installed.to_string()));
    match rng.below(100) {
        0 | 1 => {
            put(&mut row, "checked_on", today.plus_days(-rng.range(380, 700)).max(installed).to_string())
        }
        2 => put(&mut row, "support_until", today.plus_days(-rng.range(5, 300)).to_string()),
        3 if kind != "mobile" => drop(row.remove("encryption")),
        _ => {}
    }
    row
}
