//! A small model, and texts that say the same otherwise.

use super::*;
use crate::parse;

/// (heading, text, indent): what is set in stands under what is not.
const MODEL: &[(&str, &str, usize)] = &[
    ("入退室と機器", "", 0),
    ("サーバ室", "サーバ室は施錠し、許可された者だけが入る。入った者と時刻を記録に残す。", 1),
    ("停電への備え", "停電に備えて無停電電源装置を置き、止まる前に機器を安全に停止させる。", 1),
    ("配線", "通信ケーブルは人が触れにくい場所に通し、傷を付けられないようにする。", 1),
    ("職員の心得", "", 0),
    ("離席", "席を離れるときは、画面を閉じ、書類を机の上に置いたままにしない。", 1),
    ("持ち出し", "媒体を庁外へ持ち出すときは、前もって課長の許可を受け、管理簿に書く。", 1),
    ("合言葉", "パスワードは他人に教えず、推測されにくいものにする。", 1),
    ("紛失", "媒体をなくしたときは、直ちに窓口へ知らせる。", 1),
    ("守られているかの確認", "", 0),
    ("監査", "年に一度、関係のない部署の者が監査を行い、結果を委員会に報告する。", 1),
    ("自己点検", "職員は毎年、自分の仕事を点検し、課長が結果をまとめる。", 1),
];

fn model() -> Vec<Target> {
    let mut chapter = None;
    MODEL
        .iter()
        .enumerate()
        .map(|(i, (heading, text, depth))| {
            if *depth == 0 {
                chapter = Some(i);
            }
            Target {
                id: format!("m{i}"),
                parent: chapter.filter(|_| *depth > 0),
                heading: (*heading).to_owned(),
                text: (*text).to_owned(),
                ..Target::default()
            }
        })
        .collect()
}

/// Citation of each clause → heading of the target proposed for it.
fn proposed(text: &str) -> Vec<(String, Option<&'static str>)> {
    let parsed = parse(text.as_bytes(), None).unwrap();
    let found = align(&parsed, &model()).unwrap();
    found
        .rows
        .iter()
        .map(|r| (parsed.nodes[r.node].citation.clone(), r.proposed().map(|c| MODEL[c.target].0)))
        .collect()
}

/// The chapters stand in another order, the words differ, one clause is new and three of the model are missing.
const ARTICLES: &str = "みどり町情報セキュリティ規程

第1章　監査及び点検
（監査）
第1条　情報セキュリティ監査は、毎年度1回、監査を受ける部署と関係のない職員が行い、その結果を委員会に報告しなければならない。
（自己点検）
第2条　職員は、毎年度、自らの業務について点検を行わなければならない。

第2章　職員の責務
（機器の持出し）
第3条　職員は、記録媒体を庁外に持ち出す場合は、あらかじめ課長の許可を得て、管理簿に記入しなければならない。
（離席時の措置）
第4条　職員は、離席するときは、画面を閉じるとともに、書類を机上に放置してはならない。
（旅費の精算）
第5条　職員は、出張から戻った日から7日以内に、旅費の精算を行わなければならない。

第3章　物理的対策
（サーバ室の管理）
第6条　サーバ室は、常に施錠しなければならない。
2　サーバ室に入った者は、氏名及び時刻を記録しなければならない。
（電源）
第7条　総務課長は、停電に備え、無停電電源装置を設置しなければならない。
";

#[test]
fn other_numbers_other_words_other_order() {
    let found = proposed(ARTICLES);
    let of = |citation: &str| found.iter().find(|(c, _)| c == citation).unwrap().1;
    assert_eq!(of("第1条"), Some("監査"));
    assert_eq!(of("第2条"), Some("自己点検"));
    assert_eq!(of("第3条"), Some("持ち出し"));
    assert_eq!(of("第4条"), Some("離席"));
    assert_eq!(of("第5条"), None, "travel expenses are no matter of the model");
    assert_eq!(of("第6条第1項"), Some("サーバ室"));
    assert_eq!(of("第6条第2項"), Some("サーバ室"), "one clause of the model may be split in two");
    assert_eq!(of("第7条"), Some("停電への備え"));
}

#[test]
fn an_article_and_its_only_paragraph_are_one_clause() {
    let parsed = parse(ARTICLES.as_bytes(), None).unwrap();
    let found = align(&parsed, &model()).unwrap();
    let third = found.rows.iter().find(|r| parsed.nodes[r.node].id == "3").unwrap();
    assert_eq!((parsed.nodes[third.node].heading.as_str(), third.text_of), ("機器の持出し", third.node + 1));
    assert!(!found.rows.iter().any(|r| parsed.nodes[r.node].id == "3.1"));
    assert!(found.rows.iter().any(|r| parsed.nodes[r.node].id == "6.1"));
}

#[test]
fn what_nobody_wrote_is_left_over() {
    let parsed = parse(ARTICLES.as_bytes(), None).unwrap();
    let found = align(&parsed, &model()).unwrap();
    let left: Vec<&str> = found.unmatched.iter().map(|j| MODEL[*j].0).collect();
    for missing in ["配線", "合言葉", "紛失"] {
        assert!(left.contains(&missing), "{missing} {left:?}");
    }
    for present in ["監査", "自己点検", "持ち出し", "離席", "サーバ室"] {
        assert!(!left.contains(&present), "{present} {left:?}");
    }
}

#[test]
fn ids_are_no_signal() {
    let parsed = parse(ARTICLES.as_bytes(), None).unwrap();
    let mut renamed = model();
    for (i, target) in renamed.iter_mut().enumerate() {
        target.id = format!("{}.1", (i + 3) % MODEL.len());
    }
    assert_eq!(align(&parsed, &renamed), align(&parsed, &model()));
}

#[test]
fn bounds_and_empty_sides() {
    let parsed = parse(ARTICLES.as_bytes(), None).unwrap();
    let none = align(&parsed, &[]).unwrap();
    assert!(none.rows.iter().all(|r| r.candidates.is_empty()) && none.unmatched.is_empty());
    let clauses = none.rows.len();
    let many = vec![Target::default(); MAX_PAIRS / clauses + 1];
    assert_eq!(align(&parsed, &many), Err(MatchError::TooLarge { clauses, targets: many.len() }));
    // Parents that make no sense are ignored.
    let odd = Target { parent: Some(7), text: "監査".into(), ..Target::default() };
    assert_eq!(align(&parsed, &[odd]).unwrap().unmatched.len(), 1);
}

#[test]
fn certainties_are_shares_and_fall() {
    let parsed = parse(ARTICLES.as_bytes(), None).unwrap();
    for row in align(&parsed, &model()).unwrap().rows {
        assert!(row.candidates.iter().all(|c| (0.0..=1.0).contains(&c.certainty)), "{row:?}");
        assert!(row.candidates.windows(2).all(|w| w[0].certainty >= w[1].certainty), "{row:?}");
    }
}
