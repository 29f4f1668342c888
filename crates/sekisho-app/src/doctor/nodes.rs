//! The nodes that serve the body from one database: which are there, and whether they are alike.

use std::collections::BTreeSet;

use sekisho_base::Instant;
use sekisho_store::node::NodeRow;

use super::Finding;
use crate::nodes::{ASTRAY_MS, SILENT_MS};

const ID: &str = "nodes";
const TITLE: &str = "動いている台数";

/// `now` is the time of the database, by which the nodes were seen. Nothing where no node ever told of itself: an SQLite file has one.
pub(super) fn look(nodes: &[NodeRow], now: Instant) -> Vec<Finding> {
    let silent = |n: &&NodeRow| now.millis() - n.seen_at.millis() > SILENT_MS;
    let gone: Vec<&NodeRow> = nodes.iter().filter(silent).collect();
    let alive: Vec<&NodeRow> = nodes.iter().filter(|n| !silent(n)).collect();
    if nodes.is_empty() {
        return vec![];
    }
    let names: Vec<String> = alive.iter().map(|n| format!("{}（版 {}）", n.name, n.version)).collect();
    let mut found = vec![if alive.is_empty() {
        Finding::caution(ID, TITLE, "動いているサーバがありません。", "サーバを動かしてください。")
    } else {
        Finding::good(ID, TITLE, format!("{}台: {}。", alive.len(), names.join("、")))
    }];
    for n in gone {
        found.push(Finding::caution(
            "nodes.silent",
            "応答のないサーバ",
            format!("{} は、{} から応答がありません。", n.name, n.seen_at.japanese()),
            "止めたのでなければ、その機械と、データベースへの通信を確かめてください。ほかのサーバが仕事を引き継いでいます。",
        ));
    }
    let kinds = |of: fn(&NodeRow) -> String| alive.iter().map(|n| of(n)).collect::<BTreeSet<_>>().len();
    if kinds(|n| n.version.clone()) > 1 {
        found.push(Finding::caution(
            "nodes.version",
            "サーバの版の違い",
            format!("版の違うサーバが同時に動いています（{}）。", names.join("、")),
            "全部を同じ版にしてください。新しい版がデータの形を変えると、古い版は書き込めなくなります。",
        ));
    }
    if kinds(|n| n.pack.clone()) > 1 {
        found.push(Finding::caution(
            "nodes.pack",
            "使っている基準の違い",
            "サーバによって、使っている基準の版が違います。切替えの直後なら、10秒ほどでそろいます。",
            "そろわないときは、古い版を使っているサーバを動かし直してください。",
        ));
    }
    if kinds(|n| n.mails.to_string()) > 1 {
        found.push(Finding::caution(
            "nodes.mail",
            "メールの設定の違い",
            "メールを送る設定のあるサーバと、ないサーバがあります。ないサーバで生じたお知らせは、メールになりません。",
            "設定ファイルの mail の項目を、全部のサーバで同じにしてください。",
        ));
    }
    if !alive.is_empty() && !alive.iter().any(|n| n.signs) {
        found.push(Finding::bad(
            "nodes.key",
            "署名するサーバ",
            "動いているサーバのどれにも署名鍵がありません。記録に署名できません。",
            "署名鍵のあるサーバを動かしてください。",
        ));
    }
    for n in alive.iter().filter(|n| n.ahead.abs() > ASTRAY_MS) {
        let way = if n.ahead > 0 { "進んで" } else { "遅れて" };
        found.push(Finding::caution(
            "nodes.clock",
            "サーバの時計のずれ",
            format!("{} の時計は、データベースより {}秒{way}います。", n.name, n.ahead.abs() / 1000),
            "すべての機械で、同じ時刻合わせ（NTP）の相手を使ってください。",
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> NodeRow {
        NodeRow {
            id: name.to_owned(),
            name: name.to_owned(),
            version: "1".to_owned(),
            pack: "p".to_owned(),
            signs: true,
            mails: true,
            ahead: 0,
            started_at: Instant::from_millis(0),
            seen_at: Instant::from_millis(1_000_000),
        }
    }

    fn ids(nodes: &[NodeRow], after: i64) -> Vec<&'static str> {
        look(nodes, Instant::from_millis(1_000_000 + after)).iter().map(|f| f.id).collect()
    }

    #[test]
    fn what_differs_between_nodes_is_named_and_what_is_alike_is_not() {
        assert!(ids(&[], 0).is_empty());
        let both = [node("a"), node("b")];
        assert_eq!(ids(&both, SILENT_MS), ["nodes"]);
        assert_eq!(ids(&both, SILENT_MS + 1), ["nodes", "nodes.silent", "nodes.silent"]);
        let other = NodeRow {
            version: "2".to_owned(),
            pack: "q".to_owned(),
            mails: false,
            ahead: -ASTRAY_MS - 1,
            ..node("b")
        };
        let named = ["nodes", "nodes.version", "nodes.pack", "nodes.mail", "nodes.clock"];
        assert_eq!(ids(&[node("a"), other], 0), named);
        let keyless = NodeRow { signs: false, ..node("a") };
        assert_eq!(ids(std::slice::from_ref(&keyless), 0), ["nodes", "nodes.key"]);
        assert_eq!(ids(&[keyless, node("b")], 0), ["nodes"]);
    }
}
