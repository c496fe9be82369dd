//! Words and lengths: how doc comments begin, and how long the first documents are.

use super::tree::Tree;

/// A doc comment begins with a verb or a noun, not with one of these.
const QUESTIONS: [&str; 5] = ["What", "How", "Where", "Who", "Whoever"];
/// Documents that are read at once, and the lines that each may have.
const DOCUMENTS: [(&str, usize); 2] = [("README.md", 120), ("docs/ARCHITECTURE.md", 150)];

/// Documents that are too long, and doc comments that begin with a question word.
pub(super) fn faults(tree: &Tree) -> Vec<String> {
    let questions = tree.rust().flat_map(|(path, text)| {
        questions_in(text).map(move |line| format!("{path}:{line}: begin the doc comment with a verb or a noun"))
    });
    let too_long = DOCUMENTS.iter().filter_map(|(path, most)| {
        let lines = tree.text(path)?.lines().count();
        (lines > *most).then(|| format!("{path}: {lines} lines; {most} are allowed"))
    });
    questions.chain(too_long).collect()
}

/// The lines of doc comments that begin with a word of [`QUESTIONS`], counted from 1.
fn questions_in(text: &str) -> impl Iterator<Item = usize> {
    let mut is_within = false;
    text.lines().zip(1..).filter_map(move |(line, number)| {
        let comment = ["///", "//!"].iter().find_map(|mark| line.trim_start().strip_prefix(mark));
        let begins = comment.is_some() && !is_within;
        is_within = comment.is_some();
        let first_word = comment?.split(|letter: char| !letter.is_alphanumeric()).nth(1)?;
        (begins && QUESTIONS.contains(&first_word)).then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_count_at_the_start_of_a_comment_only() {
        let check = |text: &str, expect: &[usize]| assert_eq!(questions_in(text).collect::<Vec<_>>(), expect, "{text}");
        check("//! What it is.\nmod a;\n    /// How it is.\nfn b() {}\n", &[1, 3]);
        check("/// Counts.\n/// What else.\n/// Whoever.\nfn a() {}\n", &[]);
        check("/// Who?\n#[test]\n/// However.\n// What\n//// What\nfn a() {}\n", &[1]);
        check("/// Whole files.\n\n///\n/// What.\n", &[]);
        check("/// What's new.\n\n/// \n", &[1]);
        check("//! Where it is.\n\n/// Whereas.\nfn a() {}\n", &[1]);
    }

    #[test]
    fn a_question_is_a_fault_with_its_place() {
        let tree = Tree::of(&[("a.rs", "/// A noun.\nmod b;\n/// What.\nfn a() {}\n")]);
        assert_eq!(faults(&tree), ["a.rs:3: begin the doc comment with a verb or a noun"]);
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
