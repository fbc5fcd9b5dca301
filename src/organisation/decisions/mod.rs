//! One decision by two officers: one proposes, a second confirms; used by every feature.
//!
//! A feature that needs two officers
//! 1. implements [`DecisionKind`]: its name, who proposes, who decides, for how long, what happens on confirmation;
//! 2. lists it in the registry of `app.rs`;
//! 3. calls [`propose`] where one officer asks for it, and answers 202 with [`DecisionOut`] (see [`answer`]).
//!
//! Inbox, confirmation (one or fifty), refusal, withdrawal, expiry, notifications, audit and events come with it. A feature
//! with routes of its own for confirming calls [`confirm`], [`decline`] and [`withdraw`] with an [`Act`], after finding the
//! decision with [`last_of`]. Who may decide is computed in one place, `eligibility.rs`, at the moment of deciding.
//! A single act that one officer does alone but that counts as deciding asks [`require_rested`] first.

mod batch;
mod credentials;
mod eligibility;
mod model;
mod output;
pub mod routes;
mod store;
mod target;
mod workflow;

pub use credentials::require_rested;
pub use eligibility::{require_decider, require_proposer_still};
pub use model::{Decision, DecisionKind, DecisionRole, DecisionState, NewDecision, Reach, Registry};
pub use output::{DecisionOut, answer};
pub use store::{get, last_of, waiting, waits_about, waits_already};
pub use workflow::{Act, Decider, confirm, decline, expire, propose, withdraw};
