//! `parse_time [FILE] [RUNS]`: median time of one parse. Without a file, a text of about 40,000 characters is made.

use std::time::Instant;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next();
    let runs: usize = arguments.next().and_then(|r| r.parse().ok()).unwrap_or(101);
    let bytes = match &file {
        Some(path) => std::fs::read(path).unwrap_or_else(|e| {
            eprintln!("{path}: {e}");
            std::process::exit(1)
        }),
        None => sample().into_bytes(),
    };
    let mut times: Vec<u128> = Vec::with_capacity(runs);
    let mut clauses = 0;
    for _ in 0..runs.max(1) {
        let start = Instant::now();
        match sekisho_policy::parse(&bytes, file.as_deref()) {
            Ok(text) => clauses = text.nodes.len(),
            Err(e) => {
                eprintln!("{e}");
                std::process::exit(1)
            }
        }
        times.push(start.elapsed().as_micros());
    }
    times.sort_unstable();
    let at = |part: usize| times.get((times.len() * part / 100).min(times.len() - 1)).copied().unwrap_or(0);
    let characters = String::from_utf8_lossy(&bytes).chars().count();
    println!(
        "{characters} characters, {clauses} clauses, {} runs: median {} us, p95 {} us",
        times.len(),
        at(50),
        at(95)
    );
}

/// Nine chapters of four sections, as standards are built.
fn sample() -> String {
    let mut out = String::from("見本市情報セキュリティ対策基準\n\n");
    for chapter in 1..=9 {
        out += &format!("第{chapter}章　対策その{chapter}\n\n");
        for section in 1..=4 {
            out += &format!("第{section}節　場面その{section}\n\n");
            for paragraph in 1..=5 {
                out +=
                    &format!("({paragraph})　職員等の行動\n\n職員等は、次の事項を守らなければならない。\n\n");
                for item in ['①', '②', '③'] {
                    out += &format!(
                        "- {item}情報セキュリティ管理者は、機密性2以上の情報を外部へ持ち出す場合には、あらかじめ({paragraph})の許可を得て、3日以内に返却しなければならない。\n"
                    );
                }
                out.push('\n');
            }
        }
    }
    out
}
