//! The question put to a check: a trust, its facts, a procedure, a day.

use jiff::{SignedDuration, Timestamp};

use crate::facts::{
    ApplicationId, AuthConfig, AuthServer, AuthServerKind, Certificate, Fact, Facts, Known, Needs,
    PartnerApplication, Reason, SeenId, ServicePrincipal, StoredThumbprint, Thumbprint, Unknown,
};
use crate::procedure::Procedure;
use crate::trust::Trust;

/// Everything that a check may look at.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What the owner states.
    pub trust: &'a Trust,
    /// What was seen.
    pub facts: &'a Facts,
    /// What must exist.
    pub procedure: &'static Procedure,
    /// The day and the thresholds.
    pub context: &'a Context,
}

/// The circumstances of a judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The instant for which the facts are judged.
    pub now: Timestamp,
    /// How long before an expiry it is worth a warning.
    pub expiry_notice: SignedDuration,
    /// The day on which the facts hold, where that is not the one for which they are
    /// judged: what renews itself may have done so by then.
    pub foretold_on: Option<Timestamp>,
}

impl Context {
    /// Judges for this instant, with the usual notice of 60 days.
    pub fn at(now: Timestamp) -> Self {
        Self { now, expiry_notice: SignedDuration::from_hours(60 * 24), foretold_on: None }
    }
}

impl<'a> Case<'a> {
    /// The AuthConfig.
    pub fn auth_config(&self) -> Result<&'a AuthConfig, Unknown> {
        Ok(&self.facts.auth_config.read()?.value)
    }

    /// The thumbprint that AuthConfig names as current.
    ///
    /// Unknown when it is empty or no thumbprint: `auth-certificate-configured`
    /// says so, and what rests on it cannot be told.
    pub fn current_thumbprint(&self) -> Result<&'a Thumbprint, Unknown> {
        let current = self.auth_config()?.current.read()?;
        usable(current).ok_or_else(|| {
            Unknown::new(Reason::SourceAbsent, Needs::AuthConfig)
                .detail("no usable current thumbprint is configured")
                .tried(&current.seen)
        })
    }

    /// The thumbprint that AuthConfig names as next; `None` outside a rollover.
    pub fn next_thumbprint(&self) -> Result<Option<&'a Thumbprint>, Unknown> {
        Ok(usable(self.auth_config()?.next.read()?))
    }

    /// The thumbprint that AuthConfig names as previous; `None` before the first rollover.
    pub fn previous_thumbprint(&self) -> Result<Option<&'a Thumbprint>, Unknown> {
        Ok(usable(self.auth_config()?.previous.read()?))
    }

    /// The certificate of this thumbprint, wherever it was seen.
    pub fn certificate(
        &self,
        thumbprint: &Thumbprint,
    ) -> Result<(&'a Certificate, &'a SeenId), Unknown> {
        let installed = self.facts.installed_certificates();
        // Which of several copies is named must not depend on their order; those
        // of the servers themselves come first.
        let first = |(_, seen): &(&'a Certificate, &'a SeenId)| *seen;
        let same = |(found, _): &(&Certificate, &SeenId)| found.sha1 == *thumbprint;
        let copies = self.facts.certificates().filter(same);
        installed.filter(same).min_by_key(first).or_else(|| copies.min_by_key(first)).ok_or_else(
            || {
                self.shown_by_name(thumbprint).unwrap_or_else(|| {
                    Unknown::new(Reason::NotCollected, Needs::ServerCertificates(String::new()))
                        .detail(format!("no source holds the certificate {thumbprint}"))
                })
            },
        )
    }

    /// Why a certificate that is installed somewhere was not seen itself.
    fn shown_by_name(&self, thumbprint: &Thumbprint) -> Option<Unknown> {
        let stores = self.facts.servers.items.iter().flat_map(|server| &server.certificates.items);
        let named = stores.filter(|it| it.thumbprint == *thumbprint);
        let unknowns = named.filter_map(|it| Some((&it.seen, it.certificate.read().err()?)));
        unknowns.min_by_key(|(seen, _)| *seen).map(|(_, unknown)| unknown)
    }

    /// The AuthServer of this kind that stands for the tenant.
    pub fn auth_server(&self, kind: AuthServerKind) -> Result<&'a AuthServer, Unknown> {
        crate::auth_server::selected(self, kind)
    }

    /// The partner application of this id that stands for the cloud.
    pub fn partner_application(
        &self,
        id: &ApplicationId,
    ) -> Result<&'a PartnerApplication, Unknown> {
        crate::partner_application::selected(self, id)
    }

    /// The dedicated hybrid application, where one is in use.
    pub fn dedicated_application(&self) -> Result<Option<ApplicationId>, Unknown> {
        crate::hybrid::application(self)
    }

    /// The service principal of this application, present or proven absent.
    pub fn service_principal(&self, id: &ApplicationId) -> Result<&'a ServicePrincipal, Unknown> {
        let principals = &self.facts.service_principals;
        principals.items.iter().find(|principal| principal.app_id == *id).ok_or_else(|| {
            // A list never proves absence: it may have been made with a filter.
            let mut unknown =
                Unknown::new(Reason::NotCollected, Needs::ServicePrincipal(id.clone()));
            if let Fact::Unknown(why) = &principals.complete {
                unknown.reason = why.reason;
                unknown.detail.clone_from(&why.detail);
                unknown.tried.clone_from(&why.tried);
            }
            unknown
        })
    }
}

fn usable(stored: &Known<Option<StoredThumbprint>>) -> Option<&Thumbprint> {
    stored.value.as_ref()?.thumbprint.as_ref()
}
