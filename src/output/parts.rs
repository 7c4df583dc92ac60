//! A long output in parts, one for each trust: made in any order, and kept on
//! the disk until the last is there, so that thousands take no memory.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use tempfile::{SpooledTempFile, spooled_tempfile};

/// Octets that stay in memory.
const IN_MEMORY: usize = 8 << 20;

/// The parts so far, in a file without a name that its owner alone can read.
#[derive(Debug)]
pub(crate) struct Parts(Mutex<SpooledTempFile>);

/// Where a part is.
pub(crate) type Place = Range<u64>;

/// What stands around and between the parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    pub(crate) before: String,
    pub(crate) between: &'static str,
    pub(crate) after: &'static str,
}

impl Default for Parts {
    fn default() -> Self {
        Self(Mutex::new(spooled_tempfile(IN_MEMORY)))
    }
}

impl Parts {
    /// Keeps one more.
    pub(crate) fn add(&self, part: &str) -> io::Result<Place> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let start = file.seek(SeekFrom::End(0))?;
        file.write_all(part.as_bytes())?;
        Ok(start..file.stream_position()?)
    }

    /// Writes these, in this order.
    pub(crate) fn write(
        self,
        places: impl IntoIterator<Item = Place>,
        frame: &Frame,
        to: &mut dyn Write,
    ) -> io::Result<()> {
        let mut file = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        to.write_all(frame.before.as_bytes())?;
        for (at, place) in places.into_iter().enumerate() {
            if 0 < at {
                to.write_all(frame.between.as_bytes())?;
            }
            file.seek(SeekFrom::Start(place.start))?;
            io::copy(&mut (&mut file).take(place.end - place.start), to)?;
        }
        to.write_all(frame.after.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_in_the_order_that_is_asked_for() {
        let parts = Parts::default();
        let long = "x".repeat(IN_MEMORY);
        let places = ["one", &long, "three"].map(|part| parts.add(part).unwrap());
        let [one, two, three] = places;
        let frame = Frame { before: "(".into(), between: ", ", after: ")" };
        let mut text = Vec::new();
        parts.write([three, two, one], &frame, &mut text).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), format!("(three, {long}, one)"));
    }
}
