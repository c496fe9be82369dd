//! Words for people in place of those of a parser.

/// Says in plain words what a parser of JSON, of a query or of a form found wrong.
#[must_use]
pub fn plain(found: &str) -> String {
    let (found, place) =
        match found.rsplit_once(" at line ").and_then(|(found, at)| Some((found, at.split_once(" column ")?))) {
            Some((found, (line, column))) => (found, format!(" (line {line}, column {column})")),
            None => (found, String::new()),
        };
    format!("{}{place}", sentence(found))
}

fn sentence(found: &str) -> String {
    if let Some(rest) = found.strip_prefix("unknown field ").or(found.strip_prefix("unknown variant ")) {
        let (name, known) = rest.split_once(", ").unwrap_or((rest, ""));
        let known = known.strip_prefix("expected one of ").or(known.strip_prefix("expected "));
        return match known {
            Some(known) => format!("{name} is unknown; known are {}", known.replace(" or ", ", ")),
            None => format!("{name} is unknown; nothing is known here"),
        };
    }
    if let Some(name) = found.strip_prefix("missing field ") {
        return format!("{name} is missing");
    }
    if let Some(name) = found.strip_prefix("duplicate field ") {
        return format!("{name} occurs twice");
    }
    let wrong =
        ["invalid type: ", "invalid value: ", "invalid length "].iter().find_map(|kind| found.strip_prefix(kind));
    if let Some((what, expected)) = wrong.and_then(|rest| rest.split_once(", expected ")) {
        return format!("{what} stands where {expected} is expected").replace("struct ", "object ");
    }
    let plain = match found {
        "invalid digit found in string" | "cannot parse integer from empty string" => "a whole number is expected",
        "number too large to fit in target type" | "number too small to fit in target type" => {
            "a number is out of range"
        }
        "invalid float literal" => "a number is expected",
        "provided string was not `true` or `false`" => "`true` or `false` is expected",
        other if other.starts_with("EOF while parsing") => "it ends too early",
        "expected value" | "expected ident" => "a value is expected",
        "trailing characters" => "something follows its end",
        "trailing comma" => "a comma is too many",
        "key must be a string" => "a name in quotes is expected",
        "recursion limit exceeded" => "it is nested too deeply",
        other => other,
    };
    plain.to_owned()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its errors are of interest")]
    struct Asked {
        sku: String,
        limit: Option<u8>,
    }

    #[test]
    fn what_a_parser_finds_is_said_plainly() {
        let check = |json: &str, expect: &str| {
            let found = serde_json::from_str::<Asked>(json).unwrap_err().to_string();
            assert_eq!(plain(&found), expect, "{found}");
        };
        check("{\"x\":1}", "`x` is unknown; known are `sku`, `limit` (line 1, column 4)");
        check("{}", "`sku` is missing (line 1, column 2)");
        check("{\"sku\":5}", "integer `5` stands where a string is expected (line 1, column 8)");
        check("{\"sku\":\"a\",\"limit\":256}", "integer `256` stands where u8 is expected (line 1, column 22)");
        check("{\"sku\":\"a\",\"sku\":\"b\"}", "`sku` occurs twice (line 1, column 16)");
        check("{\"sku\":", "it ends too early (line 1, column 7)");
        check("{\"sku\":x", "a value is expected (line 1, column 8)");
        check("{\"sku\":\"a\",}", "a comma is too many (line 1, column 12)");
        check("{\"sku\":\"a\"} x", "something follows its end (line 1, column 13)");
    }
}
