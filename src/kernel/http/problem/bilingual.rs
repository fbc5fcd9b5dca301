//! Sentences in the two languages of the API, and the choice between them.

use std::borrow::Cow;

/// A sentence in the two languages of the API.
#[derive(Debug, Clone)]
pub struct Text {
    pub vi: Cow<'static, str>,
    pub en: Cow<'static, str>,
}

/// Builds a [`Text`] from string literals or formatted strings.
pub fn text(vi: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Text {
    Text { vi: vi.into(), en: en.into() }
}

/// Language of titles and details, chosen by `Accept-Language`; Vietnamese by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    #[default]
    Vietnamese,
    English,
}

impl Language {
    /// The preferred of the two languages in an `Accept-Language` header (RFC 9110 §12.5.4).
    pub fn from_header(header: &str) -> Self {
        let mut best = (0.0_f32, Self::Vietnamese);
        for range in header.split(',') {
            let mut parts = range.trim().split(';');
            let tag = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
            let quality = parts.find_map(|p| p.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            let language = match tag.split('-').next() {
                Some("vi" | "*") => Self::Vietnamese,
                Some("en") => Self::English,
                _ => continue,
            };
            if quality > best.0 {
                best = (quality, language);
            }
        }
        best.1
    }

    pub fn tag(self) -> &'static str {
        match self {
            Self::Vietnamese => "vi",
            Self::English => "en",
        }
    }

    pub fn pick(self, text: &Text) -> &str {
        match self {
            Self::Vietnamese => &text.vi,
            Self::English => &text.en,
        }
    }
}
