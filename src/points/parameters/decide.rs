//! Parameters that move figures, as decisions of two officers.

use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem, Text, text};
use crate::kernel::ids::new_id;
use crate::kernel::security::access::Permission;
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;
use crate::organisation::decisions::{self, Decision, DecisionKind, NewDecision};
use crate::organisation::units;

use super::{ParameterIn, rule};

/// The kind of decision that sets a parameter.
pub struct ParameterChange;

/// See [`ParameterChange`].
pub static POINT_PARAMETER: ParameterChange = ParameterChange;

/// Proposes a value. Returns the decision's id.
///
/// # Errors
/// As [`decisions::propose`].
pub async fn propose(
    conn: &mut Conn,
    unit_id: Uuid,
    body: &ParameterIn,
    by: &Principal,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Uuid, Problem> {
    let proposal = NewDecision {
        kind: &POINT_PARAMETER,
        object_id: new_id(now),
        unit_id,
        subject_id: None,
        at_stake: Vec::new(),
        reason: "",
        payload: serde_json::to_value(body).map_err(Problem::internal)?,
    };
    decisions::propose(conn, proposal, by, request_id, now).await
}

impl DecisionKind for ParameterChange {
    fn code(&self) -> &'static str {
        "point_parameter"
    }

    fn title(&self) -> Text {
        text("Đặt chỉ tiêu, tham số điểm", "A threshold or another point parameter")
    }

    fn proposing(&self) -> Permission {
        Permission::ManageParameters
    }

    fn deciding(&self) -> Permission {
        Permission::ManageParameters
    }

    fn apply<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        request_id: Option<&'a str>,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            let body: ParameterIn = serde_json::from_value(decision.payload.clone()).map_err(Problem::internal)?;
            let (unit_id, today) = (decision.unit_id, day_of(now));
            if body.from < Period::containing(today) {
                return Err(Problem::with(
                    Code::RuleNotMet,
                    format!("Tháng {} đã qua; hãy đề nghị lại từ tháng này trở đi.", body.from),
                    format!("The month {} is over: propose it anew from the present month on.", body.from),
                ));
            }
            let path = units::path(conn, unit_id, today).await?;
            rule::check(conn, &path, &body, today).await?;
            units::lock(conn, unit_id).await?;
            rule::set(conn, unit_id, &body, decision.object_id).await?;
            let event = audit::AuditEvent {
                client_id: None,
                actor_id: decision.decided_by,
                action: "points.parameter_set",
                object_kind: "unit",
                object_id: unit_id,
                unit_id: Some(unit_id),
                member_id: None,
                request_id,
                details: json!({"name": body.name, "value": body.value, "from": body.from}),
            };
            audit::record(conn, event, now).await
        })
    }
}
