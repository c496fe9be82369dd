//! Applies a request to the edit of a sku (docs/reference/README.md#edits). `resolve` then decides what the edit shows.

use crate::offer::Edit;

/// A change of one sku's edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditChange {
    /// Sets the texts of the columns given and keeps the others. `None` shows the winner's text. Used by the form and by PATCH,
    /// which check first that the product is shown.
    Patch(Vec<(usize, Option<String>)>),
    /// Replaces the edit with one of these texts, by column, and shows the product even if no source offers it. Used by PUT.
    Replace(Vec<(usize, String)>),
    /// Replaces the edit with one that hides the product. Used by DELETE.
    Hide,
    /// Deletes the edit. Used only by DELETE of the edit itself.
    Clear,
}

/// Applies a change to the edit of `sku`. `None` stands for no edit, before and after.
///
/// | change | texts | hidden | stands |
/// | --- | --- | --- | --- |
/// | `Patch` | those given, else unchanged | unchanged | unchanged |
/// | `Replace` | those given | no | yes |
/// | `Hide` | none | yes | no |
/// | `Clear` | no edit | | |
///
/// A patch that sets no text does not create an edit.
#[must_use]
pub fn change_edit(sku: &str, before: Option<Edit>, change: EditChange) -> Option<Edit> {
    let blank = || Edit { sku: sku.to_owned(), ..Edit::default() };
    match change {
        EditChange::Patch(texts) => {
            let sets = texts.iter().any(|(_, text)| text.is_some());
            let mut edit = before.or_else(|| sets.then(blank))?;
            texts.into_iter().for_each(|(column, text)| edit.texts.set(column, text));
            Some(edit)
        }
        EditChange::Replace(texts) => {
            let mut edit = Edit { stands: true, ..blank() };
            texts.into_iter().for_each(|(column, text)| edit.texts.set(column, Some(text)));
            Some(edit)
        }
        EditChange::Hide => Some(Edit { hidden: true, ..blank() }),
        EditChange::Clear => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses `name/description`, followed by `H` for hidden and `S` for stands. `-` means no text.
    fn edit(text: &str) -> Option<Edit> {
        let (fields, flags) = text.split_once(' ').unwrap_or((text, ""));
        let (name, description) = fields.split_once('/')?;
        let field = |text: &str| (text != "-").then(|| text.to_owned());
        Some(Edit {
            sku: "s".into(),
            texts: [name, description].into_iter().map(field).collect(),
            hidden: flags.contains('H'),
            stands: flags.contains('S'),
        })
    }

    #[track_caller]
    fn check(before: &str, change: EditChange, expect: &str) {
        assert_eq!(change_edit("s", edit(before), change), edit(expect));
    }

    fn patch(name: Option<Option<&str>>, description: Option<Option<&str>>) -> EditChange {
        let column = |(column, text): (usize, Option<Option<&str>>)| Some((column, text?.map(str::to_owned)));
        EditChange::Patch([name, description].into_iter().enumerate().filter_map(column).collect())
    }

    #[test]
    fn a_patch_sets_what_it_carries() {
        check("none", patch(Some(Some("n")), None), "n/-");
        check("a/b S", patch(Some(Some("n")), None), "n/b S");
        check("a/b", patch(None, Some(Some(""))), "a/");
        check("a/b", patch(Some(None), Some(None)), "-/-");
        check("none", patch(Some(None), None), "none");
        check("none", patch(None, None), "none");
        check("-/- H", patch(Some(Some("n")), None), "n/- H");
    }

    #[test]
    fn the_others_replace_the_edit() {
        let replace = || EditChange::Replace(vec![(0, "n".into()), (1, "d".into())]);
        for before in ["none", "a/b", "-/- H", "a/- S"] {
            check(before, replace(), "n/d S");
            check(before, EditChange::Hide, "-/- H");
            check(before, EditChange::Clear, "none");
        }
    }
}
