//! Members of a large demo: accounts, sealed profiles, handles, memberships, exemptions, roles.

use crate::kernel::security::crypto::Crypto;
use crate::organisation::members::{Origin, handle_digests, seal};

use super::copy::CopyRows;
use super::plan::{LargePlan, Person};

/// Makes all persons, cell by cell, until `each` fails because the receiver takes no more rows.
pub fn everybody(plan: &LargePlan, mut each: impl FnMut(Person) -> Result<(), String>) -> Result<(), String> {
    for cell in 0..plan.shape.cells {
        for number in plan.members_of(cell) {
            each(plan.person(cell, number))?;
        }
    }
    Ok(())
}

/// Begins a row, or ends the work when the receiver is gone.
pub fn begin(rows: &mut CopyRows, fields: i16) -> Result<(), String> {
    if rows.row(fields) { Ok(()) } else { Err("the copy was broken off".to_owned()) }
}

/// Rows of `accounts (id, kind, display_name, created_at)`.
pub fn accounts(plan: &LargePlan, rows: &mut CopyRows) -> Result<(), String> {
    everybody(plan, |person| {
        begin(rows, 4)?;
        rows.id(person.id);
        rows.text("member");
        rows.text(&plan.profile(&person).full_name);
        rows.time(plan.created_at());
        Ok(())
    })
}

/// The columns of `members` that [`members`] fills.
pub const MEMBERS: &str = "members (id, full_name, birth_date, sex, admitted_on, official_on, citizen_id_sealed, \
     card_number_sealed, phone_sealed, without_device, created_at)";

/// Rows of [`MEMBERS`].
pub fn members(plan: &LargePlan, crypto: &Crypto, rows: &mut CopyRows) -> Result<(), String> {
    everybody(plan, |person| {
        let profile = plan.profile(&person);
        let sealed = seal(crypto, person.id, &profile).map_err(|e| e.to_string())?;
        begin(rows, 11)?;
        rows.id(person.id);
        rows.text(&profile.full_name);
        rows.day(profile.birth_date);
        rows.text(profile.sex);
        rows.day(profile.admitted_on);
        rows.maybe(profile.official_on, CopyRows::day);
        rows.bytes(&sealed.citizen_id);
        rows.maybe(sealed.card_number, |rows, value| rows.bytes(&value));
        rows.maybe(sealed.phone, |rows, value| rows.bytes(&value));
        rows.bool(person.without_device);
        rows.time(plan.created_at());
        Ok(())
    })
}

/// Rows of `sign_in_handles (account_id, kind, digest, since)`.
pub fn handles(plan: &LargePlan, crypto: &Crypto, rows: &mut CopyRows) -> Result<(), String> {
    everybody(plan, |person| {
        for (kind, digest) in handle_digests(crypto, &plan.profile(&person)) {
            begin(rows, 4)?;
            rows.id(person.id);
            rows.text(kind.as_str());
            rows.bytes(&digest);
            rows.time(plan.created_at());
        }
        Ok(())
    })
}

/// Rows of `memberships (id, member_id, unit_id, origin, valid_from, valid_to)`.
pub fn memberships(plan: &LargePlan, rows: &mut CopyRows) -> Result<(), String> {
    everybody(plan, |person| {
        let mut stretch = |order: u32, cell: u32, origin: Origin, from, to| {
            begin(rows, 6)?;
            rows.id(plan.id(3, u64::from(person.number) * 2 + u64::from(order)));
            rows.id(person.id);
            rows.id(plan.unit_id(plan.cell_unit(cell)));
            rows.text(origin.as_str());
            rows.day(from);
            rows.maybe(to, CopyRows::day);
            Ok::<_, String>(())
        };
        match person.moved {
            Some((before, day)) => {
                stretch(0, before, Origin::Imported, plan.since, Some(day))?;
                stretch(1, person.cell, Origin::Transferred, day, None)
            }
            None => stretch(0, person.cell, Origin::Imported, plan.since, None),
        }
    })
}

/// Rows of `exemptions (id, member_id, kind, valid_from, reason, created_at)`.
pub fn exemptions(plan: &LargePlan, rows: &mut CopyRows) -> Result<(), String> {
    everybody(plan, |person| {
        if person.exempt {
            begin(rows, 6)?;
            rows.id(plan.id(4, u64::from(person.number)));
            rows.id(person.id);
            rows.text("exempt");
            rows.day(plan.since);
            rows.text("Tuổi cao, sức yếu");
            rows.time(plan.created_at());
        }
        Ok(())
    })
}

/// Rows of `grants (id, account_id, role, unit_id, valid_from, created_at)`.
pub fn grants(plan: &LargePlan, rows: &mut CopyRows) -> Result<(), String> {
    for (order, (number, role, unit)) in (0..).zip(plan.grants()) {
        begin(rows, 6)?;
        rows.id(plan.id(5, order));
        rows.id(plan.member_id(number));
        rows.text(role.as_str());
        rows.id(plan.unit_id(unit));
        rows.day(plan.since);
        rows.time(plan.created_at());
    }
    Ok(())
}
