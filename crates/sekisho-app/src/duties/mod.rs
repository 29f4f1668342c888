//! Duties (定期の仕事): what a role must do again and again, or when something happened; done with evidence, reminded of, and told to the
//! next role when late. The pack says what; the clock says when.

mod act;
mod daily;
mod events;
mod page;
mod view;
mod who;

pub use daily::run_day;
pub use view::{DutiesQuery, DutiesView, DutyLine, DutyPage, DutySummary, OccurrencePage};

pub(crate) use events::happened;
pub(crate) use page::{SOON_DAYS, clauses_of, state_of};
