//! The directory's people beside the organization and the accounts. What differs is written as the files that people import, and goes through
//! those very imports: the same dry run, the same second person, the same way back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sekisho_base::Date;
use sekisho_base::table::Value;
use sekisho_boxed::boxed;
use sekisho_store::account;
use serde_json::json;

use super::Entry;
use crate::account_import::{How, UsersPlan};
use crate::accounts::Checked;
use crate::directory::Directory;
use crate::error::AppError;
use crate::exchange::org::OrgSheet;
use crate::exchange::{Record, Table, write_xlsx};
use crate::login::Identity;
use crate::office::Office;
use crate::registers::ImportPlan;

/// Notes of one kind that are shown; the others are counted.
const SHOWN: usize = 20;

/// Rows of the organization's import, and what the person should know.
#[derive(Debug, Default, PartialEq)]
struct Rows {
    persons: Vec<Record>,
    appointments: Vec<Record>,
    notes: Vec<String>,
}

#[boxed]
impl Office {
    /// Everybody in the directory.
    async fn directory_entries(&self, who: &Identity) -> Result<Vec<Entry>, AppError> {
        self.may_import_organization(who).await?;
        self.proved(who)?;
        let server = self.directory_server().ok_or_else(|| {
            AppError::refused(
                "L012",
                "ディレクトリが設定されていません。設定ファイルの [ldap] を書いて、関所を起動し直してください。",
            )
        })?;
        let all = server.people().await.map_err(|e| {
            AppError::refused(
                "L013",
                format!("{}から読めませんでした。{e}。何も変わっていません。", server.title()),
            )
        })?;
        if all.is_empty() {
            return Err(AppError::refused(
                "L013",
                "ディレクトリに、職員が1人も見つかりません。ldap.base と ldap.people_filter を確かめてください。",
            ));
        }
        Ok(all)
    }

    /// What the directory would change in the organization: new people, other names and addresses, other sections. Nothing changes; the plan is
    /// carried out as that of a file. Without `update` only people who are not there yet are taken.
    ///
    /// # Errors
    /// Refused for others than administrators; the directory gives no answer.
    pub async fn plan_organization_from_directory(
        &self,
        who: &Identity,
        update: bool,
    ) -> Result<ImportPlan, AppError> {
        let entries = self.directory_entries(who).await?;
        let (d, today) = (self.directory().await?, self.clock.today());
        let rows = rows(&entries, &d, today, update);
        let tables: Vec<Table> =
            [(OrgSheet::Persons, &rows.persons), (OrgSheet::Appointments, &rows.appointments)]
                .into_iter()
                .filter(|(_, records)| !records.is_empty())
                .map(|(sheet, records)| Table::new(&sheet.schema(&[]), records.iter()))
                .collect();
        if tables.is_empty() {
            return Err(AppError::refused(
                "O006",
                "ディレクトリの内容は、組織と同じです。変わるところはありません。",
            ));
        }
        let bytes = write_xlsx(&tables, today).map_err(AppError::internal)?;
        let mut plan =
            self.plan_organization_import(who, &format!("ディレクトリ_{today}.xlsx"), bytes).await?;
        plan.notes.extend(rows.notes);
        Ok(plan)
    }

    /// Which logins the directory would make and stop: those of people who have none, and those that are disabled or gone there. Nothing
    /// changes; the plan is carried out as that of a file.
    ///
    /// # Errors
    /// As for [`Office::plan_organization_from_directory`].
    pub async fn plan_users_from_directory(self: &Arc<Self>, who: &Identity) -> Result<UsersPlan, AppError> {
        let entries = self.directory_entries(who).await?;
        let accounts = self
            .store
            .read(|c| Box::pin(async move { account::all(c).await.map_err(AppError::from) }))
            .await?;
        let d = self.directory().await?;
        let known: BTreeSet<&str> = entries.iter().map(|e| e.login.as_str()).collect();
        // Who is not in the organization has no login to be made; the people's import brings them first.
        let listed = |e: &&Entry| !e.login.is_empty() && d.person(&e.number).is_some();
        let gone =
            accounts.iter().filter(|a| a.checked == Checked::Directory && !known.contains(a.login.as_str()));
        let gone: Vec<Entry> = gone
            .map(|a| Entry {
                login: a.login.clone(),
                number: a.person.clone(),
                disabled: true,
                ..Entry::default()
            })
            .collect();
        let strangers = entries.iter().filter(|e| d.person(&e.number).is_none()).count();
        let bytes = scim(entries.iter().filter(listed).chain(&gone)).into_bytes();
        let name = format!("ディレクトリ_{}.json", self.clock.today());
        let how = How { conflict: crate::exchange::Conflict::Skip, checked: Checked::Directory };
        let mut plan = self.plan_users_import(who, &name, bytes, how).await?;
        if strangers > 0 {
            plan.notes.push(format!(
                "ディレクトリの{strangers}人は、職員番号が組織にないため扱いません。先に組織と比べて取り込んでください。"
            ));
        }
        Ok(plan)
    }
}

/// People in the form of SCIM 2.0 (RFC 7643), as the import of logins reads them.
pub fn scim<'e>(entries: impl Iterator<Item = &'e Entry>) -> String {
    const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let user = |e: &Entry| {
        json!({
            "schemas": [CORE, ENTERPRISE], "userName": e.login, "displayName": e.name, "title": e.title, "active": !e.disabled,
            "emails": if e.mail.is_empty() { vec![] } else { vec![json!({"value": e.mail, "primary": true})] },
            ENTERPRISE: {"employeeNumber": e.number, "department": e.section},
        })
    };
    let users: Vec<_> = entries.map(user).collect();
    let list = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
    json!({"schemas": [list], "totalResults": users.len(), "Resources": users}).to_string()
}

/// What the directory says otherwise than the organization.
fn rows(entries: &[Entry], d: &Directory, today: Date, update: bool) -> Rows {
    let mut out = Rows::default();
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for e in entries {
        *count.entry(e.number.as_str()).or_default() += 1;
    }
    let (mut doubled, mut nameless, mut stopped, mut unplaced) = (vec![], vec![], 0, vec![]);
    for e in entries {
        match (count.get(e.number.as_str()), e.disabled) {
            (_, true) => stopped += 1,
            (Some(1), _) if !e.number.is_empty() => {
                person(&mut out, e, d, today, update, (&mut nameless, &mut unplaced))
            }
            _ => doubled.push(e.login.clone()),
        }
    }
    let mut note = |says: &str, who: Vec<String>| {
        if !who.is_empty() {
            let more = who.len().saturating_sub(SHOWN);
            let more = if more > 0 { format!(" ほか{more}人") } else { String::new() };
            let shown: Vec<String> = who.into_iter().take(SHOWN).collect();
            out.notes.push(format!("{says}：{}{more}", shown.join("、")));
        }
    };
    note("職員番号がないか、2人以上が同じ職員番号のため扱いません", doubled);
    note("氏名がないため扱いません（職員番号）", nameless);
    note(
        "所属が違いますが、移る先の職を1つに決められないか、今の職が所属長のため、任命は変えません",
        unplaced,
    );
    if stopped > 0 {
        out.notes.push(format!(
            "ディレクトリで停止されている{stopped}人は扱いません。ログインは「ログインと比べる」で止められます。"
        ));
    }
    out
}

fn person(
    out: &mut Rows,
    e: &Entry,
    d: &Directory,
    today: Date,
    update: bool,
    (nameless, unplaced): (&mut Vec<String>, &mut Vec<String>),
) {
    let before = d.person(&e.number);
    if before.is_some() && !update {
        return;
    }
    let or = |new: &str, old: Option<&String>| {
        if new.is_empty() { old.cloned().unwrap_or_default() } else { new.to_owned() }
    };
    let name = or(&e.name, before.map(|p| &p.name));
    if name.is_empty() {
        nameless.push(e.number.clone());
        return;
    }
    let (kana, mail) = (or(&e.kana, before.map(|p| &p.kana)), or(&e.mail, before.map(|p| &p.mail)));
    if before.is_none_or(|p| (&p.name, &p.kana, &p.mail) != (&name, &kana, &mail)) {
        let pairs = [("number", e.number.as_str()), ("name", &name), ("kana", &kana), ("email", &mail)];
        out.persons.push(record(&pairs));
    }
    if e.section.is_empty() || !d.unit(&e.section).is_some_and(|u| u.exists_on(today)) {
        return;
    }
    let main = d.main_appointment(&e.number, today);
    let post = main.and_then(|a| d.post(&a.post));
    if post.is_some_and(|p| p.unit == e.section) {
        return;
    }
    let (yesterday, first) = (today.plus_days(-1).to_string(), today.to_string());
    let Some(to) = post_in(e, d)
        .filter(|_| post.is_none_or(|p| !p.head) && main.is_none_or(|a| a.from < today && a.until.is_none()))
    else {
        unplaced.push(format!("{name}（{}）", e.number));
        return;
    };
    if let Some(a) = main {
        let from = a.from.to_string();
        out.appointments.push(record(&[
            ("person", &a.person),
            ("post", &a.post),
            ("main", "main"),
            ("from", &from),
            ("until", &yesterday),
            ("role", &a.role),
            ("role_scope", &a.scope_unit),
        ]));
    }
    out.appointments.push(record(&[
        ("person", &e.number),
        ("post", &to),
        ("main", "main"),
        ("from", &first),
    ]));
}

/// The post of a unit that somebody comes to: never that of its head; the one with the title, else the only one.
fn post_in(e: &Entry, d: &Directory) -> Option<String> {
    let posts: Vec<_> = d.rows().posts.iter().filter(|p| p.unit == e.section && !p.head).collect();
    let titled: Vec<_> = posts.iter().filter(|p| p.title == e.title).collect();
    match (titled.as_slice(), posts.as_slice()) {
        ([one], _) => Some(one.code.clone()),
        ([], [one]) => Some(one.code.clone()),
        _ => None,
    }
}

fn record(pairs: &[(&str, &str)]) -> Record {
    let filled = pairs.iter().filter(|(_, v)| !v.is_empty());
    filled.map(|(k, v)| ((*k).to_owned(), Value::Text((*v).to_owned()))).collect()
}
