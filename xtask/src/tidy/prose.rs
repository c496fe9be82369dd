//! Words and lengths: how doc comments begin, and how long the first documents are.

use super::tree::Tree;

/// A doc comment begins with a verb or a noun, not with one of these.
const QUESTIONS: [&str; 4] = ["What", "How", "Who", "Whoever"];
/// The doc comments that still begin so. Lower it as they are rewritten; it may not grow.
const MAX_QUESTIONS: usize = 77;
/// Documents that are read at once, and the lines that each may have.
const DOCUMENTS: [(&str, usize); 2] = [("README.md", 120), ("docs/ARCHITECTURE.md", 150)];

/// Documents that are too long, and doc comments that begin with a question word if there are more than before.
pub(super) fn faults(tree: &Tree) -> Vec<String> {
    let found = questions(tree);
    let questions = (found > MAX_QUESTIONS)
        .then(|| format!("{found} doc comments begin with {}; {MAX_QUESTIONS} did before", QUESTIONS.join(", ")));
    let too_long = DOCUMENTS.iter().filter_map(|(path, most)| {
        let lines = tree.text(path)?.lines().count();
        (lines > *most).then(|| format!("{path}: {lines} lines; {most} are allowed"))
    });
    questions.into_iter().chain(too_long).collect()
}

/// Counts the doc comments that begin with a word of [`QUESTIONS`].
pub(super) fn questions(tree: &Tree) -> usize {
    tree.rust().map(|(_, text)| questions_in(text)).sum()
}

fn questions_in(text: &str) -> usize {
    let first_words = text.lines().scan(false, |is_within, line| {
        let comment = ["///", "//!"].iter().find_map(|mark| line.trim_start().strip_prefix(mark));
        let begins = comment.is_some() && !*is_within;
        *is_within = comment.is_some();
        Some(
            comment
                .filter(|_| begins)
                .and_then(|comment| comment.split(|letter: char| !letter.is_alphanumeric()).nth(1)),
        )
    });
    first_words.flatten().filter(|word| QUESTIONS.contains(word)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_count_at_the_start_of_a_comment_only() {
        let check = |text: &str, expect: usize| assert_eq!(questions_in(text), expect, "{text}");
        check("//! What it is.\nmod a;\n    /// How it is.\nfn b() {}\n", 2);
        check("/// Counts.\n/// What else.\n/// Whoever.\nfn a() {}\n", 0);
        check("/// Who?\n#[test]\n/// However.\n// What\n//// What\nfn a() {}\n", 1);
        check("/// Whole files.\n\n///\n/// What.\n", 0);
        check("/// What's new.\n\n/// \n", 1);
    }

    #[test]
    fn more_questions_than_before_are_a_fault() {
        let faults = |count: usize| faults(&Tree::of(&[("a.rs", &"/// What.\nfn a() {}\n".repeat(count))])).len();
        assert_eq!([faults(MAX_QUESTIONS), faults(MAX_QUESTIONS + 1)], [0, 1]);
    }

    #[test]
    fn long_documents_are_faults() {
        for (path, most) in DOCUMENTS {
            let faults = |lines: usize| faults(&Tree::of(&[(path, &"line\n".repeat(lines))]));
            assert_eq!(faults(most), [""; 0]);
            assert_eq!(faults(most + 1), [format!("{path}: {} lines; {most} are allowed", most + 1)]);
        }
    }
}
