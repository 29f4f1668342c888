//! The stored log as a [`LogSource`]: the pure ledger crate reads it through here, from a thread that may wait.

use sekisho_base::canonical::unhex;
use sekisho_ledger::export::tile_prefix;
use sekisho_ledger::tile::{WIDTH, push_entry};
use sekisho_ledger::{Bundle, LogSource, SourceError, Tile};
use sekisho_store::{Store, ledger};

use crate::error::AppError;
use crate::sequencer::{leaf, signed};

/// Reads the log of one body's store. Only for threads outside the async runtime (`spawn_blocking`).
pub(crate) struct StoreSource {
    store: Store,
    body: String,
    runtime: tokio::runtime::Handle,
}

impl StoreSource {
    pub(crate) fn new(store: Store, body: &str) -> Self {
        Self { store, body: body.to_owned(), runtime: tokio::runtime::Handle::current() }
    }

    fn stored_tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, AppError> {
        let (level, index) = (i64::from(tile.level), signed(tile.index)?);
        let read = self.store.read(move |c| {
            Box::pin(async move { ledger::tile(c, level, index).await.map_err(AppError::from) })
        });
        match self.runtime.block_on(read)? {
            Some(text) => {
                unhex(&text).map(Some).ok_or_else(|| AppError::internal("a stored tile is no hexadecimal"))
            }
            None => Ok(None),
        }
    }

    fn stored_bundle(&self, bundle: Bundle) -> Result<Option<Vec<u8>>, AppError> {
        let first = signed(bundle.first())?;
        let read = self.store.read(move |c| {
            Box::pin(
                async move { ledger::sequenced(c, first, i64::from(WIDTH)).await.map_err(AppError::from) },
            )
        });
        let rows = self.runtime.block_on(read)?;
        if rows.len() < usize::from(bundle.width) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        for (row, index) in rows.iter().zip(first..).take(usize::from(bundle.width)) {
            if row.leaf_index != Some(index) {
                return Ok(None);
            }
            push_entry(&mut bytes, &leaf(&self.body, row)?).map_err(AppError::internal)?;
        }
        Ok(Some(bytes))
    }
}

impl LogSource for StoreSource {
    fn checkpoint(&mut self) -> Result<Option<Vec<u8>>, SourceError> {
        let read = self.store.read(|c| {
            Box::pin(async move {
                let Some(head) = ledger::head(c).await? else { return Ok(None) };
                let lines = ledger::witness::cosignatures(c, head.size).await?;
                Ok::<_, AppError>(Some((head.note, lines)))
            })
        });
        let Some((mut note, lines)) = self.runtime.block_on(read)? else { return Ok(None) };
        lines.iter().for_each(|l| note.push_str(&l.line));
        Ok(Some(note.into_bytes()))
    }

    fn tile(&mut self, tile: Tile) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.stored_tile(tile)?.map(|bytes| tile_prefix(bytes, tile.width)))
    }

    fn bundle(&mut self, bundle: Bundle) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.stored_bundle(bundle)?)
    }
}
