//! Use cases measured on a city made by formula: `cargo bench -p sekisho-app --bench city -- april|clauses|decide|files|nodes|pages [sizes]`.

mod april;
mod clauses;
mod common;
mod decide;
mod files;
mod nodes;
mod pages;

fn main() -> common::Outcome<()> {
    match std::env::args().nth(1).as_deref() {
        Some("april") => april::run(),
        Some("clauses") => clauses::run(),
        Some("decide") => decide::run(),
        Some("files") => files::run(),
        Some("nodes") => nodes::run(),
        Some("pages") => pages::run(),
        // cargo bench without a name runs every benchmark of the workspace: this one is long, and is asked for by name.
        _ => {
            println!("say which: april, clauses, decide, files, nodes or pages");
            Ok(())
        }
    }
}
