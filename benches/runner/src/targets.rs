//! The targets in one place: `reach` decides about passing, `beyond` is reported when reached too.

/// Which way is better, and how far.
#[derive(Debug, Clone, Copy)]
pub enum Bar {
    AtLeast { reach: f64, beyond: f64 },
    AtMost { reach: f64, beyond: f64 },
}

/// What is compared with the bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Ratio,
    Figure,
}

#[derive(Debug)]
pub struct Target {
    pub name: &'static str,
    pub what: &'static str,
    /// Unit of the figure and of the yardstick.
    pub unit: &'static str,
    pub of: Of,
    pub bar: Bar,
}

const fn ratio(name: &'static str, what: &'static str, unit: &'static str, bar: Bar) -> Target {
    Target { name, what, unit, of: Of::Ratio, bar }
}

const fn figure(name: &'static str, what: &'static str, unit: &'static str, bar: Bar) -> Target {
    Target { name, what, unit, of: Of::Figure, bar }
}

const fn least(reach: f64, beyond: f64) -> Bar {
    Bar::AtLeast { reach, beyond }
}

const fn most(reach: f64, beyond: f64) -> Bar {
    Bar::AtMost { reach, beyond }
}

pub const TARGETS: &[Target] = &[
    ratio("P1", "durable awards / bare actix", "/s", least(0.17, 0.30)),
    ratio("P2", "durable awards / one transaction each", "/s", least(4.0, 6.0)),
    ratio("P3", "own points / bare actix", "/s", least(0.18, 0.40)),
    ratio("P4", "own rank / the Redis command", "/s", least(0.35, 0.60)),
    ratio("P5", "board of a cell, p99 / its SQL statement", "ms", most(3.0, 1.5)),
    figure("P6 province", "roll-up of a province, p99", "ms", most(50.0, 10.0)),
    figure("P6 country", "roll-up of the country, p99", "ms", most(500.0, 100.0)),
    figure("P7", "month-end rush, p99", "ms", most(50.0, 20.0)),
    figure("P8 time", "rebuild of the month's boards", "s", most(90.0, 45.0)),
    figure("P8 memory", "Redis, a member and board", "bytes", most(120.0, 120.0)),
    figure("P9", "import of 108,600 members", "s", most(60.0, 20.0)),
    figure("P10 idle", "resident memory, idle", "MB", most(60.0, 30.0)),
    figure("P10 loaded", "resident memory under P1", "MB", most(250.0, 150.0)),
    figure("P10 start", "start until ready", "s", most(0.5, 0.5)),
    figure("P10 binary", "size of the program", "MB", most(40.0, 40.0)),
    figure("P11 start", "start of a quiz by 5,000 members in 10 s, p99", "ms", most(500.0, 150.0)),
    figure("P11 answers", "their answers within a minute, p99", "ms", most(500.0, 150.0)),
    figure("P11 submission", "their submissions meanwhile, p99", "ms", most(500.0, 150.0)),
    ratio("P12", "saved answers / durable awards", "/s", least(0.667, 1.0)),
    ratio("P13", "search of 200,000 documents, p99 / its SQL statement", "ms", most(3.0, 1.5)),
    figure("P13 time", "the same, p99", "ms", most(50.0, 20.0)),
];

impl Bar {
    pub fn reached(self, value: f64) -> bool {
        match self {
            Self::AtLeast { reach, .. } => value >= reach,
            Self::AtMost { reach, .. } => value <= reach,
        }
    }

    pub fn beyond(self, value: f64) -> bool {
        match self {
            Self::AtLeast { beyond, .. } => value >= beyond,
            Self::AtMost { beyond, .. } => value <= beyond,
        }
    }

    /// The bar in words.
    pub fn text(self) -> String {
        match self {
            Self::AtLeast { reach, beyond } => format!("≥ {reach}, beyond {beyond}"),
            Self::AtMost { reach, beyond } => format!("≤ {reach}, beyond {beyond}"),
        }
    }
}
