//! Why a file could not be read as a standard.

/// A refusal. Each has a stable [`PolicyError::code`]; the message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The file is bigger than [`crate::MAX_BYTES`] (or would be, unpacked).
    #[error(
        "ファイルが大きすぎます（上限{limit}バイト）。画像を除いた本文だけのファイルにして、もう一度お試しください。"
    )]
    TooLarge {
        /// The bound that was passed, in bytes.
        limit: usize,
    },
    /// More clauses than [`crate::MAX_NODES`].
    #[error("条項の数が多すぎます（上限{limit}件）。文書を分けて読み込んでください。")]
    TooManyNodes {
        /// The bound that was passed.
        limit: usize,
    },
    /// A file of a kind that this reader does not open.
    #[error(
        "{kind}は読み込めません。テキスト、Markdown、Word（.docx）、例規のHTMLのいずれかで保存し直して、もう一度お試しください。"
    )]
    UnsupportedFormat {
        /// What the file appears to be.
        kind: String,
    },
    /// A .docx that cannot be unpacked or whose XML is broken.
    #[error(
        "Wordファイル（.docx）が壊れているため読み込めません（{detail}）。Wordで開いて保存し直すか、テキスト形式で保存してください。"
    )]
    BrokenDocx {
        /// What was found.
        detail: String,
    },
    /// The text was read, but it is no security standard, rule or policy.
    #[error(
        "対策基準や規程として読み取れませんでした（{reason}）。章・条や(1)などの番号が付いた規程の本文であるかを確かめ、文字として保存されたファイルを選んでください。"
    )]
    NotAStandard {
        /// Why it was refused.
        reason: String,
    },
}

impl PolicyError {
    /// A code that outlives the wording.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "policy_too_large",
            Self::TooManyNodes { .. } => "policy_too_many_nodes",
            Self::UnsupportedFormat { .. } => "policy_unsupported_format",
            Self::BrokenDocx { .. } => "policy_broken_docx",
            Self::NotAStandard { .. } => "policy_not_a_standard",
        }
    }
}
