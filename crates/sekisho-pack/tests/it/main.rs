//! Tests of packs through the crate's public face; one binary, so that they link once.

mod bindings;
mod broken;
mod broken_more;
#[cfg(test)]
mod broken_syntax;
mod diff;
mod duties;
mod expr;
mod expr_sql;
mod model_city;
mod planned;
mod runner;
