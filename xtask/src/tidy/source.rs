//! Rules about the text of single files.

use super::{Finding, Repo};

/// The longest Rust file that is still one idea.
const MAX_RUST_LINES: usize = 600;

/// Words of unfinished work. Written in two parts so that this file does not break its own rule.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!")];

/// Starts of an attribute that silences a lint for good.
const ALLOW: &[&str] = &[concat!("#[", "allow("), concat!("#![", "allow(")];

/// Folders that exist on some developer's machine only. In documents also the folder for temporary files.
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
const TEMPORARY: &str = concat!("/t", "mp/");

/// Crates whose public async functions are boxed, with the attribute that does it (`sekisho-boxed` says why).
const BOXED: &[&str] = &["crates/sekisho-app/src/", "crates/sekisho-store/src/"];
const BOX: &str = "#[boxed]";

/// Lists that a tool writes.
const GENERATED: &[&str] = &["Cargo.lock", "package-lock.json"];

/// Checks every text file.
pub fn check(repo: &Repo, findings: &mut Vec<Finding>) {
    for (path, text) in &repo.texts {
        if GENERATED.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        let is_rust = path.ends_with(".rs");
        // Test data are words of other people.
        let is_data = path.contains("/data/");
        if is_rust {
            length(path, text, findings);
        }
        if is_rust && BOXED.iter().any(|folder| path.starts_with(folder)) {
            boxed(path, text, findings);
        }
        for (number, line) in (1..).zip(text.lines()) {
            if is_rust {
                allow(path, number, line, findings);
            }
            if !is_data {
                unfinished(path, number, line, findings);
                machine_path(path, number, line, findings);
            }
        }
    }
}

fn length(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let lines = text.lines().count();
    if lines > MAX_RUST_LINES {
        findings.push(Finding::new(
            path,
            MAX_RUST_LINES + 1,
            format!("{lines} lines; {MAX_RUST_LINES} are allowed"),
            "split it into modules of one idea each",
        ));
    }
}

/// A function that takes types or futures is compiled for each of them anyway.
fn boxed(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let (mut block, mut before) = (false, "");
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with("impl") {
            block = before == BOX;
        }
        let public = line.trim_start().strip_prefix("pub async fn ");
        let own = line.starts_with("pub ") || !block;
        if let Some((name, arguments)) = public.and_then(|rest| rest.split_once('('))
            && own
            && before.trim_start() != BOX
            && !name.contains('<')
            && !arguments.contains("impl ")
        {
            findings.push(Finding::new(
                path,
                number,
                format!("the async function {name} is compiled in every crate that awaits it"),
                format!("write {BOX} above it, or above its impl block"),
            ));
        }
        before = line;
    }
}

fn unfinished(path: &str, number: usize, line: &str, findings: &mut Vec<Finding>) {
    if let Some(word) = UNFINISHED.iter().find(|word| has_word(line, word)) {
        findings.push(Finding::new(
            path,
            number,
            format!("unfinished work: {word}"),
            "finish it, or open an issue and describe what is there",
        ));
    }
}

fn allow(path: &str, number: usize, line: &str, findings: &mut Vec<Finding>) {
    if ALLOW.iter().any(|start| line.contains(start)) {
        findings.push(Finding::new(
            path,
            number,
            "a lint is silenced by an allow attribute",
            "mend the cause, or write #[expect(lint, reason = \"…\")]",
        ));
    }
}

fn machine_path(path: &str, number: usize, line: &str, findings: &mut Vec<Finding>) {
    let temporary = path.ends_with(".md").then_some(&TEMPORARY);
    if let Some(found) = MACHINE_PATHS.iter().chain(temporary).find(|found| starts_path(line, found)) {
        findings.push(Finding::new(
            path,
            number,
            format!("a path of one machine: {found}"),
            "write a path from the project's root, or a variable such as $HOME",
        ));
    }
}

/// Whether the word stands in the line by itself, not inside a longer name.
fn has_word(line: &str, word: &str) -> bool {
    let inside = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(inside) && !after.is_some_and(inside)
    })
}

/// Whether an absolute path begins so (`crates/work/` does not).
fn starts_path(line: &str, start: &str) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|letter| letter.is_alphanumeric() || "._-~}/*".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::{ALLOW, MACHINE_PATHS, MAX_RUST_LINES, TEMPORARY, UNFINISHED, check};
    use crate::tidy::{Finding, Repo};

    fn findings(path: &str, text: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        check(&Repo::of(&[(path, text)]), &mut findings);
        findings
    }

    #[test]
    fn a_long_rust_file_is_named() {
        let found = findings("crates/a/src/lib.rs", &"\n".repeat(MAX_RUST_LINES + 1));
        assert_eq!(found.first().unwrap().message, "601 lines; 600 are allowed");
        assert_eq!(findings("crates/a/src/lib.rs", &"\n".repeat(MAX_RUST_LINES)), []);
        assert_eq!(findings("docs/long.md", &"\n".repeat(MAX_RUST_LINES + 1)), []);
    }

    #[test]
    fn an_async_function_of_the_use_cases_that_is_not_boxed_is_named() {
        let one = "impl A {\n    /// Asks.\n    pub async fn ask(&self) {}\n}\n";
        let path = "crates/sekisho-app/src/a.rs";
        assert_eq!(findings(path, one).first().unwrap().line, 3);
        assert_eq!(findings("crates/sekisho-web/src/a.rs", one), []);
        let free = "#[boxed]\nimpl A {\n}\n\npub async fn ask() {}\n";
        assert_eq!(findings(path, free).first().unwrap().line, 5);
        let good = [
            format!("#[boxed]\n{one}"),
            one.replace("    pub", "    #[boxed]\n    pub"),
            "#[boxed]\npub async fn ask() {}\n".to_owned(),
            "pub async fn under<F: Future>(work: F) {}\npub(crate) async fn ask() {}\n".to_owned(),
            "pub async fn counted(work: impl Future) {}\n".to_owned(),
        ];
        for text in good {
            assert_eq!(findings(path, &text), [], "{text}");
        }
    }

    #[test]
    fn unfinished_work_is_named_with_its_line() {
        for word in UNFINISHED {
            let found = findings("crates/a/src/lib.rs", &format!("// one\n// {word} later\n"));
            assert_eq!(found.first().unwrap().line, 2, "{word}");
            assert_eq!(findings("crates/a/src/lib.rs", &format!("let X{word}_ = 1;\n")), [], "{word}");
            assert_eq!(findings("crates/a/tests/data/text.txt", word), [], "{word}");
        }
    }

    #[test]
    fn an_allow_attribute_is_named() {
        for start in ALLOW {
            assert_eq!(findings("crates/a/src/lib.rs", &format!("{start}dead_code)]\n")).len(), 1);
        }
        assert_eq!(findings("crates/a/src/lib.rs", "#[expect(dead_code, reason = \"\")]\n"), []);
    }

    #[test]
    fn paths_of_one_machine_are_named() {
        for start in MACHINE_PATHS {
            assert_eq!(findings("scripts/x", &format!("cat {start}a\n")).len(), 1, "{start}");
            assert_eq!(findings("scripts/x", &format!("cat crates{start}a $x{start}a\n")), [], "{start}");
        }
        assert_eq!(findings("docs/x.md", &format!("see `{TEMPORARY}a`\n")).len(), 1);
        assert_eq!(findings("scripts/x", &format!("mktemp {TEMPORARY}a\n")), []);
    }
}
