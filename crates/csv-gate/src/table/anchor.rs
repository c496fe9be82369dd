//! Finds a word in a text, whatever its case: by it, blocks find the few lines that may be headers without splitting the
//! others.

use memchr::{memchr2, memmem::Finder};

/// A word that every line with certain names holds.
#[derive(Clone, Debug)]
pub(super) enum Anchor {
    /// ASCII letters and digits in lowercase.
    Ascii(Vec<u8>),
    /// A name of other letters, as spelled, in lowercase and in capitals.
    Spelled(Box<[Finder<'static>; 3]>),
}

/// Bytes that are looked at together. The compiler vectorises the loop over them.
const STRIDE: usize = 256;

impl Anchor {
    /// Returns the longest word in these names, which few texts hold; none if all names are empty.
    pub(super) fn new(names: &[String]) -> Option<Self> {
        let words = names.iter().flat_map(|name| name.split(|c: char| !c.is_ascii_alphanumeric()));
        match words.max_by_key(|word| word.len()) {
            Some(word) if !word.is_empty() => Some(Self::Ascii(word.to_ascii_lowercase().into_bytes())),
            _ => {
                let name = names.iter().max_by_key(|name| name.len()).filter(|name| !name.is_empty())?;
                let spelled = [name.clone(), name.to_lowercase(), name.to_uppercase()];
                Some(Self::Spelled(Box::new(spelled.map(|name| Finder::new(name.as_bytes()).into_owned()))))
            }
        }
    }

    /// Returns the first position of the word.
    pub(super) fn find(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Ascii(word) => find_ascii(text, word),
            Self::Spelled(finders) => finders.iter().filter_map(|finder| finder.find(text)).min(),
        }
    }
}

fn find_ascii(text: &[u8], word: &[u8]) -> Option<usize> {
    if let [letter] = word {
        return memchr2(*letter, letter.to_ascii_uppercase(), text);
    }
    // Three letters of a word are together in few other places.
    let probes = [0, word.len() / 2, word.len() - 1].map(|at| Probe::new(word[at]));
    let starts = text.len().checked_sub(word.len() - 1)?;
    let mut at = 0;
    while at < starts {
        let len = STRIDE.min(starts - at);
        let [first, middle, last] =
            [0, word.len() / 2, word.len() - 1].map(|offset| &text[at + offset..at + offset + len]);
        if may_hold(first, middle, last, &probes) {
            let is_at = |at: &usize| text[*at..*at + word.len()].eq_ignore_ascii_case(word);
            if let Some(found) = (at..at + len).find(is_at) {
                return Some(found);
            }
        }
        at += len;
    }
    None
}

/// A letter in both cases, or a digit.
struct Probe {
    lower: u8,
    /// The bit in which the cases differ.
    case: u8,
}

impl Probe {
    fn new(lower: u8) -> Self {
        Self { lower, case: if lower.is_ascii_alphabetic() { 0x20 } else { 0 } }
    }

    #[inline(always)]
    fn is(&self, byte: u8) -> u8 {
        u8::from(byte | self.case == self.lower)
    }
}

/// Whether some position has all three letters. Without an early exit, the compiler vectorises this loop.
#[inline(never)]
fn may_hold(first: &[u8], middle: &[u8], last: &[u8], [one, two, three]: &[Probe; 3]) -> bool {
    let mut any = 0;
    for ((a, b), c) in first.iter().zip(middle).zip(last) {
        any |= one.is(*a) & two.is(*b) & three.is(*c);
    }
    any > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case() {
        let check = |names: &[&str], text: &str, expect: Option<usize>| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(Anchor::new(&names).expect("some name").find(text.as_bytes()), expect, "{text}");
        };
        check(&["sku", "price"], "a,Pen,1\nPrice,b\n", Some(8));
        check(&["sku", "price"], "PRICE", Some(0));
        check(&["sku", "price"], "pric", None);
        check(&["sku", "price"], "", None);
        check(&["a", "b"], "xxB", Some(2));
        check(&["c1", "d"], "xx,C1,D", Some(3));
        check(&["Größe in Meter"], "GRÖSSE IN METER", Some(11));
        check(&["код", "имя"], "x,ИМЯ,КОД", Some(2));
        for before in 0..200 {
            check(&["price"], &format!("{}pRICe{}", "p".repeat(before), "e".repeat(70)), Some(before));
            check(&["price"], &format!("{}pRIC{}", "p".repeat(before), "e ".repeat(70)), Some(before));
        }
        assert!(Anchor::new(&[String::new()]).is_none());
    }
}
