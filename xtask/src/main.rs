//! Project chores, run as `cargo xtask <chore>`.
//!
//! `tidy` checks what the compiler does not: which crate may depend on which, file lengths, unfinished work, and
//! that the documents name things which exist.

mod licences;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["tidy"] => project_root().and_then(|root| {
            let mut findings = tidy::run(&root)?;
            if std::fs::read_to_string(root.join(licences::FILE)).ok() != Some(licences::list(&root)?) {
                let message = "differs from the crates that are built into the program";
                findings.push(tidy::Finding::new(licences::FILE, 1, message, "run cargo xtask licences"));
            }
            Ok(findings)
        }),
        ["licences"] => return written(project_root().and_then(|root| licences::write(&root))),
        _ => Err("usage: cargo xtask tidy | licences".to_owned()),
    };
    match outcome {
        Ok(findings) if findings.is_empty() => {
            println!("tidy: no findings");
            ExitCode::SUCCESS
        }
        Ok(findings) => {
            for finding in &findings {
                println!("{finding}");
            }
            println!("tidy: {} findings", findings.len());
            ExitCode::FAILURE
        }
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::from(2)
        }
    }
}

fn written(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::from(2)
        }
    }
}

/// The nearest folder, from the current one upwards, whose `Cargo.toml` makes it this workspace. (Not the path
/// at build time: several clones may share one target folder.)
fn project_root() -> Result<PathBuf, String> {
    let here = std::env::current_dir().map_err(|error| format!("no current folder: {error}"))?;
    here.ancestors()
        .find(|folder| folder.join("xtask/Cargo.toml").is_file() && folder.join("Cargo.toml").is_file())
        .map(PathBuf::from)
        .ok_or_else(|| format!("{} is not inside the project: run it there", here.display()))
}
