//! Every route × every role × things of another organisation, made from the OpenAPI document that the router's own table makes: a new
//! route is in it by itself, and this picture of who may do what changes with it.

use crate::books::Books;
use crate::served::Served;
use serde_json::{Value as Json, json};
use std::fmt::Write as _;

const ROLES: [&str; 6] = ["clerk", "checker", "payer", "admin", "auditor", "regulator"];

/// A value that a schema allows. Ids are those of nothing here: of another organisation, for all that this one can know.
fn sample(schema: &Json, other: &str) -> Json {
    if let Some(words) = schema["enum"].as_array() {
        return words[0].clone();
    }
    match schema["type"].as_str() {
        Some("integer") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([sample(&schema["items"], other)]),
        _ if schema["format"] == "date" => json!("2026-03-01"),
        _ if schema["pattern"].as_str().is_some_and(|pattern| pattern.contains("[A-Z]{3}")) => json!("CNY"),
        _ => json!(other),
    }
}

/// A request of a route with everything that it needs.
struct Request {
    method: String,
    path: String,
    body: String,
}

fn requests(document: &Json, other: &str) -> Vec<(String, Json, Request)> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let mut filled = path.clone();
            let mut query: Vec<String> = Vec::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().expect("a name");
                let value = sample(&parameter["schema"], other);
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                match parameter["in"].as_str() {
                    Some("path") => {
                        filled = filled.replace(&format!("{{{name}}}"), if name == "seq" { "999999" } else { &text })
                    }
                    Some("query") if parameter["required"] == true => query.push(format!("{name}={text}")),
                    _ => {}
                }
            }
            let content = operation["requestBody"]["content"].as_object();
            let body = match content.and_then(|content| content.iter().next()) {
                None => String::new(),
                Some((kind, media)) if kind == "application/json" => {
                    let schema = &media["schema"];
                    let fields = schema["properties"].as_object().into_iter().flatten();
                    Json::Object(fields.map(|(name, schema)| (name.clone(), sample(schema, other))).collect())
                        .to_string()
                }
                Some(_) => "not a statement\n".into(),
            };
            let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
            let request = Request { method: method.to_uppercase(), path: format!("/api/v1{filled}{query}"), body };
            found.push((format!("{} {path}", method.to_uppercase()), operation.clone(), request));
        }
    }
    // Reading first: what is asked to be made afterwards may be made.
    found.sort_by_key(|(_, _, request)| request.method != "GET");
    found
}

/// A ledger, and a token for each role and scope.
fn ledger(origin: &str) -> (Books, Vec<(String, String)>) {
    let books = Books::new();
    books.json(&["init", "--origin", origin, "--name-zh", "测试", "--name-en", "Test"]);
    let mut tokens = Vec::new();
    let token = |line: &str| books.does(line)["token"].as_str().expect("a token").to_owned();
    for role in ROLES {
        books.does(&format!("user add U{role} --role {role} --id u_{role}"));
        tokens.push((role.to_owned(), token(&format!("user token u_{role}"))));
    }
    tokens.push(("channel".into(), token("user token u_clerk --scope donations")));
    books.does("user add Gone --role admin --id u_gone");
    tokens.push(("over".into(), token("user token u_gone")));
    books.does("user revoke u_gone");
    (books, tokens)
}

#[test]
fn every_route_answers_every_role_as_it_should() {
    let (other_books, other_tokens) = ledger("other.example/other");
    other_books.does("fund open --id f_other --type unrestricted --name-zh 别家 --name-en Other");
    let (books, tokens) = ledger("ours.example/ours");
    let site = Served::of(books);
    let document = site.get("/api/v1/openapi.json").json();
    let before = site.get("/api/v1/ledger").json()["size"].clone();
    let mut picture = String::from(
        "route: none, of another ledger, over, clerk, checker, payer, admin, auditor, regulator, channel\n",
    );
    for (name, operation, request) in requests(&document, "f_other") {
        let ask = |token: Option<&str>| {
            let bearer = token.map(|token| format!("Bearer {token}"));
            let headers: Vec<(&str, &str)> = bearer.iter().map(|value| ("authorization", value.as_str())).collect();
            let answer = site.send(&request.method, &request.path, &headers, &request.body);
            assert!(answer.status < 500, "{name}: {}", answer.body);
            // After twenty wrong tokens they are not even looked at.
            if answer.status == 429 { 401 } else { answer.status }
        };
        let of = |role: &str| tokens.iter().find(|(known, _)| known == role).map(|(_, token)| token.as_str());
        let (none, foreign, over) = (ask(None), ask(Some(&other_tokens[0].1)), ask(of("over")));
        let roles = ROLES.map(|role| ask(of(role)));
        let channel = ask(of("channel"));
        if let Some(answer) = operation["responses"]["200"]["content"].get("application/json") {
            assert!(answer["schema"]["type"] == "object", "{name}: what does it answer with?");
        }
        if operation["x-scope"] != "none" {
            assert_eq!((none, foreign, over), (401, 401, 401), "{name}");
        }
        if operation["x-scope"] == "all" {
            assert_eq!(channel, 403, "{name}: a token for gifts only");
        }
        let roles = roles.map(|status| status.to_string()).join(" ");
        let _ = writeln!(picture, "{name}: {none} {foreign} {over} | {roles} | {channel}");
    }
    insta::assert_snapshot!("matrix", picture);
    // Only what stands on its own was posted, by those who may: a fund and a user. Nothing of the other organisation.
    let after = site.get("/api/v1/ledger").json()["size"].clone();
    assert!(after.as_u64() >= before.as_u64());
    let funds = site.get("/api/v1/funds").json();
    assert!(!funds["funds"].as_array().into_iter().flatten().any(|fund| fund["name_en"] == "Other"), "{funds}");
}

#[test]
fn a_role_that_was_taken_holds_no_longer_and_a_token_has_its_limit() {
    let (books, tokens) = ledger("ours.example/roles");
    let of =
        |role: &str| tokens.iter().find(|(known, _)| known == role).map(|(_, token)| token.clone()).expect("known");
    let site = Served::of(books);
    let fund = |id: &str| json!({"fund": id, "type": "unrestricted", "name_zh": "日常", "name_en": "General"});
    assert_eq!(site.post(&of("clerk"), "/api/v1/funds", &fund("f_1")).status, 201);
    let role = |remove: bool| json!({"user": "u_clerk", "role": "clerk", "remove": remove});
    assert_eq!(site.post(&of("clerk"), "/api/v1/users/role", &role(false)).status, 403);
    assert_eq!(site.post(&of("admin"), "/api/v1/users/role", &role(true)).status, 200);
    assert_eq!(site.post(&of("clerk"), "/api/v1/funds", &fund("f_2")).status, 403);
    assert_eq!(site.post(&of("admin"), "/api/v1/users/role", &role(false)).status, 200);
    assert_eq!(site.post(&of("clerk"), "/api/v1/funds", &fund("f_2")).status, 201);
    let mut last = 0;
    for number in 0..25 {
        last = site.post(&format!("mz-{number}"), "/api/v1/funds", &fund("f_3")).status;
    }
    assert_eq!(last, 429, "tokens are not to be guessed");
    assert_eq!(site.post(&of("clerk"), "/api/v1/funds", &fund("f_3")).status, 201, "one that is known goes on");
}
