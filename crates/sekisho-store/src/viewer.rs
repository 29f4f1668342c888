//! Who looks: every read of records takes a [`Viewer`], and one predicate builder serves lists, exports and search.

use crate::conn::{Arg, marks};

/// What one person may see on one day, decided by the application from roles and scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// Person number.
    pub person: String,
    /// Units whose records are seen (own section, a department's sections); `None` is the whole body.
    pub units: Option<Vec<String>>,
}

impl Viewer {
    /// Somebody who sees the whole body's records: the information policy section, CISO, and the engine itself.
    #[must_use]
    pub fn whole_body(person: &str) -> Self {
        Self { person: person.to_owned(), units: None }
    }

    /// Whether records of a unit are seen; those of no unit only by whoever sees the whole body.
    #[must_use]
    pub fn sees_unit(&self, unit: &str) -> bool {
        self.units.as_ref().is_none_or(|units| units.iter().any(|u| u == unit))
    }

    /// `column IN (…)` over the units seen; adds its arguments.
    #[must_use]
    pub fn unit_predicate(&self, column: &str, args: &mut Vec<Arg>) -> String {
        match &self.units {
            None => "TRUE".to_owned(),
            Some(units) if units.is_empty() => "FALSE".to_owned(),
            Some(units) => format!("{column} IN ({})", marks(units, args)),
        }
    }

    /// Cases of the units seen, and those the person takes part in; `id` is the column of the case's id.
    #[must_use]
    pub fn case_predicate(&self, id: &str, args: &mut Vec<Arg>) -> String {
        if self.units.is_none() {
            return "TRUE".to_owned();
        }
        // Two index ranges rather than OR, which would look at every case.
        let units = self.unit_predicate("v.unit", args);
        args.push(Arg::from(&self.person));
        format!(
            "{id} IN (SELECT v.id FROM case_file v WHERE {units} UNION SELECT p.case_id FROM case_party p WHERE p.person = ${})",
            args.len()
        )
    }
}
