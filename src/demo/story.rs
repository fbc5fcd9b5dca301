//! What the demo's members did in the months before today: visits, readings, meetings, opinions.

use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, Utc};
use uuid::Uuid;

use crate::kernel::clock::{Period, VIET_NAM};
use crate::points::{Deed, Deeds};

use super::dice::Dice;

/// A document that was there to be read.
pub struct Published {
    pub id: Uuid,
    pub on: NaiveDate,
    pub must_read: bool,
}

/// How eager a member is: percent of what is on offer that they take up.
#[derive(Debug, Clone, Copy)]
pub struct Eagerness(u64);

impl Eagerness {
    /// Most people are eager, some are not.
    pub fn of(dice: &mut Dice) -> Self {
        Self(match dice.roll(10) {
            0 => 15,
            1 | 2 => 55,
            3..=6 => 80,
            _ => 97,
        })
    }

    /// A member who takes up everything on offer.
    pub fn full() -> Self {
        Self(100)
    }
}

/// The deeds of one member from `since` to yesterday, in order of time.
pub fn deeds(
    dice: &mut Dice,
    eagerness: Eagerness,
    documents: &[Published],
    since: NaiveDate,
    today: NaiveDate,
) -> Deeds {
    let mut deeds = Deeds::new();
    let mut day = since;
    while day < today {
        deeds.extend(visit(dice, eagerness, day));
        deeds.extend(meeting(dice, eagerness, day));
        for document in documents.iter().filter(|document| reads_on(document, day)) {
            deeds.extend(reading(dice, eagerness, document, day));
        }
        day = day + Days::new(1);
    }
    deeds.sort_by_key(|(_, at)| *at);
    deeds
}

/// A document is read two days after it came out.
fn reads_on(document: &Published, day: NaiveDate) -> bool {
    document.on + Days::new(2) == day
}

fn visit(dice: &mut Dice, Eagerness(percent): Eagerness, day: NaiveDate) -> Option<(Deed, DateTime<Utc>)> {
    // About every third day is enough for the month's eight points.
    (dice.chance(35) && dice.chance(percent))
        .then(|| (deed("visit", "day", day.to_string()), at(day, 6, dice.roll(120))))
}

fn meeting(dice: &mut Dice, Eagerness(percent): Eagerness, day: NaiveDate) -> Vec<(Deed, DateTime<Utc>)> {
    let mut made = Vec::new();
    if Period::containing(day).first_day() + Days::new(4) == day && dice.chance(percent.max(40)) {
        // The object of a regular meeting is its month, as when officers attest it.
        made.push((deed("meeting.attended", "meeting", Period::containing(day).to_string()), at(day, 19, 0)));
        if dice.chance(percent / 2) {
            made.push((deed("opinion.accepted", "opinion", format!("demo-{day}")), at(day, 19, 30)));
        }
    }
    made
}

fn reading(
    dice: &mut Dice,
    Eagerness(percent): Eagerness,
    document: &Published,
    day: NaiveDate,
) -> Vec<(Deed, DateTime<Utc>)> {
    let mut made = Vec::new();
    if dice.chance(percent) {
        let minute = dice.roll(180);
        made.push((deed("document.read", "document", document.id.to_string()), at(day, 20, minute)));
        if document.must_read {
            made.push((deed("document.acknowledged", "document", document.id.to_string()), at(day, 20, minute + 1)));
        }
    }
    made
}

fn deed(event: &'static str, object_kind: &'static str, object_id: String) -> Deed {
    Deed { event, object_kind, object_id, ..Deed::default() }
}

/// An instant of a day in Viet Nam.
pub fn at(day: NaiveDate, hour: i64, minute: u64) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN).and_local_timezone(VIET_NAM).earliest();
    let minutes = hour * 60 + i64::try_from(minute).unwrap_or(0);
    midnight.map_or(DateTime::UNIX_EPOCH, |m| m.to_utc()) + Duration::minutes(minutes)
}
