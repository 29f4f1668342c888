//! What a use case may answer other than success.

use crate::once::IN_HAND;
use sekisho_store::{MayBeTrouble, StoreError, Trouble};

/// One field of a form that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Name of the form field.
    pub field: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// Outcome of a use case that did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Fields were not accepted; what was typed must be shown again.
    #[error("A001 {} fields were not accepted", .0.len())]
    Invalid(Vec<FieldError>),
    /// The act is refused: not this person, not now, not this content. Code and Japanese message.
    #[error("{code} {message}")]
    Refused {
        /// Stable code.
        code: &'static str,
        /// For the person who asked.
        message: String,
    },
    /// The person may, and what there is does not fit into what was asked for. Code and Japanese message with the remedy.
    #[error("{code} {message}")]
    Unfit {
        /// Stable code.
        code: &'static str,
        /// For the person who asked.
        message: String,
    },
    /// There is no such record, or this person may not see it: the two answer alike.
    #[error("A003 not found")]
    NotFound,
    /// Nobody is logged in, or the session ended.
    #[error("A004 no session")]
    NoSession,
    /// Privileged work: the person must prove again who they are.
    #[error("A006 the last proof of who somebody is lies too far back")]
    Unproved,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
    /// Something that should hold does not; for the operator.
    #[error("A900 {0}")]
    Internal(String),
}

impl AppError {
    /// A refusal; reasons of the operating system are put into Japanese.
    #[must_use]
    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::Refused { code, message: sekisho_base::os::in_japanese(&message.into()) }
    }

    /// One field's error.
    #[must_use]
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.to_owned(), message: message.into() }])
    }

    /// A database that cannot be opened, copied or restored, with what the operator can do.
    #[must_use]
    pub fn for_operator(e: StoreError) -> Self {
        match e {
            StoreError::NewerSchema { found, known } => Self::refused(
                "B010",
                format!(
                    "このデータは、新しい版の関所で使われました（版 {found}。このプログラムは {known} まで）。新しい版のプログラムを使うか、この版で作ったバックアップを新しい場所に戻してください。"
                ),
            ),
            e if e.trouble() == Some(Trouble::Gone) => Self::refused(
                "B002",
                format!("データベースを開けません（{e}）。場所と、動いているかを確かめてください。"),
            ),
            StoreError::NoTool(name) => Self::refused(
                "B001",
                format!(
                    "PostgreSQLの道具 {name} がありません。postgresql-client を、サーバと同じかそれより新しい版で入れてください。"
                ),
            ),
            StoreError::Tool(name, said) => {
                Self::refused("B011", format!("{name} が失敗しました（{said}）。"))
            }
            StoreError::Address(said) => {
                Self::refused("B012", format!("写せません（{said}）。場所を確かめてください。"))
            }
            StoreError::Claimed => Self::refused("A009", IN_HAND),
            e => Self::Store(e),
        }
    }

    /// Something that should hold does not.
    #[must_use]
    pub fn internal(e: impl std::fmt::Display) -> Self {
        Self::Internal(e.to_string())
    }
}

impl MayBeTrouble for AppError {
    fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Store(e) => e.trouble(),
            _ => None,
        }
    }
}

impl From<StoreError> for AppError {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Conflict(_) => Self::refused(
                "A002",
                "ほかの人が先に更新しました。画面を開き直して、今の内容を確かめてからもう一度操作してください。",
            ),
            StoreError::Taken(key) => {
                Self::refused("A005", format!("「{key}」は既に使われています。別の番号にしてください。"))
            }
            e => Self::Store(e),
        }
    }
}
