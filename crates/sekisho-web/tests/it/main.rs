//! The real router with a database of its own for each test: what is asserted is what a browser gets.

#[cfg(test)]
mod acts;
#[cfg(test)]
mod authority;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod city;
#[cfg(test)]
mod clauses;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod organization;
#[cfg(test)]
mod powers;
#[cfg(test)]
mod registers;
#[cfg(test)]
mod story;
