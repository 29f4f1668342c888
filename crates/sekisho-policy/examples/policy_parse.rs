//! `policy parse FILE [--format json|text|md]`: the parser alone, without the rest of Sekisho.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "policy" && a != "parse").collect();
    let format = arguments.iter().skip_while(|a| *a != "--format").nth(1).map_or("text", String::as_str);
    let Some(file) = arguments.first() else {
        eprintln!("使い方: policy parse ファイル [--format json|text|md]");
        return ExitCode::from(2);
    };
    let result = std::fs::read(file).map_err(|e| format!("{file}: {e}")).and_then(|bytes| {
        sekisho_policy::parse(&bytes, Some(file)).map_err(|e| format!("{file}: {e} [{}]", e.code()))
    });
    match result {
        Ok(text) => {
            match format {
                "json" => println!("{}", serde_json::to_string_pretty(&text).unwrap_or_default()),
                "md" => print!("{}", sekisho_policy::to_markdown(&text)),
                _ => print!("{}", sekisho_policy::to_text(&text)),
            }
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
