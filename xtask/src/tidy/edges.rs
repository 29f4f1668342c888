//! Which crate may depend on which. The table is the one of ARCHITECTURE.md; a crate exists because of what it
//! must not know.

use super::manifest::{Dependency, Manifest, Purpose};
use super::{Finding, Repo};

/// Every crate with the project's own crates that it may use. `sekisho-base` is open to all of them.
const CRATES: &[(&str, &[&str])] = &[
    ("sekisho", &["sekisho-web", "sekisho-app"]),
    ("sekisho-web", &["sekisho-app"]),
    (
        "sekisho-app",
        &[
            "sekisho-boxed",
            "sekisho-store",
            "sekisho-case",
            "sekisho-pack",
            "sekisho-policy",
            "sekisho-ledger",
            "sekisho-exchange",
            "sekisho-forms",
            "sekisho-sanitize",
            "sekisho-zones",
        ],
    ),
    ("sekisho-case", &["sekisho-pack"]),
    ("sekisho-store", &["sekisho-boxed"]),
    ("sekisho-policy", &[]),
    ("sekisho-pack", &[]),
    ("sekisho-ledger", &[]),
    ("sekisho-exchange", &[]),
    ("sekisho-forms", &[]),
    ("sekisho-sanitize", &[]),
    ("sekisho-zones", &[]),
    ("sekisho-vault", &[]),
    ("sekisho-base", &[]),
    ("sekisho-boxed", &[]),
    ("sekisho-testkit", &[]),
    // Proofs about the rules: nobody depends on it, so no solver is in the way of the program.
    ("sekisho-prove", &["sekisho-case", "sekisho-pack"]),
    ("xtask", &[]),
];

/// Foreign crates (with everything named `<name>-…`) that only these may use in the program.
const CONFINED: &[(&str, &[&str])] = &[
    ("sqlx", &["sekisho-store", "sekisho-testkit"]),
    ("axum", &["sekisho-web"]),
    ("askama", &["sekisho-web"]),
    ("typst", &["sekisho-forms"]),
    ("cedar-policy", &["sekisho-case", "sekisho-prove"]),
];

/// Crates that do nothing but compute: no runtime, no server.
const PURE: &[&str] = &[
    "sekisho-base",
    "sekisho-case",
    "sekisho-exchange",
    "sekisho-forms",
    "sekisho-ledger",
    "sekisho-pack",
    "sekisho-policy",
    "sekisho-sanitize",
    "sekisho-zones",
];

const TABLE: &str = "xtask/src/tidy/edges.rs";

/// Checks every dependency of every crate, and that each takes the workspace's lints.
pub fn check(repo: &Repo, manifests: &[Manifest], findings: &mut Vec<Finding>) {
    for manifest in manifests.iter().filter(|manifest| manifest.is_member()) {
        let Some((name, allowed)) = CRATES.iter().find(|(name, _)| *name == manifest.name) else {
            findings.push(Finding::new(
                &manifest.file,
                1,
                format!("the crate {} is not in the table of crates", manifest.name),
                format!("say in {TABLE} and ARCHITECTURE.md what it may depend on, or make it a module"),
            ));
            continue;
        };
        for dependency in &manifest.dependencies {
            if let Some(finding) = own_edge(manifest, allowed, dependency) {
                findings.push(finding);
            }
            findings.extend(foreign_edge(manifest, dependency));
        }
        if !manifest.workspace_lints {
            findings.push(Finding::new(
                &manifest.file,
                1,
                format!("{name} does not take the workspace's lints"),
                "add [lints] with workspace = true",
            ));
        }
        named_in_architecture(repo, name, &manifest.file, findings);
    }
}

fn own_edge(manifest: &Manifest, allowed: &[&str], dependency: &Dependency) -> Option<Finding> {
    let to = dependency.package.as_str();
    CRATES.iter().find(|(name, _)| *name == to)?;
    let open_to_all = to == "sekisho-base" && manifest.name != "sekisho-base";
    let for_tests = to == "sekisho-testkit" && dependency.purpose == Purpose::Tests;
    if open_to_all || for_tests || allowed.contains(&to) {
        return None;
    }
    Some(Finding::new(
        &manifest.file,
        dependency.line,
        format!("{} must not depend on {to}", manifest.name),
        format!(
            "it may use {}: pass what it needs as a parameter, or compose in sekisho-app (ARCHITECTURE.md)",
            if allowed.is_empty() { "sekisho-base only".to_owned() } else { allowed.join(", ") }
        ),
    ))
}

fn foreign_edge(manifest: &Manifest, dependency: &Dependency) -> Option<Finding> {
    if dependency.purpose == Purpose::Tests {
        return None;
    }
    let (name, package) = (manifest.name.as_str(), dependency.package.as_str());
    let confined = CONFINED.iter().find(|(foreign, homes)| {
        let covered =
            package.strip_prefix(foreign).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        covered && !homes.contains(&name)
    });
    let (message, remedy) = if let Some((_, homes)) = confined {
        (format!("{name} must not depend on {package}"), format!("only {} may use it", homes.join(" and ")))
    } else if package == "tokio" && PURE.contains(&name) {
        (
            format!("{name} is pure and must not depend on tokio"),
            "do input and output in sekisho-app".to_owned(),
        )
    } else {
        return None;
    };
    Some(Finding::new(&manifest.file, dependency.line, message, remedy))
}

fn named_in_architecture(repo: &Repo, name: &str, file: &str, findings: &mut Vec<Finding>) {
    let Some(text) = repo.texts.get("ARCHITECTURE.md") else { return };
    let whole = |word: &str| word == name;
    if !text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').any(whole) {
        findings.push(Finding::new(
            "ARCHITECTURE.md",
            1,
            format!("the crate {name} is not mentioned"),
            format!("say in the crate map what {file} is for"),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::{Finding, Repo, manifest};

    fn findings(files: &[(&str, &str)]) -> Vec<Finding> {
        let repo = Repo::of(files);
        let manifests = manifest::read_all(&repo).unwrap();
        let mut findings = Vec::new();
        check(&repo, &manifests, &mut findings);
        findings
    }

    fn of_crate(name: &str, tables: &str) -> Vec<Finding> {
        let text = format!("[package]\nname = \"{name}\"\n[lints]\nworkspace = true\n{tables}");
        findings(&[(&format!("crates/{name}/Cargo.toml"), &text)])
    }

    #[test]
    fn the_edges_of_the_design_pass() {
        assert_eq!(
            of_crate("sekisho-web", "[dependencies]\nsekisho-app.workspace = true\naxum = \"1\"\n"),
            []
        );
        assert_eq!(
            of_crate("sekisho-case", "[dependencies]\nsekisho-base = \"1\"\nsekisho-pack = \"1\"\n"),
            []
        );
        assert_eq!(
            of_crate(
                "sekisho-store",
                "[dependencies]\nsqlx = \"1\"\n[dev-dependencies]\nsekisho-testkit = \"1\"\n"
            ),
            []
        );
    }

    #[test]
    fn an_edge_against_the_direction_is_named_with_its_line() {
        let found =
            of_crate("sekisho-ledger", "[dependencies]\nsekisho-base = \"1\"\nsekisho-case = \"1\"\n");
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((one.file.as_str(), one.line), ("crates/sekisho-ledger/Cargo.toml", 7));
        assert_eq!(one.message, "sekisho-ledger must not depend on sekisho-case");
        assert!(one.remedy.contains("sekisho-base only"));
    }

    #[test]
    fn the_web_pages_cannot_reach_the_store_even_in_tests() {
        let found = of_crate("sekisho-web", "[dev-dependencies]\nsekisho-store = \"1\"\n");
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn the_proofs_stay_out_of_the_program() {
        for name in ["sekisho", "sekisho-app", "sekisho-case"] {
            assert_eq!(of_crate(name, "[dependencies]\nsekisho-prove = \"1\"\n").len(), 1, "{name}");
        }
    }

    #[test]
    fn base_depends_on_no_own_crate_and_the_testkit_is_for_tests() {
        assert_eq!(of_crate("sekisho-base", "[dependencies]\nsekisho-pack = \"1\"\n").len(), 1);
        assert_eq!(of_crate("sekisho-store", "[dependencies]\nsekisho-testkit = \"1\"\n").len(), 1);
    }

    #[test]
    fn foreign_crates_stay_in_their_home() {
        let cases = [
            ("sekisho-app", "sqlx", "only sekisho-store and sekisho-testkit may use it"),
            ("sekisho-app", "axum-extra", "only sekisho-web may use it"),
            ("sekisho-web", "typst-pdf", "only sekisho-forms may use it"),
            ("sekisho-web", "cedar-policy", "only sekisho-case and sekisho-prove may use it"),
            ("sekisho-app", "cedar-policy-symcc", "only sekisho-case and sekisho-prove may use it"),
            ("sekisho-pack", "tokio", "do input and output in sekisho-app"),
        ];
        for (name, package, remedy) in cases {
            let found = of_crate(name, &format!("[dependencies]\n{package} = \"1\"\n"));
            let [one] = found.as_slice() else { panic!("{name} {package}: {found:?}") };
            assert_eq!(one.remedy, remedy);
        }
        assert_eq!(of_crate("sekisho-pack", "[dev-dependencies]\nsqlx = \"1\"\n"), []);
    }

    #[test]
    fn a_new_crate_must_be_entered() {
        let found = of_crate("sekisho-extra", "");
        assert_eq!(found.first().unwrap().message, "the crate sekisho-extra is not in the table of crates");
    }

    #[test]
    fn lints_are_taken_from_the_workspace() {
        let found = findings(&[("xtask/Cargo.toml", "[package]\nname = \"xtask\"\n")]);
        assert_eq!(found.first().unwrap().remedy, "add [lints] with workspace = true");
    }

    #[test]
    fn a_crate_is_on_the_map() {
        let manifest = "[package]\nname = \"sekisho\"\n[lints]\nworkspace = true\n";
        let with = |map: &str| findings(&[("crates/sekisho/Cargo.toml", manifest), ("ARCHITECTURE.md", map)]);
        assert_eq!(with("- `sekisho`: the program"), []);
        assert_eq!(
            with("- `sekisho-web`: pages").first().unwrap().message,
            "the crate sekisho is not mentioned"
        );
    }
}
