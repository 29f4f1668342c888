//! Lists the migrations in order of their numbers, so that a file that is added needs no other change.

use std::fmt::Write as _;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("migrations").canonicalize()?;
    println!("cargo::rerun-if-changed={}", dir.display());
    let mut found: Vec<(i64, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(&dir)? {
        let path = entry?.path();
        if path.extension().is_none_or(|e| e != "sql") {
            continue;
        }
        println!("cargo::rerun-if-changed={}", path.display());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let number = name.split('_').next().unwrap_or_default().parse::<i64>();
        found.push((number.map_err(|e| format!("{name} does not begin with its number: {e}"))?, path));
    }
    found.sort();
    if let Some(w) = found.windows(2).find(|w| w.first().map(|m| m.0) == w.last().map(|m| m.0)) {
        return Err(format!("two migrations have one number: {w:?}").into());
    }
    let mut code = String::from(
        "/// Number and text of every migration, in order.\nconst MIGRATIONS: &[(i64, &str)] = &[\n",
    );
    for (number, path) in found {
        writeln!(code, "    ({number}, include_str!({:?})),", path.to_string_lossy())?;
    }
    code.push_str("];\n");
    std::fs::write(PathBuf::from(std::env::var("OUT_DIR")?).join("migrations.rs"), code)?;
    Ok(())
}
