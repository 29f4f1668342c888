//! Documents that must be there and complete.

use super::manifest::Manifest;
use super::{Finding, Repo};

const PERFORMANCE: &str = "docs/performance.md";
const DECISIONS: &str = "docs/decisions/";
/// What a stranger and an operator look for first.
const REQUIRED: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.ja.md",
    "README.md",
    "SECURITY.md",
    "deny.toml",
    "docs/dependencies.md",
    "docs/guide/README.md",
    PERFORMANCE,
];

/// Checks the documents against the tree.
pub fn check(repo: &Repo, manifests: &[Manifest], findings: &mut Vec<Finding>) {
    for file in REQUIRED.iter().filter(|file| !repo.exists(file)) {
        findings.push(Finding::new(file, 1, "the file is missing", "write it"));
    }
    benches(repo, manifests, findings);
    decisions(repo, findings);
}

/// A measurement that nobody can find is not repeated: each script of `bench/`, and each bench of a crate, is
/// named beside its figures.
fn benches(repo: &Repo, manifests: &[Manifest], findings: &mut Vec<Finding>) {
    let Some(text) = repo.texts.get(PERFORMANCE) else { return };
    let of_crates =
        manifests.iter().filter(|one| one.is_member()).filter_map(|one| one.file.rsplit_once('/'));
    let folders: Vec<String> =
        of_crates.map(|(folder, _)| format!("{folder}/benches/")).chain(["bench/".to_owned()]).collect();
    for path in repo.texts.keys() {
        let is_script = folders
            .iter()
            .filter_map(|folder| path.strip_prefix(folder.as_str()))
            .any(|name| !name.contains('/') && !name.ends_with(".md"));
        if is_script && !text.contains(path.as_str()) {
            findings.push(Finding::new(
                PERFORMANCE,
                1,
                format!("{path} is not named"),
                format!("say what it measures, on what machine, and its figures, with the path `{path}`"),
            ));
        }
    }
}

/// `docs/decisions/0001-what-was-decided.md`, each number once.
fn decisions(repo: &Repo, findings: &mut Vec<Finding>) {
    let mut taken: Vec<(&str, &str)> = Vec::new();
    for path in repo.texts.keys() {
        let Some(name) = path.strip_prefix(DECISIONS).filter(|name| *name != "README.md") else { continue };
        let Some(number) = decision_number(name) else {
            findings.push(Finding::new(
                path,
                1,
                "the file is not named as a decision",
                "name it with four digits and a few words: 0012-one-writer.md",
            ));
            continue;
        };
        if let Some((_, other)) = taken.iter().find(|(one, _)| *one == number) {
            findings.push(Finding::new(
                path,
                1,
                format!("{other} has the number {number} as well"),
                "take the next free number",
            ));
        }
        taken.push((number, path));
    }
}

fn decision_number(name: &str) -> Option<&str> {
    let (number, words) = name.strip_suffix(".md")?.split_once('-')?;
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let fits = number.len() == 4
        && number.chars().all(|digit| digit.is_ascii_digit())
        && !words.is_empty()
        && words.chars().all(plain);
    fits.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::{REQUIRED, check};
    use crate::tidy::{Finding, Repo, manifest};

    fn findings(files: &[(&str, &str)]) -> Vec<Finding> {
        let repo = Repo::of(files);
        let mut findings = Vec::new();
        check(&repo, &manifest::read_all(&repo).unwrap(), &mut findings);
        findings.retain(|finding| finding.message != "the file is missing");
        findings
    }

    #[test]
    fn missing_documents_are_named() {
        let mut findings = Vec::new();
        check(&Repo::of(&[("README.md", "")]), &[], &mut findings);
        assert_eq!(findings.len(), REQUIRED.len() - 1);
        assert!(findings.iter().any(|finding| finding.file == "SECURITY.md"));
    }

    #[test]
    fn every_measurement_is_in_the_performance_document() {
        let files = |text| {
            [
                ("docs/performance.md", text),
                ("bench/start", ""),
                ("bench/README.md", ""),
                ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n"),
                ("crates/a/benches/lists.rs", ""),
            ]
        };
        assert_eq!(findings(&files("`bench/start`, `crates/a/benches/lists.rs`")), []);
        let found = findings(&files("nothing"));
        let messages: Vec<_> = found.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, ["bench/start is not named", "crates/a/benches/lists.rs is not named"]);
    }

    #[test]
    fn decisions_are_numbered_once() {
        let found = findings(&[
            ("docs/decisions/README.md", ""),
            ("docs/decisions/0001-one.md", ""),
            ("docs/decisions/0001-two.md", ""),
            ("docs/decisions/3-three.md", ""),
            ("docs/decisions/notes.md", ""),
        ]);
        let messages: Vec<_> = found.iter().map(|one| (one.file.as_str(), one.message.as_str())).collect();
        assert_eq!(
            messages,
            [
                ("docs/decisions/0001-two.md", "docs/decisions/0001-one.md has the number 0001 as well"),
                ("docs/decisions/3-three.md", "the file is not named as a decision"),
                ("docs/decisions/notes.md", "the file is not named as a decision"),
            ]
        );
    }
}
