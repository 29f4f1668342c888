//! What the operating system says, in Japanese: its reasons come in English, whatever the language of the machine.

use std::io;

/// Reasons that the system gives by number (errno of Linux), as an operator reads them.
const REASONS: [(i32, &str); 20] = [
    (1, "許されていません"),
    (2, "見つかりません"),
    (5, "装置の読み書きに失敗しました"),
    (12, "メモリが足りません"),
    (13, "権限がありません"),
    (17, "もうあります"),
    (20, "フォルダではありません"),
    (21, "フォルダです"),
    (22, "値が正しくありません"),
    (24, "開いているファイルが多すぎます"),
    (28, "空きがありません"),
    (30, "読取り専用の場所です"),
    (32, "相手が閉じました"),
    (36, "名前が長すぎます"),
    (98, "ほかのプログラムが使っています"),
    (99, "この機械のアドレスではありません"),
    (104, "相手が接続を切りました"),
    (110, "時間内に返事がありません"),
    (111, "相手が接続を受け付けません"),
    (113, "相手までの経路がありません"),
];

/// A message with the system's reasons in Japanese.
#[must_use]
pub fn in_japanese(message: &str) -> String {
    let mut text = message.to_owned();
    if text.contains("(os error ") {
        for (number, reason) in REASONS {
            text = text.replace(&io::Error::from_raw_os_error(number).to_string(), reason);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_japanese() {
        let missing = std::fs::read("/nowhere/at all").unwrap_err();
        assert_eq!(in_japanese(&format!("x を読めません: {missing}")), "x を読めません: 見つかりません");
        for (number, _) in REASONS {
            let text = in_japanese(&io::Error::from_raw_os_error(number).to_string());
            assert!(!text.is_ascii(), "{number}: {text}");
        }
        assert_eq!(in_japanese("何でもない"), "何でもない");
    }
}
