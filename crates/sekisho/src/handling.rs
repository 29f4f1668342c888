//! `sekisho handling`: may this be done with these contents?

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use sekisho_app::handling::{HandlingAnswer, HandlingQuestion, Reason, answer};
use sekisho_app::{AppError, first, pack_tools};
use sekisho_base::clock::{Clock as _, SystemClock};

use crate::config::{Outcome, Place, on_runtime};

/// 終了コード: 0 できる（対策をとれば可を含む）、2 入力の誤り、3 許可が必要、4 禁止
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// すること（copy 複製、send 送信、carry_out 持出し、provide 提供、publish 公表、process_outside 庁外での処理、store 保管、dispose 廃棄、entrust 外部サービスに預ける）
    #[arg(long)]
    act: String,
    /// 分類（例: confidentiality=3B）。何度でも指定できる
    #[arg(long, value_name = "軸=段階")]
    class: Vec<String>,
    /// 情報のある領域（例: mynumber、lgwan、internet、none）
    #[arg(long, default_value = "")]
    zone: String,
    /// 使う端末（issued 支給、private 私物、contractor 委託先）
    #[arg(long, default_value = "")]
    device: String,
    /// 個人情報区分（例: none、personal、sensitive、my_number）
    #[arg(long, default_value = "")]
    personal: String,
    /// 台帳の管理番号。何度でも指定できる（--data、--config、--body のどれかが要る）
    #[arg(long, value_name = "管理番号")]
    asset: Vec<String>,
    /// パックのフォルダ（指定しなければ、--data、--config、--body のどれかがあればその市の今の版、なければ付属のモデル市）
    #[arg(long, conflicts_with_all = ["data", "config", "body"])]
    pack: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// 出力の形
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

const AFTER: &str = "指定しなかったことは「分からない」として、最も厳しい場合で答えます。\n終了コード: 0 できる（対策をとれば可を含む）、2 入力の誤り、3 許可が必要、4 禁止";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Text,
}

/// Exit code of a question that stands for nothing.
const BAD_INPUT: u8 = 2;

pub(crate) fn run(args: Args) -> Outcome {
    let (place, pack, format) = (args.place.clone(), args.pack.clone(), args.format);
    if !args.asset.is_empty() && !place.is_named() {
        eprintln!("--asset: どの市の台帳かを --data、--config、--body のどれかで指定してください。");
        return Ok(ExitCode::from(BAD_INPUT));
    }
    let q = match question(args) {
        Ok(q) => q,
        Err(message) => {
            eprintln!("{message}");
            return Ok(ExitCode::from(BAD_INPUT));
        }
    };
    let answered = match place.is_named() {
        true => on_data(&place, &q)?,
        false => {
            let (pack, messages) =
                pack_tools::files(pack.as_deref()).map_or_else(|m| (None, m), |f| pack_tools::examine(&f));
            match pack {
                Some(pack) => answer(&pack, &q, &[], SystemClock.today()),
                None => {
                    messages.iter().for_each(|m| eprintln!("{m}"));
                    return Ok(ExitCode::from(BAD_INPUT));
                }
            }
        }
    };
    match answered {
        Ok(a) => {
            match format {
                Format::Json => println!("{}", serde_json::to_string_pretty(&a).map_err(|e| e.to_string())?),
                Format::Text => print!("{}", text(&a)),
            }
            Ok(ExitCode::from(match a.outcome.code() {
                "needs_permit" => 3,
                "prohibited" => 4,
                _ => 0,
            }))
        }
        Err(AppError::Invalid(wrong)) => {
            wrong.iter().for_each(|w| eprintln!("--{}: {}", option(&w.field), w.message));
            Ok(ExitCode::from(BAD_INPUT))
        }
        Err(e) => Err(e.to_string()),
    }
}

/// The option that a parameter comes from.
fn option(field: &str) -> &str {
    match field.split('.').next() {
        Some("item") => "asset",
        Some(name) => name,
        None => field,
    }
}

fn question(args: Args) -> Result<HandlingQuestion, String> {
    let mut q = HandlingQuestion {
        act: args.act,
        zone: args.zone,
        device: args.device,
        personal: args.personal,
        items: args.asset,
        ..HandlingQuestion::default()
    };
    for one in &args.class {
        let Some((axis, code)) = one.split_once('=') else {
            return Err(format!(
                "--class: 「{one}」は confidentiality=3B のように、軸と段階を = でつないでください。"
            ));
        };
        q.class.insert(axis.trim().to_owned(), code.trim().to_owned());
    }
    Ok(q)
}

fn on_data(place: &Place, q: &HandlingQuestion) -> Result<Result<HandlingAnswer, AppError>, String> {
    let mut found = None;
    on_runtime(async {
        let store = place.store().await?;
        let office = first::open_for_terminal(store, "", "").await.map_err(|e| e.to_string())?;
        found = Some(office.handling_at_terminal(q).await);
        Ok(ExitCode::SUCCESS)
    })?;
    found.ok_or_else(|| "答えがありません。".to_owned())
}

fn text(a: &HandlingAnswer) -> String {
    let mut out = format!("{}こと：{}。{}\n", a.act.label, a.answer, a.says);
    let mut list = |title: &str, reasons: &[Reason]| {
        if !reasons.is_empty() {
            out.push_str(title);
            out.push('\n');
        }
        for r in reasons {
            out.push_str(&format!("  ・{}（{}）\n", r.says, r.citation));
        }
    };
    list("できない理由", &a.prohibitions);
    for p in &a.permits {
        list(&format!("要る許可：{}", p.title), &p.reasons);
    }
    list("とる対策", &a.safeguards);
    for c in &a.class {
        out.push_str(&format!("{}：{}（{}）\n", c.axis.label, c.says, c.because.join("、")));
    }
    if !a.unknown.is_empty() {
        let names: Vec<&str> = a.unknown.iter().map(|u| u.label.as_str()).collect();
        out.push_str(&format!("分からないため最も厳しく見たこと：{}\n", names.join("、")));
    }
    out
}
