//! Organization and people: units, posts, persons, dated appointments; and all that the in-memory organization is made from.

use sekisho_base::Date;
use sekisho_base::text::fold_key;
use sekisho_boxed::boxed;

use crate::absence::{self, AbsenceRow};
use crate::conn::Row;
use crate::delegation::{self, DelegationRow};
use crate::{Conn, StoreError, args, setting};

/// Counter that rises with every change here, so that a cached organization knows when it is old.
pub const VERSION: &str = "org";

/// A unit of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRow {
    /// Code, the key.
    pub code: String,
    /// Name.
    pub name: String,
    /// body, organ, department, section, subsection, branch.
    pub kind: String,
    /// Code of the unit above.
    pub parent: Option<String>,
    /// First day.
    pub from: Date,
    /// Last day, inclusive.
    pub until: Option<Date>,
    /// Order among siblings.
    pub sort: i64,
}

impl UnitRow {
    /// Whether the unit exists on a day.
    #[must_use]
    pub fn exists_on(&self, day: Date) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }
}

/// A post of a unit; ordinary posts have many holders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostRow {
    /// Code, the key.
    pub code: String,
    /// Unit's code.
    pub unit: String,
    /// 職名.
    pub title: String,
    /// Whether its holder heads the unit.
    pub head: bool,
    /// Order in the unit, 0 first.
    pub sort: i64,
}

/// A person. The name is kept character for character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// 職員番号, the key.
    pub number: String,
    /// Name.
    pub name: String,
    /// ふりがな.
    pub kana: String,
    /// Mail address, may be empty.
    pub mail: String,
}

/// A dated appointment of a person to a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppointmentRow {
    /// Id.
    pub id: String,
    /// Person number.
    pub person: String,
    /// Post code.
    pub post: String,
    /// 本務 (true) or 兼務.
    pub main: bool,
    /// First day.
    pub from: Date,
    /// Last day, inclusive.
    pub until: Option<Date>,
    /// Role id appointed to directly, or empty.
    pub role: String,
    /// Unit in which the role holds, or empty for the post's own.
    pub scope_unit: String,
}

impl AppointmentRow {
    /// Whether the appointment holds on a day.
    #[must_use]
    pub fn in_force(&self, day: Date) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }

    /// Whether it is the person's main post (本務) on a day.
    #[must_use]
    pub fn is_main_on(&self, day: Date) -> bool {
        self.main && self.role.is_empty() && self.in_force(day)
    }
}

/// Everything, for the in-memory organization.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Everything {
    /// Units by sort, code.
    pub units: Vec<UnitRow>,
    /// Posts by unit, sort, code.
    pub posts: Vec<PostRow>,
    /// Persons by number.
    pub persons: Vec<PersonRow>,
    /// Appointments by id.
    pub appointments: Vec<AppointmentRow>,
    /// Absences by id, without those that are cancelled or over.
    pub absences: Vec<AbsenceRow>,
    /// Delegations by id: approved, not ended and not over.
    pub delegations: Vec<DelegationRow>,
    /// Value of [`VERSION`] that this is.
    pub version: i64,
}

/// Loads the whole organization: a fixed number of queries. Absences and delegations that were over before `since` are left out.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn load(c: &mut Conn<'_>, since: Date) -> Result<Everything, StoreError> {
    let version = setting::current(c, VERSION).await?;
    let units = rows(
        c.all(
            "SELECT code, name, kind, parent, valid_from, valid_until, sort FROM unit ORDER BY sort, code",
            vec![],
        )
        .await?,
        |r| {
            Ok(UnitRow {
                code: r.text(0)?,
                name: r.text(1)?,
                kind: r.text(2)?,
                parent: r.opt_text(3)?,
                from: r.date(4)?,
                until: r.opt_date(5)?,
                sort: r.int(6)?,
            })
        },
    )?;
    let posts = rows(
        c.all("SELECT code, unit, title, head, sort FROM post ORDER BY unit, sort, code", vec![]).await?,
        |r| {
            Ok(PostRow {
                code: r.text(0)?,
                unit: r.text(1)?,
                title: r.text(2)?,
                head: r.bool(3)?,
                sort: r.int(4)?,
            })
        },
    )?;
    let persons =
        rows(c.all("SELECT number, name, kana, mail FROM person ORDER BY number", vec![]).await?, |r| {
            Ok(PersonRow { number: r.text(0)?, name: r.text(1)?, kana: r.text(2)?, mail: r.text(3)? })
        })?;
    let sql = "SELECT id, person, post, main, valid_from, valid_until, role, scope_unit FROM appointment ORDER BY id";
    let appointments = rows(c.all(sql, vec![]).await?, |r| {
        Ok(AppointmentRow {
            id: r.text(0)?,
            person: r.text(1)?,
            post: r.text(2)?,
            main: r.bool(3)?,
            from: r.date(4)?,
            until: r.opt_date(5)?,
            role: r.text(6)?,
            scope_unit: r.text(7)?,
        })
    })?;
    let absences = absence::current(c, since).await?;
    let delegations = delegation::current(c, since).await?;
    Ok(Everything { units, posts, persons, appointments, absences, delegations, version })
}

fn rows<T>(rows: Vec<Row>, read: impl Fn(&Row) -> Result<T, StoreError>) -> Result<Vec<T>, StoreError> {
    rows.iter().map(read).collect()
}

/// Adds or replaces a unit.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put_unit(c: &mut Conn<'_>, u: &UnitRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO unit (code, name, kind, parent, valid_from, valid_until, sort) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (code) DO UPDATE SET name = excluded.name, kind = excluded.kind, parent = excluded.parent,
         valid_from = excluded.valid_from, valid_until = excluded.valid_until, sort = excluded.sort",
        args![&u.code, &u.name, &u.kind, u.parent.clone(), u.from, u.until, u.sort],
    )
    .await?;
    changed(c).await
}

/// Adds or replaces a post.
///
/// # Errors
/// The database failed, or the unit is unknown.
#[boxed]
pub async fn put_post(c: &mut Conn<'_>, p: &PostRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO post (code, unit, title, head, sort) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (code) DO UPDATE SET unit = excluded.unit, title = excluded.title, head = excluded.head, sort = excluded.sort",
        args![&p.code, &p.unit, &p.title, p.head, p.sort],
    )
    .await?;
    changed(c).await
}

/// Adds or replaces a person.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put_person(c: &mut Conn<'_>, p: &PersonRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO person (number, name, kana, mail, search) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (number) DO UPDATE SET name = excluded.name, kana = excluded.kana, mail = excluded.mail, search = excluded.search",
        args![&p.number, &p.name, &p.kana, &p.mail, fold_key(&format!("{} {} {}", p.name, p.kana, p.number))],
    )
    .await?;
    changed(c).await
}

/// Adds an appointment, or replaces the one of the same person, post, first day, role and scope.
///
/// # Errors
/// The database failed, or person or post are unknown.
#[boxed]
pub async fn put_appointment(c: &mut Conn<'_>, a: &AppointmentRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO appointment (id, person, post, main, valid_from, valid_until, role, scope_unit) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (person, post, valid_from, role, scope_unit) DO UPDATE SET main = excluded.main, valid_until = excluded.valid_until",
        args![&a.id, &a.person, &a.post, a.main, a.from, a.until, &a.role, &a.scope_unit],
    )
    .await?;
    changed(c).await
}

/// Takes an appointment away as if it had never been, and tells its person and post; none when there is no such. Only the first start does so:
/// on a running body appointments end.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn drop_appointment(c: &mut Conn<'_>, id: &str) -> Result<Option<(String, String)>, StoreError> {
    let row = c.one("DELETE FROM appointment WHERE id = $1 RETURNING person, post", args![id]).await?;
    let Some(row) = row else { return Ok(None) };
    changed(c).await?;
    Ok(Some((row.text(0)?, row.text(1)?)))
}

/// Whether by their dates alone a unit, appointment, absence or delegation began or ended when the days went from `after` to `today`.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn turned(c: &mut Conn<'_>, after: Date, today: Date) -> Result<bool, StoreError> {
    for table in ["unit", "appointment", "absence", "delegation"] {
        let sql = format!(
            "SELECT COUNT(*) FROM {table} WHERE (valid_from > $1 AND valid_from <= $2) OR (valid_until >= $1 AND valid_until < $2)"
        );
        if c.count(&sql, args![after, today]).await? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Raises [`VERSION`]: cached organizations are old from here on.
pub(crate) async fn changed(c: &mut Conn<'_>) -> Result<(), StoreError> {
    setting::next(c, VERSION).await.map(|_| ())
}
