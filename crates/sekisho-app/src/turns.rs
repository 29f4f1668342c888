//! Work that takes much memory is done in turns: a few at a time in a body, and a few more in all bodies of a process together. A body
//! that asks for much waits for itself first, so that it never holds all the places that are shared.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::AppError;
use crate::office::Office;

/// What several bodies of one process share.
#[derive(Debug)]
pub struct Turns {
    passwords: Semaphore,
    prints: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        // Twice what one body may have.
        Self { passwords: Semaphore::new(4), prints: Semaphore::new(2) }
    }
}

/// A place, until it is dropped.
type Place<'a> = (SemaphorePermit<'a>, Option<SemaphorePermit<'a>>);

async fn place<'a>(own: &'a Semaphore, shared: Option<&'a Semaphore>) -> Result<Place<'a>, AppError> {
    let own = own.acquire().await.map_err(AppError::internal)?;
    let shared = match shared {
        Some(s) => Some(s.acquire().await.map_err(AppError::internal)?),
        None => None,
    };
    Ok((own, shared))
}

impl Office {
    /// Takes turns with other bodies from now on; the first call counts.
    pub fn take_turns(&self, with: Arc<Turns>) {
        let _ = self.turns.set(with);
    }

    /// Waits for a place to hash a password.
    pub(crate) async fn password_place(&self) -> Result<Place<'_>, AppError> {
        place(&self.password_slots, self.turns.get().map(|t| &t.passwords)).await
    }

    /// Waits for a place to print.
    pub(crate) async fn print_place(&self) -> Result<Place<'_>, AppError> {
        place(&self.print_slots, self.turns.get().map(|t| &t.prints)).await
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::place;

    #[tokio::test]
    async fn a_body_that_asks_for_much_leaves_a_place_for_another() {
        let (own, other, shared) = (Semaphore::new(2), Semaphore::new(2), Semaphore::new(4));
        let _first = place(&own, Some(&shared)).await.unwrap();
        let _second = place(&own, Some(&shared)).await.unwrap();
        // The third waits for its own body, and keeps nobody else from the shared ones.
        let third = tokio::time::timeout(std::time::Duration::from_millis(20), place(&own, Some(&shared)));
        assert!(third.await.is_err());
        assert_eq!(shared.available_permits(), 2);
        assert!(place(&other, Some(&shared)).await.is_ok());
    }
}
