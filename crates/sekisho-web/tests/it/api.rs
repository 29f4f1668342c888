//! The programming interface: every read is what the document says, writes do what the pages do under the same rules.

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use crate::api_schema::{closed, faults};
use crate::browser::{Browser, Page};
use crate::city::{ADMIN, CLERK, City, MANAGER, OTHER_CLERK, OTHER_MANAGER, asset};

async fn document(b: &mut Browser) -> Value {
    let page = b.get("/api/v1/openapi.json").await;
    assert_eq!(page.status, StatusCode::OK);
    closed(&serde_json::from_str(&page.text).unwrap())
}

/// The answer's JSON, after it was compared with what the document says about the path, method and status.
fn as_told(d: &Value, method: &str, path: &str, page: &Page) -> Value {
    let operation = &d["paths"][path][method];
    let answer = &operation["responses"][page.status.as_str()];
    assert!(answer.is_object(), "{method} {path} says nothing about {}: {}", page.status, page.text);
    let Some(content) = answer.get("content").and_then(Value::as_object) else {
        assert!(page.text.is_empty(), "{}", page.text);
        return Value::Null;
    };
    let (mime, of) = content.iter().next().unwrap();
    assert_eq!(page.headers[header::CONTENT_TYPE], mime.as_str(), "{method} {path}");
    if mime.starts_with("text/") {
        return Value::String(page.text.clone());
    }
    let value = serde_json::from_str(&page.text).unwrap();
    assert_eq!(faults(d, &of["schema"], &value), Vec::<String>::new(), "{method} {path}");
    value
}

/// A caller with the document at hand.
struct Api {
    b: Browser,
    d: Value,
}

impl Api {
    async fn of(city: &City, number: &str) -> Self {
        let mut b = city.browser(number).await;
        let d = document(&mut b).await;
        Self { b, d }
    }

    async fn get(&mut self, told: &str, path: &str) -> (StatusCode, Value) {
        let page = self.b.get(&format!("/api/v1{path}")).await;
        (page.status, as_told(&self.d, "get", &format!("/api/v1{told}"), &page))
    }

    async fn read(&mut self, told: &str, path: &str) -> Value {
        let (status, value) = self.get(told, path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {value}");
        value
    }

    async fn send(&self, method: &str, told: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let page = self.b.send_json(&method.to_uppercase(), &format!("/api/v1{path}"), body).await;
        (page.status, as_told(&self.d, method, &format!("/api/v1{told}"), &page))
    }
}

fn values(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect::<serde_json::Map<_, _>>().into()
}

/// Applies to take an asset out and answers the case's id.
async fn take_out(api: &mut Api) -> String {
    let list = api.read("/registers/{register}", "/registers/asset?q=A-001").await;
    let key = format!("asset/{}", list["rows"][0]["id"].as_str().unwrap());
    let form =
        api.read("/procedures/{procedure}/form", &format!("/procedures/take_out/form?item={key}")).await;
    let mut sent = json!({"purpose": "訪問調査", "destination": "市内", "items": [key], "from": "2026-11-27",
        "return_by": "2026-12-01"});
    // Choices that this test does not know by heart: the first of each.
    for part in form["parts"].as_array().unwrap() {
        let f = &part["field"];
        if f["kind"] == "choice" {
            sent[f["name"].as_str().unwrap()] = f["choices"][0]["code"].clone();
        }
    }
    let body = json!({"post": form["posts"][0]["code"], "values": sent});
    let (status, made) =
        api.send("post", "/procedures/{procedure}/cases", "/procedures/take_out/cases", &body).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_read_is_what_the_document_says() {
    let city = City::settled().await;
    city.turn_to("2026-11-26", 9).await;
    let mut clerk = Api::of(&city, CLERK).await;
    let case = take_out(&mut clerk).await;
    sekisho_app::sequencer::drain(&city.office).await.unwrap();
    let mut api = Api::of(&city, ADMIN).await;
    let row =
        api.read("/registers/{register}", "/registers/asset?q=A-001&sort=-number").await["rows"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
    let acts = api.read("/cases/{id}/acts", &format!("/cases/{case}/acts")).await;
    let entry = acts[0]["entry"].as_str().unwrap().to_owned();
    let clause = api.read("/clauses", "/clauses?on=R8.11.25").await["chapters"][0]["sections"][0]["clauses"]
        [0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let duties = api.read("/duties", "/duties?all=1").await;
    let link = duties["rows"][0]["link"].as_str().unwrap().to_owned();
    let (_, duty) = link.split_once("/duties/").unwrap();
    let check = check_of_a_clause(&mut api).await;
    let document = api.read("/documents", "/documents").await[0]["id"].as_str().unwrap().to_owned();
    let notice = api.read("/notices", "/notices").await[0]["id"].as_str().unwrap().to_owned();
    let mut asked = std::collections::BTreeSet::new();
    for (told, path) in [
        ("/me", "/me".to_owned()),
        ("/home", "/home".to_owned()),
        ("/inbox", "/inbox".to_owned()),
        ("/notifications", "/notifications?page=1".to_owned()),
        ("/calendar", "/calendar?month=2026-12&scope=all".to_owned()),
        ("/search", "/search?q=%E5%90%8D%E7%B0%BF".to_owned()),
        ("/dashboard", "/dashboard".to_owned()),
        ("/procedures", "/procedures".to_owned()),
        ("/procedures/{procedure}/form", "/procedures/take_out/form".to_owned()),
        ("/cases", "/cases?status=open&q=%E6%8C%81%E5%87%BA".to_owned()),
        ("/cases/{id}", format!("/cases/{case}")),
        ("/cases/{id}/acts", format!("/cases/{case}/acts")),
        ("/registers", "/registers".to_owned()),
        ("/registers/{register}", "/registers/media".to_owned()),
        ("/registers/{register}/form", "/registers/asset/form".to_owned()),
        ("/registers/{register}/rows/{row}", format!("/registers/asset/rows/{row}")),
        ("/registers/{register}/rows/{row}/history", format!("/registers/asset/rows/{row}/history")),
        ("/handling", "/handling?act=send&class.confidentiality=1".to_owned()),
        ("/clauses", "/clauses?state=unknown".to_owned()),
        ("/clauses/{id}", format!("/clauses/{}", escaped(&clause))),
        ("/checks", "/checks?state=unknown".to_owned()),
        ("/checks/{id}", format!("/checks/{check}")),
        ("/documents", "/documents".to_owned()),
        ("/documents/{id}", format!("/documents/{document}")),
        ("/notices", "/notices".to_owned()),
        ("/notices/{id}", format!("/notices/{notice}")),
        ("/duties", "/duties".to_owned()),
        ("/duties/{duty}", format!("/duties/{}", duty.split('/').next().unwrap())),
        ("/duties/{duty}/{occurrence}", format!("/duties/{duty}")),
        ("/absences", "/absences".to_owned()),
        ("/delegations", "/delegations".to_owned()),
        ("/organization", "/organization?q=1002".to_owned()),
        ("/ledger", "/ledger".to_owned()),
        ("/ledger/checkpoint", "/ledger/checkpoint".to_owned()),
        ("/ledger/entries/{id}", format!("/ledger/entries/{entry}")),
        ("/ledger/entries/{id}/proof", format!("/ledger/entries/{entry}/proof")),
        ("/openapi.json", "/openapi.json".to_owned()),
    ] {
        api.read(told, &path).await;
        asked.insert(format!("/api/v1{told}"));
    }
    let reads =
        api.d["paths"].as_object().unwrap().iter().filter(|(_, methods)| methods.get("get").is_some());
    let reads: std::collections::BTreeSet<String> = reads.map(|(path, _)| path.clone()).collect();
    assert_eq!(asked, reads, "every read of the document was asked, and no other exists");
}

/// As it stands in a path.
fn escaped(s: &str) -> String {
    s.bytes()
        .map(|b| if b.is_ascii_graphic() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// A check of the pack, found through a clause.
async fn check_of_a_clause(api: &mut Api) -> String {
    let clause = api.read("/clauses/{id}", "/clauses/5.1.1.3.%E3%82%A4").await;
    let links = clause["mechanisms"].as_array().unwrap().iter().filter_map(|m| m["link"].as_str());
    links.filter_map(|l| l.strip_prefix("/checks/")).next().unwrap().to_owned()
}

#[tokio::test]
async fn nobody_reads_or_writes_without_a_session_and_its_token() {
    let city = City::settled().await;
    let mut nobody = Browser::new(&city);
    let d = document(&mut nobody).await;
    let before = city.written().await;
    let clerk = city.browser(CLERK).await;
    for (path, methods) in d["paths"].as_object().unwrap() {
        let real = path.replace(['{', '}'], "");
        for (method, _) in methods.as_object().unwrap() {
            if path == "/api/v1/openapi.json" {
                continue;
            }
            let page = nobody.send_bytes(&method.to_uppercase(), &real, b"{}".to_vec(), "").await;
            assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{method} {real}");
            assert_eq!(as_told(&d, method, path, &page)["code"], "A004");
            if method != "get" {
                let page = clerk.send_bytes(&method.to_uppercase(), &real, b"{}".to_vec(), "wrong").await;
                assert_eq!(page.status, StatusCode::FORBIDDEN, "{method} {real}");
                assert_eq!(as_told(&d, method, path, &page)["code"], "W403");
            }
        }
    }
    assert_eq!(city.written().await, before, "nothing was written");
}

#[tokio::test]
async fn a_case_goes_its_way_by_the_interface_alone() {
    let city = City::settled().await;
    let mut clerk = Api::of(&city, CLERK).await;
    let id = take_out(&mut clerk).await;
    let path = format!("/cases/{id}");
    let mut stranger = Api::of(&city, OTHER_CLERK).await;
    let (status, problem) = stranger.get("/cases/{id}", &path).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("A003")));
    // The applicant and a stranger do not decide, whatever they send.
    let mut manager = Api::of(&city, MANAGER).await;
    let case = manager.read("/cases/{id}", &path).await;
    let action = case["actions"].as_array().unwrap().iter().find(|a| a["act"] == "permit").unwrap();
    let permit = json!({"act": "permit", "step": action["step"], "shown": action["shown"], "values": {}});
    let acts = format!("{path}/acts");
    for other in [&clerk, &stranger] {
        let before = city.written().await;
        let (status, problem) = other.send("post", "/cases/{id}/acts", &acts, &permit).await;
        assert!(status.is_client_error(), "{problem}");
        assert_eq!(city.written().await, before);
    }
    // Another content than the shown one is refused, an unknown field too.
    for wrong in [
        json!({"act": "permit", "step": action["step"], "shown": "0000", "values": {}}),
        json!({"act": "permit", "step": action["step"], "shown": action["shown"], "by": MANAGER}),
    ] {
        let (status, problem) = manager.send("post", "/cases/{id}/acts", &acts, &wrong).await;
        assert!(status.is_client_error(), "{problem}");
    }
    let (status, case) = manager.send("post", "/cases/{id}/acts", &acts, &permit).await;
    assert_eq!((status, &case["status_code"]), (StatusCode::OK, &json!("in_force")), "{case}");
    let (status, _) = manager.send("post", "/cases/{id}/acts", &acts, &permit).await;
    assert!(status.is_client_error(), "the same act once more is refused");
    let case = clerk.read("/cases/{id}", &path).await;
    assert!(case["acts"].as_array().unwrap().iter().any(|a| a["who"].as_str().unwrap().contains("渡邉")));
}

#[tokio::test]
async fn rows_are_made_and_changed_by_their_keeper_and_a_stale_version_is_a_conflict() {
    let city = City::settled().await;
    let mut manager = Api::of(&city, MANAGER).await;
    let new = json!({"values": values(&asset("A-100", "API からの登録", "21"))});
    let rows = "/registers/{register}/rows";
    let (status, made) = manager.send("post", rows, "/registers/asset/rows", &new).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let (status, problem) = manager.send("post", rows, "/registers/asset/rows", &new).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("A005")), "the number is taken");
    // A list tells what it shows; the rest is behind the row, where looks are recorded.
    let list = manager.read("/registers/{register}", "/registers/asset?q=A-100").await;
    let shown: Vec<&Value> = list["columns"].as_array().unwrap().iter().map(|c| &c["id"]).collect();
    let told = list["rows"][0]["values"].as_object().unwrap();
    assert!(told.len() < made["values"].as_object().unwrap().len(), "{told:?}");
    assert!(told.keys().all(|id| shown.iter().any(|c| *c == id)), "{told:?} of {shown:?}");
    let path = format!("/registers/asset/rows/{}", made["id"].as_str().unwrap());
    let told = "/registers/{register}/rows/{row}";
    let mut changed = made["values"].clone();
    changed["place"] = json!("耐火書庫");
    let body = json!({"version": made["version"], "values": changed});
    let other = Api::of(&city, OTHER_MANAGER).await;
    let before = city.written().await;
    assert_eq!(other.send("put", told, &path, &body).await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        other
            .send(
                "post",
                rows,
                "/registers/asset/rows",
                &json!({"values": values(&asset("A-101", "他課", "21"))})
            )
            .await
            .0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(city.written().await, before, "nobody else writes");
    let (status, saved) = manager.send("put", told, &path, &body).await;
    assert_eq!((status, &saved["values"]["place"]), (StatusCode::OK, &json!("耐火書庫")), "{saved}");
    assert_eq!(saved["version"], json!(2));
    let mut late = body.clone();
    late["values"]["place"] = json!("別の場所");
    let (status, problem) = manager.send("put", told, &path, &late).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("A002")), "{problem}");
    let history = manager.read(&format!("{told}/history"), &format!("{path}/history")).await;
    assert_eq!(history.as_array().unwrap().len(), 2);
    let mut bad = body;
    bad["values"]["confidentiality"] = json!("9");
    let (status, problem) = manager.send("put", told, &path, &bad).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["fields"][0]["field"], "confidentiality", "{problem}");
    let page = manager.b.send_bytes("PUT", &format!("/api/v1{path}"), b"{".to_vec(), &manager.b.csrf).await;
    assert_eq!(as_told(&manager.d, "put", &format!("/api/v1{told}"), &page)["code"], "W400");
}

#[tokio::test]
async fn absences_delegations_and_messages_by_the_interface() {
    let city = City::settled().await;
    let mut clerk = Api::of(&city, CLERK).await;
    let kind = clerk.read("/absences", "/absences").await["kinds"][0]["code"].clone();
    let (status, page) = clerk
        .send("post", "/absences", "/absences", &json!({"from": "R8.12.1", "until": "R8.12.2", "kind": kind}))
        .await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let id = page["own"][0]["id"].as_str().unwrap().to_owned();
    let stranger = Api::of(&city, OTHER_CLERK).await;
    let (told, path) = ("/absences/{id}/cancel", format!("/absences/{id}/cancel"));
    assert!(stranger.send("post", told, &path, &json!({})).await.0.is_client_error());
    assert_eq!(clerk.send("post", told, &path, &json!({})).await.0, StatusCode::NO_CONTENT);
    take_out(&mut clerk).await;
    let mut manager = Api::of(&city, MANAGER).await;
    let told = manager.read("/notifications", "/notifications").await;
    let id = told["rows"][0]["id"].as_str().unwrap().to_owned();
    let (open, path) = ("/notifications/{id}/open", format!("/notifications/{id}/open"));
    assert_eq!(stranger.send("post", open, &path, &json!({})).await.0, StatusCode::NOT_FOUND);
    assert_eq!(manager.send("post", open, &path, &json!({})).await.0, StatusCode::NO_CONTENT);
    let told = manager.read("/notifications", "/notifications").await;
    assert_eq!(told["rows"][0]["unread"], json!(false));
    let body = json!({"what": "21-h", "person": "1004", "from": "R8.12.1", "until": "R8.12.5", "note": "長期の研修"});
    let (status, page) = manager.send("post", "/delegations", "/delegations", &body).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let id = page["lines"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/delegations/{id}/decision");
    let told = "/delegations/{id}/decision";
    let yes = json!({"approve": true});
    assert!(manager.send("post", told, &path, &yes).await.0.is_client_error(), "never the proposer");
    let director = Api::of(&city, crate::city::DIRECTOR).await;
    let (status, page) = director.send("post", told, &path, &yes).await;
    assert_eq!(status, StatusCode::OK, "{page}");
}
