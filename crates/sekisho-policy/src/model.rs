//! What a parsed text is made of. Its JSON form is the contract of `sekisho policy parse --format json`.

use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

use crate::clean::Dropped;

/// A standard, rule or policy as a tree of clauses, in document order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PolicyText {
    /// Name of the text as its front page gives it.
    pub title: Option<String>,
    /// How the text is built.
    pub form: Form,
    /// The clauses.
    pub nodes: Vec<Node>,
    /// What stands before the first clause: city, title, dates of decision and amendment. Its id is `0`.
    pub preamble: Option<Node>,
    /// 附則 of a text built of chapters (`S.n`); in a 条-style text they are among [`PolicyText::nodes`].
    pub supplementary: Vec<Node>,
    /// 別表, 別記, 様式 and the like (`T.n`).
    pub annexes: Vec<Node>,
    /// 編, 章, 節 of a 条-style text, where they take no part in the ids.
    pub divisions: Vec<Division>,
    /// Lines that are no part of the text: table of contents, page numbers, running heads.
    pub dropped: Vec<Dropped>,
    /// What a reader of the text should look at.
    pub warnings: Vec<Warning>,
}

/// How a text is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Chapters, sections and numbered paragraphs: `chapter.section.paragraph.item.sub.bullet`.
    #[default]
    Chapters,
    /// 第n条: `article.paragraph.item.…`.
    Articles,
}

/// One clause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Position id, unique in the text; a number used twice gets `~2`.
    pub id: String,
    /// As a Japanese reader writes it: 第5章第1節(1)③(イ), 第3条第2項第1号.
    pub citation: String,
    /// The numbering token alone, as normalized (第5条の2, (1), ③); empty for bullets.
    pub label: String,
    /// Its heading (見出し), empty when it has none.
    pub heading: String,
    /// Its text without numbering, heading and clauses below; paragraphs are separated by line ends, cells by tabs.
    pub text: String,
    /// First and last line in the source, from 1.
    pub lines: [usize; 2],
    /// The sentences of [`Node::text`].
    pub sentences: Vec<Sentence>,
    /// Notes of amendment that follow the clause, as in （令5訓令3・一部改正）.
    pub history: Vec<String>,
}

/// What a sentence asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// しなければならない, ものとする, すること; also plain statements of what an actor does.
    Must,
    /// してはならない, 禁止する, しないこと.
    MustNot,
    /// できる, この限りでない.
    May,
    /// 努める, 望ましい.
    Should,
    /// Definitions, attributions, explanations.
    #[default]
    None,
}

/// One sentence and what was read from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sentence {
    /// The sentence, 。 included.
    pub text: String,
    /// Role ids of those who act; taken from the sentence before or the clause above when it names none.
    pub actors: Vec<String>,
    /// What it asks for.
    pub modality: Modality,
    /// Words of time: 速やかに, 3日以内, 定期的に; joined by 、.
    pub deadline: Option<String>,
    /// The condition: …場合, …とき.
    pub condition: Option<String>,
    /// Levels and amounts: 機密性2以上, 100人を超える; joined by 、.
    pub threshold: Option<String>,
    /// References to clauses, of this text and of others.
    pub refs: Vec<Ref>,
}

/// A reference to a clause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ref {
    /// As written.
    pub citation: String,
    /// Id of the clause it leads to, if it is one of this text.
    pub target: Option<String>,
    /// It names another law or text, and is not resolved here.
    pub external: bool,
}

/// 編, 章, 節 or 款 of a 条-style text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Division {
    /// 第2章, 第2章第1節.
    pub citation: String,
    /// Its heading.
    pub heading: String,
    /// Line of the source.
    pub line: usize,
    /// Id of the first clause below it.
    pub first: Option<String>,
}

/// Something in the text that a reader should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Line of the source, from 1.
    pub line: usize,
    /// Stable code.
    pub code: WarningCode,
    /// In Japanese.
    pub message: String,
}

/// Kinds of warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// The same number twice.
    DuplicateNumber,
    /// Numbers left out.
    SkippedNumber,
    /// A number earlier than the one before it.
    BackwardNumber,
    /// A reference that leads nowhere.
    DanglingReference,
    /// Characters that could not be decoded.
    Undecodable,
    /// Deeper than [`crate::MAX_DEPTH`]; read as text.
    TooDeep,
}

impl Serialize for Sentence {
    /// `refs` are the citations alone; what they lead to is in `refs_resolved`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut s = serializer.serialize_struct("Sentence", 8)?;
        s.serialize_field("text", &self.text)?;
        s.serialize_field("actors", &self.actors)?;
        s.serialize_field("modality", &self.modality)?;
        s.serialize_field("deadline", &self.deadline)?;
        s.serialize_field("condition", &self.condition)?;
        s.serialize_field("threshold", &self.threshold)?;
        s.serialize_field("refs", &self.refs.iter().map(|r| r.citation.as_str()).collect::<Vec<_>>())?;
        s.serialize_field("refs_resolved", &self.refs)?;
        s.end()
    }
}
