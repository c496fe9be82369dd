//! What a request makes of a sku's edit. What the edit then shows is `place`'s affair. The rule is the contract's, section 2
//! "Edits".

use crate::Edit;

/// A change of one sku's edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditChange {
    /// Sets the fields that are given, keeps the others; `Some(None)` clears a field. The form and PATCH, which ask before
    /// whether the product is shown.
    Patch {
        /// The name to show, or none of its own.
        name: Option<Option<String>>,
        /// The description to show, or none of its own.
        description: Option<Option<String>>,
    },
    /// Replaces the edit by both fields, and lets the product stand though no source offers it. PUT.
    Replace {
        /// The name to show.
        name: String,
        /// The description to show.
        description: String,
    },
    /// Replaces the edit by hiding. DELETE.
    Hide,
    /// Removes the edit. DELETE of the edit; nothing else does.
    Clear,
}

/// The edit of `sku` after a change of the one before. None: there is no edit.
///
/// | change | name, description | hidden | stands |
/// | --- | --- | --- | --- |
/// | `Patch` | those given, else as before | as before | as before |
/// | `Replace` | those given | no | yes |
/// | `Hide` | none | yes | no |
///
/// A patch that sets nothing makes no edit where there was none.
#[must_use]
pub fn change_edit(sku: &str, before: Option<Edit>, change: EditChange) -> Option<Edit> {
    let blank = || Edit { sku: sku.to_owned(), ..Edit::default() };
    match change {
        EditChange::Patch { name, description } => {
            let sets = matches!((&name, &description), (Some(Some(_)), _) | (_, Some(Some(_))));
            let mut edit = before.or_else(|| sets.then(blank))?;
            edit.name = name.unwrap_or(edit.name);
            edit.description = description.unwrap_or(edit.description);
            Some(edit)
        }
        EditChange::Replace { name, description } => {
            Some(Edit { name: Some(name), description: Some(description), stands: true, ..blank() })
        }
        EditChange::Hide => Some(Edit { hidden: true, ..blank() }),
        EditChange::Clear => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An edit as `name/description`, with `H` if it hides and `S` if it stands; `-` is no text.
    fn edit(text: &str) -> Option<Edit> {
        let (fields, flags) = text.split_once(' ').unwrap_or((text, ""));
        let (name, description) = fields.split_once('/')?;
        let field = |text: &str| (text != "-").then(|| text.to_owned());
        Some(Edit {
            sku: "s".into(),
            name: field(name),
            description: field(description),
            hidden: flags.contains('H'),
            stands: flags.contains('S'),
        })
    }

    #[track_caller]
    fn check(before: &str, change: EditChange, expect: &str) {
        assert_eq!(change_edit("s", edit(before), change), edit(expect));
    }

    fn patch(name: Option<Option<&str>>, description: Option<Option<&str>>) -> EditChange {
        let owned = |field: Option<Option<&str>>| field.map(|text| text.map(str::to_owned));
        EditChange::Patch { name: owned(name), description: owned(description) }
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
        let replace = || EditChange::Replace { name: "n".into(), description: "d".into() };
        for before in ["none", "a/b", "-/- H", "a/- S"] {
            check(before, replace(), "n/d S");
            check(before, EditChange::Hide, "-/- H");
            check(before, EditChange::Clear, "none");
        }
    }
}
