//! Cases as a state machine over recorded acts, authority (Cedar), the handling decision and clause states. Pure: time,
//! organization and pack come in as parameters, and the same acts always give the same state.

pub mod authority;
pub mod case;
pub mod decide;
pub mod facts;
pub mod handling;
pub mod org;
pub mod publish;
pub mod refusal;
pub mod state;

pub use case::{Act, CaseState, OpenTask, fold, next_change_on, open_tasks};
pub use refusal::{Code, Refusal};
