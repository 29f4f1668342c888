//! Policy text to clause tree. Pure.
