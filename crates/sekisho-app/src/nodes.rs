//! Several nodes on one database: what only one of them is to do at a time, and how each tells that it is there
//! (`docs/decisions/0027-several-nodes.md`).

use std::sync::Arc;
use std::time::Duration;

use sekisho_base::Instant;
use sekisho_boxed::boxed;
use sekisho_store::lease;
use sekisho_store::node::{self, NodeRow};

use crate::error::AppError;
use crate::office::Office;

/// Between two signs of life.
const PAUSE: Duration = Duration::from_secs(10);
/// Without a sign of life for so long a node counts as silent, in milliseconds.
pub(crate) const SILENT_MS: i64 = 45_000;
/// How far a node's clock may be from the database's before somebody should look, in milliseconds.
pub(crate) const ASTRAY_MS: i64 = 2_000;

#[boxed]
impl Office {
    /// Does what only one node is to do at a time, for as long as its work goes on and no longer than `ms` between two transactions of
    /// it that write. Nothing when another node is at it.
    ///
    /// # Errors
    /// The work's own; [`sekisho_store::StoreError::LeaseLost`] when another node took over meanwhile.
    pub(crate) async fn alone<T>(
        &self,
        name: &'static str,
        ms: i64,
        work: impl Future<Output = Result<T, AppError>>,
    ) -> Result<Option<T>, AppError> {
        let (holder, now) = (self.node().to_owned(), self.clock.now());
        let asks = holder.clone();
        let free = self.store.read(move |c| {
            Box::pin(async move { lease::is_free(c, name, &asks, now, ms).await.map_err(AppError::from) })
        });
        // Looked at without writing first: every commit wakes those who wait for one, and they ask again.
        if !free.await? {
            return Ok(None);
        }
        let taken = self
            .store
            .write(move |c| {
                Box::pin(
                    async move { lease::obtain(c, name, &holder, now, ms).await.map_err(AppError::from) },
                )
            })
            .await?;
        let Some(held) = taken else { return Ok(None) };
        let done = lease::under(held.clone(), work).await;
        // Where this fails the lease runs out by itself.
        let given_up = self
            .store
            .write(move |c| Box::pin(async move { lease::release(c, &held).await.map_err(AppError::from) }));
        if let Err(e) = given_up.await {
            tracing::debug!(error = %e, name, "a lease runs out by itself");
        }
        done.map(Some)
    }

    /// Says what this node is called for people; the first call counts.
    pub fn call_node(&self, name: String) {
        let _ = self.node_name.set(name);
    }

    /// Tells the other nodes that this one is there. On SQLite there are none.
    ///
    /// # Errors
    /// The database failed, or a newer program has changed its schema.
    pub async fn beat(self: &Arc<Self>, started_at: Instant) -> Result<(), AppError> {
        if self.store.is_sqlite() {
            return Ok(());
        }
        // What another node let take effect is told as this one's own once this one has it.
        self.load_organization().await?;
        let row = NodeRow {
            id: self.node().to_owned(),
            name: self.node_name.get().cloned().unwrap_or_else(|| self.node_mark().to_owned()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pack: self.pack().hash.clone(),
            signs: self.signer().is_some(),
            mails: self.mails(),
            ahead: 0,
            started_at,
            seen_at: started_at,
        };
        let office = Arc::clone(self);
        self.store
            .write(move |c| {
                Box::pin(async move { node::put(c, &row, office.clock.now()).await.map_err(AppError::from) })
            })
            .await
    }

    /// Gives up what this node holds and says that it stops, so that the others go on at once; on SQLite the process that is started next.
    ///
    /// # Errors
    /// The database failed.
    pub async fn leave(&self) -> Result<(), AppError> {
        let node = self.node().to_owned();
        self.store
            .write(move |c| {
                Box::pin(async move {
                    lease::release_all(c, &node).await?;
                    node::remove(c, &node).await.map_err(AppError::from)
                })
            })
            .await
    }
}

/// Tells that this node is there until it stops.
pub(crate) async fn run(office: Arc<Office>) {
    let started_at = office.clock.now();
    loop {
        if let Err(e) = office.beat(started_at).await {
            tracing::error!(error = %e, "the other nodes could not be told that this one is there");
        }
        tokio::time::sleep(PAUSE).await;
    }
}
