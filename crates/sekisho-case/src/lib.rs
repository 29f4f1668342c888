//! Cases as a state machine, authority, handling decision and clause states. Pure.
