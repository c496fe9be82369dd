//! `GET /demo`: the page of `starter demo`, which says what to try. Any other master has no such page.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;

use crate::http::{
    pages::frame::answer,
    server::{App, error::ApiError, router::not_found},
};

/// Something to try in the demo: the page to open, its title, and a sentence.
#[derive(Debug, Clone, Copy)]
pub struct DemoStep {
    /// Path of the page.
    pub path: &'static str,
    /// Title of the page.
    pub title: &'static str,
    /// Sentence on what to see and to do there.
    pub sentence: &'static str,
}

/// Things to try in the demo. `starter` prints the same sentences.
pub const DEMO_STEPS: [DemoStep; 5] = [
    DemoStep {
        path: "/products",
        title: "Products",
        sentence: "Look at the column Price, search for a product and correct it: your correction outlives every new file.",
    },
    DemoStep {
        path: "/reports",
        title: "Reports",
        sentence: "Open the two reports over dated rows, by month and by week: a day is added every few seconds.",
    },
    DemoStep {
        path: "/sources",
        title: "Sources",
        sentence: "Watch the source south go down once a minute and come back: its products stay meanwhile.",
    },
    DemoStep {
        path: "/",
        title: "Overview",
        sentence: "Accept the new list of the source outlet, which lacks most of its products: it is held, and nothing of it is \
                   applied until you say that it is right.",
    },
    DemoStep {
        path: "/rejects",
        title: "Set aside",
        sentence: "Find the row of outlet that was set aside because it has no SKU, then see under Upload what the demo has sent \
                   through the API, and send a file of your own.",
    },
];

/// Shows the page, in the demo only.
pub(crate) async fn show(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    if app.is_demo { answer(&app, StatusCode::OK, &Demo) } else { not_found().await }
}

/// The page at `/demo`.
#[derive(Template)]
#[template(path = "demo.html")]
struct Demo;

impl Demo {
    fn steps(&self) -> &'static [DemoStep] {
        &DEMO_STEPS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_what_to_try_in_five_sentences() {
        let page = Demo.render().unwrap();
        for DemoStep { path, title, sentence } in DEMO_STEPS {
            assert!(page.contains(&format!("<a href=\"{path}\">{title}</a>")), "{page}");
            assert_eq!((sentence.matches(['.', '?', '!']).count(), sentence.ends_with('.')), (1, true), "{sentence}");
        }
        assert_eq!(page.matches("<li>").count(), 5, "{page}");
    }
}
