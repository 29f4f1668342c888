//! What can go wrong when a form is printed, in words for the person who keeps the pack.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why no PDF was made. Travels as JSON from the child process to its parent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum FormError {
    /// The pack has no such template.
    #[error(
        "様式「{name}」がパックにありません（あるもの: {}）。forms フォルダーに {name}.typ を置くか、手続の form を直してください。",
        list(known)
    )]
    NoTemplate {
        /// What was asked for.
        name: String,
        /// The stems there are.
        known: Vec<String>,
    },
    /// The name of a template is no file name.
    #[error("様式のファイル名「{name}」は使えません。英小文字・数字・下線だけの名前に変えてください。")]
    BadName {
        /// The name.
        name: String,
    },
    /// Templates and data together are too big.
    #[error(
        "様式と案件の内容が大きすぎます（{bytes} バイト、上限 {limit} バイト）。品目や添付の説明を分けて印刷してください。"
    )]
    TooLarge {
        /// Bytes there were.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The template is wrong; all faults found.
    #[error("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Template {
        /// One per place.
        faults: Vec<Fault>,
    },
    /// The rendering did not end in time.
    #[error(
        "様式「{name}」の組版が {seconds} 秒で終わらなかったため止めました。{name}.typ に終わらない繰返しがないか確かめてください。"
    )]
    Time {
        /// The template.
        name: String,
        /// Seconds it was given.
        seconds: u64,
    },
    /// The rendering asked for more processor time or memory than allowed, or died of it.
    #[error(
        "様式「{name}」の組版が、許された計算時間または記憶域（{memory_mib} MiB）を超えたため止まりました。{name}.typ の繰返しや表の行数を減らしてください。"
    )]
    Resources {
        /// The template.
        name: String,
        /// MiB it was given.
        memory_mib: u64,
    },
    /// The PDF is too big.
    #[error("様式「{name}」の PDF が上限（{limit} バイト）を超えました。ページ数や画像を減らしてください。")]
    Output {
        /// The template.
        name: String,
        /// Bytes allowed.
        limit: usize,
    },
    /// The child process could not be started or spoke nonsense; the machine is at fault, not the pack.
    #[error("帳票を作る子プロセスを動かせませんでした（{detail}）。サーバーの管理者に連絡してください。")]
    Child {
        /// What the system said.
        detail: String,
    },
    /// The child was asked something it cannot read.
    #[error("帳票の依頼を読めません（{detail}）。この命令は関所が内部で使うもので、手では動かしません。")]
    Request {
        /// What was wrong with it.
        detail: String,
    },
}

impl FormError {
    /// The code that outlives the wording.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoTemplate { .. } => "form.no_template",
            Self::BadName { .. } => "form.bad_name",
            Self::TooLarge { .. } => "form.too_large",
            Self::Template { .. } => "form.template",
            Self::Time { .. } => "form.time",
            Self::Resources { .. } => "form.resources",
            Self::Output { .. } => "form.output",
            Self::Child { .. } => "form.child",
            Self::Request { .. } => "form.request",
        }
    }
}

/// One fault of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// File name (`take_out.typ`); empty when the fault has no place.
    pub file: String,
    /// Line from 1; 0 when the fault has no place.
    pub line: usize,
    /// Character in the line, from 1; 0 when the fault has no place.
    pub column: usize,
    /// What the typesetter said, in its own English.
    pub message: String,
    /// What to do, in Japanese.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.file.is_empty() {
            write!(f, "様式を組版できません: {}。{}", self.message, self.remedy)
        } else {
            let Self { file, line, column, message, remedy } = self;
            write!(f, "{file} の {line} 行目 {column} 文字目: 様式を組版できません: {message}。{remedy}")
        }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "なし".to_owned() } else { names.join("、") }
}
