//! How far a phone has come: up to which transaction, within which pass, for which member.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::documents::SYNC_DAYS;
use crate::kernel::http::problem::{Code, Problem, text};
use crate::kernel::security::crypto::{from_text, to_text};

/// Where a pass through the changes stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncPosition {
    /// The last document shown.
    pub document: Option<(i64, Uuid)>,
    /// The last notification shown.
    pub notification: Option<(i64, Uuid)>,
    /// The last quiz shown.
    #[serde(default)]
    pub quiz: Option<(i64, Uuid)>,
}

/// An opaque cursor, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Whose it is.
    pub account: Uuid,
    /// The audiences it is about: who has moved begins anew.
    pub audiences: String,
    /// The transaction from which on this pass looks; none in a first pass.
    pub since: Option<i64>,
    /// The one from which on the next pass will look: what commits late has a smaller number than what was seen.
    pub next: i64,
    /// None when the pass is over.
    pub position: Option<SyncPosition>,
    /// When the pass began, seconds.
    pub at: i64,
    /// Digest of the profile that the phone has. Cursors without one were made before quizzes and the profile were synchronised.
    #[serde(default)]
    pub profile: Option<String>,
}

impl Cursor {
    /// The cursor as clients see it.
    pub fn to_text(&self) -> Result<String, Problem> {
        Ok(to_text(&serde_json::to_vec(self).map_err(Problem::internal)?))
    }

    /// Reads a cursor of this member.
    ///
    /// # Errors
    /// 400 for one that was not made for the member, 410 for one that is too old or of other audiences.
    pub fn read(input: &str, account: Uuid, audiences: &str, now: DateTime<Utc>) -> Result<Self, Problem> {
        let cursor: Option<Self> = from_text(input).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let cursor = cursor.filter(|cursor| cursor.account == account).ok_or_else(|| {
            let detail = text("Con trỏ không hợp lệ; hãy đồng bộ lại từ đầu.", "The cursor is not valid: start anew.");
            Problem::malformed("cursor", "cursor", detail)
        })?;
        let age = now - DateTime::from_timestamp(cursor.at, 0).unwrap_or_default();
        if cursor.audiences != audiences || cursor.profile.is_none() || age > TimeDelta::days(SYNC_DAYS) {
            return Err(too_old());
        }
        Ok(cursor)
    }
}

/// The phone has to begin anew.
pub fn too_old() -> Problem {
    Problem::with(
        Code::SyncExpired,
        "Lần đồng bộ trước đã quá lâu hoặc đồng chí đã chuyển đơn vị; hãy đồng bộ lại từ đầu.",
        "The last synchronisation is too long ago, or the member has moved: start without a cursor.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> Cursor {
        let position = SyncPosition { document: Some((7, Uuid::nil())), ..SyncPosition::default() };
        Cursor {
            account: Uuid::nil(),
            audiences: "x".into(),
            since: Some(5),
            next: 9,
            position: Some(position),
            at: 1_000_000,
            profile: Some("y".into()),
        }
    }

    #[test]
    fn a_cursor_belongs_to_its_member() {
        let now = DateTime::from_timestamp(1_000_100, 0).unwrap();
        let written = cursor().to_text().unwrap();
        assert_eq!(Cursor::read(&written, Uuid::nil(), "x", now).unwrap(), cursor());
        assert_eq!(Cursor::read(&written, Uuid::max(), "x", now).unwrap_err().code.status(), 400);
        assert_eq!(Cursor::read("bm90aGluZw", Uuid::nil(), "x", now).unwrap_err().code.status(), 400);
    }

    #[test]
    fn who_moved_or_slept_long_begins_anew() {
        let written = cursor().to_text().unwrap();
        let soon = DateTime::from_timestamp(1_000_100, 0).unwrap();
        assert_eq!(Cursor::read(&written, Uuid::nil(), "y", soon).unwrap_err().code.status(), 410);
        let late = soon + TimeDelta::days(SYNC_DAYS + 1);
        assert_eq!(Cursor::read(&written, Uuid::nil(), "x", late).unwrap_err().code.status(), 410);
        let before_quizzes = Cursor { profile: None, ..cursor() }.to_text().unwrap();
        assert_eq!(Cursor::read(&before_quizzes, Uuid::nil(), "x", soon).unwrap_err().code.status(), 410);
    }
}
