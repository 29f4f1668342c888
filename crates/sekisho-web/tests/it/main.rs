//! The real router with a database of its own for each test: what is asserted is what a browser gets.

#[cfg(test)]
mod absences;
#[cfg(test)]
mod acts;
#[cfg(test)]
mod anew;
#[cfg(test)]
mod api;
#[cfg(test)]
mod api_schema;
#[cfg(test)]
mod asked_again;
#[cfg(test)]
mod authority;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod bodies_served;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod bulk;
#[cfg(test)]
mod calendar;
#[cfg(test)]
mod cards;
#[cfg(test)]
mod case_import;
#[cfg(test)]
mod causes;
#[cfg(test)]
mod change;
#[cfg(test)]
mod city;
#[cfg(test)]
mod clauses;
#[cfg(test)]
mod dashboard;
#[cfg(test)]
mod dates;
#[cfg(test)]
mod delegations;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod directory_sessions;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod duties;
#[cfg(test)]
mod exceptions;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod files;
#[cfg(test)]
mod first_officers;
#[cfg(test)]
mod first_start;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod guide;
#[cfg(test)]
mod handling;
#[cfg(test)]
mod hosts;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod interrupted;
#[cfg(test)]
mod joint;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod networks;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod operation;
#[cfg(test)]
mod organization;
#[cfg(test)]
mod overview;
#[cfg(test)]
mod pack_edit;
#[cfg(test)]
mod pack_history;
#[cfg(test)]
mod packs;
#[cfg(test)]
mod passkeys;
#[cfg(test)]
mod permits;
#[cfg(test)]
mod powers;
#[cfg(test)]
mod proposals;
#[cfg(test)]
mod pruning;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod registers;
#[cfg(test)]
mod related;
#[cfg(test)]
mod request_once;
#[cfg(test)]
mod resolve;
#[cfg(test)]
mod rubbish;
#[cfg(test)]
mod saved_views;
#[cfg(test)]
mod search;
#[cfg(test)]
mod served;
#[cfg(test)]
mod sight;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod stocktaking;
#[cfg(test)]
mod stocktaking_days;
#[cfg(test)]
mod story;
#[cfg(test)]
mod together;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod user_import;
#[cfg(test)]
mod writes;
