//! Texts for a terminal: feeds hold whatever somebody typed, and a terminal obeys some of it.

/// Returns the text on one line, with every character escaped that a terminal acts on or that reverses the line.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_format(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// Returns the text with its line ends, and every other such character escaped.
#[must_use]
pub fn lines(text: &str) -> String {
    text.split('\n').map(one_line).collect::<Vec<_>>().join("\n")
}

/// Line and paragraph separators, and the marks that change the direction of writing.
fn is_format(character: char) -> bool {
    matches!(character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Separates the thousands of a number by commas: 446,231.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Counts a noun: `1 row`, `1,234 rows`.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_escaped() {
        let check = |text: &str, expect: &str| assert_eq!(one_line(text), expect);
        check("plain, \"quoted\" \\ ä 漢 e\u{301}", "plain, \"quoted\" \\ ä 漢 e\u{301}");
        check("a\r\nb\tc", "a\\r\\nb\\tc");
        check("\u{1b}[31mred", "\\u{1b}[31mred");
        check("\u{9b}31m \u{7f}", "\\u{9b}31m \\u{7f}");
        check("abc\u{202e}cba\u{2028}", "abc\\u{202e}cba\\u{2028}");
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(lines("a\n\u{1b}]0;b\u{7}\r\n\u{202e}c\n"), "a\n\\u{1b}]0;b\\u{7}\\r\n\\u{202e}c\n");
    }

    #[test]
    fn thousands_are_set_apart() {
        let check = |number: u64, expect: &str| assert_eq!(thousands(number), expect);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(446_231, "446,231");
        check(1_234_567, "1,234,567");
        check(u64::MAX, "18,446,744,073,709,551,615");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([0, 1, 2_000].map(|count| counted(count, "row")), ["0 rows", "1 row", "2,000 rows"]);
    }
}
