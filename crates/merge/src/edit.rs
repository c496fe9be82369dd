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
    /// Sets the texts of the columns given and keeps the others, and shows the product even if it was hidden or no source offers it.
    /// `None` shows the winner's text. Used by operations.
    Upsert(Vec<(usize, Option<String>)>),
    /// Replaces the edit with one that hides the product. Used by DELETE and by operations.
    Hide,
    /// Deletes the edit. Used only by DELETE of the edit itself.
    Clear,
    /// Sets the texts of the columns given and the flags given, and keeps the others. Used to undo an edit.
    Restore {
        /// Texts by column; `None` shows the winner's.
        texts: Vec<(usize, Option<String>)>,
        /// Whether the product is hidden.
        hidden: Option<bool>,
        /// Whether it is shown even if no source offers it.
        stands: Option<bool>,
    },
}

impl EditChange {
    /// Whether the texts of `before` stay, those aside that the change itself sets. After a hidden edit an upsert begins without texts:
    /// whoever deleted the product is not to find its old texts when it comes back.
    #[must_use]
    pub fn keeps_texts(&self, before: Option<&Edit>) -> bool {
        match self {
            EditChange::Patch(_) | EditChange::Restore { .. } => true,
            EditChange::Upsert(_) => before.is_some_and(|before| !before.hidden),
            EditChange::Replace(_) | EditChange::Hide | EditChange::Clear => false,
        }
    }
}

/// Applies a change to the edit of `sku`. `None` stands for no edit, before and after.
///
/// | change | texts | hidden | stands |
/// | --- | --- | --- | --- |
/// | `Patch` | those given, else unchanged | unchanged | unchanged |
/// | `Replace` | those given | no | yes |
/// | `Upsert` | those given, else unchanged; after a hidden edit, else none | no | yes |
/// | `Hide` | none | yes | no |
/// | `Clear` | no edit | | |
/// | `Restore` | those given, else unchanged | if given, else unchanged | the same |
///
/// A patch that sets no text does not create an edit. A restored edit that sets nothing any more is deleted.
#[must_use]
pub fn change_edit(sku: &str, before: Option<Edit>, change: EditChange) -> Option<Edit> {
    let blank = || Edit { sku: sku.to_owned(), ..Edit::default() };
    let keeps_texts = change.keeps_texts(before.as_ref());
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
        EditChange::Upsert(texts) => {
            let before = before.filter(|_| keeps_texts).unwrap_or_else(blank);
            let mut edit = Edit { hidden: false, stands: true, ..before };
            texts.into_iter().for_each(|(column, text)| edit.texts.set(column, text));
            Some(edit)
        }
        EditChange::Hide => Some(Edit { hidden: true, ..blank() }),
        EditChange::Clear => None,
        EditChange::Restore { texts, hidden, stands } => {
            let mut edit = before.unwrap_or_else(blank);
            texts.into_iter().for_each(|(column, text)| edit.texts.set(column, text));
            edit.hidden = hidden.unwrap_or(edit.hidden);
            edit.stands = stands.unwrap_or(edit.stands);
            (edit != blank()).then_some(edit)
        }
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

    /// The texts that a change carries: of each column none, null or a text.
    fn texts(name: Option<Option<&str>>, description: Option<Option<&str>>) -> Vec<(usize, Option<String>)> {
        let column = |(column, text): (usize, Option<Option<&str>>)| Some((column, text?.map(str::to_owned)));
        [name, description].into_iter().enumerate().filter_map(column).collect()
    }

    fn patch(name: Option<Option<&str>>, description: Option<Option<&str>>) -> EditChange {
        EditChange::Patch(texts(name, description))
    }

    fn upsert(name: Option<Option<&str>>, description: Option<Option<&str>>) -> EditChange {
        EditChange::Upsert(texts(name, description))
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
    fn an_upsert_sets_what_it_carries_and_shows_the_product() {
        check("none", upsert(Some(Some("n")), None), "n/- S");
        check("none", upsert(None, None), "-/- S");
        check("none", upsert(Some(None), None), "-/- S");
        check("a/b", upsert(Some(Some("n")), None), "n/b S");
        check("a/b S", upsert(None, Some(Some(""))), "a/ S");
        check("a/b S", upsert(Some(None), None), "-/b S");
        check("a/b S", upsert(None, None), "a/b S");
    }

    #[test]
    fn an_upsert_keeps_no_text_of_a_hidden_edit() {
        check("-/- H", upsert(Some(Some("n")), None), "n/- S");
        check("a/b H", upsert(Some(Some("n")), None), "n/- S");
        check("a/b H", upsert(None, None), "-/- S");
    }

    #[test]
    fn a_restored_edit_is_deleted_once_it_sets_nothing() {
        let restore = |name: Option<Option<&str>>, hidden, stands| EditChange::Restore {
            texts: texts(name, None),
            hidden,
            stands,
        };
        check("a/b S", restore(Some(Some("n")), None, None), "n/b S");
        check("a/- S", restore(Some(None), None, Some(false)), "none");
        check("a/-", restore(Some(None), None, None), "none");
        check("none", restore(Some(Some("n")), Some(true), None), "n/- H");
        check("-/- H", restore(None, Some(false), Some(true)), "-/- S");
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
