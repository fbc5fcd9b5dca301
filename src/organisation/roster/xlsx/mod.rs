//! Reads the sheets of a workbook: cells with their text, marks and merges, within limits.

pub(super) mod guard;
pub(super) mod limits;
pub(super) mod marks;
pub(super) mod scan;
pub(super) mod workbook;
