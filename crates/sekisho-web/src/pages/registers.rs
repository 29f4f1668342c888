//! Registers: the list of them, their rows, one row, changing, exchange with spreadsheets.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use sekisho_app::exchange::Conflict;
use sekisho_app::login::Identity;
use sekisho_app::registers::{
    ColumnHead, EditForm, FilterView, ImportsView, ListQuery, RegisterLine, RowLine, RowPage, SavedView,
    UndoOutcome,
};

use crate::Web;
use crate::error::{WebError, escape_query};
use crate::form::{Fields, Posted};
use crate::guard::Who;
use crate::page::{Done, Errors, Page, html};
use crate::view::{ImportView, download, export_format, pdf};

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/registers", get(index))
        .route("/registers/{id}", get(list))
        .route("/registers/{id}/export.{format}", get(export))
        .route("/registers/{id}/extract.pdf", get(extract))
        .route("/registers/{id}/views", post(views))
        .route("/registers/{id}/new", get(new).post(create))
        .route("/registers/{id}/import", get(import).post(import_step))
        .route("/registers/{id}/imports", get(imports).post(undo))
        .route("/registers/{id}/{row}", get(row))
        .route("/registers/{id}/{row}/edit", get(edit).post(change))
}

const SECTION: &str = "/registers";

#[derive(Template)]
#[template(path = "registers.html")]
struct IndexPage {
    page: Page,
    registers: Vec<RegisterLine>,
}

async fn index(State(web): State<Web>, Who(who): Who) -> Result<Response, WebError> {
    let registers = web.office.registers(&who).await?;
    html(&IndexPage { page: Page::of(&web, &who, "台帳", SECTION).await?, registers })
}

struct Head {
    label: String,
    href: String,
    sorted: &'static str,
}

struct ListView {
    id: String,
    title: String,
    q: String,
    sort: String,
    filters: Vec<FilterView>,
    columns: Vec<Head>,
    rows: Vec<RowLine>,
    total: String,
    page: i64,
    prev: Option<String>,
    next: Option<String>,
    may_edit: bool,
    /// Procedures that change classes of this register's rows in bulk: title and address with the list's query.
    bulk: Vec<(String, String)>,
    export_xlsx: String,
    export_csv: String,
    export_sjis: String,
    extract: String,
    /// The page that makes labels of this list.
    labels: String,
    /// The page that changes one column of many rows of this list.
    change: String,
    /// Columns that can be chosen: id, label, whether it is shown.
    choices: Vec<(String, String, bool)>,
    /// Saved views with their address.
    views: Vec<(SavedView, String)>,
    /// The query without its columns, as hidden fields.
    kept: Vec<(String, String)>,
    /// What was typed as the name of a view.
    view_name: String,
    /// Orders that can be chosen: code and words.
    orders: Vec<(String, String)>,
}

impl ListView {
    /// The cells of a row, each with the label of its column: on a narrow screen they stand below one another.
    fn labelled<'a>(&'a self, row: &'a RowLine) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.columns.iter().map(|c| c.label.as_str()).zip(row.cells.iter().map(String::as_str))
    }
}

#[derive(Template)]
#[template(path = "register.html")]
struct ListPage {
    page: Page,
    list: ListView,
    errors: Errors,
}

/// The query of a list from the address: `q`, `sort`, `page`, and `f.<column>` for each filter.
pub(crate) fn query(asked: &Fields) -> ListQuery {
    let filters = asked
        .with_prefix("f.")
        .map(|(column, v)| (column.to_owned(), v.to_owned()))
        .filter(|(_, v)| !v.is_empty())
        .take(20)
        .collect();
    ListQuery {
        q: sekisho_base::text::shorten(asked.get("q"), 200),
        filters,
        sort: asked.get("sort").to_owned(),
        page: asked.page(),
        columns: asked.all("col").into_iter().take(60).collect(),
    }
}

/// Words, order and filters as fields.
pub(crate) fn pairs_of(q: &ListQuery, sort: &str) -> Vec<(String, String)> {
    let mut pairs = vec![("q".to_owned(), q.q.clone()), ("sort".to_owned(), sort.to_owned())];
    pairs.extend(q.filters.iter().map(|(c, v)| (format!("f.{c}"), v.clone())));
    pairs.retain(|(_, v)| !v.is_empty());
    pairs
}

/// The same list with another sort or page.
fn address(path: &str, q: &ListQuery, sort: &str, page: i64) -> String {
    let mut pairs = pairs_of(q, sort);
    pairs.extend(q.columns.iter().map(|c| ("col".to_owned(), c.clone())));
    if page > 1 {
        pairs.push(("page".to_owned(), page.to_string()));
    }
    let text: Vec<String> = pairs
        .iter()
        .filter(|(_, v)| !v.is_empty())
        .map(|(n, v)| format!("{n}={}", escape_query(v)))
        .collect();
    if text.is_empty() { path.to_owned() } else { format!("{path}?{}", text.join("&")) }
}

async fn list(
    State(web): State<Web>,
    Who(who): Who,
    Path(id): Path<String>,
    Query(asked): Query<Fields>,
) -> Result<Response, WebError> {
    let done = Some(asked.get("done"));
    list_page(&web, &who, &id, &query(&asked), ("", done), Errors::default()).await
}

/// Saves or takes away a view of the list.
async fn views(State(web): State<Web>, Path(id): Path<String>, posted: Posted) -> Result<Response, WebError> {
    let (who, f) = (&posted.who, &posted.fields);
    let q = query(f);
    let (done, result) = match f.get("do") {
        "save" => {
            let shared = f.get("shared") == "1";
            ("saved", web.office.save_register_view(who, &id, f.get("view"), &q, shared).await)
        }
        "forget" => ("view_forgotten", web.office.forget_register_view(who, &id, f.get("id")).await),
        _ => return Err(WebError::BadForm),
    };
    match result {
        Ok(()) => {
            let to = address(&format!("/registers/{id}"), &q, &q.sort, 1);
            let joint = if to.contains('?') { '&' } else { '?' };
            Ok(Redirect::to(&format!("{to}{joint}done={done}")).into_response())
        }
        Err(e) => {
            let errors = Errors::from_app(e)?;
            let page = list_page(&web, who, &id, &q, (f.get("view"), None), errors).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

async fn list_page(
    web: &Web,
    who: &Identity,
    id: &str,
    q: &ListQuery,
    (view_name, done): (&str, Option<&str>),
    errors: Errors,
) -> Result<Response, WebError> {
    let l = web.office.register_list(who, id, q).await?;
    let saved = web.office.register_views(who, id).await?;
    let path = format!("/registers/{}", l.id);
    let columns = l
        .columns
        .iter()
        .enumerate()
        .map(|(i, c)| {
            let ascending = q.sort == c.id || (q.sort.is_empty() && i == 0);
            let descending = q.sort.strip_prefix('-') == Some(c.id.as_str());
            let to = if ascending { format!("-{}", c.id) } else { c.id.clone() };
            Head {
                label: c.label.clone(),
                href: if c.sortable { address(&path, q, &to, 1) } else { String::new() },
                sorted: if ascending {
                    "ascending"
                } else if descending {
                    "descending"
                } else {
                    ""
                },
            }
        })
        .collect();
    let sortable = l.columns.iter().filter(|c| c.sortable);
    let both = |c: &ColumnHead| {
        let (id, label) = (&c.id, &c.label);
        [(id.clone(), format!("{label}（小さい順）")), (format!("-{id}"), format!("{label}（大きい順）"))]
    };
    let mut orders = vec![(String::new(), "決まった順".to_owned())];
    orders.extend(sortable.flat_map(both));
    // An order by a column that is not shown stays chosen.
    if !orders.iter().any(|(code, _)| *code == q.sort) {
        orders.push((q.sort.clone(), "今の並び順".to_owned()));
    }
    let bulk = l
        .bulk
        .iter()
        .map(|(id, title)| {
            let list = address(&format!("/bulk/{id}"), q, &q.sort, 1);
            let joint = if list.contains('?') { '&' } else { '?' };
            (title.clone(), format!("{list}{joint}register={}", l.id))
        })
        .collect();
    let list = ListView {
        bulk,
        orders,
        q: q.q.clone(),
        sort: q.sort.clone(),
        filters: l.filters,
        columns,
        rows: l.rows,
        total: l.total,
        page: l.page,
        prev: (l.page > 1).then(|| address(&path, q, &q.sort, l.page - 1)),
        next: l.more.then(|| address(&path, q, &q.sort, l.page + 1)),
        may_edit: l.may_edit,
        export_xlsx: address(&format!("{path}/export.xlsx"), q, &q.sort, 1),
        export_csv: address(&format!("{path}/export.csv"), q, &q.sort, 1),
        extract: address(&format!("{path}/extract.pdf"), q, &q.sort, 1),
        export_sjis: address(&format!("{path}/export.sjis"), q, &q.sort, 1),
        labels: address(&format!("{path}/labels"), q, &q.sort, 1),
        change: address(&format!("{path}/change"), q, &q.sort, 1),
        id: l.id,
        title: l.title,
        choices: l.choices,
        views: saved
            .into_iter()
            .map(|v| (address(&path, &v.query, &v.query.sort, 1), v))
            .map(|(a, v)| (v, a))
            .collect(),
        kept: pairs_of(q, &q.sort),
        view_name: view_name.to_owned(),
    };
    html(&ListPage { page: Page::of(web, who, &list.title, SECTION).await?.flash(done), list, errors })
}

async fn export(
    State(web): State<Web>,
    Who(who): Who,
    Path((id, format)): Path<(String, String)>,
    Query(asked): Query<Fields>,
) -> Result<Response, WebError> {
    let format = export_format(&format)?;
    Ok(download(web.office.export_register(&who, &id, &query(&asked), format).await?))
}

async fn extract(
    State(web): State<Web>,
    Who(who): Who,
    Path(id): Path<String>,
    Query(asked): Query<Fields>,
) -> Result<Response, WebError> {
    Ok(pdf(web.office.register_pdf(&who, &id, &query(&asked)).await?))
}

#[derive(Template)]
#[template(path = "register_row.html")]
struct ShowPage {
    page: Page,
    row: RowPage,
}

async fn row(
    State(web): State<Web>,
    Who(who): Who,
    Path((id, row)): Path<(String, String)>,
    Query(q): Query<Done>,
) -> Result<Response, WebError> {
    let row = web.office.register_row(&who, &id, &row).await?;
    let page = Page::of(&web, &who, &row.title, SECTION).await?.flash(q.done.as_deref());
    html(&ShowPage { page, row })
}

#[derive(Template)]
#[template(path = "register_edit.html")]
struct EditPage {
    page: Page,
    form: EditForm,
    errors: Errors,
}

async fn edit_page(
    web: &Web,
    who: &Identity,
    title: &str,
    form: EditForm,
    errors: Errors,
) -> Result<Response, WebError> {
    html(&EditPage { page: Page::of(web, who, title, SECTION).await?.narrow(), form, errors })
}

async fn new(State(web): State<Web>, Who(who): Who, Path(id): Path<String>) -> Result<Response, WebError> {
    let form = web.office.register_form(&who, &id, None, None).await?;
    edit_page(&web, &who, "1件登録する", form, Errors::default()).await
}

async fn edit(
    State(web): State<Web>,
    Who(who): Who,
    Path((id, row)): Path<(String, String)>,
) -> Result<Response, WebError> {
    let form = web.office.register_form(&who, &id, Some(&row), None).await?;
    edit_page(&web, &who, "登録内容を直す", form, Errors::default()).await
}

async fn create(
    State(web): State<Web>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, WebError> {
    save(&web, &posted, &id, None).await
}

async fn change(
    State(web): State<Web>,
    Path((id, row)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, WebError> {
    save(&web, &posted, &id, Some(&row)).await
}

async fn save(web: &Web, posted: &Posted, register: &str, row: Option<&str>) -> Result<Response, WebError> {
    // A column with several choices comes as several fields of one name.
    let typed = posted.fields.lists().into_iter().map(|(name, all)| (name, all.join("\n"))).collect();
    let version = if row.is_some() { posted.fields.get("version").parse().unwrap_or(0) } else { 0 };
    match web.office.save_row(&posted.who, register, row, version, &typed).await {
        Ok(id) => Ok(Redirect::to(&format!("/registers/{register}/{id}?done=saved")).into_response()),
        Err(e) => {
            let (status, errors) = match e {
                // Somebody else was faster: what was typed stays, to be carried over by hand.
                sekisho_app::AppError::Refused { code: "A002", message } => {
                    (StatusCode::CONFLICT, Errors::one("edit-form", message))
                }
                e => (StatusCode::UNPROCESSABLE_ENTITY, Errors::from_app(e)?),
            };
            let mut form = web.office.register_form(&posted.who, register, row, Some(&typed)).await?;
            form.version = version;
            let title = if row.is_some() { "登録内容を直す" } else { "1件登録する" };
            Ok((status, edit_page(web, &posted.who, title, form, errors).await?).into_response())
        }
    }
}

fn import_view(id: &str, title: &str) -> ImportView {
    ImportView {
        back: format!("/registers/{id}"),
        back_label: title.to_owned(),
        action: format!("/registers/{id}/import"),
        help: "1行目に見出し、2行目から1件ずつ。書き出したファイルをそのまま直して使えます。まず内容を確かめ、それから取り込みます。".to_owned(),
        sample: format!("/registers/{id}/export.xlsx"),
        conflict: "update".to_owned(),
        past: format!("/registers/{id}/imports"),
        ..ImportView::default()
    }
}

/// The choice that a form names.
pub(crate) fn conflict(code: &str) -> Conflict {
    match code {
        "stop" => Conflict::Stop,
        "skip" => Conflict::Skip,
        _ => Conflict::Update,
    }
}

#[derive(Template)]
#[template(path = "imports.html")]
struct ImportsPage {
    page: Page,
    view: ImportsView,
    outcome: Option<UndoOutcome>,
}

async fn imports_page(
    web: &Web,
    who: &Identity,
    id: &str,
    outcome: Option<UndoOutcome>,
) -> Result<Response, WebError> {
    let view = web.office.imports(who, id).await?;
    let page = Page::of(web, who, &format!("{}の取込みの記録", view.title), SECTION).await?;
    html(&ImportsPage { page, view, outcome })
}

async fn imports(
    State(web): State<Web>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    imports_page(&web, &who, &id, None).await
}

async fn undo(State(web): State<Web>, Path(id): Path<String>, posted: Posted) -> Result<Response, WebError> {
    let outcome = web.office.undo_import(&posted.who, &id, posted.fields.get("import")).await?;
    imports_page(&web, &posted.who, &id, Some(outcome)).await
}

async fn import(State(web): State<Web>, Who(who): Who, Path(id): Path<String>) -> Result<Response, WebError> {
    let form = web.office.register_form(&who, &id, None, None).await?;
    let view = import_view(&id, &form.register_title);
    view.page(&web, &who, &format!("{}の取込み", form.register_title), SECTION).await
}

async fn import_step(
    State(web): State<Web>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, WebError> {
    if posted.fields.get("do") == "apply" {
        let f = &posted.fields;
        let conflict = conflict(f.get("conflict"));
        web.office.apply_register_import(&posted.who, &id, f.get("upload"), f.get("shown"), conflict).await?;
        return Ok(Redirect::to(&format!("/registers/{id}?done=imported")).into_response());
    }
    let form = web.office.register_form(&posted.who, &id, None, None).await?;
    let mut view = import_view(&id, &form.register_title);
    match posted.file {
        None => view.message = "ファイルを選んでください。".to_owned(),
        Some(file) => {
            view.conflict = posted.fields.get("conflict").to_owned();
            let (conflict, file) = (conflict(&view.conflict), (file.name.as_str(), file.bytes.to_vec()));
            match web.office.plan_register_import(&posted.who, &id, file, conflict).await {
                Ok(plan) => view.plan = Some(plan),
                Err(sekisho_app::AppError::Refused { message, .. }) => view.message = message,
                Err(e) => return Err(e.into()),
            }
        }
    }
    view.page(&web, &posted.who, &format!("{}の取込み", form.register_title), SECTION).await
}
