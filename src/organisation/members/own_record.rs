//! Nobody changes a record of their own.

use uuid::Uuid;

use crate::kernel::http::problem::{Code, Problem};

/// Refuses a caller who is the person that the record is about.
///
/// # Errors
/// 403 when it is the same person.
pub fn require_other(caller: Uuid, account_id: Uuid) -> Result<(), Problem> {
    if caller == account_id {
        return Err(Problem::with(
            Code::OwnInterest,
            "Không ai tự sửa hồ sơ của mình; cần một cán bộ khác.",
            "Nobody changes their own record; another officer has to.",
        ));
    }
    Ok(())
}
