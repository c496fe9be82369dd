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
const STRIDE: usize = 64;

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
    let (first, last) = (word[0], word[word.len() - 1]);
    if word.len() == 1 {
        return memchr2(first, first.to_ascii_uppercase(), text);
    }
    // The bit in which the cases of a letter differ. Digits have none.
    let case = |byte: u8| if byte.is_ascii_alphabetic() { 0x20 } else { 0 };
    let (first_case, last_case) = (case(first), case(last));
    let ends = text.get(word.len() - 1..)?;
    let is_at = |at: usize| text[at..].get(..word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word));
    let (starts, _) = text[..ends.len()].as_chunks::<STRIDE>();
    let (parts, rest) = ends.as_chunks::<STRIDE>();
    for (part, (starts, ends)) in starts.iter().zip(parts).enumerate() {
        let may_be = |(a, b): (&u8, &u8)| u8::from(*a | first_case == first) & u8::from(*b | last_case == last);
        if starts.iter().zip(ends).map(may_be).fold(0, |any, one| any | one) > 0 {
            let begin = part * STRIDE;
            if let Some(at) = (begin..begin + STRIDE).find(|at| is_at(*at)) {
                return Some(at);
            }
        }
    }
    (ends.len() - rest.len()..ends.len()).find(|at| is_at(*at))
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
