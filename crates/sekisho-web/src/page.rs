//! What every page's template gets, and how a template becomes a response.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use sekisho_app::AppError;
use sekisho_app::login::Identity;
use sekisho_app::people::Me;

use crate::Web;
use crate::assets::{CSS_PATH, JS_PATH};
use crate::error::WebError;

/// What an address says was just done, for the line at the head of the page.
#[derive(serde::Deserialize)]
pub(crate) struct Done {
    pub done: Option<String>,
}

/// The frame of a page.
#[derive(Clone)]
pub(crate) struct Page {
    pub title: String,
    pub body: String,
    pub me: Option<Me>,
    pub csrf: String,
    pub css: &'static str,
    pub js: &'static str,
    pub version: &'static str,
    pub narrow: bool,
    pub flash: Option<String>,
    pub section: &'static str,
    /// Notifications not opened yet.
    pub unread: i64,
    /// What stands in the search box.
    pub q: String,
    /// Where the guide speaks of this page.
    pub help: String,
}

/// One entry of the main navigation.
pub(crate) struct NavItem {
    pub href: &'static str,
    pub label: &'static str,
    pub current: bool,
}

const NAV: [(&str, &str); 12] = [
    ("/", "ホーム"),
    ("/inbox", "決裁・処理待ち"),
    ("/cases", "案件"),
    ("/calendar", "予定表"),
    ("/registers", "台帳"),
    ("/dashboard", "遵守の状況"),
    ("/clauses", "規程"),
    ("/duties", "定期の仕事"),
    ("/documents", "文書"),
    ("/notices", "守ること"),
    ("/organization", "組織"),
    ("/ledger", "証跡"),
];

impl Page {
    /// A page without anybody logged in.
    pub(crate) fn bare(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            body: String::new(),
            me: None,
            csrf: String::new(),
            css: &CSS_PATH,
            js: &JS_PATH,
            version: env!("CARGO_PKG_VERSION"),
            narrow: true,
            flash: None,
            section: "",
            unread: 0,
            q: String::new(),
            help: crate::guide_places::here(),
        }
    }

    /// A page for somebody; `section` is the navigation entry it belongs to.
    pub(crate) async fn of(
        web: &Web,
        who: &Identity,
        title: &str,
        section: &'static str,
    ) -> Result<Self, WebError> {
        Self::of_me(web, who, web.office.me(who).await?, title, section).await
    }

    /// The same where it was already asked who that is.
    pub(crate) async fn of_me(
        web: &Web,
        who: &Identity,
        me: Me,
        title: &str,
        section: &'static str,
    ) -> Result<Self, WebError> {
        Ok(Self {
            body: web.office.body_title().to_owned(),
            me: Some(me),
            csrf: who.csrf.clone(),
            unread: web.office.unread(who).await?,
            narrow: false,
            section,
            ..Self::bare(title)
        })
    }

    /// A form or text page of limited width.
    pub(crate) fn narrow(mut self) -> Self {
        self.narrow = true;
        self
    }

    /// Says what was just done.
    pub(crate) fn flash(mut self, code: Option<&str>) -> Self {
        self.flash = code.and_then(flash_text).map(str::to_owned);
        self
    }

    pub(crate) fn nav(&self) -> Vec<NavItem> {
        NAV.iter().map(|(href, label)| NavItem { href, label, current: *href == self.section }).collect()
    }
}

/// Texts of `?done=…`: a closed list, so that an address cannot put words into a page.
fn flash_text(code: &str) -> Option<&'static str> {
    Some(match code {
        "applied" => "申請しました。次の人の処理待ちに入りました。",
        "like" => {
            "前の申請の内容を入れました。日付と添付ファイルは入っていません。確かめて、直してから申請してください。"
        }
        "draft" => "下書きを保存しました。",
        "files_drafted" => "下書きとして保存しました。番号を押すと、続きを書いて申請できます。",
        "files_applied" => "申請しました。それぞれ、次の人の処理待ちに入りました。",
        "dropped" => "下書きを削除しました。",
        "acted" => "処理を記録しました。",
        "together" => "選んだ案件の処理を、1件ずつ記録しました。",
        "saved" => "保存しました。",
        "stocktaking" => "棚卸しを始めました。",
        "found" => "確認しました。",
        "days" => "確認した日を台帳に入れました。",
        "counted" => "棚卸しを終わりました。見つかっていないものを、所属の長に知らせました。",
        "answered" => "回答しました。",
        "proposed" => "願い出ました。上位の役割の人が承認すると効力を持ちます。",
        "approved" => "承認しました。",
        "declined" => "承認しないことを記録しました。",
        "ended" => "終わりにしました。",
        "suggested" => "提案しました。取り込めるもう1人が確認すると、取り込まれます。",
        "adopted" => "引き取りました。あなたが提案者です。別の人が確認すると、取り込まれます。",
        "version_proposed" => "提案しました。別の人が確かめると、使い始められます。",
        "version_adopted" => "引き取りました。あなたが提案者です。別の人が確かめると、使い始められます。",
        "version_runs" => "この版を使い始めました。これからの申請に使われます。",
        "file_saved" => "保存しました。まだ何も変わっていません。",
        "edits_dropped" => "直した内容を捨てました。",
        "view_forgotten" => "見方を消しました。",
        "dismissed" => "取り下げました。",
        "absent" => "不在を登録しました。",
        "present" => "不在を取り消しました。",
        "imported" => "取り込みました。",
        "password" => "パスワードを変更しました。",
        "sessions" => "ほかのログインを終わらせました。",
        "factor_dropped" => "認証アプリを使うのをやめました。",
        "passkey" => "パスキーを登録しました。次のログインから使えます。",
        "passkey_removed" => "パスキーを取り消しました。機器に残っているものは、機器の設定で消してください。",
        "token_revoked" => "トークンを取り消しました。",
        "account" => "変更しました。本人と上位の人に知らせました。",
        "unlocked" => "一時停止を解きました。",
        "unseated" => "任命を取り消しました。",
        "mail_sent" => "試しのメールを送りました。届いたことを確かめてください。",
        "taken_up" => "引取りを確かめたことを記録しました。本人に知らせました。",
        _ => return None,
    })
}

/// A rendered template.
pub(crate) fn html(template: &impl Template) -> Result<Response, WebError> {
    Ok(Html(template.render()?).into_response())
}

/// Errors of a form, beside its fields and in a summary above.
#[derive(Debug, Default, Clone)]
pub(crate) struct Errors(Vec<sekisho_app::FieldError>);

impl Errors {
    /// Takes the field errors of a use case; any other error goes on to its own page.
    pub(crate) fn from_app(e: AppError) -> Result<Self, WebError> {
        match e {
            AppError::Invalid(list) => Ok(Self(list)),
            e => Err(e.into()),
        }
    }

    /// Faults that a use case told beside its answer.
    pub(crate) fn of(list: Vec<sekisho_app::FieldError>) -> Self {
        Self(list)
    }

    /// The same errors with the names of their fields behind a prefix: for pages with several forms.
    pub(crate) fn beside(mut self, prefix: &str) -> Self {
        for e in &mut self.0 {
            e.field.insert_str(0, prefix);
        }
        self
    }

    /// One error about one field.
    pub(crate) fn one(field: &str, message: String) -> Self {
        Self(vec![sekisho_app::FieldError { field: field.to_owned(), message }])
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn all(&self) -> &[sekisho_app::FieldError] {
        &self.0
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.0.iter().any(|e| e.field == field)
    }

    /// The message beside a field, as escaped HTML; empty when the field is fine.
    pub(crate) fn note(&self, field: &str) -> String {
        self.0
            .iter()
            .filter(|e| e.field == field)
            .fold(String::new(), |out, e| out + "<p class=\"err\">" + &escape(&e.message) + "</p>")
    }
}

/// Escapes text for HTML.
pub(crate) fn escape(s: &str) -> String {
    s.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
