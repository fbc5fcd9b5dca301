//! Markdown of this repository as HTML: no raw HTML, links that keep the language, headings with anchors.

use maud::{Markup, PreEscaped};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use crate::kernel::pages::visit::Visit;

/// The address that commands in the sources name; a server puts its own in its place.
const EXAMPLE_ADDRESS: &str = "http://127.0.0.1:8080";

/// The text of the first heading.
pub fn title(source: &str) -> &str {
    source.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default().trim()
}

/// The page's text.
pub fn render(source: &str, visit: &Visit, base_url: &str) -> Markup {
    let source = source.replace(EXAMPLE_ADDRESS, base_url);
    let mut events: Vec<Event<'_>> =
        Parser::new_ext(&source, Options::ENABLE_TABLES).map(|event| safe(event, visit)).collect();
    name_headings(&mut events);
    let mut text = String::new();
    html::push_html(&mut text, events.into_iter());
    PreEscaped(text)
}

/// A line in which backticks mark code.
pub fn inline(text: &str) -> Markup {
    maud::html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

/// Raw HTML becomes text; links within the site stay in the language of the visit.
fn safe<'a>(event: Event<'a>, visit: &Visit) -> Event<'a> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let inside = dest_url.starts_with('/');
            let dest_url = if inside { visit.href(&dest_url).into() } else { dest_url };
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        other => other,
    }
}

/// Gives headings below the first an id made from their text.
fn name_headings(events: &mut [Event<'_>]) {
    let mut names = Vec::new();
    let mut text: Option<String> = None;
    for event in events.iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) if *level > HeadingLevel::H1 => text = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => names.extend(text.take().map(|text| anchor(&text))),
            Event::Text(part) | Event::Code(part) => {
                if let Some(text) = &mut text {
                    text.push_str(part);
                }
            }
            _ => {}
        }
    }
    let mut names = names.into_iter();
    for event in events {
        if let Event::Start(Tag::Heading { level, id, .. }) = event
            && *level > HeadingLevel::H1
        {
            *id = names.next().map(CowStr::from);
        }
    }
}

/// Letters and digits in lower case, all else hyphens.
fn anchor(text: &str) -> String {
    let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}
