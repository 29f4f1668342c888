//! Documents name files and pages that exist.

use super::markdown::{Line, anchors, code_spans, lines, links};
use super::{Finding, Repo};

/// First parts of a path that starts at the project's root, whether or not the folder is there.
const TOP_FOLDERS: &[&str] =
    &[".cargo", ".ci", "bench", "crates", "docs", "fuzz", "packs", "scripts", "tests", "xtask"];

/// It tells of files that were, too.
const HISTORY: &str = "CHANGELOG.md";

/// Checks paths in code spans, and links, of every document.
pub fn check(repo: &Repo, findings: &mut Vec<Finding>) {
    for (file, text) in repo.texts_ending(".md") {
        for (number, line) in lines(text) {
            let (Line::Text(line) | Line::Heading(line)) = line else { continue };
            for span in code_spans(line).filter(|_| file != HISTORY) {
                if let Some(path) = repo_path(span)
                    && !is_there(repo, file, path)
                {
                    findings.push(Finding::new(
                        file,
                        number,
                        format!("there is no {path}"),
                        "correct the path, or write what it means without the look of a path",
                    ));
                }
            }
            findings.extend(links(line).filter_map(|target| broken(repo, file, number, text, target)));
        }
    }
}

/// The path that a code span names, if it looks like one of this project: it starts with one of its folders, or
/// is the bare name of a Rust file or document.
fn repo_path(span: &str) -> Option<&str> {
    let path = span.trim_start_matches("./").trim_end_matches('/');
    let path = path.split_once(':').map_or(path, |(path, _)| path);
    if path.is_empty() || !path.chars().all(|letter| letter.is_alphanumeric() || "._-/*".contains(letter)) {
        return None;
    }
    let known = match path.split_once('/') {
        Some((top, _)) => TOP_FOLDERS.contains(&top),
        None => path.len() > 3 && (path.ends_with(".rs") || path.ends_with(".md")),
    };
    known.then_some(path)
}

fn is_there(repo: &Repo, file: &str, path: &str) -> bool {
    if !path.contains('/') {
        return repo.paths().any(|one| matches(path, one.rsplit('/').next().unwrap_or(one)));
    }
    let beside = normal(folder(file), path);
    [Some(path.to_owned()), beside].into_iter().flatten().any(|wanted| {
        repo.exists(&wanted) || (wanted.contains('*') && repo.paths().any(|one| matches(&wanted, one)))
    })
}

fn broken(repo: &Repo, file: &str, number: usize, own_text: &str, target: &str) -> Option<Finding> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let resolved = if path.is_empty() { Some(file.to_owned()) } else { normal(folder(file), path) };
    let Some(resolved) = resolved.filter(|path| path.is_empty() || repo.exists(path)) else {
        return Some(Finding::new(
            file,
            number,
            format!("the link {target} leads nowhere"),
            "correct it; links are relative to the document and stay inside the project",
        ));
    };
    let anchor = anchor?;
    let there = if resolved == file { own_text } else { repo.texts.get(&resolved)? };
    if anchors(there).iter().any(|one| one == anchor) {
        return None;
    }
    Some(Finding::new(
        file,
        number,
        format!("{resolved} has no heading for #{anchor}"),
        "correct the part after #: the heading in lower case, spaces as hyphens, no punctuation",
    ))
}

fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `path` seen from `folder`, without `.` and `..`; none if it leaves the project.
fn normal(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether `name` fits `pattern`, where `*` stands for any letters within one part of a path.
fn matches(pattern: &str, name: &str) -> bool {
    let mut wanted = pattern.split('/');
    let mut given = name.split('/');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if part_matches(wanted, given) => {}
            _ => return false,
        }
    }
}

fn part_matches(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(before) else { return false };
    rest.char_indices()
        .map(|(at, _)| at)
        .chain([rest.len()])
        .any(|at| rest.get(at..).is_some_and(|rest| part_matches(after, rest)))
}

#[cfg(test)]
mod tests {
    use super::{check, part_matches};
    use crate::tidy::{Finding, Repo};

    fn findings(file: &str, text: &str) -> Vec<Finding> {
        let repo = Repo::of(&[
            (file, text),
            ("crates/a/src/lib.rs", ""),
            ("docs/guide/start.md", "# はじめに\n\n## 鍵の保管\n"),
            ("packs/city/clauses/1.toml", ""),
        ]);
        let mut findings = Vec::new();
        check(&repo, &mut findings);
        findings
    }

    #[test]
    fn what_exists_or_is_no_path_of_ours_passes() {
        let text = "`crates/a/src/lib.rs:12`, `crates/a/`, `lib.rs`, `packs/*/clauses/*.toml`, `docs/guide`, \
                    `clauses/9.toml`, `cargo test`, `crates/<name>/src`, `a/b`, `.md`\n```\ncrates/none\n```\n";
        assert_eq!(findings("README.md", text), []);
    }

    #[test]
    fn a_missing_path_is_named_with_file_and_line() {
        for path in
            ["crates/b/src/lib.rs", "docs/none.md", "none.rs", "packs/*/none/*.toml", "./scripts/none"]
        {
            let found = findings("README.md", &format!("one\nsee `{path}`\n"));
            let [one] = found.as_slice() else { panic!("{path}: {found:?}") };
            assert_eq!((one.file.as_str(), one.line), ("README.md", 2));
            assert_eq!(one.message, format!("there is no {}", path.trim_start_matches("./")));
        }
    }

    #[test]
    fn the_change_log_may_name_what_was() {
        assert_eq!(findings("CHANGELOG.md", "`crates/b/src/lib.rs` went\n"), []);
    }

    #[test]
    fn links_are_followed_from_their_document() {
        let text =
            "[a](start.md) [b](../guide/start.md#鍵の保管) [c](https://example.org/x) [d](#top)\n# Top\n";
        assert_eq!(findings("docs/guide/README.md", text), []);
        for (link, message) in [
            ("none.md", "the link none.md leads nowhere"),
            ("../../../x.md", "the link ../../../x.md leads nowhere"),
            ("start.md#none", "docs/guide/start.md has no heading for #none"),
            ("#none", "docs/guide/README.md has no heading for #none"),
        ] {
            let found = findings("docs/guide/README.md", &format!("[x]({link})\n"));
            assert_eq!(found.first().map(|one| one.message.as_str()), Some(message));
        }
    }

    #[test]
    fn a_star_stays_within_one_part() {
        assert!(part_matches("*.toml", "1.toml"));
        assert!(part_matches("a*b*c", "a-b-b-c"));
        assert!(!part_matches("a*b", "a-c"));
        assert!(!super::matches("packs/*.toml", "packs/city/1.toml"));
    }
}
