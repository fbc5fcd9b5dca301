//! The types of events that other systems are told, and what each says.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::http::problem::Problem;
use crate::kernel::openapi::webhooks::DocumentedEvent;

/// A type of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum WebhookEventType {
    #[serde(rename = "document.published")]
    DocumentPublished,
    #[serde(rename = "document.recalled")]
    DocumentRecalled,
    #[serde(rename = "month.closed")]
    MonthClosed,
    #[serde(rename = "month.reopened")]
    MonthReopened,
    #[serde(rename = "quiz.published")]
    QuizPublished,
    #[serde(rename = "points.awarded")]
    PointsAwarded,
    #[serde(rename = "points.reversed")]
    PointsReversed,
}

/// The type of the event that an officer sends to try an endpoint. No endpoint has to ask for it.
pub const TEST: &str = "webhook.test";

/// What happened to a document. Read it with `getDocument`; what it says is never sent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DocumentEventData {
    /// The document.
    document_id: Uuid,
    /// The unit that owns it.
    unit_id: Uuid,
    /// The version that is out, or was.
    #[schema(minimum = 1, maximum = 1_000_000, example = 1)]
    version: i32,
}

/// What happened to the month of a cell.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MonthEventData {
    /// The closing.
    closing_id: Uuid,
    /// The cell.
    unit_id: Uuid,
    /// The month.
    period: Period,
}

/// What happened to a quiz.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct QuizEventData {
    /// The quiz.
    quiz_id: Uuid,
    /// The unit that owns it.
    unit_id: Uuid,
}

/// What happened to the points of a member who allowed the app to read them.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct EntryEventData {
    /// The entry in the ledger.
    entry_id: Uuid,
    /// The member.
    pub member_id: Uuid,
    /// The cell of that day.
    unit_id: Uuid,
    /// The month it counts for.
    period: Period,
    /// The points; below zero when an entry was taken back.
    #[schema(minimum = -1_000_000, maximum = 1_000_000, example = 3)]
    points: i32,
    /// The rule.
    #[schema(max_length = 60, pattern = "^[a-z0-9_]+$", example = "document_read")]
    rule: String,
}

/// A try.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TestEventData {
    /// The endpoint that is tried.
    pub endpoint_id: Uuid,
    /// The unit whose events it gets.
    pub unit_id: Uuid,
}

/// What an event says: ids and what changed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum EventData {
    Document(DocumentEventData),
    Month(MonthEventData),
    Quiz(QuizEventData),
    Entry(EntryEventData),
    Test(TestEventData),
}

impl WebhookEventType {
    pub const ALL: [Self; 7] = [
        Self::DocumentPublished,
        Self::DocumentRecalled,
        Self::MonthClosed,
        Self::MonthReopened,
        Self::QuizPublished,
        Self::PointsAwarded,
        Self::PointsReversed,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::DocumentPublished => "document.published",
            Self::DocumentRecalled => "document.recalled",
            Self::MonthClosed => "month.closed",
            Self::MonthReopened => "month.reopened",
            Self::QuizPublished => "quiz.published",
            Self::PointsAwarded => "points.awarded",
            Self::PointsReversed => "points.reversed",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What is sent of an event of the outbox: nothing but what the document names. With it comes the unit it is about.
    ///
    /// # Errors
    /// When the event does not say what its type promises.
    pub fn data(self, payload: &Value) -> Result<(Uuid, EventData), Problem> {
        fn read<T: for<'a> Deserialize<'a>>(payload: &Value) -> Result<T, Problem> {
            T::deserialize(payload).map_err(Problem::internal)
        }
        Ok(match self {
            Self::DocumentPublished | Self::DocumentRecalled => {
                let data: DocumentEventData = read(payload)?;
                (data.unit_id, EventData::Document(data))
            }
            Self::MonthClosed | Self::MonthReopened => {
                let data: MonthEventData = read(payload)?;
                (data.unit_id, EventData::Month(data))
            }
            Self::QuizPublished => {
                let data: QuizEventData = read(payload)?;
                (data.unit_id, EventData::Quiz(data))
            }
            Self::PointsAwarded | Self::PointsReversed => {
                let data: EntryEventData = read(payload)?;
                (data.unit_id, EventData::Entry(data))
            }
        })
    }

    fn summary(self) -> &'static str {
        match self {
            Self::DocumentPublished => "A document was published, or a new version of it",
            Self::DocumentRecalled => "A document was recalled",
            Self::MonthClosed => "The month of a cell was closed",
            Self::MonthReopened => "A closed month was reopened",
            Self::QuizPublished => "A quiz was published",
            Self::PointsAwarded => "A member who allowed the app earned points",
            Self::PointsReversed => "An entry of a member who allowed the app was taken back",
        }
    }
}

/// The events as the document shows them.
#[must_use]
pub fn documented() -> Vec<DocumentedEvent> {
    let id = "01949d6c-7c00-7000-8000-000000000001";
    let of = |kind: WebhookEventType| {
        let (data, example) = match kind {
            WebhookEventType::DocumentPublished | WebhookEventType::DocumentRecalled => {
                (DocumentEventData::name(), json!({"document_id": id, "unit_id": id, "version": 1}))
            }
            WebhookEventType::MonthClosed | WebhookEventType::MonthReopened => {
                (MonthEventData::name(), json!({"closing_id": id, "unit_id": id, "period": "2026-10"}))
            }
            WebhookEventType::QuizPublished => (QuizEventData::name(), json!({"quiz_id": id, "unit_id": id})),
            WebhookEventType::PointsAwarded | WebhookEventType::PointsReversed => (
                EntryEventData::name(),
                json!({"entry_id": id, "member_id": id, "unit_id": id, "period": "2026-11", "points": 3, "rule": "document_read"}),
            ),
        };
        DocumentedEvent { name: kind.as_str(), summary: kind.summary(), data: data.into_owned(), example }
    };
    let test = DocumentedEvent {
        name: TEST,
        summary: "An officer tries the endpoint",
        data: TestEventData::name().into_owned(),
        example: json!({"endpoint_id": id, "unit_id": id}),
    };
    WebhookEventType::ALL.into_iter().map(of).chain([test]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_read_back() {
        for kind in WebhookEventType::ALL {
            assert_eq!(WebhookEventType::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(WebhookEventType::parse(TEST), None);
    }

    #[test]
    fn what_is_sent_is_what_the_document_names() {
        let payload = json!({"document_id": Uuid::nil(), "unit_id": Uuid::nil(), "version": 2, "title": "Kế hoạch"});
        let (_, data) = WebhookEventType::DocumentPublished.data(&payload).unwrap();
        assert!(!serde_json::to_string(&data).unwrap().contains("title"));
        assert!(WebhookEventType::MonthClosed.data(&payload).is_err());
    }
}
