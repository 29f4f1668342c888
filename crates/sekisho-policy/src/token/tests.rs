//! Tokens of every style, and running text that only looks like one.

use super::*;

fn got(line: &str) -> Option<(Style, String, String)> {
    let t = recognize(line, 0, 0)?;
    Some((t.style, t.label, line[t.len..].to_owned()))
}

#[test]
fn tokens_of_every_style() {
    for (line, style, label, rest) in [
        ("第１２章　運用", Style::Chapter, "12", "運用"),
        ("第十二条　この規程は", Style::Article, "12", "この規程は"),
        ("第5条の2　職員は", Style::Article, "5-2", "職員は"),
        ("第五条の二の三 職員は", Style::Article, "5-2-3", "職員は"),
        ("第3条（目的）", Style::Article, "3", "（目的）"),
        ("序　章　はじめに", Style::Chapter, "P", "はじめに"),
        ("（１）目的", Style::Paren, "1", "目的"),
        ("⑵ 目的", Style::Paren, "2", "目的"),
        ("(2)の2 目的", Style::Paren, "2-2", "目的"),
        ("- ③職員", Style::Circled, "3", "職員"),
        ("（ｱ）情報", Style::KanaParen, "ア", "情報"),
        ("ロ　情報", Style::Kana, "ロ", "情報"),
        ("二　情報", Style::Kanji, "2", "情報"),
        ("1.2.3 情報", Style::Decimal(3), "3", "情報"),
        ("１－２　情報", Style::Hyphen(2), "2", "情報"),
        ("2. 情報", Style::NumDot(0), "2", "情報"),
        ("２　情報", Style::Num(0), "2", "情報"),
        ("a) 情報", Style::LatinHalfParen, "a", "情報"),
        ("第1 目的", Style::Dai, "1", "目的"),
        ("Ⅱ 目的", Style::Roman, "2", "目的"),
        ("・情報", Style::Bullet('・', 0), "", "情報"),
    ] {
        assert_eq!(got(line), Some((style, label.to_owned(), rest.to_owned())), "{line}");
    }
}

#[test]
fn running_text_is_no_token() {
    for line in [
        "第9条の規定に基づき",
        "第2章に定める",
        "第3条及び第4条",
        "2以上の情報",
        "令和2年",
        "10年",
        "A 社",
        "DVD-R",
        "2026.4.1 制定",
        "・・・",
        "3",
        "十分に",
        "一般に",
    ] {
        assert_eq!(got(line), None, "{line}");
    }
}

#[test]
fn steps() {
    let t = |s| recognize(s, 0, 0).unwrap();
    let step = |a, b| t(b).step_from(&t(a).value);
    assert_eq!(step("第5条 x", "第5条の2 x"), Step::Next);
    assert_eq!(step("第5条の2 x", "第6条 x"), Step::Next);
    assert_eq!(step("第5条 x", "第7条 x"), Step::Gap);
    assert_eq!(step("第5条 x", "第5条 x"), Step::Same);
    assert_eq!(step("(5) x", "(3) x"), Step::Back);
    assert_eq!(step("(5) x", "(1) x"), Step::First);
    assert_eq!(step("イ　x", "ロ　x"), Step::Next);
    assert_eq!(step("ア　x", "イ　x"), Step::Next);
    assert_eq!(step("ア　x", "ウ　x"), Step::Gap);
}

#[test]
fn deleted_ranges_are_one_token() {
    let t = recognize("第3条から第5条まで　削除", 0, 0).unwrap();
    assert_eq!((t.label.as_str(), t.until), ("3", Some(5)));
}
