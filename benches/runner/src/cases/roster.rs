//! P9: the roster of a whole province from one Excel file.

use crate::cases::Bench;
use crate::report::Figure;

pub async fn import(_bench: &Bench<'_>) -> Result<Vec<Figure>, String> {
    Err("not yet".to_owned())
}
