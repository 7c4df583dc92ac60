//! Step 1: the authorization server.

use crate::check::Check;

pub(crate) const CHECKS: &[Check] = &[];
