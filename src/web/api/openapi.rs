//! The OpenAPI document, made of the table of the routes.

use super::route::{Answer, Body, Listed, Who};
use serde_json::{Value, json};

/// The document of all routes.
pub(super) fn document(listed: &[Listed]) -> Value {
    let mut paths = serde_json::Map::new();
    for route in listed {
        let entry = paths.entry(route.path).or_insert_with(|| json!({}));
        entry[route.method] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Mingzhang 明账", "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "A charity's ledger in which every fen has an address. Amounts are whole minor units.",
        },
        "servers": [{"url": "/api/v1"}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "signature": {"type": "apiKey", "in": "header", "name": "webhook-signature"},
            },
            "schemas": {"Problem": problem()},
        },
    })
}

/// The schema of everything that looks like an example. A name that ends in `?` is that of a member which may be absent or null, the
/// name `*` stands for any.
pub(super) fn schema_of(example: &Value) -> Value {
    match example {
        Value::Null => json!({}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(_) => json!({"type": "integer"}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) => json!({"type": "array", "items": items.first().map_or_else(|| json!({}), schema_of)}),
        Value::Object(members) => {
            let mut schema = json!({"type": "object", "additionalProperties": false});
            let mut required: Vec<&str> = Vec::new();
            for (name, value) in members {
                match name.strip_suffix('?') {
                    _ if name == "*" => schema["additionalProperties"] = schema_of(value),
                    Some(name) => schema["properties"][name] = json!({"anyOf": [schema_of(value), {"type": "null"}]}),
                    None => {
                        required.push(name);
                        schema["properties"][name] = schema_of(value);
                    }
                }
            }
            schema["required"] = required.into();
            schema
        }
    }
}

fn problem() -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "object", "required": ["type", "title", "status", "detail", "detail_zh"],
        "properties": {
            "type": {"type": "string", "pattern": "^urn:mingzhang:problem:"},
            "title": text, "status": {"type": "integer"}, "detail": text, "detail_zh": text,
            "errors": {"type": "array", "items": {
                "type": "object", "required": ["path", "detail", "detail_zh"],
                "properties": {"path": text, "detail": text, "detail_zh": text},
            }},
        },
    })
}

fn content_of(answer: &Answer) -> Value {
    match answer {
        Answer::Raw(kinds) => kinds.iter().map(|kind| ((*kind).to_owned(), raw(kind))).collect(),
        Answer::Like(example) => json!({"application/json": {"schema": schema_of(example)}}),
    }
}

/// What is known of a media type alone.
fn raw(kind: &str) -> Value {
    if kind == "application/json" { json!({"schema": {"type": "object"}}) } else { json!({}) }
}

/// The answers of a route whose bytes never change: each part of them, and that they are known already.
fn of_unchanging(mut answers: Value, content: &Value) -> Value {
    let text = |about: &str| json!({"description": about, "schema": {"type": "string"}});
    let tag = text("SHA-256 of the bytes, or the leaf hash of an entry");
    answers["200"]["headers"] = json!({"ETag": tag, "Accept-Ranges": text("bytes")});
    answers["206"] = json!({
        "description": "The part that Range asks for", "content": content,
        "headers": {"ETag": tag, "Content-Range": text("First and last byte, and how many there are")},
    });
    answers["304"] = json!({"description": "Known already, by If-None-Match", "headers": {"ETag": tag}});
    answers["416"] = json!({"description": "No such part", "headers": {"Content-Range": text("How many bytes there are")},
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}});
    answers
}

fn operation(route: &Listed) -> Value {
    let mut parameters: Vec<Value> = Vec::new();
    for part in route.path.split('/').filter_map(|part| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')))
    {
        let schema = match part {
            "seq" => json!({"type": "integer", "minimum": 0, "maximum": i64::MAX}),
            _ => json!({"type": "string", "minLength": 1, "pattern": "^[a-z0-9_.-]{1,100}$"}),
        };
        parameters.push(json!({"name": part, "in": "path", "required": true, "schema": schema}));
    }
    for field in &route.query {
        parameters.push(json!({"name": field.name, "in": "query", "required": field.required, "schema": field.schema}));
    }
    if route.keyed {
        let schema = json!({"type": "string", "minLength": 1, "maxLength": 200});
        parameters.push(json!({"name": "Idempotency-Key", "in": "header", "required": false, "schema": schema}));
    }
    if route.unchanging {
        parameters.extend(
            ["Range", "If-Range", "If-None-Match"]
                .map(|name| json!({"name": name, "in": "header", "required": false, "schema": {"type": "string"}})),
        );
    }
    let content = content_of(&route.answer);
    let answer = json!({"description": "Done", "content": content});
    let mut answers = json!({
        "200": answer,
        "default": {"description": "Refused, or not possible", "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
        }},
    });
    if route.method == "post" {
        answers["201"] = answer;
    }
    if route.unchanging {
        answers = of_unchanging(answers, &content);
    }
    let mut operation = json!({"summary": route.about, "parameters": parameters, "responses": answers});
    match &route.body {
        None => {}
        Some(Body::Raw(kind)) => {
            operation["requestBody"] = json!({"required": true, "content": {*kind: {}}});
        }
        Some(Body::Json(fields)) => {
            let properties: serde_json::Map<String, Value> =
                fields.iter().map(|field| (field.name.clone(), field.schema.clone())).collect();
            let required: Vec<&str> =
                fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
            let schema = json!({
                "type": "object", "properties": properties, "required": required, "additionalProperties": false,
            });
            operation["requestBody"] =
                json!({"required": !required.is_empty(), "content": {"application/json": {"schema": schema}}});
        }
    }
    operation["security"] = match route.who {
        Who::Anyone => json!([]),
        Who::Channel | Who::Staff => json!([{"token": []}]),
        Who::Signed => json!([{"signature": []}]),
    };
    operation["x-scope"] = match route.who {
        Who::Anyone => "none",
        Who::Channel => "donations",
        Who::Staff => "all",
        Who::Signed => "signed",
    }
    .into();
    operation
}
