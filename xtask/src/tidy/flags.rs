//! Flags that documents name: those of a link, and those of our programs in commands to copy, must be in the reference.

use super::{links::resolve, tree::Tree};

/// The page that lists the flags of all programs.
const REFERENCE: &str = "docs/reference/command-line.md";
/// The programs that it lists.
const PROGRAMS: [&str; 7] = ["data-source", "master", "readdb", "publish", "relay", "starter", "generate"];

/// Flags that no program has.
pub(super) fn faults(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in tree.markdown() {
        let (mut is_shell, mut is_ours) = (false, false);
        for (number, line) in text.lines().enumerate() {
            let named: Vec<(&str, String)> = if let Some(fence) = line.strip_prefix("```") {
                (is_shell, is_ours) = (fence == "sh", false);
                Vec::new()
            } else if is_shell {
                in_command(line, &mut is_ours).into_iter().map(|flag| (flag, REFERENCE.to_owned())).collect()
            } else {
                in_links(line).map(|(flag, target)| (flag, resolve(path, target).path)).collect()
            };
            let unknown = named.iter().filter(|(flag, page)| tree.text(page).is_some_and(|page| !names(page, flag)));
            faults.extend(unknown.map(|(flag, page)| format!("{path}:{}: `{flag}` is not in {page}", number + 1)));
        }
    }
    faults
}

/// The flags of our programs in a line of a command, and whether the next line goes on with one.
fn in_command<'a>(line: &'a str, is_ours: &mut bool) -> Vec<&'a str> {
    let mut flags = Vec::new();
    for word in line.split_whitespace().take_while(|word| !word.starts_with('#')) {
        *is_ours = match word {
            "|" | "||" | "&&" | "&" | ";" | ">" => false,
            word => *is_ours || PROGRAMS.contains(&word.trim_start_matches('(')),
        };
        if *is_ours && word.starts_with("--") && word != "--" {
            flags.push(flag(word));
        }
    }
    *is_ours &= line.ends_with('\\');
    flags
}

/// The flags that links of a line begin with, and their targets.
fn in_links(line: &str) -> impl Iterator<Item = (&str, &str)> {
    line.split("[`").skip(1).filter(|linked| linked.starts_with("--")).filter_map(|linked| {
        let target = linked.split_once("`](")?.1.split(')').next()?;
        Some((flag(linked), target))
    })
}

/// The flag that a text begins with.
fn flag(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    &text[..end.unwrap_or(text.len())]
}

/// Whether a page has a flag at the beginning of a piece of code.
fn names(page: &str, wanted: &str) -> bool {
    page.split('`').any(|code| code.starts_with("--") && flag(code) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let reference = "| `--listen ADDR` | where |\n| `--once` | one pass |\n";
        let tree = Tree::of(&[(REFERENCE, reference), ("guide.md", text)]);
        assert_eq!(faults(&tree), expect, "{text}");
    }

    #[test]
    fn a_linked_flag_must_exist() {
        check("See [`--listen`](docs/reference/command-line.md#master).", &[]);
        check("See [`listen`](docs/reference/command-line.md) and `--else`.", &[]);
        let fault = "guide.md:2: `--listens` is not in docs/reference/command-line.md";
        check(
            "\n[`--once`](docs/reference/command-line.md), [`--listens A`](docs/reference/command-line.md)",
            &[fault],
        );
    }

    #[test]
    fn flags_of_our_programs_in_commands_must_exist() {
        check("```sh\nmaster --once --listen 127.0.0.1:1 && curl --retry 3\n```\n", &[]);
        check("```sh\n(cd x && master --once &)   # master --never\ncurl --fail\n```\nmaster --none\n", &[]);
        check("```text\nmaster --never\n```\n", &[]);
        let fault = "guide.md:3: `--never` is not in docs/reference/command-line.md";
        check("```sh\nsudo -u x master --once \\\n  --never=1\n```\n", &[fault]);
    }
}
