//! `sekisho permit checker|verify`: permits checked without the server.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use sekisho_app::{first, permits};
use sekisho_base::clock::{Clock as _, SystemClock};
use sekisho_base::{Date, Instant};

use crate::config::{Outcome, Place};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 守衛・受付に渡す確認ページ（一つのHTMLファイル）を作る
    Checker {
        #[command(flatten)]
        place: Place,
        /// 書き出すファイル
        #[arg(long)]
        out: PathBuf,
        /// 署名鍵のファイル（指定しなければ設定のもの。--data のときはデータフォルダの隣の「フォルダ名.key」）
        #[arg(long, value_name = "FILE")]
        signing_key: Option<PathBuf>,
    },
    /// 許可証のQRコードの内容を確かめる（データフォルダは要らない）。終了コード: 0 有効、1 有効でない、2 読み取れない
    Verify {
        /// 読み取った数字。- なら標準入力から読む
        text: String,
        /// 確認ページのファイル（一覧と鍵を使う）
        #[arg(long, value_name = "FILE")]
        list: Option<PathBuf>,
        /// 紙などで受け取った許可証の検証鍵（何度でも指定できる）。指定すると、ファイルの中の鍵は使わない
        #[arg(long, value_name = "VKEY")]
        key: Vec<String>,
        /// この日の終わりの時点で確かめる（例: 2026-11-25、R8.11.25）。指定しなければ今
        #[arg(long, value_name = "DATE")]
        at: Option<String>,
    },
}

/// Exit code of what cannot be read: a code, a list, a key.
const UNREADABLE: u8 = 2;
/// Bytes read of a code from standard input.
const MOST: u64 = 64 * 1024;

pub(crate) async fn run(args: Args) -> Outcome {
    match args.command {
        Command::Checker { place, out, signing_key } => {
            let found = place.find()?;
            let (store, key) = (found.open(false).await?, signing_key.unwrap_or(found.key));
            let office = first::open_with_key(store, &key).await.map_err(|e| e.to_string())?;
            let checker = office.permit_checker_at_terminal().await.map_err(|e| e.to_string())?;
            let text = sekisho_web::checker_file(&checker).map_err(|e| e.to_string())?;
            std::fs::write(&out, text).map_err(|e| format!("{} に書けません: {e}", out.display()))?;
            println!("{} に書き出しました。{}まで使えます。", out.display(), checker.good_until);
            println!("検証鍵: {}", checker.keys);
            Ok(ExitCode::SUCCESS)
        }
        Command::Verify { text, list, key, at } => Ok(ExitCode::from(verify(&text, list, &key, at))),
    }
}

/// Tells what a code is worth, and the exit code.
fn verify(text: &str, list: Option<PathBuf>, keys: &[String], at: Option<String>) -> u8 {
    match judged(text, list, keys, at) {
        Ok(judged) => {
            judged.lines.iter().for_each(|l| println!("{l}"));
            judged.code
        }
        Err(message) => {
            eprintln!("sekisho: {message}");
            UNREADABLE
        }
    }
}

fn judged(
    text: &str,
    list: Option<PathBuf>,
    keys: &[String],
    at: Option<String>,
) -> Result<permits::Judged, String> {
    let text = if text == "-" {
        let mut typed = String::new();
        std::io::stdin()
            .take(MOST)
            .read_to_string(&mut typed)
            .map_err(|e| format!("標準入力を読めません: {e}"))?;
        typed
    } else {
        text.to_owned()
    };
    let file = list.map(|f| crate::config::read_text(&f)).transpose()?;
    let at = match at {
        None => SystemClock.now(),
        Some(day) => {
            let read = Date::parse_japanese(&day);
            Instant::end_of(read.map_err(|_| {
                format!("--at: 「{day}」を日付として読めません（例: 2026-11-25、R8.11.25）。")
            })?)
        }
    };
    permits::judge(&text, keys, file.as_deref(), at).map_err(|e| e.to_string())
}
