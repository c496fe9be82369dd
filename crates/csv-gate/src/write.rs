//! Writes records as RFC 4180 CSV in UTF-8, with commas and LF. The rest of the crate reads.

/// Appends one record with its line end to `out`. Fields are quoted only where necessary. A record of one empty field
/// is written as `""`, because an empty line is not a record.
pub fn write_record<F: AsRef<str>>(out: &mut Vec<u8>, fields: impl IntoIterator<Item = F>) {
    let start = out.len();
    let mut count = 0;
    for field in fields {
        if count > 0 {
            out.push(b',');
        }
        write_field(out, field.as_ref());
        count += 1;
    }
    if count == 1 && out.len() == start {
        out.extend_from_slice(b"\"\"");
    }
    out.push(b'\n');
}

fn write_field(out: &mut Vec<u8>, field: &str) {
    let bytes = field.as_bytes();
    if memchr::memchr3(b',', b'"', b'\n', bytes).is_none() && memchr::memchr(b'\r', bytes).is_none() {
        return out.extend_from_slice(bytes);
    }
    out.push(b'"');
    for &byte in bytes {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let check = |fields: &[&str], expect: &str| {
            let mut out = Vec::new();
            write_record(&mut out, fields);
            assert_eq!(String::from_utf8_lossy(&out), expect);
        };
        check(&["a", "b c", ""], "a,b c,\n");
        check(&[""], "\"\"\n");
        check(&["", ""], ",\n");
        check(&["a,b", "say \"hi\"", "x\ny", "x\ry"], "\"a,b\",\"say \"\"hi\"\"\",\"x\ny\",\"x\ry\"\n");
    }
}
