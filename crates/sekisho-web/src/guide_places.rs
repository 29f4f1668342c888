//! Which part of the guide speaks of which page: one table of routes, read for each request before its page is made.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

/// Pages by their route, and behind `/help/` the file and the heading that speak of them. What a form answers with below a page's route
/// is spoken of where the page is.
const PLACES: &[(&str, &str)] = &[
    ("/", "staff#2-ホームでやることを見る"),
    ("/absences", "staff#8-休むとき"),
    ("/account", "identity#自分のアカウントを見る"),
    ("/account/passkeys", "identity#パスキー"),
    ("/account/second-factor", "identity#多要素認証認証アプリのコード"),
    ("/account/tokens", "identity#apiトークン"),
    ("/accounts", "identity#利用者を管理する管理者"),
    ("/accounts/directory", "operator#ディレクトリadldapとの連携"),
    ("/accounts/import", "identity#利用者を管理する管理者"),
    ("/accounts/resets/{person}", "identity#利用者を管理する管理者"),
    ("/accounts/roles", "identity#利用者を管理する管理者"),
    ("/accounts/second-factor", "identity#多要素認証認証アプリのコード"),
    ("/api", "exchange#プログラムからの利用api"),
    ("/apply/{procedure}", "staff#4-申請する"),
    ("/apply/{procedure}/import", "staff#4の2-ファイルからまとめて申請する"),
    ("/apply/{procedure}/imports", "staff#4の2-ファイルからまとめて申請する"),
    ("/assessment", "duties#守ることと自己点検"),
    ("/bulk/{procedure}", "handling#分類をまとめて変える"),
    ("/calendar", "screens#予定表"),
    ("/cases", "screens#案件の一覧"),
    ("/cases/{id}", "screens#案件の画面"),
    ("/checks", "screens#点検の画面"),
    ("/checks/{id}", "screens#点検の画面"),
    ("/clauses", "screens#規程と条項"),
    ("/clauses/{id}", "screens#規程と条項"),
    ("/dashboard", "manager#4-課の状況を見る"),
    ("/delegations", "README#7の2-不在と職務代理"),
    ("/documents", "duties#文書"),
    ("/documents/{id}", "duties#文書"),
    ("/duties", "duties#定期の仕事"),
    ("/duties/{duty}", "duties#定期の仕事"),
    ("/duties/{duty}/{occurrence}", "duties#定期の仕事"),
    ("/exchange", "exchange#データの受渡し"),
    ("/handling", "handling#これはできますか"),
    ("/help", "screens#手引の読み方"),
    ("/help/{name}", "screens#手引の読み方"),
    ("/inbox", "manager#1-決裁する"),
    ("/ledger", "ledger#1-証跡のしくみ"),
    ("/ledger/{id}", "ledger#6-一つの処理を証明する"),
    ("/login", "staff#1-入る出る"),
    ("/login/again", "staff#1-入る出る"),
    ("/login/code", "identity#多要素認証認証アプリのコード"),
    ("/notices", "duties#守ることと自己点検"),
    ("/notices/{id}", "duties#守ることと自己点検"),
    ("/notifications", "duties#お知らせとメール"),
    ("/notifications/mail", "duties#お知らせとメール"),
    ("/organization", "screens#組織"),
    ("/organization/account", "identity#利用者を管理する管理者"),
    ("/organization/import", "README#7-組織と職員を取り込む"),
    ("/organization/proposals/{id}", "README#7-組織と職員を取り込む"),
    ("/packs", "pack#使い始める元に戻す"),
    ("/packs/compare", "pack#ある日に有効だった版を調べる"),
    ("/packs/compare/file", "pack#ある日に有効だった版を調べる"),
    ("/packs/edit", "pack#画面で直す"),
    ("/packs/edit/check", "pack#画面で直す"),
    ("/packs/edit/file", "pack#画面で直す"),
    ("/packs/proposals/{id}", "pack#使い始める元に戻す"),
    ("/packs/versions/{hash}", "pack#ある日に有効だった版を調べる"),
    ("/packs/versions/{hash}/file", "pack#ある日に有効だった版を調べる"),
    ("/password", "identity#パスワードの決まり"),
    ("/permits", "permit#課長情報政策担当課-確認ページを守衛に渡す"),
    ("/registers", "screens#台帳の一覧"),
    ("/registers/{id}", "screens#台帳の一覧"),
    ("/registers/{id}/change", "screens#台帳をまとめて直す"),
    ("/registers/{id}/import", "exchange#台帳の取込みと取消し"),
    ("/registers/{id}/imports", "exchange#台帳の取込みと取消し"),
    ("/registers/{id}/labels", "permit#ラベルを貼る"),
    ("/registers/{id}/new", "screens#台帳の登録と修正"),
    ("/registers/{id}/views", "staff#6の2-台帳の見方を残す"),
    ("/registers/{id}/{row}", "screens#台帳の一件の画面"),
    ("/registers/{id}/{row}/edit", "screens#台帳の登録と修正"),
    ("/search", "staff#6-探す"),
    ("/setup", "first-start#始める"),
    ("/setup/administrator", "first-start#終わり"),
    ("/setup/body", "first-start#段階"),
    ("/setup/mail", "first-start#段階"),
    ("/setup/officers", "first-start#段階"),
    ("/setup/organization", "first-start#段階"),
    ("/setup/organization/import", "README#7-組織と職員を取り込む"),
    ("/setup/pack", "first-start#段階"),
    ("/stocktakings", "permit#棚卸し-現物と台帳を突き合わせる"),
    ("/stocktakings/{id}", "permit#棚卸し-現物と台帳を突き合わせる"),
    ("/system", "screens#システムの様子"),
    ("/system/licences", "screens#システムの様子"),
];

tokio::task_local! {
    /// Where the guide speaks of the page that this request asks for.
    static PLACE: String;
}

fn place(route: &str) -> Option<&'static str> {
    PLACES.iter().find(|(page, _)| *page == route).map(|(_, place)| *place)
}

/// The address for a route, or for the nearest page above it; without any, the list of the guide's parts.
fn address(route: &str) -> String {
    let mut at = route;
    loop {
        if let Some(place) = place(at) {
            return format!("/help/{place}");
        }
        match at.rsplit_once('/') {
            Some((above, _)) if !above.is_empty() => at = above,
            _ => return "/help".to_owned(),
        }
    }
}

/// Remembers, while a request is answered, where the guide speaks of its page.
pub(crate) async fn remember(request: Request, next: Next) -> Response {
    let place = address(request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str));
    PLACE.scope(place, next.run(request)).await
}

/// Where the guide speaks of the page that is being made; empty where no body's pages are, and so no guide.
pub(crate) fn here() -> String {
    PLACE.try_with(Clone::clone).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::guide::{FILES, html};

    /// Routes that are asked with GET and are no pages: files, pictures, answers to scripts and addresses that lead on.
    const NO_PAGES: [&str; 25] = [
        "/account/passkeys/new",
        "/account/passkeys/proof",
        "/account/second-factor/qr.svg",
        "/apply/{procedure}/import/table.{format}",
        "/calendar/{file}",
        "/cases/export.{format}",
        "/cases/{id}/files/{pos}",
        "/cases/{id}/permit.pdf",
        "/exchange/ciso-assistant",
        "/exchange/oscal/{kind}",
        "/ledger/{id}/proof",
        "/login/code/passkey",
        "/login/oidc",
        "/login/oidc/again",
        "/login/passkey",
        "/organization/export.xlsx",
        "/permits/checker",
        "/r/{register}/{code}",
        "/registers/{id}/export.{format}",
        "/registers/{id}/extract.pdf",
        "/reports/binder.pdf",
        "/reports/clauses.pdf",
        "/reports/month.pdf",
        "/setup/administrator/qr.svg",
        "/setup/organization/export.xlsx",
    ];

    /// Routes answered to GET, as the files of the pages name them.
    fn asked_with_get() -> BTreeSet<String> {
        let pages = std::path::PathBuf::from("src/pages");
        let mut routes = BTreeSet::new();
        let mut paths = vec![pages];
        while let Some(path) = paths.pop() {
            if path.is_dir() {
                paths.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            for part in text.split(".route(").skip(1) {
                // What a constant names is where a provider of logins leads back to: below `/login`.
                let Some((route, rest)) = part.trim_start().strip_prefix('"').and_then(|p| p.split_once('"'))
                else {
                    continue;
                };
                if rest.split("\n}").next().unwrap().contains("get(") {
                    routes.insert(route.to_owned());
                }
            }
        }
        assert!(routes.len() > 60, "{routes:?}");
        routes
    }

    #[test]
    fn every_page_has_its_place_in_the_guide() {
        let mut pages = asked_with_get();
        pages.retain(|route| !NO_PAGES.contains(&route.as_str()));
        let without: Vec<&String> = pages.iter().filter(|r| place(r).is_none()).collect();
        assert!(without.is_empty(), "say in PLACES where the guide speaks of {without:?}");
    }

    #[test]
    fn every_place_is_a_heading_of_the_guide() {
        for (route, place) in PLACES {
            let (name, heading) = place.split_once('#').unwrap();
            let (_, _, text) =
                FILES.iter().find(|(n, ..)| *n == name).unwrap_or_else(|| panic!("{route}: {name}"));
            assert!(html(text).contains(&format!(" id=\"{heading}\"")), "{route}: {place}");
        }
    }

    #[test]
    fn what_has_no_place_of_its_own_is_spoken_of_above() {
        assert_eq!(address("/cases/{id}/files/{pos}"), "/help/screens#案件の画面");
        assert_eq!(address("/account/sessions"), "/help/identity#自分のアカウントを見る");
        assert_eq!(address("/nowhere"), "/help");
        assert_eq!(address(""), "/help");
    }
}
