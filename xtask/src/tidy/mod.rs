//! The tidy checks: each rule reads the project's files and returns findings.

mod dependencies;
mod documents;
mod edges;
mod finding;
mod manifest;
mod markdown;
mod paths;
mod repo;
mod source;

use std::path::Path;

pub use finding::Finding;
use repo::Repo;

/// Runs every rule over the project at `root`. Findings come sorted by file and line.
///
/// # Errors
///
/// A sentence when a file of the project cannot be read or a `Cargo.toml` cannot be parsed.
pub fn run(root: &Path) -> Result<Vec<Finding>, String> {
    let repo = Repo::read(root)?;
    let manifests = manifest::read_all(&repo)?;
    let mut findings = Vec::new();
    edges::check(&repo, &manifests, &mut findings);
    dependencies::check(&repo, &manifests, &mut findings);
    source::check(&repo, &mut findings);
    documents::check(&repo, &manifests, &mut findings);
    paths::check(&repo, &mut findings);
    findings.sort();
    Ok(findings)
}
