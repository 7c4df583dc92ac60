//! Step 5: the certificate with which Exchange signs its tokens.

mod validity;

use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::Unknown;

pub(crate) const CHECKS: &[Check] = &[validity::CHECK];

/// The auth certificate belongs to the organisation as a whole.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn organisation(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let step = case.procedure.auth_certificate();
    Ok(step.map(|step| Subject::new(step, Object::Organisation)).into_iter().collect())
}
