//! Members entered by hand: checked by the rules of the roster, every fault at once.

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::kernel::http::problem::{Code, Fault, Problem, text};
use crate::organisation::roster::entry::{self, Mistake};

use super::profile::Profile;
use super::store::NewMember;

/// Sex as the register distinguishes it.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SexIn {
    Male,
    Female,
}

/// What is to change; fields left out stay as they are, null removes a value.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberPatch {
    /// Full name.
    #[serde(default, deserialize_with = "named")]
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", nullable = false, value_type = Option<String>)]
    pub full_name: Option<String>,
    /// Day of birth, 18 years or more before the admission.
    #[serde(default, deserialize_with = "named")]
    #[schema(nullable = false, value_type = Option<NaiveDate>)]
    pub birth_date: Option<NaiveDate>,
    /// Citizen ID, 12 digits.
    #[serde(default, deserialize_with = "named")]
    #[schema(max_length = 12, pattern = "^[0-9]{12}$", nullable = false, value_type = Option<String>)]
    pub citizen_id: Option<String>,
    /// Vietnamese mobile number; several members may share one, who then cannot sign in with it.
    #[serde(default, deserialize_with = "named")]
    #[schema(max_length = 20, pattern = "^[0-9+. -]+$", value_type = Option<String>)]
    pub phone: Option<Option<String>>,
    /// Party card number, 12 digits.
    #[serde(default, deserialize_with = "named")]
    #[schema(max_length = 12, pattern = "^[0-9]{12}$", value_type = Option<String>)]
    pub card_number: Option<Option<String>>,
    /// When the member became official.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<NaiveDate>)]
    pub official_on: Option<Option<NaiveDate>>,
    /// Whether the member has no device of their own.
    #[serde(default, deserialize_with = "named")]
    #[schema(nullable = false, value_type = Option<bool>)]
    pub without_device: Option<bool>,
}

impl MemberPatch {
    /// Whether it gives out a number that is one person's only.
    pub fn gives_numbers(&self) -> bool {
        self.citizen_id.is_some() || self.card_number.is_some()
    }

    /// Whether it changes what the person proves themselves with: signing in, and redeeming a slip.
    pub fn changes_proofs(&self) -> bool {
        self.gives_numbers() || self.birth_date.is_some() || self.phone.is_some()
    }
}

/// A field that was sent, even if it is null.
fn named<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// A person to be admitted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberIn {
    /// Full name.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", example = "Nguyễn Văn An")]
    full_name: String,
    /// Day of birth.
    #[schema(example = "1980-05-19")]
    birth_date: NaiveDate,
    /// Sex.
    #[schema(example = "male")]
    sex: SexIn,
    /// When the person was admitted on probation, at the age of 18 or later.
    #[schema(example = "2026-11-03")]
    admitted_on: NaiveDate,
    /// When the member became official; leave it out while on probation.
    official_on: Option<NaiveDate>,
    /// Citizen ID, 12 digits.
    #[schema(max_length = 12, pattern = "^[0-9]{12}$", example = "038180004321")]
    citizen_id: String,
    /// Party card number, 12 digits.
    #[schema(max_length = 12, pattern = "^[0-9]{12}$")]
    card_number: Option<String>,
    /// Vietnamese mobile number.
    #[schema(max_length = 20, pattern = "^[0-9+. -]+$")]
    phone: Option<String>,
}

/// Collects what is wrong, field by field.
#[derive(Default)]
struct EntryFaults(Vec<Fault>);

impl EntryFaults {
    fn take<T>(&mut self, pointer: &str, checked: Result<T, Mistake>) -> Option<T> {
        checked
            .map_err(|mistake| {
                self.0.push(Fault {
                    pointer: pointer.to_owned(),
                    code: mistake.code,
                    detail: text(mistake.vi, mistake.en),
                });
            })
            .ok()
    }

    fn problem(self) -> Problem {
        Problem::faults(Code::RuleNotMet, self.0)
    }
}

/// Checks a person to be admitted.
///
/// # Errors
/// 422 with every fault.
pub fn check(body: &MemberIn, today: NaiveDate) -> Result<NewMember, Problem> {
    let mut faults = EntryFaults::default();
    let full_name = faults.take("/full_name", entry::full_name(&body.full_name));
    faults.take("/birth_date", entry::birth_date(body.birth_date, today));
    faults.take("/admitted_on", entry::party_date(body.admitted_on, today));
    faults.take("/admitted_on", entry::of_age(body.birth_date, body.admitted_on));
    if let Some(official) = body.official_on {
        check_official(&mut faults, body.admitted_on, official, today);
    }
    let citizen_id = faults.take("/citizen_id", entry::citizen_id(&body.citizen_id));
    let card_number =
        body.card_number.as_deref().and_then(|number| faults.take("/card_number", entry::card_number(number)));
    let phone = body.phone.as_deref().and_then(|number| faults.take("/phone", entry::phone(number)));
    match (full_name, citizen_id) {
        (Some(full_name), Some(citizen_id)) if faults.0.is_empty() => Ok(NewMember {
            full_name,
            birth_date: body.birth_date,
            sex: match body.sex {
                SexIn::Male => "male",
                SexIn::Female => "female",
            },
            admitted_on: body.admitted_on,
            official_on: body.official_on,
            citizen_id,
            card_number,
            phone,
        }),
        _ => Err(faults.problem()),
    }
}

/// Checks a change against the record it is made on, and normalises its values.
///
/// # Errors
/// 422 with every fault.
pub fn check_patch(before: &Profile, body: &MemberPatch, today: NaiveDate) -> Result<MemberPatch, Problem> {
    let (mut faults, mut patch) = (EntryFaults::default(), body.clone());
    if let Some(name) = &body.full_name {
        patch.full_name = faults.take("/full_name", entry::full_name(name));
    }
    if let Some(birth) = body.birth_date {
        faults.take("/birth_date", entry::birth_date(birth, today));
        faults.take("/birth_date", entry::of_age(birth, before.admitted_on));
    }
    if let Some(number) = &body.citizen_id {
        patch.citizen_id = faults.take("/citizen_id", entry::citizen_id(number));
    }
    if let Some(Some(phone)) = &body.phone {
        patch.phone = Some(faults.take("/phone", entry::phone(phone)));
    }
    if let Some(Some(card)) = &body.card_number {
        patch.card_number = Some(faults.take("/card_number", entry::card_number(card)));
    }
    if let Some(Some(official)) = body.official_on {
        check_official(&mut faults, before.admitted_on, official, today);
    }
    if faults.0.is_empty() { Ok(patch) } else { Err(faults.problem()) }
}

fn check_official(faults: &mut EntryFaults, admitted: NaiveDate, official: NaiveDate, today: NaiveDate) {
    faults.take("/official_on", entry::party_date(official, today));
    faults.take("/official_on", entry::official_after(admitted, official));
}
