//! The OpenAPI 3.1 document, made from the table of paths and the types that they answer with.

use std::sync::LazyLock;

use axum::Json;
use axum::routing::get;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::caller::CSRF;
use super::once::LONGEST;
use super::problem::{PROBLEM, Problem};
use super::route::{Answer, Body, Route};
use crate::guard::COOKIE;

pub(super) fn table() -> Vec<Route> {
    let show = || async { Json(&*DOCUMENT) };
    vec![Route::read::<Map<String, Value>>(
        "この仕様",
        "/openapi.json",
        "この仕様（OpenAPI 3.1）。ログインせずに読めます。",
        get(show),
    )]
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

fn parameter(place: &str, name: &str, says: &str) -> Value {
    // Schema of the query: text, as the pages' addresses; what cannot be read counts as not given.
    json!({"name": name, "in": place, "required": place == "path", "description": says, "schema": {"type": "string"}})
}

fn content(mime: &str, schema: &Value) -> Value {
    json!({mime: {"schema": schema}})
}

fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
    let (mut given, mut sent) =
        (settings.clone().for_serialize().into_generator(), settings.for_deserialize().into_generator());
    let problem = given.subschema_for::<Problem>().to_value();
    let mut paths: Map<String, Value> = Map::new();
    for route in super::table() {
        let mut parameters: Vec<Value> = route.parts().map(|name| parameter("path", name, "")).collect();
        parameters.extend(route.query.iter().map(|(name, says)| parameter("query", name, says)));
        if route.method == "post" {
            parameters.push(json!({
                "name": "Idempotency-Key",
                "in": "header",
                "required": false,
                "description": "操作ごとに作る、ほかと重ならない文字（UUIDなど）。答えが届かなかったときに同じ内容を同じキーで送り直すと、二度は行われず、初めの答えがもう一度返ります。24時間有効で、送った人だけのものです。別の内容に使うと422、前の操作がまだ終わらないか結果が残っていなければ409になります。",
                "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[!-~]+$"},
            }));
        }
        let mut operation = json!({
            "operationId": format!("{}{}", route.method, route.path.replace(['/', '{', '}', '.'], "_")),
            "tags": [route.tag],
            "summary": route.summary,
            "parameters": parameters,
        });
        let (status, answer) = match route.answer {
            Answer::Json(of) => {
                let schema = of(&mut given).to_value();
                (
                    "200",
                    json!({"description": route.summary, "content": content("application/json", &schema)}),
                )
            }
            Answer::Text(mime) => (
                "200",
                json!({"description": route.summary, "content": content(mime, &json!({"type": "string"}))}),
            ),
            Answer::Nothing => ("204", json!({"description": route.summary})),
        };
        let mut responses = Map::new();
        responses.insert(status.to_owned(), answer);
        for (status, says) in [
            ("400", "読み取れない"),
            ("401", "ログインしていない"),
            ("403", "許されない"),
            ("404", "無いか、見る権限がない"),
            ("409", "ほかの人が先に更新した"),
            ("413", "大きすぎる"),
            ("422", "値の誤り"),
        ] {
            let answer = json!({"description": says, "content": content(PROBLEM, &problem)});
            responses.insert(status.to_owned(), answer);
        }
        let body = route.body.map(|body| match body {
            Body::Json(of) => content("application/json", &of(&mut sent).to_value()),
            Body::Bytes => content("application/octet-stream", &json!({})),
        });
        if let Some(fields) = operation.as_object_mut() {
            fields.insert("responses".to_owned(), Value::Object(responses));
            if let Some(content) = body {
                fields.insert("requestBody".to_owned(), json!({"required": true, "content": content}));
            }
            let by_session = match route.method {
                "get" => json!({"session": []}),
                _ => json!({"session": [], "csrf": []}),
            };
            let by_token = route.scope.map(|s| json!({"token": [s.word()]}));
            let security: Vec<Value> = match route.path {
                "/openapi.json" => vec![],
                _ => std::iter::once(by_session).chain(by_token).collect(),
            };
            fields.insert("security".to_owned(), Value::Array(security));
        }
        if let Value::Object(methods) = paths.entry(route.full_path()).or_insert_with(|| json!({})) {
            methods.insert(route.method.to_owned(), operation);
        }
    }
    let mut schemas = sent.take_definitions(true);
    schemas.extend(given.take_definitions(true));
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "関所",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "画面と同じことを、同じ権限と同じ記録で行うための窓口です。日付は画面と同じ書き方（R8.7.1、2026-07-01 など）で送ります。",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
                "token": {"type": "http", "scheme": "bearer"},
                "csrf": {"type": "apiKey", "in": "header", "name": CSRF},
            },
        },
    })
}
