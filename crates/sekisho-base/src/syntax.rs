//! Faults of syntax in Japanese: what the readers of TOML and of conditions say in English, by kind, with a remedy.
//!
//! Packs and settings are written by people of a city office. A message of a kind that is not known here keeps its
//! English words behind the Japanese ones, in brackets.

/// What is wrong and what to do about it.
pub type Said = (String, String);

/// Beginnings of the TOML reader's messages with what they mean. The first that fits counts: longer ones stand above.
const TOML: [(&str, &str, &str); 48] = [
    ("duplicate key", "同じ項目が二度書かれています", "どちらか一つにしてください"),
    (
        "cannot extend value",
        "値のある項目に、点で区切った項目を続けて書いています",
        "点の前の名前を、値のある項目とは別の名前にしてください",
    ),
    ("cannot recurse further", "[ ] や { } の入れ子が深すぎます", "入れ子を浅くしてください"),
    (
        "carriage return must be",
        "改行の印がそろっていません",
        "文字の編集ソフトで、改行をLFかCRLFにそろえて保存し直してください",
    ),
    ("extra `=`", "= が二つあります", "= は一つにしてください。値の中の = は引用符で囲みます"),
    ("extra assignment between", "= が二つあります", "{ } の中は、項目 = 値 を , で区切って書いてください"),
    ("extra comma in", "余分な , があります", ", を一つ消してください"),
    ("unexpected `=` in array", "[ ] の並びの中に = があります", "] の閉じ忘れがないかを確かめてください"),
    (
        "missing comma between",
        ", が抜けています",
        "値と値の間に , を入れてください。引用符とかっこの閉じ忘れがないかも確かめてください",
    ),
    (
        "missing assignment between",
        "{ } の中に = が抜けています",
        "{ } の中は、項目 = 値 を , で区切って書いてください",
    ),
    (
        "missing key for inline",
        "{ } の中に、名前のない値があります",
        "{ } の中は、項目 = 値 を , で区切って書いてください",
    ),
    ("missing value for key", "項目に値がありません", "項目 = 値 のように、= の後に値を書いてください"),
    ("missing value", "値がありません", "項目 = 値 のように、= の後に値を書いてください"),
    (
        "key with no value",
        "項目の後に = と値がありません",
        "項目 = 値 のように書いてください。文の一部なら、引用符の中か # の後に書きます",
    ),
    ("invalid key-value pair", "項目 = 値 の形になっていません", "項目 = 値 のように書いてください"),
    (
        "invalid unquoted key",
        "項目の名前に使えない文字があります",
        "項目の名前は英数字、_、- で書いてください。全角の文字が混じっていないかも確かめてください",
    ),
    ("invalid key", "項目の名前がないか、使えない文字です", "項目の名前は英数字、_、- で書いてください"),
    ("keys cannot be multi-line", "項目の名前が何行にもわたっています", "項目の名前は一行で書いてください"),
    ("unclosed array table", "[[ が閉じていません", "[[step]] のように、]] で閉じてください"),
    ("unclosed table", "[ が閉じていません", "[permit] のように、] で閉じてください"),
    ("unclosed array", "[ ] の並びが閉じていません", "並びの終わりに ] を書いてください"),
    ("unclosed inline table", "{ が閉じていません", "同じ行の終わりに } を書いてください"),
    (
        "invalid inline table",
        "{ } の中が項目 = 値 の形になっていません",
        "{ } の中は、項目 = 値 を , で区切って書いてください",
    ),
    (
        "invalid table",
        "[ ] の見出しとして読めません",
        "[permit] や [[step]] のように、英数字、_、- で書いてください",
    ),
    ("missing table open", "[ が抜けています", "[permit] や [[step]] のように書いてください"),
    ("missing array opening", "[ が抜けています", "並びは [\"…\", \"…\"] のように書いてください"),
    (
        "missing inline table opening",
        "{ が抜けています",
        "{ } の中は、項目 = 値 を , で区切って書いてください",
    ),
    (
        "missing opening quote",
        "引用符の始まりがありません",
        "文字は \"…\" のように、半角の引用符で囲んでください",
    ),
    (
        "string values must be quoted",
        "文字が引用符で囲まれていません",
        "文字は \"…\" のように、半角の引用符で囲んでください",
    ),
    (
        "missing escaped value",
        "\\ の後の文字が使えません",
        "\\ そのものは \\\\ と書いてください。改行は \\n です",
    ),
    (
        "too few unicode value",
        "\\u の後の桁が足りません",
        "文字をそのまま書くか、\\u の後に4桁の16進数を書いてください",
    ),
    (
        "invalid multi-line",
        "\"\"\" で始めた文字が閉じていないか、使えない文字があります",
        "文字の終わりに \"\"\" を書いてください",
    ),
    (
        "invalid basic string",
        "引用符が閉じていないか、文字の中に使えない文字があります",
        "文字は一行の中で \"…\" と閉じてください。文字の中の \" は \\\" と書きます",
    ),
    (
        "invalid literal string",
        "引用符 ' が閉じていないか、文字の中に使えない文字があります",
        "文字は一行の中で '…' と閉じてください",
    ),
    ("invalid string", "文字として読めません", "文字は \"…\" のように、半角の引用符で囲んでください"),
    (
        "invalid boolean",
        "true か false として読めません",
        "true か false を、引用符を付けずに小文字で書いてください",
    ),
    (
        "invalid date",
        "日付や時刻として読めません",
        "日付は \"2026-07-01\" のように、引用符で囲んで書いてください",
    ),
    ("invalid time", "時刻として読めません", "時刻は \"09:00\" のように、引用符で囲んで書いてください"),
    ("invalid comment character", "# の後に、印刷できない文字があります", "その文字を消してください"),
    (
        "unexpected content between comment",
        "# の説明の終わりに、読めない文字があります",
        "改行をLFかCRLFにそろえて保存し直してください",
    ),
    (
        "unexpected key or value",
        "一行に二つのことが書かれています",
        "項目 = 値 は、一行に一つずつ書いてください。閉じ忘れた引用符がないかも確かめてください",
    ),
    (
        "unexpected leading zero",
        "数が0で始まっています",
        "数の初めの0を消してください。番号なら引用符で囲みます",
    ),
    ("unexpected sign", "数の符号が二つあります", "符号は一つにしてください"),
    (
        "integer number overflowed",
        "数が大きすぎます",
        "もっと小さい数にしてください。番号なら引用符で囲みます",
    ),
    ("unexpected content", "読めない文字があります", "その行の文字を確かめてください"),
    ("invalid value", "値として読めません", "文字は引用符で囲み、数は半角の数字で書いてください"),
    ("missing comment start", "# が抜けています", "説明は # の後に書いてください"),
    ("floating-point number overflowed", "数が大きすぎます", "もっと小さい数にしてください"),
];

/// Remedy for what has no better one.
const ELSE: &str = "引用符とかっこの閉じ忘れ、= の抜け、全角の記号が混じっていないかを確かめてください";

/// What a message of the TOML reader means; `rest` is the text from the place of the fault on.
#[must_use]
pub fn toml(message: &str, rest: &str) -> Said {
    // The reader takes the end of the line for the start of a text without quotes.
    let nothing = message.starts_with("string values must be quoted")
        && rest.lines().next().is_none_or(|line| line.trim().is_empty());
    let message = if nothing { "missing value" } else { message };
    if let Some((_, text, remedy)) = TOML.iter().find(|(start, ..)| message.starts_with(start)) {
        return ((*text).to_owned(), (*remedy).to_owned());
    }
    if ["number", "float", "exponent", "fraction", "mantissa", "radix"].iter().any(|w| message.contains(w)) {
        let remedy = "数は半角の数字で書いてください。文字や日付なら引用符で囲みます";
        return ("数として読めません".to_owned(), remedy.to_owned());
    }
    (format!("TOMLとして読めません（{message}）"), ELSE.to_owned())
}

/// What of a condition is open at its end: a quote, or the innermost of the brackets outside quotes.
fn open_at_end(source: &str) -> Option<char> {
    let mut open = Vec::new();
    let mut quote = None;
    for c in source.chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[') => open.push(c),
            (None, ')' | ']') => drop(open.pop()),
            (None, _) => {}
        }
    }
    quote.or_else(|| open.pop())
}

/// What a message of the reader of conditions (CEL) about a condition means.
#[must_use]
pub fn condition(message: &str, source: &str) -> Said {
    const EXAMPLE: &str = "例: class.confidentiality >= 2 && destination != \"home\" のように書いてください";
    let said = |text: &str, remedy: &str| (text.to_owned(), format!("{remedy}。{EXAMPLE}"));
    let lower = message.to_lowercase();
    let quoted = message.split_once("input '").and_then(|(_, rest)| Some(rest.split_once('\'')?.0));
    if lower.contains("recursion") || lower.contains("exceeds limit") {
        return ("入れ子が深すぎます".to_owned(), "条件を分けてください".to_owned());
    }
    let open = open_at_end(source);
    if lower.contains("unterminated") || matches!(open, Some('"' | '\'')) {
        return said("引用符が閉じていません", "文字の終わりに引用符を書いてください");
    }
    if lower.contains("expected ')'") || lower.contains("expecting ')'") {
        return said("( が閉じていません", ") を書いてください");
    }
    if lower.contains("expected ']'") || lower.contains("expecting ']'") {
        return said("[ が閉じていません", "] を書いてください");
    }
    if lower.contains("<eof>") && !lower.contains("expecting <eof>") {
        if let Some((open, close)) = open.map(|c| (c, if c == '(' { ')' } else { ']' })) {
            return said(&format!("{open} が閉じていません"), &format!("{close} を書いてください"));
        }
        return said("条件が途中で終わっています", "続きを書いてください");
    }
    if lower.contains("unexpected character") || lower.contains("token recognition") {
        return said(
            "条件に使えない文字があります",
            "記号と引用符は半角で書いてください。等しいことは ==、「かつ」は &&、「又は」は || です",
        );
    }
    if lower.contains("reserved identifier") {
        let word = message.rsplit(": ").next().unwrap_or_default();
        return said(
            &format!("「{word}」は決まった意味のある言葉で、名前に使えません"),
            "別の名前にしてください",
        );
    }
    if lower.contains("literal") {
        return said("数か文字として読めません", "数は半角の数字で、文字は \"…\" で囲んで書いてください");
    }
    if let Some(word) = quoted.filter(|w| !w.is_empty()) {
        return said(
            &format!("「{word}」がここにあるので、条件として読めません"),
            "前後のかっこ、&&、|| を確かめてください",
        );
    }
    if lower.contains("unsupported syntax") || lower.contains("quoted identifier") {
        return said(
            "この書き方は使えません",
            "比較、&&、||、!、in、? : と、用意された関数だけで書いてください",
        );
    }
    if ["unexpected token", "expected identifier", "mismatched", "extraneous", "no viable"]
        .iter()
        .any(|w| lower.contains(w))
    {
        return said("条件を式として読めません", "前後のかっこ、&&、|| を確かめてください");
    }
    said(&format!("条件を式として読めません（{message}）"), "かっこと引用符の閉じ忘れを確かめてください")
}

/// What a message of the reader of SQL means: 「Expected: …, found: … at Line: 1, Column: 8」.
#[must_use]
pub fn sql(message: &str) -> Said {
    let message = message.strip_prefix("sql parser error: ").unwrap_or(message);
    let (body, place) = message.split_once(" at Line: ").map_or((message, String::new()), |(body, at)| {
        let (line, column) = at.split_once(", Column: ").unwrap_or((at, ""));
        (
            body,
            if column.is_empty() {
                format!("{line}行目の")
            } else {
                format!("{line}行目{column}文字目の")
            },
        )
    });
    let lower = body.to_lowercase();
    if lower.contains("unterminated") {
        return (
            format!("SQLの{place}引用符が閉じていません"),
            "文字は '…' で囲んで閉じてください".to_owned(),
        );
    }
    if lower.contains("recursion limit") {
        return (
            "SQLの入れ子が深すぎます".to_owned(),
            "条件を分けて、いくつかの点検にしてください".to_owned(),
        );
    }
    if let Some((_, found)) = body.split_once(", found: ") {
        if found.trim() == "EOF" {
            return (
                "SQLが途中で終わっています".to_owned(),
                "SELECT 文を終わりまで書いてください。かっこの閉じ忘れも確かめてください".to_owned(),
            );
        }
        let text = format!("SQLの{place}「{found}」が、ここでは読めません");
        return (text, "その前の言葉のつづり、かっこ、, を確かめてください".to_owned());
    }
    (format!("SQLとして読めません（{message}）"), "SELECT 文を一つだけ書いてください".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_has_no_english_and_the_rest_keeps_it() {
        for (english, text, remedy) in TOML {
            let told = toml(&format!("{english} x, expected `]`"), "x");
            assert_eq!(told, (text.to_owned(), remedy.to_owned()), "{english} is hidden by one above it");
        }
        assert_eq!(toml("invalid integer number", "x").0, "数として読めません");
        assert!(toml("something new", "x").0.contains("（something new）"));
        assert!(condition("something new", "x").0.contains("（something new）"));
        assert!(sql("something new").0.contains("（something new）"));
        assert_eq!(
            sql("sql parser error: Expected: an expression, found: FROM at Line: 1, Column: 8").0,
            "SQLの1行目8文字目の「FROM」が、ここでは読めません"
        );
    }
}
