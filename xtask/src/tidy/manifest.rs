//! The `Cargo.toml` files of the project.

use toml::{Table, Value};

use super::Repo;

/// Why a crate has a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Part of the program, or of its build script.
    Program,
    /// For the crate's tests, examples and benchmarks only.
    Tests,
}

/// One entry of a dependency table.
#[derive(Debug)]
pub struct Dependency {
    /// The package's name (not what the crate renames it to).
    pub package: String,
    /// What it is for.
    pub purpose: Purpose,
    /// The line of the entry.
    pub line: usize,
}

/// A `Cargo.toml` of one package.
#[derive(Debug)]
pub struct Manifest {
    /// Its path from the root.
    pub file: String,
    /// The package's name; empty for the workspace's own `Cargo.toml`.
    pub name: String,
    /// Everything it depends on; for the workspace's own, the entries of `[workspace.dependencies]`.
    pub dependencies: Vec<Dependency>,
    /// Whether it takes the workspace's lints.
    pub workspace_lints: bool,
}

impl Manifest {
    /// Whether it belongs to the main workspace (the fuzz targets are a workspace of their own).
    pub fn is_member(&self) -> bool {
        self.file == "xtask/Cargo.toml" || self.file.starts_with("crates/")
    }

    /// Whether it is the workspace's own.
    pub fn is_workspace(&self) -> bool {
        self.file == "Cargo.toml"
    }
}

/// Reads every `Cargo.toml` of the project.
pub fn read_all(repo: &Repo) -> Result<Vec<Manifest>, String> {
    repo.texts
        .iter()
        .filter(|(path, _)| path.as_str() == "Cargo.toml" || path.ends_with("/Cargo.toml"))
        .map(|(path, text)| read(path, text))
        .collect()
}

fn read(file: &str, text: &str) -> Result<Manifest, String> {
    let table: Table = text.parse().map_err(|error| format!("cannot parse {file}: {error}"))?;
    let mut dependencies = Vec::new();
    collect(text, &table, &mut dependencies);
    for target in table.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values) {
        collect(text, target.as_table().unwrap_or(&Table::new()), &mut dependencies);
    }
    if let Some(workspace) = table.get("workspace").and_then(Value::as_table) {
        collect(text, workspace, &mut dependencies);
    }
    let of_package = |key: &str| table.get("package").and_then(|package| package.get(key));
    let lints = table.get("lints").and_then(|lints| lints.get("workspace"));
    Ok(Manifest {
        file: file.to_owned(),
        name: of_package("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        dependencies,
        workspace_lints: lints.and_then(Value::as_bool) == Some(true),
    })
}

fn collect(text: &str, table: &Table, into: &mut Vec<Dependency>) {
    let kinds = [
        ("dependencies", Purpose::Program),
        ("build-dependencies", Purpose::Program),
        ("dev-dependencies", Purpose::Tests),
    ];
    for (kind, purpose) in kinds {
        for (key, value) in table.get(kind).and_then(Value::as_table).into_iter().flatten() {
            let package = value.get("package").and_then(Value::as_str).unwrap_or(key).to_owned();
            into.push(Dependency { package, purpose, line: line_of(text, kind, key) });
        }
    }
}

/// The line of `key` below a `[kind]` header (or of `[kind.key]`), 1 if it is written some other way.
fn line_of(text: &str, kind: &str, key: &str) -> usize {
    let mut below = false;
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if header.ends_with(&format!("{kind}.{key}")) {
                return number;
            }
            below = header.rsplit('.').next() == Some(kind);
        } else if below {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            if name.trim_matches('"') == key {
                return number;
            }
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::{Purpose, read, read_all};
    use crate::tidy::Repo;

    #[test]
    fn reads_every_table_with_lines_purposes_and_real_names() {
        let text = "[package]\nname = \"a\"\n[dependencies]\nb.workspace = true\nc = { package = \"d\", version = \"1\" }\n\
                    [dev-dependencies]\ne = \"1\"\n[target.'cfg(unix)'.dependencies]\nf = \"1\"\n[dependencies.g]\nversion = \"1\"\n";
        let manifest = read("crates/a/Cargo.toml", text).unwrap();
        let mut seen: Vec<_> =
            manifest.dependencies.iter().map(|one| (one.package.as_str(), one.purpose, one.line)).collect();
        seen.sort_by_key(|(_, _, line)| *line);
        assert_eq!(
            seen,
            [
                ("b", Purpose::Program, 4),
                ("d", Purpose::Program, 5),
                ("e", Purpose::Tests, 7),
                ("f", Purpose::Program, 9),
                ("g", Purpose::Program, 10),
            ]
        );
        assert_eq!(manifest.name, "a");
        assert!(!manifest.workspace_lints);
    }

    #[test]
    fn a_broken_manifest_is_named() {
        let repo = Repo::of(&[("crates/a/Cargo.toml", "[package\n")]);
        assert!(read_all(&repo).unwrap_err().contains("crates/a/Cargo.toml"));
    }
}
