//! The project's files, read once for all rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Folders that hold no source, by name.
const SKIPPED_FOLDERS: &[&str] = &[".git", "target", "node_modules", "venv", ".hypothesis", "__pycache__"];
/// Folders that hold no source, by path (fuzzing leaves them; see `.gitignore`).
const SKIPPED_PATHS: &[&str] = &["fuzz/corpus", "fuzz/artifacts"];
/// A file above this size is no source (fonts, pictures); its text is not read.
const MAX_TEXT_BYTES: u64 = 2 * 1024 * 1024;

/// Every path of the project, and the text of the files that are text.
#[derive(Debug, Default)]
pub struct Repo {
    /// Text files by their path from the root, with `/` between the parts.
    pub texts: BTreeMap<String, String>,
    /// All files and folders by their path from the root.
    paths: BTreeSet<String>,
}

impl Repo {
    /// Reads the tree below `root`.
    pub fn read(root: &Path) -> Result<Self, String> {
        let mut repo = Self::default();
        repo.read_folder(root, "")?;
        Ok(repo)
    }

    fn read_folder(&mut self, root: &Path, folder: &str) -> Result<(), String> {
        let failed = |error| format!("cannot read {}/{folder}: {error}", root.display());
        for entry in fs::read_dir(root.join(folder)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                if SKIPPED_FOLDERS.contains(&name.as_str()) || SKIPPED_PATHS.contains(&path.as_str()) {
                    continue;
                }
                self.read_folder(root, &path)?;
            } else if kind.is_file() && entry.metadata().map_err(failed)?.len() <= MAX_TEXT_BYTES {
                let bytes = fs::read(entry.path()).map_err(failed)?;
                if let Ok(text) = String::from_utf8(bytes) {
                    self.texts.insert(path.clone(), text);
                }
            }
            self.paths.insert(path);
        }
        Ok(())
    }

    /// Whether the project has this file or folder.
    pub fn exists(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// All files and folders.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// The text files whose path ends so, with their text.
    pub fn texts_ending<'a>(&'a self, ending: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.texts
            .iter()
            .filter(move |(path, _)| path.ends_with(ending))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// A project that exists only in a test.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let mut repo = Self::default();
        for (path, text) in files {
            repo.texts.insert((*path).to_owned(), (*text).to_owned());
            let mut rest = *path;
            repo.paths.insert(rest.to_owned());
            while let Some((folder, _)) = rest.rsplit_once('/') {
                repo.paths.insert(folder.to_owned());
                rest = folder;
            }
        }
        repo
    }
}

#[cfg(test)]
mod tests {
    use super::Repo;

    #[test]
    fn reads_this_crate_but_not_what_is_built() {
        let repo = Repo::read(&std::env::current_dir().unwrap()).unwrap();
        assert!(repo.texts.contains_key("src/tidy/repo.rs"));
        assert!(repo.exists("src/tidy"));
        assert!(!repo.exists("target"));
    }
}
