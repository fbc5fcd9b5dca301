//! Kinds and states of appeals.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a member appeals against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppealKind {
    /// Something was done and gave no point.
    Missing,
    /// An entry is not right.
    Wrong,
}

impl AppealKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Wrong => "wrong",
        }
    }
}

/// Where an appeal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppealState {
    /// Waits for an answer.
    Open,
    /// The member was right.
    Upheld,
    /// The member was not.
    Dismissed,
}

impl AppealState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Upheld => "upheld",
            Self::Dismissed => "dismissed",
        }
    }
}

/// How an appeal is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppealOutcome {
    /// The member is right; an adjustment can follow.
    Upheld,
    /// The member is not right.
    Dismissed,
}

impl AppealOutcome {
    pub fn state(self) -> AppealState {
        match self {
            Self::Upheld => AppealState::Upheld,
            Self::Dismissed => AppealState::Dismissed,
        }
    }
}
