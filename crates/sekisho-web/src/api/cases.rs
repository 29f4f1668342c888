//! Cases: forms, applying, the list, one case, acting.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use schemars::JsonSchema;
use sekisho_app::cases::{ActInput, ActLine, ApplyForm, CasePage, CasesList, CasesQuery, Typed, Wish};
use sekisho_app::login::Identity;
use serde::{Deserialize, Serialize};

use super::Route;
use super::caller::{ApiWho, Sent, SentFile};
use super::problem::ApiError;
use crate::Web;
use crate::form::Fields;

const TAG: &str = "案件";

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::read::<Vec<Wish>>(TAG, "/procedures", "申請できる手続", get(procedures)),
        Route::read::<ApplyForm>(TAG, "/procedures/{procedure}/form", "手続の申請の様式", get(form)).asks(&[
            ("item", "初めから選んでおく対象（台帳/行）。複数可"),
            ("parent", "もとの案件と段階（案件/段階）"),
        ]),
        Route::write::<Application, Made>(
            "post",
            TAG,
            "/procedures/{procedure}/cases",
            "申請する",
            post(apply),
        ),
        Route::file::<Made>(
            TAG,
            "/attachments",
            "ファイルを預ける。返ったidを申請や処理の values に入れる",
            post(attach),
        )
        .asks(&[("name", "ファイルの名前")]),
        Route::read::<CasesList>(TAG, "/cases", "見ることのできる案件の一覧", get(list)).asks(&[
            ("q", "番号・件名・申請者"),
            ("procedure", "手続のコード"),
            ("status", "状況のコード"),
            ("mine", "1なら自分の申請だけ"),
            ("late", "1なら期限切れだけ"),
            ("page", "ページ。1から"),
        ]),
        Route::read::<CasePage>(
            TAG,
            "/cases/{id}",
            "案件。処理する人が読むと、画面と同じく「開いた」ことが記録されます",
            get(show),
        ),
        Route::read::<Vec<ActLine>>(TAG, "/cases/{id}/acts", "案件の経過", get(acts)),
        Route::write::<Action, CasePage>(
            "post",
            TAG,
            "/cases/{id}/acts",
            "案件を処理する（許可、差戻し、引戻し、持出し・返却の記録など）。act、step、shown は案件の actions から",
            post(act),
        ),
    ]
}

/// Values by field name. Text as it would be typed on the page; numbers and truth values are taken as well.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Values(BTreeMap<String, Given>);

/// One field.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Given {
    /// Nothing.
    Nothing(()),
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// Text, codes, dates.
    Text(String),
    /// Several.
    Many(Vec<String>),
}

impl Given {
    fn texts(self) -> Vec<String> {
        let clean = |s: String| s.replace('\0', "");
        match self {
            Self::Nothing(()) => vec![],
            Self::Bool(yes) => vec![if yes { "1" } else { "" }.to_owned()],
            Self::Number(n) => vec![n.to_string()],
            Self::Text(s) => vec![clean(s)],
            Self::Many(all) => all.into_iter().map(clean).collect(),
        }
    }
}

impl Values {
    /// As the fields of a form.
    pub(super) fn lists(self) -> BTreeMap<String, Vec<String>> {
        self.0.into_iter().map(|(name, v)| (name, v.texts())).collect()
    }

    /// The same with one text for each field, several as lines.
    pub(super) fn lines(self) -> BTreeMap<String, String> {
        self.0.into_iter().map(|(name, v)| (name, v.texts().join("\n"))).collect()
    }
}

/// What was made.
#[derive(Serialize, JsonSchema)]
pub(super) struct Made {
    /// Its id.
    pub id: String,
}

/// An application.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Application {
    /// Code of the post applied from; may be left out by whoever holds one.
    #[serde(default)]
    post: String,
    /// Draft that this becomes, or empty.
    #[serde(default)]
    draft: String,
    /// Fields of the form; `attachment` lists files handed over before.
    #[serde(default)]
    values: Values,
}

/// An act on a case.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Action {
    /// What is done: the value of a button.
    act: String,
    /// Step.
    #[serde(default)]
    step: String,
    /// Hash of the content that was read; a decision on other content is refused.
    shown: String,
    /// Fields of the action.
    #[serde(default)]
    values: Values,
}

async fn procedures(State(web): State<Web>, ApiWho(who): ApiWho) -> Result<Json<Vec<Wish>>, ApiError> {
    web.office.me(&who).await?;
    Ok(Json(web.office.wishes()))
}

async fn form(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Path(procedure): Path<String>,
    Query(asked): Query<Fields>,
) -> Result<Json<ApplyForm>, ApiError> {
    let (items, parent) = (asked.all("item"), asked.get("parent"));
    Ok(Json(web.office.apply_form(&who, &procedure, "", &items, parent).await?))
}

async fn apply(
    State(web): State<Web>,
    Path(procedure): Path<String>,
    Sent(who, sent): Sent<Application>,
) -> Result<Json<Made>, ApiError> {
    let typed = Typed { post: sent.post, draft: sent.draft, values: sent.values.lists() };
    Ok(Json(Made { id: web.office.apply(&who, &procedure, &typed).await? }))
}

async fn attach(
    State(web): State<Web>,
    Query(asked): Query<Fields>,
    SentFile(who, bytes): SentFile,
) -> Result<Json<Made>, ApiError> {
    Ok(Json(Made { id: web.office.attach(&who, asked.get("name"), bytes).await? }))
}

async fn list(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Query(asked): Query<Fields>,
) -> Result<Json<CasesList>, ApiError> {
    Ok(Json(web.office.cases(&who, &query(&asked)).await?))
}

/// The query of a list of cases in an address.
fn query(asked: &Fields) -> CasesQuery {
    CasesQuery {
        procedure: asked.get("procedure").to_owned(),
        q: sekisho_base::text::shorten(asked.get("q"), 200),
        status: asked.get("status").to_owned(),
        mine: asked.get("mine") == "1",
        late: asked.get("late") == "1",
        page: asked.page(),
    }
}

/// The case as its page shows it.
async fn case(web: &Web, who: &Identity, id: &str) -> Result<CasePage, ApiError> {
    let me = web.office.me(who).await?;
    Ok(web.office.case_page(who, &me, id, None).await?)
}

async fn show(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Path(id): Path<String>,
) -> Result<Json<CasePage>, ApiError> {
    Ok(Json(case(&web, &who, &id).await?))
}

async fn acts(
    State(web): State<Web>,
    ApiWho(who): ApiWho,
    Path(id): Path<String>,
) -> Result<Json<Vec<ActLine>>, ApiError> {
    Ok(Json(case(&web, &who, &id).await?.acts))
}

async fn act(
    State(web): State<Web>,
    Path(id): Path<String>,
    Sent(who, sent): Sent<Action>,
) -> Result<Json<CasePage>, ApiError> {
    let input = ActInput { act: sent.act, step: sent.step, shown: sent.shown, values: sent.values.lists() };
    web.office.act(&who, &id, &input).await?;
    Ok(Json(case(&web, &who, &id).await?))
}
