//! Texts for people: numbers, counts, times and links.

#[cfg(test)]
pub(in crate::http) mod escaping;
pub(in crate::http) mod moment;
pub(in crate::http) mod numbers;
pub(in crate::http) mod wording;
