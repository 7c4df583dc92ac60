//! Management roles and what is left in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact::{Fact, SeenId};
use super::listing::{Item, unite};
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

impl Item for ManagementRole {
    fn keys(&self) -> Vec<String> {
        self.identity.keys()
    }

    fn same(&self, other: &Self) -> bool {
        self.identity.same(&other.identity)
    }

    fn merge(&mut self, other: Self) {
        self.identity.merge(other.identity);
        self.parent.merge(other.parent);
        self.entries.merge_with(other.entries, |mine, theirs| {
            let names = |entries: &[String]| {
                let mut names: Vec<String> = entries.iter().map(|it| it.to_lowercase()).collect();
                names.sort();
                names
            };
            names(mine) == names(theirs)
        });
        unite(&mut self.seen, other.seen);
    }

    fn order(&self) -> String {
        self.identity.label().to_lowercase()
    }
}
