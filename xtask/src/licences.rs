//! The list of foreign crates that are built into the program, with version and licence, as the page システム shows it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Where the list is.
pub(crate) const FILE: &str = "crates/sekisho-app/licences.tsv";

/// The list as it should be: name, version and SPDX expression, a crate a line, separated by tabs.
///
/// # Errors
/// `cargo tree` failed.
pub(crate) fn list(root: &Path) -> Result<String, String> {
    let out = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args([
            "tree",
            "--locked",
            "--package",
            "sekisho",
            "--edges",
            "normal,no-proc-macro",
            "--prefix",
            "none",
        ])
        .args(["--target", "x86_64-unknown-linux-gnu", "--no-dedupe", "--format", "{p}\t{l}"])
        .output()
        .map_err(|e| format!("cargo tree: {e}"))?;
    if !out.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&out.stderr).trim()));
    }
    let text = String::from_utf8_lossy(&out.stdout);
    let line = |l: &str| {
        let (package, licence) = l.split_once('\t')?;
        let mut words = package.split(' ');
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        // Our own crates stand with their folder.
        (!package.contains("(/")).then(|| format!("{name}\t{version}\t{licence}\n"))
    };
    Ok(text.lines().filter_map(line).collect::<BTreeSet<String>>().into_iter().collect())
}

/// Writes the list.
///
/// # Errors
/// As [`list`], or the file cannot be written.
pub(crate) fn write(root: &Path) -> Result<(), String> {
    let text = list(root)?;
    std::fs::write(root.join(FILE), text).map_err(|e| format!("{FILE}: {e}"))
}
