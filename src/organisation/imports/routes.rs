//! Rosters over HTTP.
