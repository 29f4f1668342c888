//! Policy texts: reading them is the policy crate's; this is where the rest of the program reaches it, and where a city's
//! own text meets a pack.

mod bind;
mod matching;
#[cfg(test)]
mod tests;

pub use bind::{BindError, Bound, RowError, bind};
pub use matching::{Matching, match_with};
pub use sekisho_policy::matching::MatchError;
pub use sekisho_policy::{PolicyText, parse, to_markdown, to_text};
