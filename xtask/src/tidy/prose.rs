//! Figures that may only shrink: how many doc comments begin like a question, and how long the first documents are.

use super::tree::Tree;

/// Doc comments that may begin with a word of [`QUESTIONS`]. Lower it as they are rewritten.
const MAX_QUESTIONS: usize = 533;
/// Documents at the top or in `docs`, the lines that each may have, and those that it should have.
const DOCUMENTS: [(&str, usize, usize); 2] = [("README.md", 296, 120), ("ARCHITECTURE.md", 306, 150)];

/// A doc comment begins with a verb or a noun, not with one of these.
const QUESTIONS: [&str; 4] = ["What", "How", "Who", "Whoever"];

/// A figure with a bound that is lowered until it is the goal.
#[derive(Debug)]
pub(super) struct Ratchet {
    pub(super) what: String,
    pub(super) found: usize,
    pub(super) goal: usize,
    bound: usize,
}

impl Ratchet {
    /// The complaint if the figure is above its bound.
    pub(super) fn fault(&self) -> Option<String> {
        let Self { what, found, bound, .. } = self;
        (found > bound).then(|| format!("{what}: {found}, at most {bound} are allowed"))
    }
}

/// All figures.
pub(super) fn ratchets(tree: &Tree) -> Vec<Ratchet> {
    let questions = tree.rust().map(|(_, text)| questions(text)).sum();
    let what = format!("doc comments that begin with {}", QUESTIONS.join(", "));
    let mut ratchets = vec![Ratchet { what, found: questions, goal: 0, bound: MAX_QUESTIONS }];
    for (name, bound, goal) in DOCUMENTS {
        let text = tree.text(name).or_else(|| tree.text(&format!("docs/{name}")));
        let found = text.map_or(0, |text| text.lines().count());
        ratchets.push(Ratchet { what: format!("lines of {name}"), found, goal, bound });
    }
    ratchets
}

/// Counts the doc comments that begin with a word of [`QUESTIONS`].
fn questions(text: &str) -> usize {
    let first_words = text.lines().scan(false, |is_within, line| {
        let comment = ["///", "//!"].iter().find_map(|mark| line.trim_start().strip_prefix(mark));
        let begins = comment.is_some() && !*is_within;
        *is_within = comment.is_some();
        Some(comment.filter(|_| begins).and_then(|comment| comment.split_whitespace().next()))
    });
    first_words
        .flatten()
        .filter(|word| QUESTIONS.contains(&word.trim_end_matches(|letter: char| !letter.is_alphanumeric())))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_count_at_the_start_of_a_comment_only() {
        let check = |text: &str, expect: usize| assert_eq!(questions(text), expect, "{text}");
        check("//! What it is.\nmod a;\n    /// How it is.\nfn b() {}\n", 2);
        check("/// Counts.\n/// What else.\n/// Whoever.\nfn a() {}\n", 0);
        check("/// Who?\n#[test]\n/// However.\n// What\n//// What\nfn a() {}\n", 1);
        check("/// Whole files.\n\n///\n/// What.\n", 0);
    }

    #[test]
    fn a_figure_above_its_bound_is_a_fault() {
        for (name, bound, _) in DOCUMENTS {
            let lines = "line\n".repeat(bound);
            for path in [name, &format!("docs/{name}")] {
                let faults =
                    |text: &str| ratchets(&Tree::of(&[(path, text)])).iter().filter_map(Ratchet::fault).count();
                assert_eq!([faults(&lines), faults(&format!("{lines}one more\n"))], [0, 1], "{path}");
            }
        }
        let many = "/// What.\nfn a() {}\n".repeat(MAX_QUESTIONS + 1);
        let tree = Tree::of(&[("a.rs", &many)]);
        assert_eq!(ratchets(&tree).iter().filter_map(Ratchet::fault).count(), 1);
    }
}
