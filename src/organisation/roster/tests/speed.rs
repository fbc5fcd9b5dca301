//! A whole province at once.

use std::time::{Duration, Instant};

use super::*;
use crate::organisation::roster::{RosterLimits, parse_within};

#[test]
fn a_province_is_read_in_seconds() {
    const MEMBERS: u32 = 108_600;
    let bytes = workbook(|sheet| {
        write(sheet, 1, &HEADINGS);
        for n in 0..MEMBERS {
            write(sheet, n + 2, &MEMBER[..4]);
            let card = format!("{:012}", 38_000_000 + n);
            let citizen = 38_180_000_000.0 + f64::from(n);
            sheet.write_string(n + 1, 4, card).unwrap();
            sheet.write_number(n + 1, 5, citizen).unwrap();
            sheet.write_string(n + 1, 7, MEMBER[7]).unwrap();
            sheet.write_string(n + 1, 8, MEMBER[8]).unwrap();
        }
    });
    let start = Instant::now();
    let roster = parse_within(&bytes, today(), &RosterLimits::province()).unwrap();
    let taken = start.elapsed();
    assert_eq!(roster.rows.len(), MEMBERS as usize);
    println!("{MEMBERS} members, {} bytes: {taken:?}", bytes.len());
    // A release build takes a second; this bound is for slow unoptimised ones.
    assert!(taken < Duration::from_secs(60), "{taken:?}");
}
