//! One pattern of paths. It is matched in time that grows with its length times that of the path, never faster: a source may choose
//! both.

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    text: String,
    parts: Vec<Part>,
}

/// A part between two slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// `**`: any number of folders.
    Folders,
    /// A name of a folder or a file.
    Name(Vec<Sign>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Sign {
    /// `*`
    Text,
    /// `?`
    Letter,
    Exact(char),
    /// `[a-z]`, and `[!a-z]` for all others.
    Within {
        ranges: Vec<(char, char)>,
        is_negated: bool,
    },
}

impl Glob {
    /// Compiles a pattern, or returns the reason why it is none.
    pub(crate) fn new(text: &str) -> Result<Self, &'static str> {
        let letters: Vec<char> = text.chars().collect();
        let mut parts = Vec::new();
        let (mut name, mut at) = (Vec::new(), 0);
        while let Some(letter) = letters.get(at) {
            at += 1;
            match letter {
                '/' => parts.push(part(std::mem::take(&mut name))?),
                '*' => name.push(Sign::Text),
                '?' => name.push(Sign::Letter),
                '[' => {
                    let (sign, length) = within(&letters[at..]).ok_or("`[` has no `]`: write [[] for the character")?;
                    name.push(sign);
                    at += length;
                }
                letter => name.push(Sign::Exact(*letter)),
            }
        }
        // What ends in `**/` means all that is in the folder, as without the slash.
        if !(name.is_empty() && parts.last() == Some(&Part::Folders)) {
            parts.push(part(name)?);
        }
        if parts.last() == Some(&Part::Folders) {
            parts.push(Part::Name(vec![Sign::Text]));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// Whether it matches the whole path.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let is_name = |part: &Part, name: &str| match part {
            Part::Folders => false,
            Part::Name(signs) => fits(signs, name.chars(), |sign| *sign == Sign::Text, Sign::is),
        };
        fits(&self.parts, path.split('/'), |part| *part == Part::Folders, is_name)
    }

    /// The pattern as typed.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl Sign {
    fn is(&self, letter: char) -> bool {
        match self {
            Self::Text => false,
            Self::Letter => true,
            Self::Exact(exact) => *exact == letter,
            Self::Within { ranges, is_negated } => {
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&letter)) != *is_negated
            }
        }
    }
}

fn part(name: Vec<Sign>) -> Result<Part, &'static str> {
    match name.windows(2).any(|pair| *pair == [Sign::Text, Sign::Text]) {
        false => Ok(Part::Name(name)),
        true if name.len() == 2 => Ok(Part::Folders),
        true => Err("`**` must be a whole part of the path, as in `a/**/b`"),
    }
}

/// Reads the inside of brackets, and how many letters they and it take. Their first letter is in any case inside, so `[]]` is a bracket.
fn within(letters: &[char]) -> Option<(Sign, usize)> {
    let is_negated = letters.first() == Some(&'!');
    let start = usize::from(is_negated);
    let end = start + 1 + letters.get(start + 1..)?.iter().position(|letter| *letter == ']')?;
    let (mut rest, mut ranges) = (&letters[start..end], Vec::new());
    while let [first, others @ ..] = rest {
        let (last, others) = match others {
            ['-', last, others @ ..] => (last, others),
            others => (first, others),
        };
        ranges.push((*first, *last));
        rest = others;
    }
    Some((Sign::Within { ranges, is_negated }, end + 1))
}

/// Whether items match all subjects, one each, or any number where `is_any`. Only the last of these is ever tried again: had an earlier
/// one taken more, the later one could have taken less.
fn fits<I, S: Iterator<Item: Copy> + Clone>(
    items: &[I],
    mut subjects: S,
    is_any: impl Fn(&I) -> bool,
    is_one: impl Fn(&I, S::Item) -> bool,
) -> bool {
    let (mut at, mut retry) = (0, None);
    loop {
        let item = items.get(at);
        if item.is_some_and(&is_any) {
            at += 1;
            retry = Some((at, subjects.clone()));
            continue;
        }
        let mut rest = subjects.clone();
        match (item, rest.next()) {
            (None, None) => return true,
            (Some(_), None) => return false,
            (Some(item), Some(subject)) if is_one(item, subject) => (at, subjects) = (at + 1, rest),
            (_, Some(_)) => {
                let Some((behind, from)) = &mut retry else { return false };
                from.next();
                (at, subjects) = (*behind, from.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use glob::{MatchOptions, Pattern};
    use proptest::prelude::*;

    use super::*;

    /// The crate that programs used before, and whose time doubles with each star.
    fn model(pattern: &str, path: &str) -> Option<bool> {
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::default() };
        Some(Pattern::new(pattern).ok()?.matches_with(path, options))
    }

    fn check(pattern: &str, path: &str) {
        let found = Glob::new(pattern).ok().map(|glob| glob.matches(path));
        assert_eq!(found, model(pattern, path), "{pattern} {path}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn patterns_mean_what_they_meant(
            pattern in "([ab]|\\*|\\*\\*/|/|/\\*\\*|\\?|\\[a\\]|\\[!a\\]|\\[a-b\\]|\\[|\\]|!|-){0,8}",
            path in "[ab\\]-]{0,3}(/[ab!]{1,3}){0,3}",
        ) {
            check(&pattern, &path);
        }
    }

    #[test]
    fn corners_are_as_they_were() {
        for pattern in
            ["**", "**/", "a/**", "a/**/", "**/**", "**/a", "/**/a", "a**", "***", "[]]", "[!]]", "[]", "[!]", "[b-]"]
        {
            for path in ["", "a", "a/", "a/b", "b/a", "/a", "]", "-", "a/b/a"] {
                check(pattern, path);
            }
        }
        check("[é-ü]?*", "ö€x");
        check("[/]a", "/a");
    }

    /// A source that announced such a pattern for such a path stopped all sources for ever. This would take longer than the sun shines.
    #[test]
    fn stars_do_not_multiply() {
        let (pattern, folders) = ("*a".repeat(120) + "b/x.csv", "**/a/".repeat(100) + "b");
        assert!(!Glob::new(&pattern).unwrap().matches(&("a".repeat(4_000) + "/x.csv")));
        assert!(Glob::new(&pattern).unwrap().matches(&("a".repeat(4_000) + "b/x.csv")));
        assert!(!Glob::new(&folders).unwrap().matches(&("a/".repeat(2_000) + "x")));
    }
}
