//! Policy texts: reading them is the policy crate's; this is where the rest of the program reaches it.

pub use sekisho_policy::{PolicyText, parse, to_markdown, to_text};
