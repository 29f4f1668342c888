//! Ids, clock, dates, text normalization, limits and register table specifications.
