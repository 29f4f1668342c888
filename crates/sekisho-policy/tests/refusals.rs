//! Files that are no standard are refused, each with a reason.

#![expect(clippy::panic, reason = "helpers of tests")]

use sekisho_policy::{MAX_BYTES, PolicyError, parse};

fn refused(bytes: &[u8], name: &str) -> (String, &'static str) {
    let error = parse(bytes, Some(name)).err().unwrap_or_else(|| panic!("{name} was read"));
    (error.to_string(), error.code())
}

#[test]
fn no_text_at_all() {
    assert_eq!(refused(b"", "x.txt").1, "policy_not_a_standard");
    assert_eq!(refused("\n　\n".as_bytes(), "x.txt").1, "policy_not_a_standard");
}

#[test]
fn other_formats_are_named() {
    for (bytes, word) in [
        (&b"%PDF-1.7\n..."[..], "PDF"),
        (&b"\xD0\xCF\x11\xE0\xA1\xB1"[..], "古い形式のOffice"),
        (&b"\x89PNG\r\n"[..], "画像"),
        (&b"abc\0def\0"[..], "バイナリ"),
    ] {
        let (message, code) = refused(bytes, "x.txt");
        assert_eq!(code, "policy_unsupported_format");
        assert!(message.contains(word) && message.contains("保存し直して"), "{message}");
    }
}

#[test]
fn a_novel_is_no_standard() {
    let novel = "第一章　雨の町\n\n　その日、彼女は傘を持たずに家を出た。駅まで歩くと、古い友人が待っていた。\n\n第二章　橋\n\n　橋の下では、子どもたちが舟を作って遊んでいた。二人は黙ってそれを見ていた。\n\n第三章　帰り道\n\n　夜になって、雨はやんだ。月が川に映っていた。\n";
    let (message, code) = refused(novel.as_bytes(), "novel.txt");
    assert_eq!(code, "policy_not_a_standard");
    assert!(message.contains("しなければならない"), "{message}");
}

#[test]
fn a_recipe_is_no_standard() {
    let recipe = "カレーの作り方\n1 玉ねぎを薄く切る。\n2 鍋に油を入れて炒める。\n3 水を加えて20分煮る。\n(1) 火を弱める。\n(2) ルーを入れる。\n";
    assert_eq!(refused(recipe.as_bytes(), "recipe.txt").1, "policy_not_a_standard");
}

#[test]
fn source_code_and_tables_are_no_standard() {
    let code = "// 情報セキュリティの設定を読む。\nfn main() {\n    let x = 1;\n    println!(\"{x}\");\n}\n"
        .repeat(20);
    assert!(refused(code.as_bytes(), "main.rs").0.contains("日本語の文書ではありません"));
    let csv = "番号,氏名,所属,権限\n1,山田,情報政策課,管理者\n2,佐藤,総務課,利用者\n3,鈴木,税務課,利用者\n";
    assert!(refused(csv.as_bytes(), "list.csv").0.contains("CSV"));
}

#[test]
fn running_text_without_numbers_is_no_standard() {
    let text =
        "職員は、情報セキュリティに関する規程を遵守しなければならない。管理者の許可を得なければならない。";
    assert!(refused(text.as_bytes(), "x.txt").0.contains("番号の付いた条項が見つかりません"));
}

#[test]
fn too_big() {
    assert_eq!(parse(&vec![b'a'; MAX_BYTES + 1], None), Err(PolicyError::TooLarge { limit: MAX_BYTES }));
    let many = "・職員は、報告しなければならない。\n".repeat(30_000);
    assert_eq!(refused(many.as_bytes(), "x.txt").1, "policy_too_many_nodes");
}
