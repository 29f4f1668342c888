//! Who acts: the `by` of a step.
//!
//! ```text
//! by   := term (("and" term)+ | ("or" term)+)?        `and` and `or` are mixed only with parentheses
//! term := "applicant"
//!       | "item.managed_by" ("of" anchor)?
//!       | role ("of" anchor)?
//!       | "(" by ")"
//! anchor := ("applicant" | "item.owner" | "system" | "case") "." ("section" | "department" | "body")
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::Scope;

/// Longest source text, in bytes.
pub const MAX_BYTES: usize = 400;
/// Deepest nesting of parentheses.
pub const MAX_DEPTH: usize = 8;

/// Who acts at a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// One holder.
    Term(Term),
    /// Every part must act ("A及びB"); two parts or more.
    All(Vec<By>),
    /// Any one part acts ("A又はB"); two parts or more.
    Any(Vec<By>),
}

/// One holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// The person who applied.
    Applicant,
    /// The role that the item's register names as its manager.
    ItemManager {
        /// Where that role is looked for.
        of: Option<Anchor>,
    },
    /// A role of `roles.toml`.
    Role {
        /// Role id.
        role: String,
        /// Where it is looked for; none for roles of the whole body.
        of: Option<Anchor>,
    },
}

/// The unit from which the holder is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Anchor {
    /// Whose unit.
    pub from: AnchorFrom,
    /// Which unit above it: `section`, `department` or `body`.
    pub scope: Scope,
}

/// Whose unit an anchor starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnchorFrom {
    /// The appointment applied from.
    Applicant,
    /// The unit that owns the item.
    ItemOwner,
    /// The unit that runs the system of the case.
    System,
    /// The unit the case is kept in.
    Case,
}

/// Why a `by` cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{column}文字目: {problem}")]
pub struct ByError {
    /// Character, counted from 1.
    pub column: usize,
    /// What is wrong, in Japanese.
    pub problem: String,
}

impl By {
    /// Reads the source text.
    ///
    /// # Errors
    /// [`ByError`] with the column.
    pub fn parse(source: &str) -> Result<Self, ByError> {
        if source.len() > MAX_BYTES {
            return Err(ByError {
                column: 1, problem: format!("長すぎます（{MAX_BYTES}バイトまで）")
            });
        }
        let words = words(source);
        let end = source.chars().count() + 1;
        let mut p = Parser { words: &words, at: 0, end };
        let by = p.by(0)?;
        match p.peek() {
            None => Ok(by),
            Some((column, ")")) => {
                Err(ByError { column, problem: "対応する「(」がありません".to_owned() })
            }
            Some((column, w)) => {
                Err(ByError { column, problem: format!("「{w}」の前に and か or が要ります") })
            }
        }
    }

    /// Every holder named, in order.
    #[must_use]
    pub fn terms(&self) -> Vec<&Term> {
        match self {
            Self::Term(t) => vec![t],
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::terms).collect(),
        }
    }

    /// Whether nothing satisfies it without the applicant.
    #[must_use]
    pub fn needs_applicant(&self) -> bool {
        match self {
            Self::Term(t) => *t == Term::Applicant,
            Self::All(parts) => parts.iter().any(Self::needs_applicant),
            Self::Any(parts) => parts.iter().all(Self::needs_applicant),
        }
    }

    /// Gives this anchor to every role without one of its own: the `of` key of a step.
    #[must_use]
    pub fn with_anchor(self, anchor: Anchor) -> Self {
        match self {
            Self::Term(Term::Role { role, of }) => Self::Term(Term::Role { role, of: of.or(Some(anchor)) }),
            Self::Term(Term::ItemManager { of }) => Self::Term(Term::ItemManager { of: of.or(Some(anchor)) }),
            Self::Term(Term::Applicant) => self,
            Self::All(parts) => Self::All(parts.into_iter().map(|p| p.with_anchor(anchor)).collect()),
            Self::Any(parts) => Self::Any(parts.into_iter().map(|p| p.with_anchor(anchor)).collect()),
        }
    }
}

/// Words with the column of their first character; parentheses stand alone.
fn words(source: &str) -> Vec<(usize, String)> {
    let mut out: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (i, c) in source.chars().enumerate() {
        if c.is_whitespace() {
            open = false;
        } else if c == '(' || c == ')' {
            out.push((i + 1, c.to_string()));
            open = false;
        } else if let (true, Some(last)) = (open, out.last_mut()) {
            last.1.push(c);
        } else {
            out.push((i + 1, c.to_string()));
            open = true;
        }
    }
    out
}

struct Parser<'a> {
    words: &'a [(usize, String)],
    at: usize,
    end: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<(usize, &'a str)> {
        self.words.get(self.at).map(|(c, w)| (*c, w.as_str()))
    }

    fn next(&mut self) -> Option<(usize, &'a str)> {
        let word = self.peek();
        self.at += 1;
        word
    }

    fn by(&mut self, depth: usize) -> Result<By, ByError> {
        let first = self.term(depth)?;
        let mut parts = vec![first];
        let mut joined: Option<&str> = None;
        while let Some((column, word @ ("and" | "or"))) = self.peek() {
            if joined.is_some_and(|j| j != word) {
                let problem = "and と or を混ぜるときは、かっこで囲んで順を示してください".to_owned();
                return Err(ByError { column, problem });
            }
            joined = Some(word);
            self.at += 1;
            parts.push(self.term(depth)?);
        }
        Ok(match (joined, parts.pop()) {
            (None, Some(only)) => only,
            (Some("and"), Some(last)) => By::All(parts.into_iter().chain([last]).collect()),
            (_, Some(last)) => By::Any(parts.into_iter().chain([last]).collect()),
            (_, None) => {
                return Err(ByError {
                    column: self.end, problem: "担当が書かれていません".to_owned()
                });
            }
        })
    }

    fn term(&mut self, depth: usize) -> Result<By, ByError> {
        let Some((column, word)) = self.next() else {
            return Err(ByError {
                column: self.end,
                problem: "担当（applicant、item.managed_by、役割のid）が要ります".to_owned(),
            });
        };
        match word {
            "(" if depth >= MAX_DEPTH => Err(ByError {
                column,
                problem: format!("かっこの入れ子が深すぎます（{MAX_DEPTH}段まで）"),
            }),
            "(" => {
                let inner = self.by(depth + 1)?;
                match self.next() {
                    Some((_, ")")) => Ok(inner),
                    other => Err(ByError {
                        column: other.map_or(self.end, |(c, _)| c),
                        problem: "「)」がありません".to_owned(),
                    }),
                }
            }
            ")" | "and" | "or" | "of" => {
                Err(ByError { column, problem: format!("「{word}」の前に担当が要ります") })
            }
            "applicant" => Ok(By::Term(Term::Applicant)),
            "item.managed_by" => Ok(By::Term(Term::ItemManager { of: self.of()? })),
            role if sekisho_base::table::valid_ident(role) => {
                Ok(By::Term(Term::Role { role: role.to_owned(), of: self.of()? }))
            }
            other => Err(ByError {
                column,
                problem: format!(
                    "「{other}」は担当として読めません。applicant、item.managed_by、役割のid のどれかを書いてください"
                ),
            }),
        }
    }

    fn of(&mut self) -> Result<Option<Anchor>, ByError> {
        if !matches!(self.peek(), Some((_, "of"))) {
            return Ok(None);
        }
        self.at += 1;
        let Some((column, word)) = self.next() else {
            return Err(ByError {
                column: self.end,
                problem: "of の後に applicant.section などが要ります".to_owned(),
            });
        };
        word.parse()
            .map(Some)
            .map_err(|e: ByError| ByError { column: column + e.column - 1, problem: e.problem })
    }
}

impl FromStr for Anchor {
    type Err = ByError;

    /// Reads `applicant.section`.
    fn from_str(s: &str) -> Result<Self, ByError> {
        let bad = || ByError {
            column: 1,
            problem: format!(
                "「{}」は所属の指定として読めません。applicant・item.owner・system・case のどれかに .section・.department・.body を続けてください",
                s.chars().take(40).collect::<String>()
            ),
        };
        let (from, scope) = s.rsplit_once('.').ok_or_else(bad)?;
        let from = match from {
            "applicant" => AnchorFrom::Applicant,
            "item.owner" => AnchorFrom::ItemOwner,
            "system" => AnchorFrom::System,
            "case" => AnchorFrom::Case,
            _ => return Err(bad()),
        };
        let scope = match scope {
            "section" => Scope::Section,
            "department" => Scope::Department,
            "body" => Scope::Body,
            _ => return Err(bad()),
        };
        Ok(Self { from, scope })
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = match self.from {
            AnchorFrom::Applicant => "applicant",
            AnchorFrom::ItemOwner => "item.owner",
            AnchorFrom::System => "system",
            AnchorFrom::Case => "case",
        };
        let scope = match self.scope {
            // An anchor never has the scope of a system; the word is there only because the type is shared.
            Scope::System => "system",
            Scope::Section => "section",
            Scope::Department => "department",
            Scope::Body => "body",
        };
        write!(f, "{from}.{scope}")
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = match self {
            Self::Applicant => {
                f.write_str("applicant")?;
                &None
            }
            Self::ItemManager { of } => {
                f.write_str("item.managed_by")?;
                of
            }
            Self::Role { role, of } => {
                f.write_str(role)?;
                of
            }
        };
        of.map_or(Ok(()), |a| write!(f, " of {a}"))
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self {
            Self::Term(t) => return t.fmt(f),
            Self::All(parts) => (parts, " and "),
            Self::Any(parts) => (parts, " or "),
        };
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                f.write_str(word)?;
            }
            match part {
                Self::Term(t) => t.fmt(f)?,
                nested => write!(f, "({nested})")?,
            }
        }
        Ok(())
    }
}

impl FromStr for By {
    type Err = ByError;

    fn from_str(s: &str) -> Result<Self, ByError> {
        Self::parse(s)
    }
}

impl Serialize for By {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for By {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn role(name: &str, of: Option<&str>) -> By {
        By::Term(Term::Role { role: name.to_owned(), of: of.map(|s| s.parse().unwrap()) })
    }

    #[test]
    fn reads_the_designs_examples() {
        assert_eq!(By::parse("applicant"), Ok(By::Term(Term::Applicant)));
        assert_eq!(By::parse("ciso"), Ok(role("ciso", None)));
        assert_eq!(
            By::parse("section_security_manager of applicant.section"),
            Ok(role("section_security_manager", Some("applicant.section")))
        );
        let given = By::parse("item.managed_by and ciso")
            .unwrap()
            .with_anchor("item.owner.department".parse().unwrap());
        assert_eq!(
            given.to_string(),
            "item.managed_by of item.owner.department and ciso of item.owner.department"
        );
        assert_eq!(
            By::parse("a and (b or c of case.body)"),
            Ok(By::All(vec![role("a", None), By::Any(vec![role("b", None), role("c", Some("case.body"))])]))
        );
    }

    #[test]
    fn names_the_column_of_what_it_cannot_read() {
        for (source, column, word) in [
            ("", 1, "担当"),
            ("a and", 6, "担当"),
            ("a and b or c", 9, "かっこ"),
            ("a of nowhere.section", 6, "nowhere.section"),
            ("a of applicant.system", 6, "applicant.system"),
            ("a of", 5, "of の後"),
            ("a b", 3, "and か or"),
            ("(a", 3, "「)」"),
            ("a)", 2, "「(」"),
            ("a and 課長", 7, "課長"),
            ("applicant of applicant.section", 11, "and か or"),
        ] {
            let e = By::parse(source).expect_err(source);
            assert_eq!(e.column, column, "{source}: {e}");
            assert!(e.problem.contains(word), "{source}: {e}");
        }
        assert!(By::parse(&"(".repeat(100)).unwrap_err().problem.contains("深すぎ"));
        assert!(By::parse(&"a".repeat(MAX_BYTES + 1)).unwrap_err().problem.contains("長すぎ"));
    }

    fn any_by() -> impl Strategy<Value = By> {
        let anchor = prop_oneof![
            Just("applicant.section"),
            Just("item.owner.department"),
            Just("system.body"),
            Just("case.section")
        ];
        let of = proptest::option::of(anchor.prop_map(|a| a.parse::<Anchor>().unwrap()));
        let term = prop_oneof![
            Just(Term::Applicant),
            of.clone().prop_map(|of| Term::ItemManager { of }),
            (prop_oneof![Just("ciso"), Just("staff"), Just("section_security_manager")], of)
                .prop_map(|(r, of)| Term::Role { role: r.to_owned(), of }),
        ];
        term.prop_map(By::Term).prop_recursive(3, 6, 2, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 2..3).prop_map(By::All),
                proptest::collection::vec(inner, 2..3).prop_map(By::Any)
            ]
        })
    }

    proptest! {
        #[test]
        fn what_it_prints_it_reads(by in any_by()) {
            let text = by.to_string();
            if text.len() <= MAX_BYTES {
                prop_assert_eq!(By::parse(&text), Ok(by));
            }
        }

        #[test]
        fn no_text_makes_it_panic(s in "\\PC{0,60}|[a-c().of nadr]{0,60}") {
            let _ = By::parse(&s);
        }
    }
}
