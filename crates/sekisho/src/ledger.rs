//! `sekisho ledger export|verify|checkpoint|prove|check-proof|erase|page-key|witness`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use sekisho_app::ledger::erase::{self, Erasure};
use sekisho_app::ledger::verdict::{self, Against};
use sekisho_app::ledger::{self, proving};
use sekisho_app::{first, setup};

use crate::config::{Outcome, Place, read_text};
use crate::witness;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 証跡を、ほかの道具で検証できる形（C2SP tlog-tiles）で書き出す
    Export {
        #[command(flatten)]
        place: Place,
        /// 書き出す先（空のフォルダ）
        out: PathBuf,
    },
    /// 証跡を検証する（データフォルダ、または書き出したフォルダ）
    Verify {
        #[command(flatten)]
        place: Place,
        /// 書き出したフォルダ
        #[arg(conflicts_with_all = ["data", "config", "body"])]
        folder: Option<PathBuf>,
        /// 紙などで別に受け取った公開鍵（vkey）
        #[arg(long)]
        vkey: Option<String>,
        /// 以前に控えて外で保管したチェックポイントのファイル（何度でも指定できる）。巻戻しと作り直しを見分ける
        #[arg(long = "against", alias = "since")]
        against: Vec<PathBuf>,
        /// 紙などで別に受け取った立会人の公開鍵（何度でも指定できる）。その署名がなければ不一致とする
        #[arg(long)]
        witness: Vec<String>,
    },
    /// 最新の署名つき控え（チェックポイント）を表示する
    Checkpoint {
        #[command(flatten)]
        place: Place,
    },
    /// 一つの記録が証跡に含まれることの証明（tlog-proof）をファイルにする
    Prove {
        #[command(flatten)]
        place: Place,
        /// 記録の流れ（16進数32文字）
        stream: String,
        /// 流れの中の番号
        seq: i64,
        /// 書き出すファイル（拡張子は .tlog-proof）
        #[arg(long)]
        out: PathBuf,
    },
    /// 証明のファイルを、公開鍵だけで確かめる（データフォルダは要らない）
    CheckProof {
        /// 証明のファイル
        file: PathBuf,
        /// 紙などで受け取った台帳の公開鍵（vkey）
        #[arg(long)]
        vkey: String,
        /// 紙などで受け取った立会人の公開鍵（何度でも指定できる）
        #[arg(long)]
        witness: Vec<String>,
    },
    /// 個人の情報を含みうる記録の内容を消去する（まず内容を表示し、--apply で消去する）
    Erase {
        #[command(flatten)]
        place: Place,
        /// 記録の流れ（16進数32文字）
        stream: String,
        /// 流れの中の番号
        seq: i64,
        /// 消去の理由（証跡に残るので、消去する情報そのものを書かない）
        #[arg(long)]
        reason: String,
        /// 消去を命じた人の職員番号
        #[arg(long)]
        by: String,
        /// 消去する（付けなければ表示するだけ）
        #[arg(long)]
        apply: bool,
    },
    /// 画面だけを受け持ち署名はしないサーバのための鍵を、署名鍵から作る
    PageKey {
        /// 署名鍵のファイル
        #[arg(long)]
        key: PathBuf,
        /// 作るファイル
        out: PathBuf,
    },
    /// 立会人になる: ほかの機械の証跡を見守り、控えに署名する
    #[command(subcommand)]
    Witness(witness::Command),
}

pub(crate) async fn run(args: Args) -> Outcome {
    match args.command {
        Command::Export { place, out } => export(&place, &out).await,
        Command::Verify { place, folder, vkey, against, witness } => {
            let kept = against.iter().map(|f| read_text(f)).collect::<Result<Vec<_>, _>>()?;
            let against = Against { vkey: vkey.as_deref(), kept: &kept, witnesses: &witness };
            let found = match folder {
                Some(folder) => verdict::verify_exported(&folder, against),
                None => verdict::verify_data(&place.store().await?, against).await,
            };
            tell(&found.map_err(|e| e.to_string())?)
        }
        Command::Checkpoint { place } => {
            let store = place.store().await?;
            let latest = setup::checkpoint(&store).await.map_err(|e| e.to_string())?;
            // The checkpoint alone goes to the standard output, so that it can be kept as a file.
            print!("{}", latest.note);
            eprintln!("読み合わせの番号: {}", latest.spoken);
            eprintln!("台帳の公開鍵: {}", latest.vkey);
            Ok(ExitCode::SUCCESS)
        }
        Command::Prove { place, stream, seq, out } => {
            let store = place.store().await?;
            let proof = proving::prove_numbered(&store, &stream, seq).await.map_err(|e| e.to_string())?;
            std::fs::write(&out, proof).map_err(|e| format!("{} に書けません: {e}", out.display()))?;
            println!("流れ {stream} の {seq} 番の証明を {} に書き出しました。", out.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::CheckProof { file, vkey, witness } => {
            let witnesses = verdict::open_keys(&witness).map_err(|e| e.to_string())?;
            tell(&proving::check(&read_text(&file)?, &vkey, &witnesses).map_err(|e| e.to_string())?)
        }
        Command::Erase { place, stream, seq, reason, by, apply } => {
            let store = place.store().await?;
            ledger::must_exist(&store).await.map_err(|e| e.to_string())?;
            let office = first::open_for_terminal(store, "", "").await.map_err(|e| e.to_string())?;
            let wanted = Erasure { stream, seq, reason, by };
            for line in erase::preview(&office, &wanted).await.map_err(|e| e.to_string())? {
                println!("{line}");
            }
            if apply {
                erase::erase(&office, &wanted).await.map_err(|e| e.to_string())?;
                println!("消去し、消去したことを記録しました。");
            } else {
                println!("まだ何も消していません。消去するには --apply を付けてください。");
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::PageKey { key, out } => {
            setup::page_key(&key, &out).map_err(|e| e.to_string())?;
            println!("{} を作りました。署名しないサーバの key.file に指定してください。", out.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::Witness(command) => witness::run(command).await,
    }
}

async fn export(place: &Place, out: &Path) -> Outcome {
    if out.read_dir().is_ok_and(|mut d| d.next().is_some()) {
        return Err(format!("{} は空ではありません。新しいフォルダを指定してください。", out.display()));
    }
    let store = place.store().await?;
    let size = ledger::export_to(&store, out).await.map_err(|e| e.to_string())?;
    println!("{size}件の記録を {} に書き出しました。", out.display());
    Ok(ExitCode::SUCCESS)
}

fn tell(found: &verdict::Verdict) -> Outcome {
    for line in &found.text {
        println!("{line}");
    }
    Ok(if found.sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
