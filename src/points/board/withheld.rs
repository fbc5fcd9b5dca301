//! Figures of groups that are too small for an app without a person: they are not told, nor to be had by subtraction.

use std::collections::HashSet;

use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem};
use crate::points::projection;

use super::standings::{self, BoardView};
use super::summary::Summary;

/// Figures of fewer people than this are rows of people.
const FEWEST: i64 = 5;
/// More units than stand directly below any other.
const ALL: i64 = 10_000;

fn is_few(counted: i64) -> bool {
    (1..FEWEST).contains(&counted)
}

/// Which of the units below one are not told: the small ones, and when those together are few too, the smallest of the others, since
/// the figures of the whole less those of the others would be theirs.
fn small(children: &[(Uuid, i64)]) -> HashSet<Uuid> {
    let mut hidden: HashSet<Uuid> = children.iter().filter(|(_, n)| is_few(*n)).map(|(id, _)| *id).collect();
    let together: i64 = children.iter().filter(|(id, _)| hidden.contains(id)).map(|(_, counted)| counted).sum();
    if is_few(together) {
        let others = children.iter().filter(|(id, counted)| !hidden.contains(id) && *counted > 0);
        hidden.extend(others.min_by_key(|(id, counted)| (*counted, *id)).map(|(id, _)| *id));
    }
    hidden
}

/// Which of the units directly below one are not told.
pub async fn below(conn: &mut Conn, view: BoardView, is_computed: bool) -> Result<HashSet<Uuid>, Problem> {
    let children: Vec<(Uuid, i64)> = if is_computed {
        let rows = standings::children(conn, view, None, ALL).await?;
        rows.into_iter().map(|row| (row.id, Summary::from(row.counts).counted)).collect()
    } else {
        let rows = projection::children(conn, view.unit_id, view.period, view.day, None, ALL).await?;
        rows.iter().map(|row| (row.unit_id, Summary::from(row).counted)).collect()
    };
    Ok(small(&children))
}

/// Insists that a unit's figures may be told.
///
/// # Errors
/// 403 when it is too small, or another one's figures would follow from them.
pub fn require_told(summary: &Summary, unit_id: Uuid, siblings: &HashSet<Uuid>) -> Result<(), Problem> {
    if !is_few(summary.counted) && !siblings.contains(&unit_id) {
        return Ok(());
    }
    Err(Problem::with(
        Code::Forbidden,
        "Nhóm quá nhỏ: số liệu của nhóm không được đưa cho ứng dụng.",
        "The group is too small for its figures to be given to an app.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(counted: &[i64]) -> Vec<u128> {
        let children: Vec<(Uuid, i64)> =
            (0..).zip(counted).map(|(id, counted)| (Uuid::from_u128(id), *counted)).collect();
        let mut hidden: Vec<u128> = small(&children).into_iter().map(|id| id.as_u128()).collect();
        hidden.sort_unstable();
        hidden
    }

    #[test]
    fn no_small_group_can_be_had_by_subtraction() {
        assert_eq!(hidden(&[20, 30, 5]), [] as [u128; 0]);
        assert_eq!(hidden(&[20, 3, 30, 0]), [0, 1], "20 + 30 of 53 leaves three");
        assert_eq!(hidden(&[20, 3, 4, 30]), [1, 2], "seven together are enough");
        assert_eq!(hidden(&[2]), [0]);
    }
}
