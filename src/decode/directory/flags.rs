//! Numbers of the directory that are sets of bits.

use checks::facts::Grade;

/// What msExchRoleAssignmentFlags says of an assignment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) enabled: bool,
    /// RoleAssigneeType, by name where the number is known.
    pub(super) assignee: Result<&'static str, u64>,
    /// RoleAssignmentDelegationType, by name where the number is known.
    pub(super) delegation: Result<&'static str, u64>,
}

/// The number is signed: the highest bit tells that it is enabled.
pub(super) fn assignment(flags: i64) -> Assignment {
    let flags = flags.cast_unsigned();
    let bits = |from: u32, width: u32| flags >> from & ((1 << width) - 1);
    Assignment {
        enabled: bits(63, 1) == 1,
        assignee: match bits(59, 4) {
            0 => Ok("User"),
            2 => Ok("SecurityGroup"),
            10 => Ok("RoleGroup"),
            other => Err(other),
        },
        delegation: match bits(48, 4) {
            1 => Ok("Regular"),
            6 => Ok("DelegatingOrgWide"),
            other => Err(other),
        },
    }
}

/// Authentication methods by name, in the order of their bits; and how certain
/// these names are. `None` when a bit has none.
pub(super) fn methods(bits: i64) -> Option<(Vec<String>, Grade)> {
    const NAMES: [(i64, &str, Grade); 15] = [
        (1, "Basic", Grade::Inferred),
        (2, "Ntlm", Grade::Observed),
        (4, "Fba", Grade::Inferred),
        (8, "Digest", Grade::Inferred),
        (16, "WindowsIntegrated", Grade::Observed),
        (32, "LiveIdFba", Grade::Inferred),
        (64, "LiveIdBasic", Grade::Inferred),
        (128, "WSSecurity", Grade::Observed),
        (256, "Certificate", Grade::Inferred),
        (512, "NegoEx", Grade::Inferred),
        (1024, "OAuth", Grade::Observed),
        (2048, "Adfs", Grade::Inferred),
        (4096, "Kerberos", Grade::Inferred),
        (8192, "Negotiate", Grade::Inferred),
        (16384, "LiveIdNegotiate", Grade::Inferred),
    ];
    let set = NAMES.iter().filter(|(bit, ..)| bits & bit != 0);
    let named: i64 = set.clone().map(|(bit, ..)| bit).sum();
    let grade = set.clone().map(|(.., grade)| *grade).max().unwrap_or(Grade::Observed);
    (named == bits).then(|| (set.map(|(_, name, _)| (*name).to_owned()).collect(), grade))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_numbers_of_real_assignments_are_understood() {
        let regular =
            |enabled| Assignment { enabled, assignee: Ok("User"), delegation: Ok("Regular") };
        assert_eq!(assignment(-9_223_090_561_844_510_718), regular(true));
        assert_eq!(assignment(281_475_010_265_090), regular(false));
        let flags = |assignee: u64, delegation: u64| {
            assignment(
                (1_u64 << 63 | assignee << 59 | delegation << 48 | 2 << 24 | 2).cast_signed(),
            )
        };
        assert_eq!(flags(10, 6).assignee, Ok("RoleGroup"));
        assert_eq!(flags(10, 6).delegation, Ok("DelegatingOrgWide"));
        assert_eq!(flags(2, 1).assignee, Ok("SecurityGroup"));
        assert_eq!((flags(15, 15).assignee, flags(15, 15).delegation), (Err(15), Err(15)));
        assert_eq!(assignment(0).delegation, Err(0));
    }

    #[test]
    fn methods_are_told_by_their_bits() {
        let names = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let healthy = names(&["Ntlm", "WindowsIntegrated", "WSSecurity", "OAuth"]);
        assert_eq!(methods(1170), Some((healthy, Grade::Observed)));
        assert_eq!(methods(1025), Some((names(&["Basic", "OAuth"]), Grade::Inferred)));
        assert_eq!(methods(0), Some((Vec::new(), Grade::Observed)));
        assert_eq!(methods(1 << 20), None);
        assert_eq!(methods(-1), None);
    }
}
