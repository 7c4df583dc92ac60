//! Checks of this group.

use crate::check::Check;

pub(crate) const CHECKS: &[Check] = &[];
