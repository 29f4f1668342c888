//! What is outside the data: the mail server, the identity provider, the directory, and the backups.

use std::time::Duration;

use sekisho_base::Clock;
use sekisho_store::Store;

use super::{Finding, Surroundings};
use crate::backup;
use crate::error::AppError;
use crate::ldap::standing::{Looking, looking};

/// How long the mail server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn look(s: &Surroundings, clock: &dyn Clock) -> Vec<Finding> {
    let (mail, provider, directory) = tokio::join!(mail(s), provider(s), directory(s, clock));
    std::iter::once(mail).chain(provider).chain(directory).chain([backups(s, clock)]).collect()
}

async fn mail(s: &Surroundings) -> Finding {
    const ID: &str = "mail.server";
    const TITLE: &str = "メールサーバ";
    let Some(server) = &s.mail else {
        return Finding::good(ID, TITLE, "設定されていません。お知らせは画面だけに出ます。");
    };
    let told = match tokio::time::timeout(PATIENCE, server.answers()).await {
        Ok(Ok(())) => return Finding::good(ID, TITLE, "つながります。"),
        Ok(Err(e)) => e,
        Err(_) => format!("{}秒待っても返事がありません", PATIENCE.as_secs()),
    };
    Finding::caution(
        ID,
        TITLE,
        format!(
            "つながりません（{told}）。お知らせのメールは、つながるまで送信待ちになります。画面のお知らせは届きます。"
        ),
        "メールサーバが動いているか、mail.server、mail.tls、mail.ca の設定が正しいかを確かめてください。",
    )
}

/// Nothing where nobody signs in by a provider.
async fn provider(s: &Surroundings) -> Option<Finding> {
    const ID: &str = "login.oidc";
    const TITLE: &str = "シングルサインオン";
    let oidc = s.oidc.as_ref()?;
    let fault = match tokio::time::timeout(PATIENCE, oidc.fault()).await {
        Ok(fault) => fault,
        Err(_) => Some(format!("{}秒待っても返事がありません", PATIENCE.as_secs())),
    };
    let Some(fault) = fault else {
        let says = format!("つながり、説明と鍵を読めます。相手に登録する戻り先は {} です。", oidc.redirect());
        return Some(Finding::good(ID, TITLE, says));
    };
    Some(Finding::caution(
        ID,
        TITLE,
        format!(
            "{}でログインできません（{fault}）。関所のログイン名とパスワードでは入れます。",
            oidc.title()
        ),
        "相手が動いているか、oidc.issuer と oidc.ca の設定が正しいかを確かめてください。",
    ))
}

/// Days before the end of the directory's certificate from which on somebody should look.
const CERTIFICATE_DAYS: i64 = 30;

async fn directory(s: &Surroundings, clock: &dyn Clock) -> Option<Finding> {
    const ID: &str = "ldap.server";
    const TITLE: &str = "ディレクトリ";
    let server = s.ldap.as_ref()?;
    let health = match server.examine().await {
        Ok(health) => health,
        Err(e) => {
            return Some(Finding::bad(
                ID,
                TITLE,
                format!(
                    "{}で確かめるログインは、今は使えません。{e}。関所のパスワードのログインは使えます。",
                    server.title()
                ),
                "ディレクトリが動いているか、設定ファイルの [ldap] が正しいかを確かめてください。sekisho ldap test で試せます。",
            ));
        }
    };
    let says = format!("{} につながり、検索できます。", health.server);
    let Some(until) = health.certificate_until else { return Some(Finding::good(ID, TITLE, says)) };
    let says = format!("{says}証明書は {until} までです。");
    if until > clock.today().plus_days(CERTIFICATE_DAYS) {
        return Some(Finding::good(ID, TITLE, says));
    }
    Some(Finding::caution(
        ID,
        TITLE,
        says,
        "期限を過ぎると、ディレクトリで確かめるログインが使えなくなります。ディレクトリの証明書を新しくしてください。",
    ))
}

/// Whether those are found out who are in by the directory and may not be any more; nothing where there is no directory.
pub(super) async fn sessions(store: &Store, s: &Surroundings, clock: &dyn Clock) -> Option<Finding> {
    const ID: &str = "ldap.sessions";
    const TITLE: &str = "ディレクトリで止めた人のログイン";
    const REMEDY: &str =
        "ディレクトリにつながるようにしてください。急いで止める人は、「利用者」で停止してください。";
    let every = i64::try_from(s.ldap.as_ref()?.looks_every().as_millis()).unwrap_or(i64::MAX);
    let read = store.read(|c| Box::pin(async move { looking(c).await.map_err(AppError::from) })).await;
    let now = clock.now();
    Some(match read {
        Err(e) => super::not_seen(ID, TITLE, &e),
        Ok(Looking { away: Some(since), .. }) => Finding::caution(
            ID,
            TITLE,
            format!(
                "{} から、ディレクトリに確かめられていません。すでに入っている人は、ディレクトリで止められていても、最長12時間使えます。",
                since.japanese()
            ),
            REMEDY,
        ),
        Ok(Looking { looked: Some(at), .. }) if now.millis() - at.millis() > every.saturating_mul(2) => {
            let says = format!("最後に確かめたのは {} です。それからは確かめていません。", at.japanese());
            Finding::caution(ID, TITLE, says, "サーバを動かしてください。")
        }
        Ok(Looking { looked: Some(at), .. }) => Finding::good(
            ID,
            TITLE,
            format!("{} に確かめ、止められた人のログインを終わらせました。", at.japanese()),
        ),
        Ok(Looking { looked: None, .. }) => {
            Finding::good(ID, TITLE, "サーバを動かすと、まもなく確かめます。")
        }
    })
}

fn backups(s: &Surroundings, clock: &dyn Clock) -> Finding {
    const ID: &str = "backup";
    const TITLE: &str = "バックアップ";
    let Some(folder) = &s.backups else {
        return Finding::caution(
            ID,
            TITLE,
            "バックアップを置くフォルダ（backup.folder）が設定されていないので、新しいものがあるか分かりません。",
            "設定ファイルの [backup] に folder を書き、sekisho backup を毎日動かしてください。",
        );
    };
    let all = backup::list(folder);
    let (Some((place, manifest)), Some((_, oldest))) = (all.first(), all.last()) else {
        return Finding::bad(
            ID,
            TITLE,
            format!("{} に、できあがったバックアップがありません。", folder.display()),
            "sekisho backup を動かし、毎日動くようにしてください。",
        );
    };
    let hours = (clock.now().millis() - manifest.made_at.millis()).max(0) / 3_600_000;
    let says = format!(
        "いちばん新しいものは {}（{}、{hours}時間前、署名済みの記録 {}件）です。全部で {}個あり、いちばん古いものは {} のものです。{}",
        place.display(),
        manifest.made_at.japanese(),
        manifest.size,
        all.len(),
        oldest.made_at.date().japanese(),
        if s.backup_keep.is_set() {
            format!("残すのは、{}です。", s.backup_keep.words())
        } else {
            "古いものは、自動では消えません（backup.keep_daily などを書くと消えます）。".to_owned()
        }
    );
    if u64::try_from(hours).unwrap_or(0) <= s.backup_hours {
        return Finding::good(ID, TITLE, says);
    }
    Finding::caution(
        ID,
        TITLE,
        says,
        "毎日のバックアップが動いているか、置き場所に空きがあるかを確かめてください。",
    )
}
