//! Names of the people of the demo city: family names as frequent as in Japan (old and variant characters included),
//! given names as their generation has them, both with ふりがな. Nobody is meant; names of well-known people are left out.

use std::collections::BTreeSet;

use super::rng::Rng;

#[path = "names_list.rs"]
mod list;

use list::{FAMILY, GIVEN, WELL_KNOWN};

/// Sex in the family register's sense, only to choose a given name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// 女.
    Female,
    /// 男.
    Male,
}

/// A person's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// 氏名, family and given name with an ideographic space between them.
    pub written: String,
    /// ふりがな in hiragana, with the same space.
    pub kana: String,
}

/// Family names that the demo city always has, because offices fight with them: old and variant characters, a character
/// outside the basic plane and one with an ideographic variation selector (IVS).
const ALWAYS: [(&str, &str); 9] = [
    ("髙橋", "たかはし"),
    ("髙木", "たかぎ"),
    ("﨑山", "さきやま"),
    ("渡邉", "わたなべ"),
    ("渡邊", "わたなべ"),
    ("齋藤", "さいとう"),
    ("邉見", "へんみ"),
    ("𠮷田", "よしだ"),
    ("渡邉\u{e0101}", "わたなべ"),
];

/// Gives names, no full name twice.
#[derive(Debug)]
pub struct Names {
    rng: Rng,
    given_out: BTreeSet<String>,
    always: usize,
}

impl Names {
    /// Names of a city.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { rng: Rng::part(seed, "names"), given_out: BTreeSet::new(), always: 0 }
    }

    /// A name for somebody born in this year. Each fifth name is from the list that is always there, until it is used up.
    pub fn next(&mut self, born: i64, sex: Sex) -> Name {
        // Bounded: tens of thousands of full names stand against some hundreds of people.
        for _ in 0..200 {
            let forced = self.given_out.len() % 5 == 4;
            let fixed = forced.then(|| ALWAYS.get(self.always).copied()).flatten();
            let family = fixed.unwrap_or_else(|| self.family());
            let given = self.given(born, sex);
            let plain = format!("{}{}", family.0, given.0);
            if WELL_KNOWN.contains(&(family.1, given.1)) || !self.given_out.insert(plain) {
                continue;
            }
            if fixed.is_some() {
                self.always += 1;
            }
            return Name {
                written: format!("{}　{}", family.0, given.0),
                kana: format!("{}　{}", family.1, given.1),
            };
        }
        let family = self.family();
        Name {
            written: format!("{}　{}子", family.0, family.0),
            kana: format!("{}　{}こ", family.1, family.1),
        }
    }

    fn family(&mut self) -> (&'static str, &'static str) {
        let at = self.rng.weighted(FAMILY.iter().map(|f| f.2));
        FAMILY.get(at).map(|f| (f.0, f.1)).unwrap_or_default()
    }

    /// Given names are grouped by the middle of the years in which they were frequent; a name fits within twelve years.
    fn given(&mut self, born: i64, sex: Sex) -> (&'static str, &'static str) {
        let fits = |g: &&(&str, &str, Sex, i64)| g.2 == sex && (g.3 - born).abs() <= 12;
        let weights = GIVEN.iter().map(|g| {
            let near = usize::try_from(13 - (g.3 - born).abs()).unwrap_or(0);
            if fits(&g) { near } else { 0 }
        });
        let at = self.rng.weighted(weights.collect::<Vec<_>>().into_iter());
        GIVEN.get(at).map(|g| (g.0, g.1)).unwrap_or_default()
    }
}

/// Whether a text is hiragana (with the long vowel mark) and ideographic spaces only.
#[cfg(test)]
pub(super) fn is_hiragana(s: &str) -> bool {
    !s.is_empty() && s.chars().all(|c| matches!(c, 'ぁ'..='ゖ' | 'ー' | '　'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_long_and_clean() {
        assert!(FAMILY.len() >= 150, "{}", FAMILY.len());
        assert!(GIVEN.len() >= 150, "{}", GIVEN.len());
        assert!(FAMILY.iter().all(|f| is_hiragana(f.1) && f.2 > 0));
        assert!(GIVEN.iter().all(|g| is_hiragana(g.1)));
        let families: BTreeSet<&str> = FAMILY.iter().map(|f| f.0).collect();
        let given: BTreeSet<&str> = GIVEN.iter().map(|g| g.0).collect();
        assert_eq!((families.len(), given.len()), (FAMILY.len(), GIVEN.len()), "no entry twice");
    }

    #[test]
    fn every_generation_of_staff_finds_names() {
        for born in 1955..=2008 {
            for sex in [Sex::Female, Sex::Male] {
                let fitting = GIVEN.iter().filter(|g| g.2 == sex && (g.3 - born).abs() <= 12).count();
                assert!(fitting >= 20, "{born} {sex:?}: {fitting}");
            }
        }
    }

    #[test]
    fn names_are_unique_and_no_well_known_one_is_given() {
        let mut names = Names::new(1);
        let all: Vec<Name> = (0..1500)
            .map(|n| names.next(1960 + n % 45, if n % 2 == 0 { Sex::Female } else { Sex::Male }))
            .collect();
        let written: BTreeSet<&str> = all.iter().map(|n| n.written.as_str()).collect();
        assert_eq!(written.len(), all.len());
        for (family, _) in ALWAYS {
            assert!(written.iter().any(|w| w.starts_with(&format!("{family}　"))), "{family}");
        }
        for n in &all {
            let (family, given) = n.kana.split_once('　').unwrap();
            assert!(!WELL_KNOWN.contains(&(family, given)), "{n:?}");
        }
    }
}
