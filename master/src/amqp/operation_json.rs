//! The JSON of a message with operations.

use serde_json::{Map, Value};
use tributary_engine::{Operation, OperationChange};

/// Reads one operation, or a list of them.
///
/// # Errors
/// The reason why the message can never be used.
pub(super) fn operations(body: &[u8]) -> Result<Vec<Operation>, String> {
    let parsed = serde_json::from_slice(body).map_err(|why| format!("it is not JSON: {why}"))?;
    match parsed {
        Value::Object(object) => Ok(vec![operation(object)?]),
        Value::Array(list) => {
            let numbered = list.into_iter().enumerate().map(|(index, value)| match value {
                Value::Object(object) => operation(object).map_err(|why| format!("operation {}: {why}", index + 1)),
                other => Err(format!("operation {} is {}, not an object", index + 1, kind(&other))),
            });
            numbered.collect()
        }
        other => Err(format!("it is {}; write an object {{\"op\":…,\"sku\":…}}, or a list of them", kind(&other))),
    }
}

fn operation(mut object: Map<String, Value>) -> Result<Operation, String> {
    let mut take = |name: &str| match object.remove(name) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(format!("`{name}` is {}, not a text", kind(&other))),
        None => Err(format!("`{name}` is missing")),
    };
    let (op, sku) = (take("op")?, take("sku")?);
    let change = match op.as_str() {
        "upsert" => OperationChange::Upsert(object.into_iter().map(column).collect::<Result<_, _>>()?),
        "delete" => OperationChange::Delete,
        other => return Err(format!("`op` is `{}`; write upsert or delete", other.escape_debug())),
    };
    Ok(Operation { sku, change })
}

fn column((name, value): (String, Value)) -> Result<(String, Option<String>), String> {
    match value {
        Value::String(text) => Ok((name, Some(text))),
        Value::Null => Ok((name, None)),
        other => Err(format!(
            "`{name}` is {}; write it as a text, as it stands in a file, or as null to take it back",
            kind(&other)
        )),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_operation_or_a_list_is_read() {
        let upsert = |sku: &str, columns: &[(&str, Option<&str>)]| Operation {
            sku: sku.to_owned(),
            change: OperationChange::Upsert(
                columns.iter().map(|(name, text)| ((*name).to_owned(), text.map(str::to_owned))).collect(),
            ),
        };
        let delete = Operation { sku: "b".into(), change: OperationChange::Delete };
        let check = |body: &str, expect: &[Operation]| assert_eq!(operations(body.as_bytes()).unwrap(), expect);
        check(
            r#"{"op":"upsert","sku":"a","price":"1.50","name":null}"#,
            &[upsert("a", &[("name", None), ("price", Some("1.50"))])],
        );
        check(r#" [{"op":"upsert","sku":"a"},{"sku":"b","op":"delete","name":"x"}] "#, &[upsert("a", &[]), delete]);
        check("[]", &[]);
    }

    #[test]
    fn anything_else_has_a_reason() {
        let check = |body: &str, expect: &str| {
            let why = operations(body.as_bytes()).unwrap_err();
            assert!(why.contains(expect), "{body}: {why}");
        };
        check("", "it is not JSON");
        check("sku,name", "it is not JSON");
        check("3", "it is a number; write an object");
        check("[3]", "operation 1 is a number");
        check(r#"{"op":"upsert"}"#, "`sku` is missing");
        check(r#"{"sku":"a"}"#, "`op` is missing");
        check(r#"{"op":"upsert","sku":7}"#, "`sku` is a number, not a text");
        check(r#"{"op":"insert","sku":"a"}"#, "`op` is `insert`; write upsert or delete");
        check(
            r#"[{"op":"delete","sku":"a"},{"op":"upsert","sku":"a","price":1.5}]"#,
            "operation 2: `price` is a number",
        );
    }
}
