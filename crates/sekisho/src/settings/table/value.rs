//! What a setting's text must be, and how it may be shown.

use std::net::SocketAddr;

use super::Kind;

/// What is wrong with a value and what to do; nothing when it is fine.
pub(crate) fn fault(kind: Kind, text: &str) -> Option<(String, String)> {
    let wrong =
        |what: &str, remedy: &str| Some((format!("「{text}」は{what}ではありません"), remedy.to_owned()));
    match kind {
        _ if text.trim().is_empty() => {
            Some(("値が空です".to_owned(), "値を書くか、行ごと消してください".to_owned()))
        }
        Kind::Text | Kind::Path => None,
        Kind::Listen if text.parse::<SocketAddr>().is_err() => {
            wrong("待ち受けるアドレス", "127.0.0.1:8080 のように、アドレスとポート番号を書いてください")
        }
        Kind::Switch if !matches!(text, "true" | "false") => {
            wrong("true か false", "true（はい）か false（いいえ）を書いてください")
        }
        Kind::OneOf(all) if !all.contains(&text) => {
            wrong("選べる値", &format!("{} のどれかを書いてください", all.join("、")))
        }
        Kind::Number(least, most) if !text.parse::<u64>().is_ok_and(|n| (least..=most).contains(&n)) => {
            wrong("使える数", &format!("{least} から {most} までの整数を書いてください"))
        }
        Kind::HostPort
            if !text.rsplit_once(':').is_some_and(|(h, p)| !h.is_empty() && p.parse::<u16>().is_ok()) =>
        {
            wrong("ホスト名とポート番号", "mail.example:587 のように書いてください")
        }
        Kind::Site
            if !["http://", "https://"].iter().any(|p| text.strip_prefix(p).is_some_and(|h| !h.is_empty())) =>
        {
            wrong("サイトのアドレス", "https://sekisho.city.example のように書いてください")
        }
        Kind::Provider if !sekisho_app::oidc::is_protected(text) => {
            wrong("保護されたアドレス", "https:// で始めてください。http:// が使えるのは、この機械の中だけです")
        }
        Kind::Networks if sekisho_web::Networks::parse(text).is_err() => {
            wrong("アドレスの並び", "10.1.2.3, 10.1.4.0/24 のように、アドレスか範囲をコンマで区切ってください")
        }
        Kind::FileKinds if sekisho_app::exchange::Accepted::parse(text).is_err() => wrong(
            "ファイルの種類の並び",
            "pdf, office, image, text, zip, .dwg のように、種類か拡張子をコンマで区切ってください。プログラムやマクロの拡張子は書けません",
        ),
        Kind::Header if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => {
            wrong("ヘッダの名前", "x-ssl-client-cert のように、半角の英数字と - で書いてください")
        }
        Kind::Database if !["postgres://", "postgresql://"].iter().any(|p| text.starts_with(p)) => Some((
            "PostgreSQLのアドレスではありません".to_owned(),
            "postgres://利用者@ホスト/データベース のように書いてください。SQLiteを使うときは、行ごと消してください"
                .to_owned(),
        )),
        _ => None,
    }
}

/// A value as it may be shown: without a password.
pub(crate) fn shown(kind: Kind, text: &str) -> String {
    if kind != Kind::Database {
        return text.to_owned();
    }
    let Some((scheme, rest)) = text.split_once("://") else { return "（伏せています）".to_owned() };
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(r, q)| (r, Some(q)));
    let rest = match rest.rsplit_once('@') {
        Some((user, host)) => format!(
            "{}@{host}",
            user.split_once(':').map_or(user.to_owned(), |(name, _)| format!("{name}:（伏せています）"))
        ),
        None => rest.to_owned(),
    };
    // A password may also stand among the parameters.
    let query = query.map_or(String::new(), |q| {
        let hide = |p: &str| match p.split_once('=') {
            Some((name, _)) if name.contains("password") => format!("{name}=（伏せています）"),
            _ => p.to_owned(),
        };
        format!("?{}", q.split('&').map(hide).collect::<Vec<_>>().join("&"))
    });
    format!("{scheme}://{rest}{query}")
}
