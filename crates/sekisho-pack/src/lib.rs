//! Pack files to a validated model, expressions and coverage. Pure.
