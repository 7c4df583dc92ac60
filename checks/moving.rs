//! What it would take to move from one procedure to another.

use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::Assessment;
use crate::facts::ApplicationId;
use crate::outcome::Status;
use crate::procedure::{Procedure, RequiredAccount, Requirement, Role, application_name};

/// The way from the procedure that an organisation was set up by to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Moving {
    /// The procedure that the facts speak for.
    pub from: &'static str,
    /// The procedure that it is judged by.
    pub to: &'static str,
    /// Steps of the new procedure that are done.
    pub done: Vec<String>,
    /// Steps of the new procedure in which something is missing or broken.
    pub missing: Vec<String>,
    /// Steps of the new procedure of which something could not be told.
    pub open: Vec<String>,
    /// What both procedures ask for.
    pub must_stay: Vec<String>,
    /// What only the old procedure asks for.
    pub can_go: Vec<String>,
}

impl Moving {
    /// Compares what was judged by `to` with what `from` asks for.
    pub fn new(from: &Procedure, to: &Procedure, assessment: &Assessment) -> Self {
        let (mut done, mut missing, mut open) = (Vec::new(), Vec::new(), Vec::new());
        for step in to.steps {
            let here = assessment.outcomes.iter().filter(|it| it.subject.step == Some(step.id));
            let statuses: Vec<Status> = here.map(|outcome| outcome.status).collect();
            let any = |wanted: &[Status]| statuses.iter().any(|status| wanted.contains(status));
            let title = format!("step {} · {}", step.id, step.title);
            if any(&[Status::Failed, Status::Blocked]) {
                missing.push(title);
            } else if any(&[Status::Unknown, Status::Error]) {
                open.push(title);
            } else {
                done.push(title);
            }
        }
        let wanted = things(to);
        let (must_stay, mut can_go): (Vec<String>, Vec<String>) =
            things(from).into_iter().partition(|thing| wanted.contains(thing));
        let welcome = welcome_roles(to);
        for thing in can_go.iter_mut().filter(|thing| welcome.contains(thing)) {
            // Microsoft's articles contradict each other here.
            thing.push_str(" (another article of Microsoft's still wants it)");
        }
        Self { from: from.id, to: to.id, done, missing, open, must_stay, can_go }
    }
}

/// The roles that a procedure does not ask for, and that do no harm by it.
fn welcome_roles(procedure: &Procedure) -> Vec<String> {
    let accounts = procedure.linked_accounts();
    let roles = accounts.flat_map(|(_, it)| it.most.iter().map(|role| role_of(role, it)));
    roles.collect()
}

fn role_of(role: &str, account: &RequiredAccount) -> String {
    format!("the role {role} for the account of {}", name(&account.of))
}

fn name(id: &ApplicationId) -> String {
    application_name(id).map_or_else(|| id.to_string(), str::to_owned)
}

/// What a procedure asks for, each thing by a name that is the same in all procedures.
fn things(procedure: &Procedure) -> Vec<String> {
    let mut things: Vec<String> =
        procedure.required(|requirement| Some(names(requirement))).flat_map(|(_, it)| it).collect();
    things.sort();
    things.dedup();
    things
}

fn names(requirement: &Requirement) -> Vec<String> {
    match requirement {
        Requirement::AuthServer(kind) => vec![format!("the {} AuthServer", kind.name())],
        Requirement::PartnerApplication(it) => {
            vec![format!("the partner application {}", name(&it.id))]
        }
        Requirement::LinkedAccount(it) => {
            let of = name(&it.of);
            let role = |role: &Role| match role {
                Role::Entry { entry, .. } => format!("{entry} for the account of {of}"),
                role => role_of(role.name(), it),
            };
            let account = format!("the account of {of}");
            std::iter::once(account).chain(it.roles.iter().map(role)).collect()
        }
        Requirement::AuthCertificate => vec!["the auth certificate".to_owned()],
        Requirement::Key(it) => {
            vec![format!("the certificate on service principal {}", name(&it.on))]
        }
        Requirement::ServicePrincipalNames(it) => {
            vec![format!("the host names on service principal {}", name(&it.on))]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::Moving;
    use crate::healthy::healthy;
    use crate::procedure::{SKYPE_ONLINE, TEAMS};

    #[test]
    fn what_stays_and_what_goes_is_told() {
        let mut organisation = healthy();
        organisation.procedure = &TEAMS;
        let assessment = crate::assess(&organisation.case());
        let moving = Moving::new(&SKYPE_ONLINE, &TEAMS, &assessment);
        let stay = |thing: &str| moving.must_stay.iter().any(|it| it == thing);
        assert!(stay("the partner application Skype for Business Online"));
        assert!(stay("the certificate on service principal Skype for Business Online"));
        assert_eq!(
            moving.can_go,
            [
                "the role ArchiveApplication for the account of Skype for Business Online \
                 (another article of Microsoft's still wants it)",
                "the role UserApplication for the account of Skype for Business Online \
                 (another article of Microsoft's still wants it)",
            ]
        );
        let told = moving.done.len() + moving.missing.len() + moving.open.len();
        assert_eq!(told, TEAMS.steps.len());
    }
}
