//! `sekisho config explain|check|sample`: every setting, its value, where it comes from and what it means.

use std::process::ExitCode;

use clap::Subcommand;

use crate::config::Outcome;
use crate::settings::{Configured, From, Options, Setting, Settings, by_section, sample, table};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// すべての設定を、今の値、どこで決まったか、意味とともに表示する（パスワードは伏せる）
    Explain(Options),
    /// 設定を確かめる（誤りは、場所と直し方を示す）
    Check(Options),
    /// すべての設定を説明付きで書いた設定ファイルの見本を出す
    Sample,
}

pub(crate) fn run(args: Args) -> Outcome {
    match args.command {
        Command::Explain(options) => {
            let configured = Configured::load_or_say(&options)?;
            print!("{}{}", explain(&configured.general), explain_bodies(&configured));
            if configured.bodies.is_empty() {
                print!("{}", certificate(&configured.general));
            }
        }
        Command::Check(options) => {
            let configured = Configured::load_or_say(&options)?;
            let file = configured.general.file.as_ref().map_or_else(
                || "設定ファイルはありません。環境変数と既定値を使います。".to_owned(),
                |f| format!("設定ファイル {} を読みました。", f.display()),
            );
            println!("{file}誤りはありません。");
            for body in configured.each() {
                if let Some(hosted) = &body.hosted {
                    println!("団体 {}（{}）", hosted.name, hosted.hosts.join("、"));
                }
                print!("{}", certificate(body));
            }
        }
        Command::Sample => print!("{}", sample()),
    }
    Ok(ExitCode::SUCCESS)
}

fn explain(settings: &Settings) -> String {
    let head = match &settings.file {
        Some(file) => format!("設定ファイル: {}\n", file.display()),
        None => "設定ファイル: なし\n".to_owned(),
    };
    by_section(&head, |s, key| {
        let (value, place) = match settings.value(s.key) {
            Some(v) => (table::shown(s.kind, &v.text), settings.place(&v.from)),
            None => ("なし".to_owned(), settings.place(&From::Default)),
        };
        format!("{key} = {value}（{place}）\n    {}\n    {}\n", s.says, elsewhere(s))
    })
}

/// What each body has for itself; nothing where there is only one.
fn explain_bodies(configured: &Configured) -> String {
    let mut out = String::new();
    for body in &configured.bodies {
        let Some(hosted) = &body.hosted else { continue };
        out.push_str(&format!("\n団体 {}（{}）\n", hosted.name, hosted.hosts.join("、")));
        for (s, v) in body.own(&configured.general) {
            out.push_str(&format!(
                "{} = {}（{}）\n",
                s.key,
                table::shown(s.kind, &v.text),
                body.place(&v.from)
            ));
        }
        if let Ok(key) = body.key() {
            out.push_str(&format!("署名鍵のファイル: {}\n", key.display()));
        }
        out.push_str(&certificate(body));
    }
    out
}

/// Which certificate is shown under the hosts of a body, and until when; nothing where somebody else serves TLS.
fn certificate(body: &Settings) -> String {
    let Some(served) = crate::doctor::certificate(body) else { return String::new() };
    let file = served.certificate.display();
    match served.read() {
        Ok(held) if held.lacking.is_empty() => format!("証明書: {file}（{} まで）\n", held.until.japanese()),
        Ok(held) => format!(
            "証明書: {file}（{} まで。{} の名前が入っていません）\n",
            held.until.japanese(),
            held.lacking.join("、")
        ),
        Err(e) => format!("証明書: 使えません。{e}\n"),
    }
}

fn elsewhere(s: &Setting) -> String {
    format!("環境変数 {}、オプション --{}", s.variable(), s.flag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SETTINGS;

    #[test]
    fn explanations_name_every_setting_and_hide_passwords() {
        let mut options = Options::default();
        options.set(table::DATABASE, "postgres://u:s3cret@h/d");
        let text = explain(&Settings::load(&options).unwrap());
        assert!(text.contains("database = postgres://u:（伏せています）@h/d（--database）"), "{text}");
        assert!(!text.contains("s3cret"));
        for s in SETTINGS {
            assert!(text.contains(s.says) && text.contains(&s.variable()), "{}", s.key);
        }
    }
}
