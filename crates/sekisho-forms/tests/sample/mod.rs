//! A permit to print, and the templates of the model pack.

use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_forms::{
    Act, AxisClass, Column, Field, FormData, Item, Ledger, Movement, Permit, Person, RecordTable, Safeguard,
    Step,
};

/// The forms of the model pack, by stem.
pub fn templates() -> BTreeMap<String, String> {
    let take_out = include_str!("../../../../packs/model-city/forms/take_out.typ");
    let base = include_str!("../../../../packs/model-city/forms/base.typ");
    BTreeMap::from([("take_out".to_owned(), take_out.to_owned()), ("base".to_owned(), base.to_owned())])
}

/// One template of our own, named `own`.
pub fn own(source: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("own".to_owned(), source.to_owned())])
}

fn person(unit: &str, title: &str, name: &str, kana: &str) -> Person {
    Person { unit: unit.into(), title: title.into(), name: name.into(), kana: kana.into() }
}

fn field(id: &str, label: &str, value: &str) -> Field {
    Field { id: id.into(), label: label.into(), value: value.into() }
}

fn item(n: usize) -> Item {
    let name = if n % 7 == 3 {
        "固定資産税課税台帳の抽出データ（家屋・償却資産、過年度更正分を含む。外部記録用の暗号化機能付きUSBメモリに格納）"
    } else {
        "暗号化機能付きUSBメモリ"
    };
    let class = |axis: &str, label: &str, code: &str| AxisClass {
        axis: axis.into(),
        label: label.into(),
        code: code.into(),
    };
    Item {
        register: "電磁的記録媒体管理台帳".into(),
        key: format!("ZEIMU-USB-2026-{n:04}"),
        name: name.into(),
        classes: vec![
            class("confidentiality", "機密性", "3A"),
            class("integrity", "完全性", "2"),
            class("availability", "可用性", "2"),
        ],
        fields: vec![
            field("quantity", "数量", "1個"),
            field("encryption", "暗号化", "あり（AES-256）"),
            field("serial", "製造番号", if n.is_multiple_of(2) { "" } else { "SN-88213004417" }),
        ],
    }
}

/// A permit with `items` items, given by a deputy, partly returned.
pub fn permit(items: usize) -> FormData {
    let decider = Act {
        result: "許可".into(),
        person: person("税務課", "課長補佐", "渡邉 﨑男", "わたなべ さきお"),
        role: "情報セキュリティ管理者".into(),
        capacity: "代決".into(),
        mark: "代".into(),
        day: "8.7.1".into(),
        at: "令和8年7月1日 10時05分".into(),
        note: "課長が出張中のため".into(),
    };
    FormData {
        document_date: Date::new(2026, 7, 1).expect("a day"),
        document_date_text: "令和8年7月1日".into(),
        body: "さくら野市".into(),
        form_number: String::new(),
        title: "情報資産等の持出".into(),
        fiscal_year: "令和8年度".into(),
        number: "持出-R8-0042".into(),
        applied_on: "令和8年6月30日".into(),
        // 髙, and 葛 with the variation selector that asks for its second shape.
        applicant: person("総務部税務課資産税係", "主任", "髙橋 葛\u{E0101}子", "たかはし かつこ"),
        fields: vec![
            field("purpose", "持出しの目的", "家屋調査の現地確認\n（中央地区 三十二棟）"),
            field("destination", "持出先", "市内中央地区の調査先及び県税事務所"),
            field("from", "持出日", "令和8年7月2日"),
            field("return_by", "返却予定日", "令和8年7月31日"),
            field("carrying_method", "運搬の方法", "鍵付きかばんに入れ、公用車で二人で運ぶ"),
            field("blanket", "包括許可", "はい"),
            field("contact", "持出し中の連絡先", ""),
        ],
        items: (1..=items).map(item).collect(),
        steps: vec![
            Step {
                id: "permit".into(),
                title: "許可".into(),
                role: "情報セキュリティ管理者".into(),
                stamp: true,
                acts: vec![decider.clone()],
            },
            Step {
                id: "confirm_return".into(),
                title: "返却確認".into(),
                role: "情報セキュリティ管理者".into(),
                stamp: true,
                acts: Vec::new(),
            },
        ],
        permit: Some(Permit {
            decided_on: "令和8年7月1日".into(),
            from: "令和8年7月2日".into(),
            until: "令和8年7月31日".into(),
            blanket: true,
            deciders: vec![decider],
            conditions: vec![
                "車内に置いたまま離れないこと。".into(),
                "毎日の終業時に課の保管庫へ戻すこと。".into(),
            ],
            qr: "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 29 29\"><path fill=\"#fff\" d=\"M0 0h29v29H0z\"/><path d=\"M4 4h7v7h-7z\"/></svg>".into(),
        }),
        safeguards: vec![
            Safeguard {
                text: "暗号化し、パスワードは別の手段で伝える。".into(),
                clauses: vec!["第2章第2節(8)ア".into(), "第5章第1節(1)③(イ)".into()],
            },
            Safeguard {
                text: "鍵付きのケースに入れて運ぶ。".into(),
                clauses: vec!["第2章第2節(8)イ".into()],
            },
        ],
        movements: vec![Movement {
            direction: "持出".into(),
            at: "令和8年7月2日 8時40分".into(),
            items: vec!["ZEIMU-USB-2026-0001".into()],
            person: "髙橋 葛\u{E0101}子".into(),
            note: String::new(),
        }],
        records: vec![RecordTable {
            id: "return".into(),
            title: "返却の確認".into(),
            columns: [
                ("item", "管理番号"),
                ("returned_at", "返却日"),
                ("erasure_checked", "データの消去確認"),
                ("by", "確認者"),
            ]
            .map(|(id, label)| Column { id: id.into(), label: label.into() })
            .into(),
            rows: Vec::new(),
        }],
        ledger: Some(Ledger {
            origin: "sakurano.example/sekisho".into(),
            entry: "01JZ3V0Q5E8X4T7K2M9N6P1R3S".into(),
            leaf_index: Some(10_482),
            tree_size: Some(10_496),
            root_hash: "q1Zk0m3Jt0pQkF8l2rYw7n5m9x4uV6bC1dE3gH5iJ7k=".into(),
        }),
        notices: Vec::new(),
        printed: "令和8年7月1日 10時06分 印刷".into(),
    }
}
