//! Management roles and what is left in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exchange::{unite_identities, unite_lists};
use super::fact::{Fact, SeenId};
use super::listing::Described;
use super::name::Identity;

/// A management role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManagementRole {
    /// The object.
    pub identity: Identity,
    /// Parent; `None` for a role that comes with Exchange.
    pub parent: Fact<Option<Identity>>,
    /// The names of its entries: cmdlets and application permissions.
    pub entries: Fact<Vec<String>>,
    /// Where it was seen.
    pub seen: Vec<SeenId>,
}

impl Described for ManagementRole {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn parts(&mut self) -> (&mut Identity, &mut Vec<SeenId>) {
        (&mut self.identity, &mut self.seen)
    }

    fn absorb(&mut self, other: Self) {
        self.parent.merge_with(other.parent, |mine, theirs| {
            unite_identities(mine.as_mut(), theirs.as_ref())
        });
        self.entries.merge_with(other.entries, unite_lists);
    }
}
