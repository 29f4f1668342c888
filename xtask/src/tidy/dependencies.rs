//! Every foreign crate has its reason in one list.

use super::manifest::Manifest;
use super::markdown::{Line, lines};
use super::{Finding, Repo};

const LIST: &str = "docs/dependencies.md";
/// Below this heading each line must name a crate that is in use; elsewhere the list may name other things
/// (fonts, programs).
const CRATES_HEADING: &str = "Rust crates";

/// A line `- name: reason` of the list.
struct Reason<'a> {
    name: &'a str,
    line: usize,
    is_crate: bool,
}

/// Compares the list with the dependency tables, both ways.
pub fn check(repo: &Repo, manifests: &[Manifest], findings: &mut Vec<Finding>) {
    let reasons = repo.texts.get(LIST).map(|text| reasons(text)).unwrap_or_default();
    let mut in_use = Vec::new();
    for manifest in manifests {
        for dependency in &manifest.dependencies {
            let package = dependency.package.as_str();
            if manifests.iter().any(|own| own.name == package) {
                continue;
            }
            if manifest.is_workspace() && !is_used(manifests, package) {
                findings.push(Finding::new(
                    &manifest.file,
                    dependency.line,
                    format!("no crate uses {package}"),
                    "remove the line",
                ));
            }
            if !in_use.contains(&package) {
                in_use.push(package);
                if !reasons.iter().any(|reason| reason.name == package) {
                    findings.push(Finding::new(
                        &manifest.file,
                        dependency.line,
                        format!("{LIST} does not say why {package} is needed"),
                        format!("add the line `- {package}: <why>` there"),
                    ));
                }
            }
        }
    }
    for reason in reasons.iter().filter(|reason| reason.is_crate && !in_use.contains(&reason.name)) {
        findings.push(Finding::new(
            LIST,
            reason.line,
            format!("{} is not a dependency any more", reason.name),
            "remove the line",
        ));
    }
}

fn is_used(manifests: &[Manifest], package: &str) -> bool {
    manifests
        .iter()
        .filter(|manifest| manifest.is_member())
        .any(|manifest| manifest.dependencies.iter().any(|one| one.package == package))
}

fn reasons(text: &str) -> Vec<Reason<'_>> {
    let mut found = Vec::new();
    let mut is_crate = false;
    for (number, line) in lines(text) {
        match line {
            Line::Heading(heading) => is_crate = heading == CRATES_HEADING,
            Line::Text(line) => {
                let Some((name, reason)) = line.strip_prefix("- ").and_then(|item| item.split_once(':'))
                else {
                    continue;
                };
                if !reason.trim().is_empty() {
                    found.push(Reason { name: name.trim_matches('`'), line: number, is_crate });
                }
            }
            Line::Fenced(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::{Finding, Repo, manifest};

    fn findings(list: &str, root: &str, member: &str) -> Vec<Finding> {
        let repo = Repo::of(&[
            ("docs/dependencies.md", list),
            ("Cargo.toml", &format!("[workspace.dependencies]\n{root}")),
            ("crates/a/Cargo.toml", &format!("[package]\nname = \"a\"\n[dependencies]\n{member}")),
        ]);
        let mut findings = Vec::new();
        check(&repo, &manifest::read_all(&repo).unwrap(), &mut findings);
        findings
    }

    #[test]
    fn a_reason_for_each_and_no_more_passes() {
        let list = "## Rust crates\n\n- csv: tables\n- `zip`: packages\n\n## Other\n\n- font: letters\n";
        assert_eq!(findings(list, "csv = \"1\"\nzip = \"1\"\n", "csv = \"1\"\nzip = \"1\"\n"), []);
    }

    #[test]
    fn a_crate_without_reason_is_named_once() {
        let found = findings("- csv:\n", "csv = \"1\"\n", "csv = \"1\"\n");
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((one.file.as_str(), one.line), ("Cargo.toml", 2));
        assert_eq!(one.remedy, "add the line `- csv: <why>` there");
    }

    #[test]
    fn an_entry_nobody_uses_is_named() {
        let found =
            findings("- csv: tables\n- zip: packages\n", "csv = \"1\"\nzip = \"1\"\n", "csv = \"1\"\n");
        assert_eq!(found.first().unwrap().message, "no crate uses zip");
    }

    #[test]
    fn a_reason_left_behind_is_named() {
        let found = findings("# D\n\n## Rust crates\n\n- csv: tables\n- old: gone\n", "", "csv = \"1\"\n");
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((one.line, one.message.as_str()), (6, "old is not a dependency any more"));
    }
}
