//! How much of a workbook the reader is willing to look at.

/// Upper bounds for one import. Whatever exceeds one is refused before it costs
/// memory or time; see [`super::RosterError::TooLarge`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file as uploaded.
    pub input_bytes: u64,
    /// Bytes of all parts of the archive together, unzipped.
    pub unzipped_bytes: u64,
    /// How many times larger than its zipped form a part may be. Parts that stay
    /// below 1 MiB unzipped are exempt: tiny ones compress arbitrarily well.
    pub ratio: u64,
    /// Entries of the archive.
    pub entries: usize,
    /// Bytes of one XML tag with its attributes.
    pub tag_bytes: usize,
    /// Entries of the shared-string table.
    pub shared_strings: u64,
    /// XML elements other than cells, rows and strings (styles, merges, rich
    /// text …), over all parts.
    pub elements: u64,
    /// XML elements of the style sheet: each may become a copy of another, so
    /// that they are the dearest per byte.
    pub style_elements: u64,
    /// The last row that may hold a value (1-based).
    pub rows: u32,
    /// The number of columns that may hold values.
    pub columns: u32,
    /// How many members may be secretary: one in a cell, many in a province.
    pub secretaries: usize,
}

const MIB: u64 = 1 << 20;

impl Limits {
    /// For the roster of one cell that somebody uploads.
    #[must_use]
    pub const fn cell() -> Self {
        Self {
            input_bytes: 20 * MIB,
            unzipped_bytes: 64 * MIB,
            ratio: 200,
            entries: 200,
            tag_bytes: 4096,
            shared_strings: 1_000_000,
            elements: 100_000,
            style_elements: 20_000,
            rows: 200_000,
            columns: 100,
            secretaries: 1,
        }
    }

    /// For the roster of a whole province (108,600 members) that an operator
    /// imports from the command line.
    #[must_use]
    pub const fn province() -> Self {
        Self {
            input_bytes: 200 * MIB,
            unzipped_bytes: 512 * MIB,
            shared_strings: 4_000_000,
            elements: 2_000_000,
            secretaries: usize::MAX,
            ..Self::cell()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::cell()
    }
}
