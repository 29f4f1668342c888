//! `sekisho org import|first-login`: the first filling of an empty body. On a running one `import` only proposes: two people confirm on the
//! pages, with a session.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use sekisho_app::first;

use crate::config::{Outcome, Place, start_logging};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// 団体の名前（データフォルダが新しいときだけ使う）
    #[arg(long, global = true)]
    title: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 組織と職員のデータを確かめ、--apply で取り込む（まだ誰もログインできないとき）か、取込みを提案する（動いているとき）
    Import {
        #[command(flatten)]
        place: Place,
        /// 取り込む、または提案する（付けなければ内容を表示するだけ）
        #[arg(long)]
        apply: bool,
        /// Excel（組織・職・職員・任命の4シート）
        file: PathBuf,
    },
    /// 最初の管理者（情報システム管理者）に仮のパスワードを発行する。まだ誰もログインできないときだけ使える
    FirstLogin {
        #[command(flatten)]
        place: Place,
        /// 職員番号
        #[arg(long)]
        person: String,
        /// ログイン名
        #[arg(long)]
        login: String,
    },
}

pub(crate) async fn run(args: Args) -> Outcome {
    start_logging();
    let found = match &args.command {
        Command::Import { place, .. } | Command::FirstLogin { place, .. } => place.find()?,
    };
    let (store, title) = (found.open(true).await?, args.title.as_ref().unwrap_or(&found.title));
    let office = first::open_for_terminal(store, &found.body, title).await.map_err(|e| e.to_string())?;
    match args.command {
        Command::Import { apply, file, .. } => {
            let bytes = crate::config::read_bytes(&file)?;
            let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let told = first::import(&office, &name, bytes, apply).await.map_err(|e| e.to_string())?;
            for line in told.text {
                println!("{line}");
            }
            Ok(if told.sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::FirstLogin { person, login, .. } => {
            let password = first::first_login(&office, &person, &login).await.map_err(|e| e.to_string())?;
            println!("ログイン名 {login}");
            println!("仮のパスワード {password}");
            println!("この画面を控えて本人に渡してください。最初のログインで変更します。");
            Ok(ExitCode::SUCCESS)
        }
    }
}
