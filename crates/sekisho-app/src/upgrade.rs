//! Before a new program runs on old data: what it would change, and whether it goes well on a copy.

use std::path::Path;

use sekisho_boxed::boxed;
use sekisho_pack::model::Pack;
use sekisho_store::{Store, maintenance, pack as packs};

use crate::error::AppError;
use crate::ledger::verdict::{Against, Verdict, verify_data};

/// Says what starting this program would change in a database. With `room`, a folder, an SQLite database is copied there, brought up to date
/// and examined whole; the database itself stays as it is.
///
/// # Errors
/// It cannot be read or copied.
#[boxed]
pub async fn check(address: &str, room: Option<&Path>) -> Result<Verdict, AppError> {
    let facts = maintenance::facts(address).await.map_err(AppError::for_operator)?;
    let numbers = |all: &[i64]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join("、");
    let mut text =
        vec![format!("プログラム {}、データの版 {}", env!("CARGO_PKG_VERSION"), numbers(&facts.applied))];
    if !facts.unknown.is_empty() {
        text.push(format!(
            "× このデータは、新しい版の関所で使われました（版 {}）。このプログラムでは動きません。新しい版のプログラムを使うか、この版で作ったバックアップを新しい場所に戻してください。",
            numbers(&facts.unknown)
        ));
        return Ok(Verdict { text, sound: false });
    }
    if facts.pending.is_empty() {
        text.push("データの版は、このプログラムと同じです。変わるものはありません。".to_owned());
    } else {
        text.push(format!(
            "次にサーバを動かすと、データの版 {} を足します。前の版のプログラムでは、もう動かせなくなります。先に sekisho backup でバックアップを作ってください。",
            numbers(&facts.pending)
        ));
    }
    let Some(room) = room else {
        text.push("・写しでの試しは行っていません。".to_owned());
        return Ok(Verdict { text, sound: true });
    };
    if maintenance::is_postgres(address) {
        text.push(
            "・PostgreSQLでは、バックアップを空のデータベースに sekisho restore で戻して試してください。"
                .to_owned(),
        );
        return Ok(Verdict { text, sound: true });
    }
    let trial =
        tempfile::Builder::new().prefix(".sekisho-upgrade-").tempdir_in(room).map_err(AppError::internal)?;
    let copy = trial.path().join("sekisho.db");
    maintenance::copy(address, &copy).await.map_err(AppError::for_operator)?;
    let store = Store::open(&copy.to_string_lossy()).await?;
    let looked = look(&store, &mut text).await;
    store.close().await;
    let sound = looked?;
    text.push(
        if sound {
            "写しで試し、うまくいきました。"
        } else {
            "写しで試したところ、×の行の問題がありました。"
        }
        .to_owned(),
    );
    Ok(Verdict { text, sound })
}

async fn look(store: &Store, text: &mut Vec<String>) -> Result<bool, AppError> {
    let versions = store
        .read(|c| {
            Box::pin(async move {
                let mut all = Vec::new();
                for head in packs::list(c, i64::MAX).await? {
                    all.extend(packs::get(c, &head.hash).await?);
                }
                Ok::<_, AppError>(all)
            })
        })
        .await?;
    let mut sound = true;
    for v in &versions {
        if let Err(messages) = Pack::load_files(&v.files) {
            sound = false;
            let first = messages.first().map(ToString::to_string).unwrap_or_default();
            text.push(format!("× パック {} の版 {} を読めません（{first}）", v.name, v.version));
        }
    }
    text.push(format!("パックの版 {}個を読みました。", versions.len()));
    let head = store
        .read(|c| Box::pin(async move { sekisho_store::ledger::head(c).await.map_err(AppError::from) }))
        .await?;
    if head.is_some() {
        let verdict = verify_data(store, Against::default()).await?;
        text.extend(verdict.text);
        sound &= verdict.sound;
    }
    Ok(sound)
}
