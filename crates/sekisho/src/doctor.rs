//! `sekisho doctor` and `sekisho upgrade-check`.

use std::process::ExitCode;
use std::sync::Arc;

use sekisho_app::doctor::{self, Finding, ServerCertificate, State, Surroundings};
use sekisho_app::upgrade;
use sekisho_base::clock::SystemClock;
use sekisho_base::os::in_japanese;
use sekisho_web::tls::Pair;

use crate::config::Outcome;
use crate::settings::{Configured, Options, Settings, table};

/// 終了コード: 0 すべて良好、1 不良がある（または調べられない）、2 注意がある
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// 結果をJSONで出す
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: Options,
}

/// Exit code where something wants looking at.
const CAUTION: u8 = 2;

pub(crate) async fn run(args: Args) -> Outcome {
    // Name of each body and what was found of it; one without a name where there is only one.
    let mut all = Vec::new();
    match Configured::load(&args.options) {
        Ok(configured) => {
            for settings in configured.each() {
                let mut found = vec![read(settings)];
                match surroundings(settings) {
                    Ok(s) => found.extend(doctor::examine(&s, &SystemClock).await),
                    Err(e) => found.push(wrong("settings.values", "設定の値", e)),
                }
                all.push((settings.label().to_owned(), found));
            }
        }
        Err(faults) => {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            all.push((String::new(), vec![wrong("settings", "設定", lines.join(" "))]));
        }
    }
    let worst = all.iter().map(|(_, found)| doctor::worst(found)).max().unwrap_or(State::Good);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&shown(worst, &all)).map_err(|e| e.to_string())?);
    } else {
        for (body, found) in &all {
            if !body.is_empty() {
                println!("団体 {body}: {}", doctor::worst(found).label());
            }
            for f in found {
                println!("{} {}: {}", f.state.label(), f.title, f.says);
                if !f.remedy.is_empty() {
                    println!("     → {}", f.remedy);
                }
            }
        }
        println!("全体: {}", worst.label());
    }
    Ok(match worst {
        State::Good => ExitCode::SUCCESS,
        State::Caution => ExitCode::from(CAUTION),
        State::Bad => ExitCode::FAILURE,
    })
}

fn shown(worst: State, all: &[(String, Vec<Finding>)]) -> serde_json::Value {
    match all {
        [(body, found)] if body.is_empty() => serde_json::json!({"state": worst, "findings": found}),
        _ => {
            let bodies: Vec<_> = all
                .iter()
                .map(|(body, found)| {
                    serde_json::json!({"body": body, "state": doctor::worst(found), "findings": found})
                })
                .collect();
            serde_json::json!({"state": worst, "bodies": bodies})
        }
    }
}

fn read(settings: &Settings) -> Finding {
    let says = match &settings.file {
        Some(file) => format!("{} に誤りはありません。", file.display()),
        None => "設定ファイルはなく、環境変数、オプション、既定値を使っています。".to_owned(),
    };
    Finding { id: "settings", title: "設定", state: State::Good, says, remedy: String::new() }
}

fn wrong(id: &'static str, title: &'static str, says: String) -> Finding {
    let remedy = "sekisho config check で確かめながら直してください。".to_owned();
    Finding { id, title, state: State::Bad, says, remedy }
}

/// Where things are, as the settings say.
///
/// # Errors
/// No data folder is named, or the settings of mail server or directory cannot be read.
pub(crate) fn surroundings(s: &Settings) -> Result<Surroundings, String> {
    Ok(Surroundings {
        database: s.database()?,
        data: s.data()?,
        key: s.key()?,
        config: s.file.clone(),
        backups: s.path(table::BACKUP_FOLDER),
        backup_hours: s.number(table::BACKUP_HOURS).unwrap_or(30),
        backup_keep: crate::backup::keep(s),
        free_mb: s.number(table::DISK_FREE).unwrap_or(1024),
        certificate: certificate(s),
        mail: crate::mail::server(s)?.map(Arc::new),
        oidc: crate::sign_in::provider(s)?,
        ldap: crate::ldap::server(s)?,
    })
}

/// The certificate that is shown under the hosts of a body.
pub(crate) fn certificate(s: &Settings) -> Option<ServerCertificate> {
    let Pair { certificate, key } = crate::sign_in::pair(s)?;
    let of_site = |site: &str| {
        let rest = site.split_once("://").map_or(site, |(_, rest)| rest);
        let host = rest.split('/').next().unwrap_or_default();
        host.rsplit_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase()
    };
    let hosts = match &s.hosted {
        Some(hosted) => hosted.hosts.clone(),
        None => s.text(table::SITE).map(of_site).into_iter().collect(),
    };
    Some(ServerCertificate { certificate, key, hosts })
}

#[derive(Debug, clap::Args)]
pub(crate) struct UpgradeArgs {
    /// 写しを作って試すことをしない
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    options: Options,
}

pub(crate) async fn upgrade_check(args: UpgradeArgs) -> Outcome {
    let configured = Configured::load_or_say(&args.options)?;
    let mut code = ExitCode::SUCCESS;
    for settings in configured.each() {
        if settings.hosted.is_some() {
            println!("団体 {}", settings.label());
        }
        match try_upgrade(settings, args.quick).await {
            Ok(true) => {}
            Ok(false) => code = ExitCode::FAILURE,
            Err(e) if settings.hosted.is_none() => return Err(e),
            Err(e) => {
                println!("{}", in_japanese(&e));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

/// Tells what would become of one body, and whether that is sound.
async fn try_upgrade(settings: &Settings, quick: bool) -> Result<bool, String> {
    let data = settings.data()?;
    // Beside the data folder: the copy is as large as the database, and other places may be small.
    let room =
        data.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| std::path::Path::new("."));
    let room = (!quick).then_some(room);
    let found = upgrade::check(&settings.database()?, room).await.map_err(|e| e.to_string())?;
    found.text.iter().for_each(|line| println!("{line}"));
    Ok(found.sound)
}
