//! Which person a form means: typed as a number, a name, its kana, or a part of them. Between two people nothing is guessed, and a part
//! of a name is never enough by itself: whoever filled in the form chooses from those it fits.

use sekisho_base::Date;
use sekisho_base::text::{fold_key, normalize_code};
use sekisho_store::org::PersonRow;

use crate::directory::Directory;
use crate::error::AppError;
use crate::registers::RefChoice;

/// Most people that are offered; of more a longer part of the name is asked for.
const OFFERED: usize = 20;

/// Who is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meant {
    /// Nobody has this number or a name that holds these words.
    Nobody,
    /// This number.
    One(String),
    /// These it fits, at most [`OFFERED`], and how many there are.
    Several(Vec<RefChoice>, usize),
}

impl Directory {
    /// Who is meant by what was typed, and chosen from what was offered for it. With a day, names are those of people who hold a post on
    /// it; a number is anybody's, so that it can be said what stands against it.
    pub(crate) fn meant(&self, typed: &str, picked: &str, day: Option<Date>) -> Meant {
        let number = normalize_code(typed);
        if self.person(&number).is_some() {
            return Meant::One(number);
        }
        let mut fits = self.search(typed, usize::MAX);
        fits.retain(|p| day.is_none_or(|day| self.main_appointment(&p.number, day).is_some()));
        let whole = |p: &PersonRow| [&p.name, &p.kana].into_iter().any(|n| fold_key(n) == fold_key(typed));
        match fits.as_slice() {
            [] => Meant::Nobody,
            [one] if whole(one) => Meant::One(one.number.clone()),
            many => match many.iter().find(|p| p.number == picked) {
                Some(chosen) => Meant::One(chosen.number.clone()),
                None => {
                    let offered = many.iter().take(OFFERED).map(|p| self.offer(p, day));
                    Meant::Several(offered.collect(), many.len())
                }
            },
        }
    }

    /// A person as one tells two of the same name apart.
    fn offer(&self, p: &PersonRow, day: Option<Date>) -> RefChoice {
        let post = day.map(|day| self.main_post(&p.number, day)).unwrap_or_default();
        let kana = if p.kana.is_empty() { String::new() } else { format!("{}、", p.kana) };
        let label = format!("{post} {}（{kana}{}）", p.name, p.number);
        RefChoice { code: p.number.clone(), label: label.trim().to_owned() }
    }

    /// Whom a form offers to choose from for what stands in it.
    pub(crate) fn offered(&self, typed: &str, day: Option<Date>) -> Vec<RefChoice> {
        match self.meant(typed, "", day) {
            Meant::Several(choices, _) => choices,
            Meant::Nobody | Meant::One(_) => vec![],
        }
    }

    /// The one who is meant, or what to do to say so.
    ///
    /// # Errors
    /// Nobody fits, or several do and none of them was chosen.
    pub(crate) fn one_meant(&self, typed: &str, picked: &str, day: Option<Date>) -> Result<String, String> {
        match self.meant(typed, picked, day) {
            Meant::One(number) => Ok(number),
            Meant::Nobody if typed.trim().is_empty() => Err("職員番号か氏名を入力してください。".to_owned()),
            Meant::Nobody => Err(format!(
                "「{typed}」に当てはまる人はいません。職員番号か、氏名・ふりがな（一部でもかまいません）を入力してください。"
            )),
            Meant::Several(_, all) if all > OFFERED => Err(format!(
                "「{typed}」に当てはまる人が{all}人います。氏名をもっと長く入力するか、次の中から選んでください（{OFFERED}人まで出しています）。"
            )),
            Meant::Several(_, all) => {
                Err(format!("「{typed}」に当てはまる人が{all}人います。次の中から選んでください。"))
            }
        }
    }

    /// The same as a fault of a field.
    ///
    /// # Errors
    /// As [`Self::one_meant`].
    pub(crate) fn one_in_field(
        &self,
        field: &str,
        typed: &str,
        picked: &str,
        day: Date,
    ) -> Result<String, AppError> {
        self.one_meant(typed, picked, Some(day)).map_err(|says| AppError::field(field, says))
    }

    /// Who is meant in a cell of a register: anybody who is known, also people who left.
    ///
    /// # Errors
    /// Nobody fits, or several do: they are named, and one is asked for by number.
    pub(crate) fn one_in_cell(&self, typed: &str) -> Result<String, String> {
        match self.meant(typed, "", None) {
            Meant::One(number) => Ok(number),
            Meant::Nobody => Err(format!("「{typed}」という職員番号や氏名の人はいません。")),
            Meant::Several(some, all) => {
                let some: Vec<&str> = some.iter().take(5).map(|c| c.label.as_str()).collect();
                let more = if all > some.len() { "、ほか" } else { "" };
                let some = some.join("、");
                Err(format!(
                    "「{typed}」に当てはまる人が{all}人います。職員番号で入力してください：{some}{more}"
                ))
            }
        }
    }
}
