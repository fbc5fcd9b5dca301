//! Cells as text: the normalisation of the kernel, and what a spreadsheet makes of a text.

pub(super) use crate::kernel::text::{fold, one_line as tidy, title_case};

/// Whether the text would be taken for a formula by a spreadsheet.
pub(super) fn looks_like_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@'])
}
