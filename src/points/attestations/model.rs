//! Kinds, states and pure rules of attestations: which days, which objects, who may be listed.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::security::crypto::to_text;
use crate::kernel::text::likeness;
use crate::points;

/// What is attested; the rules of the same names give the points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttestationKind {
    /// Attended the cell's regular meeting of the month.
    MeetingAttended,
    /// Attended a thematic meeting of the cell.
    ThematicMeetingAttended,
    /// Contributed an opinion that was accepted.
    OpinionContributed,
    /// Studied together with a helper.
    AssistedSession,
}

impl AttestationKind {
    /// The name of the kind, and of the rule it earns by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MeetingAttended => "meeting_attended",
            Self::ThematicMeetingAttended => "thematic_meeting_attended",
            Self::OpinionContributed => "opinion_contributed",
            Self::AssistedSession => "assisted_session",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::MeetingAttended, Self::ThematicMeetingAttended, Self::OpinionContributed, Self::AssistedSession]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }

    /// What rules listen to.
    pub fn event(self) -> &'static str {
        match self {
            Self::MeetingAttended => points::MEETING,
            Self::ThematicMeetingAttended => "meeting.thematic_attended",
            Self::OpinionContributed => "opinion.accepted",
            Self::AssistedSession => points::ASSISTED_STUDY,
        }
    }

    pub fn object_kind(self) -> &'static str {
        match self {
            Self::MeetingAttended | Self::ThematicMeetingAttended => "meeting",
            Self::OpinionContributed => "opinion",
            Self::AssistedSession => "day",
        }
    }

    /// What a rule credits once: it follows from what happened, never from how often it was written down. A regular meeting
    /// is the one of its month and a thematic one that of its day, whatever the cell: nobody attends twice by changing the cell.
    /// An opinion is that of a cell, a day and what it was about.
    pub fn object_id(self, unit_id: Uuid, day: NaiveDate, subject: &str) -> String {
        match self {
            Self::MeetingAttended => Period::containing(day).to_string(),
            Self::ThematicMeetingAttended | Self::AssistedSession => day.to_string(),
            Self::OpinionContributed => format!("{unit_id}:{day}:{}", about(subject)),
        }
    }

    /// Whether the recorder may be on the list: at a meeting, which the recorder attends too; not for opinions and
    /// assisted study, which another officer has to record.
    pub fn may_list_the_recorder(self) -> bool {
        matches!(self, Self::MeetingAttended | Self::ThematicMeetingAttended)
    }
}

/// A short name of a subject, the same for all spellings that look alike.
fn about(subject: &str) -> String {
    to_text(&digest(&SHA256, likeness(subject).as_bytes()).as_ref()[..12])
}

/// Where an attestation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttestationState {
    /// Waits for a second officer.
    Recorded,
    /// The points were given.
    Confirmed,
    /// A second officer has not confirmed it.
    Declined,
    /// The recorder has taken it back.
    Withdrawn,
    /// It waited for too long.
    Expired,
}

impl AttestationState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Confirmed => "confirmed",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

/// Whether a day can be attested today: in the present month or the one before, and not in the future. Older days need
/// an adjustment.
pub fn is_recent(day: NaiveDate, today: NaiveDate) -> bool {
    day <= today && day >= Period::containing(today).previous().first_day()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CELL: Uuid = Uuid::from_u128(1);

    fn day(s: &str) -> NaiveDate {
        s.parse().unwrap()
    }

    #[test]
    fn days_of_the_month_before_are_the_oldest() {
        let today = day("2026-11-20");
        for (of, recent) in [
            ("2026-11-21", false),
            ("2026-11-20", true),
            ("2026-10-01", true),
            ("2026-09-30", false),
            ("2025-11-20", false),
        ] {
            assert_eq!(is_recent(day(of), today), recent, "{of}");
        }
    }

    #[test]
    fn names_read_back() {
        for name in ["meeting_attended", "thematic_meeting_attended", "opinion_contributed", "assisted_session"] {
            assert_eq!(AttestationKind::parse(name).unwrap().as_str(), name);
        }
        assert!(AttestationKind::parse("meeting").is_none());
    }

    proptest! {
        #[test]
        fn lists_of_the_same_meeting_have_the_same_object(a: String, b: String, other: u128, days in 0..60_u64) {
            let today = day("2026-11-01") + chrono::Days::new(days);
            let id = |kind: AttestationKind, subject, cell| kind.object_id(cell, today, subject);
            let other = Uuid::from_u128(other);
            for kind in [AttestationKind::MeetingAttended, AttestationKind::ThematicMeetingAttended, AttestationKind::AssistedSession] {
                prop_assert_eq!(id(kind, &a, CELL), id(kind, &b, CELL));
            }
            // By changing the cell, a member gets neither two regular meetings a month nor two thematic ones a day, nor help twice.
            for kind in [AttestationKind::MeetingAttended, AttestationKind::ThematicMeetingAttended, AttestationKind::AssistedSession] {
                prop_assert_eq!(id(kind, &a, CELL), id(kind, &a, other));
            }
        }

        #[test]
        fn an_opinion_is_what_it_was_about(subject in "[A-Za-z ăâđêôơư]{1,40}", other in "[A-Za-z]{1,40}") {
            let today = day("2026-11-01");
            let id = |subject: &str| AttestationKind::OpinionContributed.object_id(CELL, today, subject);
            prop_assert_eq!(id(&subject), id(&format!(" {} ", subject.to_uppercase().replace(' ', "  "))));
            prop_assert_eq!(id(&subject) == id(&other), likeness(&subject) == likeness(&other));
        }
    }

    #[test]
    fn look_alike_subjects_are_one_opinion() {
        let id = |subject: &str| AttestationKind::OpinionContributed.object_id(CELL, day("2026-11-01"), subject);
        for other in
            ["Góp ý hoà giải", "Góp ý hòa giải.", "Góp\u{200b} ý hòa giải", "Gόp ý hòa giải", "GÓP Ý hòa  giải"]
        {
            assert_eq!(id(other), id("Góp ý hòa giải"), "{other}");
        }
        assert_ne!(id("Góp ý dự thảo"), id("Góp ý hòa giải"));
    }
}
