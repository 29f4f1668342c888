//! `sekisho policy parse|match|bind`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use sekisho_app::pack_tools::{self, Pack};
use sekisho_app::policy::{self, PolicyText};
use sekisho_base::clock::SystemClock;
use sekisho_base::{Clock as _, Date};

use crate::config::{Outcome, read_bytes};

/// Name of the file of bindings in a pack folder.
const BINDINGS: &str = "bindings.toml";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 規程の文章（テキスト、Markdown、Word、例規HTML）を条項の木にする
    Parse {
        /// 読み取るファイル
        file: PathBuf,
        /// 出力の形
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// 市の規程の条項を、パックの条項と照らし合わせる（番号ではなく内容で比べる）
    Match {
        /// 市の規程のファイル
        file: PathBuf,
        /// パックのフォルダ（指定しなければ付属のモデル市）
        #[arg(long)]
        pack: Option<PathBuf>,
        /// 出力の形。csv は「確定」の列に書き込んで bind で読み戻す
        #[arg(long, value_enum, default_value = "text")]
        format: MatchFormat,
        /// 書き出すファイル（指定しなければ画面に出す）
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// 「確定」を書き込んだ表を読み戻し、パックの bindings.toml にする
    Bind {
        /// match で書き出し、「確定」を書き込んだ表（CSVかExcel）
        file: PathBuf,
        /// パックのフォルダ
        #[arg(long)]
        pack: PathBuf,
        /// 確かめた人（所属と氏名）
        #[arg(long)]
        by: String,
        /// 確かめた日（指定しなければ今日）
        #[arg(long)]
        on: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Json,
    Text,
    Md,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum MatchFormat {
    Text,
    Json,
    Csv,
}

pub(crate) fn run(args: &Args) -> Outcome {
    match &args.command {
        Command::Parse { file, format } => parse(file, *format),
        Command::Match { file, pack, format, out } => {
            match_text(file, pack.as_deref(), *format, out.as_deref())
        }
        Command::Bind { file, pack, by, on } => bind(file, pack, by.trim(), on.as_deref()),
    }
}

fn read_text(file: &Path) -> Result<PolicyText, String> {
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned());
    let text =
        policy::parse(&read_bytes(file)?, name.as_deref()).map_err(|e| format!("{}: {e}", file.display()))?;
    for w in &text.warnings {
        eprintln!("{}:{}: {}", file.display(), w.line, w.message);
    }
    Ok(text)
}

fn parse(file: &Path, format: Format) -> Outcome {
    let text = read_text(file)?;
    match format {
        Format::Json => println!("{}", serde_json::to_string(&text).map_err(|e| e.to_string())?),
        Format::Text => print!("{}", policy::to_text(&text)),
        Format::Md => print!("{}", policy::to_markdown(&text)),
    }
    Ok(ExitCode::SUCCESS)
}

/// A pack folder that validates; messages go to the terminal.
fn read_pack(folder: Option<&Path>) -> Result<Pack, String> {
    let (pack, messages) = match pack_tools::files(folder) {
        Ok(files) => pack_tools::examine(&files),
        Err(messages) => (None, messages),
    };
    if pack.is_none() {
        messages.iter().for_each(|m| eprintln!("{m}"));
    }
    pack.ok_or_else(|| {
        "パックに誤りがあるため、照合できません。`sekisho pack check` で確かめて直してください。".to_owned()
    })
}

fn match_text(file: &Path, pack: Option<&Path>, format: MatchFormat, out: Option<&Path>) -> Outcome {
    let (pack, text) = (read_pack(pack)?, read_text(file)?);
    let found = policy::match_with(&pack, &text).map_err(|e| e.to_string())?;
    let bytes = match format {
        MatchFormat::Text => found.to_text().into_bytes(),
        MatchFormat::Json => (found.to_json()? + "\n").into_bytes(),
        MatchFormat::Csv => found.to_csv().map_err(|e| e.to_string())?,
    };
    match out {
        Some(path) => {
            std::fs::write(path, bytes).map_err(|e| format!("{} に書けません: {e}", path.display()))?;
            let (proposed, without, left) = found.counts();
            println!(
                "{} に書き出しました。候補のある条項 {proposed}件、候補のない条項 {without}件、見当たらないパックの条項 {left}件。",
                path.display()
            );
        }
        None => {
            use std::io::Write as _;
            std::io::stdout().write_all(&bytes).map_err(|e| e.to_string())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn bind(file: &Path, folder: &Path, by: &str, on: Option<&str>) -> Outcome {
    if by.is_empty() {
        return Err("--by に、確かめた人の所属と氏名を書いてください。".to_owned());
    }
    let today = SystemClock.today();
    let on = on.map_or(Ok(today), Date::parse_japanese).map_err(|e| e.to_string())?;
    if on > today {
        return Err("--on が今日より後の日付です。確かめた日を書いてください。".to_owned());
    }
    let pack = read_pack(Some(folder))?;
    let bound =
        policy::bind(&read_bytes(file)?, &pack, by, on).map_err(|e| format!("{}: {e}", file.display()))?;
    write_whole(&folder.join(BINDINGS), bound.toml.as_bytes())?;
    for line in bound.told() {
        println!("{line}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a file beside its place first, so that an interrupted write leaves the old one.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let beside = path.with_extension("toml.new");
    let failed = |e: std::io::Error| format!("{} に書けません: {e}", path.display());
    std::fs::write(&beside, bytes).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(failed)
}
