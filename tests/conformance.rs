//! Whether an answer is what the OpenAPI document says.

use crate::served::Answer;
use serde_json::{Value as Json, json};

/// Whether a path is one of a template.
fn is_of(path: &str, template: &str) -> bool {
    let (path, template): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), template.split('/').collect());
    path.len() == template.len()
        && path.iter().zip(&template).all(|(part, wanted)| part == wanted || wanted.starts_with('{'))
}

/// What is wrong with a value, by its schema.
fn wrong(value: &Json, schema: &Json, at: &str) -> Option<String> {
    if let Some(any) = schema["anyOf"].as_array() {
        let all: Option<Vec<String>> = any.iter().map(|schema| wrong(value, schema, at)).collect();
        return all.map(|all| all.join("; "));
    }
    let is = match schema["type"].as_str() {
        None => true,
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some(other) => panic!("{at}: what is {other}?"),
    };
    if !is {
        return Some(format!("{at}: {value} is no {}", schema["type"]));
    }
    if let Some(items) = value.as_array() {
        return items.iter().find_map(|item| wrong(item, &schema["items"], &format!("{at}/*")));
    }
    let members = value.as_object()?;
    let absent = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str);
    if let Some(name) = absent.into_iter().find(|name| !members.contains_key(*name)) {
        return Some(format!("{at}/{name} is missing"));
    }
    members.iter().find_map(|(name, value)| {
        let at = format!("{at}/{name}");
        match (schema["properties"].get(name), &schema["additionalProperties"]) {
            (Some(schema), _) => wrong(value, schema, &at),
            (None, Json::Bool(false)) => Some(format!("{at} is not in the document")),
            (None, Json::Object(_)) => wrong(value, &schema["additionalProperties"], &at),
            (None, _) => None,
        }
    })
}

/// Panics where the document says otherwise.
pub(crate) fn check(document: &Json, method: &str, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap_or_default().trim_start_matches("/api/v1");
    let mut paths: Vec<(&String, &Json)> = document["paths"].as_object().expect("paths").iter().collect();
    // A template with fewer holes is the closer one.
    paths.sort_by_key(|(template, _)| template.matches('{').count());
    let operation = paths
        .iter()
        .find(|(template, operations)| is_of(path, template) && operations.get(method.to_lowercase()).is_some());
    let Some((template, operations)) = operation else { return };
    let Ok(body) = serde_json::from_str::<Json>(&answer.body) else { return };
    let content = match answer.status {
        200..300 => &operations[method.to_lowercase()]["responses"]["200"]["content"]["application/json"]["schema"],
        _ => &document["components"]["schemas"]["Problem"],
    };
    assert_ne!(*content, json!({}), "{method} {template}: the document does not say what it answers");
    if let Some(wrong) = wrong(&body, content, "") {
        panic!("{method} {template} answers {} {body}: {wrong}", answer.status);
    }
}

#[test]
fn what_differs_is_found() {
    let schema = json!({
        "type": "object", "required": ["seq"], "additionalProperties": false,
        "properties": {"seq": {"type": "integer"}, "on": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "sums": {"type": "object", "additionalProperties": {"type": "integer"}},
            "list": {"type": "array", "items": {"type": "boolean"}}},
    });
    let fits = |value: Json| wrong(&value, &schema, "").is_none();
    assert!(fits(json!({"seq": 1, "on": null, "sums": {"CNY": 3}, "list": [true]})));
    for bad in [
        json!([]),
        json!({}),
        json!({"seq": "1"}),
        json!({"seq": 1, "on": 2}),
        json!({"seq": 1, "more": 1}),
        json!({"seq": 1, "sums": {"CNY": ""}}),
        json!({"seq": 1, "list": [true, 1]}),
    ] {
        assert!(!fits(bad.clone()), "{bad}");
    }
}
