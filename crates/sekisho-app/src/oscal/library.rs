//! The library format of CISO Assistant (YAML): a framework with its requirements. URNs are ASCII.

use sekisho_pack::model::PackMeta;
use serde_json::json;

use super::control_id;
use crate::clauses::ToldClause;

/// Writes the library. Texts are quoted as in JSON, which YAML reads the same.
pub(super) fn write(meta: &PackMeta, clauses: &[ToldClause]) -> String {
    let name: String = meta
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let q = |s: &str| json!(s).to_string();
    // The library's version is a whole number that rises: 1.2.3 → 10203.
    let version = meta
        .version
        .split('.')
        .map(|n| n.parse::<u32>().unwrap_or(0).min(99))
        .chain([0, 0, 0])
        .take(3)
        .fold(0, |all, n| all * 100 + n)
        .max(1);
    let mut out = format!(
        "urn: urn:sekisho:risk:library:{name}\nlocale: ja\nref_id: {ref_id}\nname: {title}\ndescription: {title}\nversion: {version}\nprovider: sekisho\npackager: sekisho\nobjects:\n  framework:\n    urn: urn:sekisho:risk:framework:{name}\n    ref_id: {ref_id}\n    name: {title}\n    description: {title}\n    requirement_nodes:\n",
        ref_id = q(&meta.name.to_uppercase()),
        title = q(&meta.title),
    );
    let node = |urn: &str| format!("urn:sekisho:risk:req_node:{name}:{urn}");
    let mut chapter = "";
    let mut number = 0;
    for c in clauses {
        if c.chapter != chapter {
            chapter = &c.chapter;
            number += 1;
            let urn = node(&format!("chapter-{number}"));
            out += &format!(
                "    - urn: {urn}\n      assessable: false\n      depth: 1\n      ref_id: {}\n      name: {}\n",
                q(&number.to_string()),
                q(chapter)
            );
        }
        out += &format!(
            "    - urn: {}\n      parent_urn: {}\n      assessable: true\n      depth: 2\n      ref_id: {}\n      name: {}\n      description: {}\n",
            node(&control_id(&c.id)),
            node(&format!("chapter-{number}")),
            q(&c.id),
            q(if c.title.is_empty() { &c.citation } else { &c.title }),
            q(&c.says),
        );
    }
    out
}
