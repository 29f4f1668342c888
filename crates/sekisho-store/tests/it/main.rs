//! Every test of the store on SQLite and on a private PostgreSQL, each on a database of its own.

#[cfg(test)]
#[macro_use]
mod engine;

#[cfg(test)]
mod absence;
#[cfg(test)]
mod account;
#[cfg(test)]
mod case;
#[cfg(test)]
mod cause;
#[cfg(test)]
mod drafts_and_views;
#[cfg(test)]
mod duty;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod index;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod lease;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod list;
#[cfg(test)]
mod look;
#[cfg(test)]
mod maintenance;
#[cfg(test)]
mod migration;
#[cfg(test)]
mod notification;
#[cfg(test)]
mod once;
#[cfg(test)]
mod org;
#[cfg(test)]
mod passkey;
#[cfg(test)]
mod permit;
#[cfg(test)]
mod query;
#[cfg(test)]
mod register;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod search;
#[cfg(test)]
mod session;
#[cfg(test)]
mod small;
#[cfg(test)]
mod stocktaking;
#[cfg(test)]
mod transaction;
#[cfg(test)]
mod upgrade;
#[cfg(test)]
mod violation;
#[cfg(test)]
mod visibility;
#[cfg(test)]
mod witness;
