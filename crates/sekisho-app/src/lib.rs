//! Use cases: authorize, decide, store and ledger in one transaction.
