//! The links and anchors of a Markdown file, as GitHub shows it.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The anchors of a document, and its links to others.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Anchors of headings and of HTML elements.
    pub(super) anchors: BTreeSet<String>,
    /// Targets of links and images, with the line each stands in.
    pub(super) links: Vec<(usize, String)>,
}

impl Page {
    /// Parses a file.
    pub(super) fn parse(text: &str) -> Self {
        let mut page = Self::default();
        let mut heading: Option<String> = None;
        for (event, range) in
            Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).into_offset_iter()
        {
            let line = text[..range.start].matches('\n').count() + 1;
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => page.add_heading(&heading.take().unwrap_or_default()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push((line, dest_url.into_string()));
                }
                Event::Html(html) | Event::InlineHtml(html) => page.add_html(line, &html),
                _ => {}
            }
        }
        page
    }

    /// Adds a heading's anchor; a second heading of the same text gets `-1`, a third `-2`.
    fn add_heading(&mut self, heading: &str) {
        let slug = slug(heading);
        let numbered = (1..).map(|number| format!("{slug}-{number}"));
        let free = std::iter::once(slug.clone()).chain(numbered).find(|anchor| !self.anchors.contains(anchor));
        self.anchors.extend(free);
    }

    fn add_html(&mut self, line: usize, html: &str) {
        self.anchors.extend(["id", "name"].iter().flat_map(|name| attributes(html, name)));
        self.links.extend(["href", "src"].iter().flat_map(|name| attributes(html, name)).map(|target| (line, target)));
    }
}

/// The anchor that GitHub gives a heading: small letters, digits, `_` and `-`, with `-` for each blank.
fn slug(heading: &str) -> String {
    let kept = |letter: char| match letter {
        ' ' => Some('-'),
        '_' | '-' => Some(letter),
        _ => letter.is_alphanumeric().then_some(letter),
    };
    heading.trim().to_lowercase().chars().filter_map(kept).collect()
}

/// The values of an attribute in a piece of HTML.
fn attributes(html: &str, name: &str) -> Vec<String> {
    let start = format!(" {name}=\"");
    html.split(&start).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}

#[cfg(test)]
mod tests;
