//! Bounds on what is read: one table, from which the command line, `trustprobe
//! list` and the README follow.

use std::fmt;

use crate::decode;

/// Bounds on what is read. A real case is far below each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one file, unpacked.
    pub file: u64,
    /// Octets of all files together, unpacked.
    pub total: u64,
    /// Octets that one octet of an archive may become.
    pub ratio: u64,
    /// Files, those in archives included.
    pub files: usize,
    /// Archives inside one another.
    pub archives: usize,
    /// Levels of folders.
    pub folders: usize,
    /// Notes on what could not be read or used.
    pub notes: usize,
    /// Octets of the facts of all files together.
    pub facts: u64,
    /// What holds within each file.
    pub decode: decode::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file: 64 << 20,
            total: 1 << 30,
            ratio: 250,
            files: 10_000,
            archives: 3,
            folders: 16,
            notes: 1000,
            facts: 64 << 20,
            decode: decode::Limits::USUAL,
        }
    }
}

/// One bound: its name, what it bounds, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// The name, as `--limit` takes it.
    pub name: &'static str,
    /// What it bounds.
    pub bounds: &'static str,
    /// The greatest value that it takes, where more would do harm.
    pub most: u64,
    unit: Unit,
    field: fn(&mut Limits) -> Field<'_>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Octets,
    Count,
}

enum Field<'a> {
    Wide(&'a mut u64),
    Native(&'a mut usize),
}

/// Every bound that can be moved.
pub const LIMITS: [Limit; 13] = [
    octets("file", "one file; of an archive, one file in it", |it| Field::Wide(&mut it.file)),
    octets("total", "all files together, unpacked", |it| Field::Wide(&mut it.total)),
    octets("facts", "what is kept of all files together", |it| Field::Wide(&mut it.facts)),
    count("ratio", "octets that one octet of an archive may become", u64::MAX, |it| {
        Field::Wide(&mut it.ratio)
    }),
    count("files", "files, and entries of archives", u64::MAX, |it| Field::Native(&mut it.files)),
    // Each level is a call within a call.
    count("archives", "archives inside one another", 16, |it| Field::Native(&mut it.archives)),
    count("folders", "folders inside one another", 200, |it| Field::Native(&mut it.folders)),
    count("notes", "notes on what was not used", u64::MAX, |it| Field::Native(&mut it.notes)),
    // Deeper, a decoder would need more stack than there is.
    count("depth", "nesting within one file", 120, |it| Field::Native(&mut it.decode.depth)),
    count("values", "properties and elements of one file", u64::MAX, |it| {
        Field::Native(&mut it.decode.values)
    }),
    octets("references", "what references in one file repeat", |it| {
        Field::Native(&mut it.decode.references)
    }),
    count("objects", "objects and keys of one file that give facts", u64::MAX, |it| {
        Field::Native(&mut it.decode.objects)
    }),
    count("configuration", "of these, servers, issuers, partners and the like", u64::MAX, |it| {
        Field::Native(&mut it.decode.configuration)
    }),
];

const fn octets(
    name: &'static str,
    bounds: &'static str,
    field: fn(&mut Limits) -> Field<'_>,
) -> Limit {
    Limit { name, bounds, most: u64::MAX, unit: Unit::Octets, field }
}

const fn count(
    name: &'static str,
    bounds: &'static str,
    most: u64,
    field: fn(&mut Limits) -> Field<'_>,
) -> Limit {
    Limit { name, bounds, most, unit: Unit::Count, field }
}

/// Why a bound cannot be moved so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

impl Limits {
    /// Moves the bound of this name to a value such as `200` or `64MiB`.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Refused> {
        let known = LIMITS.iter().find(|limit| limit.name == name);
        let limit = known.ok_or_else(|| Refused(format!("no limit is called {name:?}")))?;
        let number = limit.read(value)?;
        match (limit.field)(self) {
            Field::Wide(field) => *field = number,
            Field::Native(field) => {
                *field = usize::try_from(number).map_err(|_| limit.refuse("is too large"))?;
            }
        }
        Ok(())
    }

    /// What is said where a bound is crossed, with what moves it.
    pub(super) fn crossed(&self, name: &str) -> String {
        let value = LIMITS.iter().find(|limit| limit.name == name).map(|limit| limit.of(*self));
        let value = value.unwrap_or_default();
        format!("beyond the limit {name}={value}, left out; --limit {name}=… moves it")
    }
}

impl Limit {
    /// The value, as [`Limits::set`] takes it.
    pub fn of(&self, mut limits: Limits) -> String {
        let number = match (self.field)(&mut limits) {
            Field::Wide(field) => *field,
            Field::Native(field) => *field as u64,
        };
        let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
        let whole = |(shift, _): &&(u32, &str)| number.trailing_zeros() >= *shift;
        match units.iter().find(whole) {
            Some((shift, unit)) if self.unit == Unit::Octets => {
                format!("{}{unit}", number >> shift)
            }
            _ => number.to_string(),
        }
    }

    fn read(&self, value: &str) -> Result<u64, Refused> {
        let (digits, shift) = match self.unit {
            Unit::Octets => sized(value),
            Unit::Count => (value, 0),
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            let wanted = match self.unit {
                Unit::Octets => "a size such as 200MiB",
                Unit::Count => "a number such as 200",
            };
            return Err(self.refuse(&format!("takes {wanted}")));
        }
        let number = digits.parse::<u64>().ok();
        match number.and_then(|it| it.checked_mul(1 << shift)) {
            Some(0) => Err(self.refuse("cannot be 0")),
            // What is read is one octet more than a bound allows.
            Some(number) if number <= self.most && number < u64::MAX => Ok(number),
            Some(_) if self.most < u64::MAX => {
                Err(self.refuse(&format!("can be {} at most", self.most)))
            }
            _ => Err(self.refuse("is too large")),
        }
    }

    fn refuse(&self, why: &str) -> Refused {
        Refused(format!("the limit {:?} {why}", self.name))
    }
}

/// The digits of a size, and the power of two that its unit stands for.
fn sized(value: &str) -> (&str, u32) {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let of = |(unit, shift): &(&str, u32)| {
        let at = value.len().checked_sub(unit.len())?;
        let ending = value.get(at..)?;
        ending.eq_ignore_ascii_case(unit).then(|| (value.get(..at).unwrap_or_default(), *shift))
    };
    units.iter().find_map(of).unwrap_or((value, 0))
}

/// A bound to move: its name and the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The name, one of [`LIMITS`].
    pub name: &'static str,
    /// The value, which [`Limits::set`] takes.
    pub value: String,
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

impl Limits {
    /// The usual bounds, some of them moved. The last of one name counts.
    pub fn moved(moved: &[Moved]) -> Result<Self, Refused> {
        let mut limits = Self::default();
        for Moved { name, value } in moved {
            limits.set(name, value)?;
        }
        Ok(limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_shows_what_it_takes() {
        for limit in &LIMITS {
            let mut limits = Limits::default();
            let shown = limit.of(limits);
            limits.set(limit.name, &shown).unwrap();
            assert_eq!(limits, Limits::default(), "{}", limit.name);
            limits.set(limit.name, "7").unwrap();
            assert_eq!(limit.of(limits), "7");
            assert_ne!(limits, Limits::default(), "{}", limit.name);
            assert!(limits.crossed(limit.name).contains(&format!("{}=7", limit.name)));
        }
        let mut names: Vec<&str> = LIMITS.iter().map(|it| it.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), LIMITS.len());
    }

    #[test]
    fn sizes_have_units_and_counts_have_none() {
        let set = |name: &str, value: &str| {
            let mut limits = Limits::default();
            limits.set(name, value).map(|()| limits).map_err(|it| it.to_string())
        };
        assert_eq!(set("file", "3KiB").unwrap().file, 3 << 10);
        assert_eq!(set("file", "3mib").unwrap().file, 3 << 20);
        assert_eq!(set("total", "2GiB").unwrap().total, 2 << 30);
        assert_eq!(set("references", "1MiB").unwrap().decode.references, 1 << 20);
        assert_eq!(set("depth", "120").unwrap().decode.depth, 120);
        for (name, value, why) in [
            ("files", "3KiB", "takes a number"),
            ("file", "3MB", "takes a size"),
            ("file", "", "takes a size"),
            ("file", "MiB", "takes a size"),
            ("file", "-1", "takes a size"),
            ("file", "+1", "takes a size"),
            ("file", "1.5GiB", "takes a size"),
            ("file", "٣", "takes a size"),
            ("file", "é", "takes a size"),
            ("file", "0", "cannot be 0"),
            ("files", "000", "cannot be 0"),
            ("file", "99999999999999999999", "is too large"),
            ("file", "18446744073709551615", "is too large"),
            ("file", "17179869184GiB", "is too large"),
            ("depth", "121", "can be 120 at most"),
            ("archives", "17", "can be 16 at most"),
            ("fil", "1", "no limit is called \"fil\""),
        ] {
            let refused = set(name, value).unwrap_err();
            assert!(refused.contains(why), "{name}={value}: {refused}");
        }
    }
}
