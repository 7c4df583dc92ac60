//! Which procedure an organisation was set up by, as its objects tell.

use super::{
    CLOUD_VOICEMAIL, EXCHANGE, EXCHANGE_ONLINE, Procedure, SKYPE, SKYPE_ONLINE, TEAMS,
    TEAMS_SCHEDULER,
};
use crate::facts::{ApplicationId, AuthServerKind, Facts, PartnerApplication, Side};

/// A procedure that nobody chose, and what speaks for it.
#[derive(Debug, Clone, Copy)]
pub struct Detected {
    /// The procedure.
    pub procedure: &'static Procedure,
    /// What speaks for it, as it reads after "detected:".
    pub why: &'static str,
}

/// The procedure that the facts speak for; else the one of 2017, which asks for least.
///
/// An application that is a partner, enabled or not, was made by somebody who
/// followed the procedure that asks for it.
pub fn detect(facts: &Facts) -> Detected {
    let partner = |id: &ApplicationId| {
        let of_the_cloud = |it: &&PartnerApplication| {
            it.application_identifier.is(|found| found == id) && it.directly_trusted() != Ok(true)
        };
        facts.partner_applications.items.iter().find(of_the_cloud)
    };
    if partner(&TEAMS_SCHEDULER).or(partner(&CLOUD_VOICEMAIL)).is_some() {
        return Detected { procedure: &TEAMS, why: "an application of Teams is a partner" };
    }
    if partner(&SKYPE).is_some() {
        let why = "Skype for Business Online is a partner and no application of Teams is";
        return Detected { procedure: &SKYPE_ONLINE, why };
    }
    let evo_sts =
        || facts.auth_servers.items.iter().any(|it| it.kind() == Ok(AuthServerKind::EvoSts));
    let connector = || facts.connectors.items.iter().any(|it| it.side == Side::OnPremises);
    let account = || partner(&EXCHANGE).is_some_and(|it| it.linked_account.is(Option::is_some));
    if connector() || (evo_sts() && account()) {
        let why = "the organisation is hybrid and knows no caller but Exchange Online";
        return Detected { procedure: &EXCHANGE_ONLINE, why };
    }
    Detected { procedure: &SKYPE_ONLINE, why: "nothing speaks for another" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::healthy::{acs_server, application, healthy, text};

    #[test]
    fn the_callers_that_are_partners_tell_the_procedure() {
        let mut organisation = healthy();
        let id = |facts: &Facts| detect(facts).procedure.id;
        assert_eq!(id(&organisation.facts), "teams");
        organisation
            .facts
            .partner_applications
            .items
            .retain(|it| !it.application_identifier.is(|id| *id == TEAMS_SCHEDULER));
        assert_eq!(id(&organisation.facts), "skype-online");
        organisation.facts.partner_applications.items = vec![application(
            "Exchange Online",
            &EXCHANGE,
            Some(crate::healthy::account_identity()),
        )];
        assert_eq!(id(&organisation.facts), "skype-online");
        let mut evo = acs_server();
        evo.server_type = text("AzureAD", "AuthServers.xml");
        organisation.facts.auth_servers.items.push(evo);
        assert_eq!(id(&organisation.facts), "exchange-online");
        assert_eq!(id(&Facts::default()), "skype-online");
    }
}
