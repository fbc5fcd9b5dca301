//! Invented people: random names, and numbers that belong to no person.

use chrono::{Days, NaiveDate};

use crate::organisation::members::NewMember;

use super::dice::Dice;

const FAMILY: [&str; 14] =
    ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô"];
const MALE_MIDDLE: [&str; 8] = ["Văn", "Hữu", "Đức", "Minh", "Quang", "Công", "Xuân", "Thành"];
const FEMALE_MIDDLE: [&str; 8] = ["Thị", "Thu", "Kim", "Ngọc", "Bích", "Thanh", "Minh", "Phương"];
const MALE_GIVEN: [&str; 16] = [
    "An", "Bảo", "Cường", "Dũng", "Đạt", "Hải", "Hiếu", "Hùng", "Khoa", "Lâm", "Nam", "Phúc", "Quân", "Sơn", "Tùng",
    "Việt",
];
const FEMALE_GIVEN: [&str; 16] = [
    "Ánh", "Bình", "Chi", "Dung", "Hà", "Hạnh", "Hiền", "Hoa", "Hồng", "Lan", "Linh", "Mai", "Nga", "Oanh", "Thảo",
    "Yến",
];

/// A person of about the age given, admitted long ago. `number` makes citizen ID, card and phone unique.
pub fn person(dice: &mut Dice, number: u64, age: u64, today: NaiveDate) -> NewMember {
    let female = dice.chance(48);
    let (middle, given) = if female {
        (dice.pick(&FEMALE_MIDDLE), dice.pick(&FEMALE_GIVEN))
    } else {
        (dice.pick(&MALE_MIDDLE), dice.pick(&MALE_GIVEN))
    };
    let birth_date = today - Days::new(age * 365 + dice.roll(364));
    let years_of_membership = (age - 20).min(1 + dice.roll(age - 20));
    let admitted_on = today - Days::new(years_of_membership * 365 + 30 + dice.roll(300));
    NewMember {
        full_name: format!("{} {middle} {given}", dice.pick(&FAMILY)),
        birth_date,
        sex: if female { "female" } else { "male" },
        admitted_on,
        official_on: Some(admitted_on + Days::new(365)).filter(|day| *day <= today),
        citizen_id: citizen_id(number),
        card_number: Some(format!("9{number:011}")),
        phone: Some(format!("09{number:08}")),
    }
}

/// A person admitted this year: on probation, without a card.
pub fn probationary(dice: &mut Dice, number: u64, today: NaiveDate) -> NewMember {
    let mut person = person(dice, number, 27, today);
    person.admitted_on = today - Days::new(200);
    person.official_on = None;
    person.card_number = None;
    person
}

/// The citizen ID of the person with this number.
pub fn citizen_id(number: u64) -> String {
    format!("0380{number:08}")
}
