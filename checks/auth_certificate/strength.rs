#![doc = include_str!("strength.md")]

use super::validity::stage;
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{Needs, Reason, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::wording::shown;

pub(crate) const CHECK: Check = Check {
    id: "auth-certificate-strength",
    title: "The auth certificate has an RSA key of at least 2048 bits",
    manual: include_str!("strength.md"),
    after: &["auth-certificate-configured"],
    reads: &[
        "auth_config",
        "exported_certificates",
        "metadata_documents",
        "server_certificates",
        "service_principals",
    ],
    subjects: super::organisation,
    judge,
};

const LEAST_BITS: u32 = 2048;

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    let (certificate, seen) = case.certificate(case.current_thumbprint()?)?;
    let (name, key) = (&certificate.sha1, &certificate.key);
    let wanted = format!("an RSA key of at least {LEAST_BITS} bits");
    if !key.algorithm.eq_ignore_ascii_case("RSA") {
        let seen_text =
            format!("auth certificate {name} has a key of kind {}", shown(&key.algorithm));
        let finding = Finding::warning("not_rsa", seen_text, wanted);
        return Ok(finding.seen_in([seen]).remedy(stage()).into());
    }
    match key.bits {
        0 => Err(Unknown::new(Reason::Malformed, Needs::ServerCertificates(String::new()))
            .detail(format!("the key size of {name} could not be read"))
            .tried(seen)),
        bits if bits < LEAST_BITS => {
            let seen_text = format!("auth certificate {name} has an RSA key of {bits} bits");
            let finding = Finding::warning("weak_key", seen_text, wanted);
            Ok(finding.seen_in([seen]).remedy(stage()).into())
        }
        bits => Ok(Verdict::passed(format!("RSA {bits}"), seen)),
    }
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Fact, Needs, PublicKey};
    use crate::healthy::{Organisation, current_certificate, forbidden, healthy};

    fn with(algorithm: &str, bits: u32) -> Organisation {
        let mut organisation = healthy();
        // The first place where a certificate is looked for decides.
        for server in &mut organisation.facts.servers.items {
            let Fact::Known(known) = &mut server.certificates.items[0].certificate else {
                panic!()
            };
            known.value.key = PublicKey::new(algorithm, bits);
        }
        organisation
    }

    #[test]
    fn the_size_of_the_rsa_key_decides() {
        assert_eq!(with("RSA", 2048).summary(&CHECK), ["organisation: passed"]);
        assert_eq!(with("RSA", 4096).summary(&CHECK), ["organisation: passed"]);
        assert_eq!(with("RSA", 2047).summary(&CHECK), ["organisation: warning weak_key"]);
        assert_eq!(with("RSA", 1024).summary(&CHECK), ["organisation: warning weak_key"]);
        assert_eq!(with("EC", 256).summary(&CHECK), ["organisation: warning not_rsa"]);
    }

    #[test]
    fn self_signature_and_sha1_are_no_flaw() {
        let certificate = current_certificate();
        assert!(certificate.self_issued() && certificate.signature.starts_with("sha1"));
        assert_eq!(healthy().summary(&CHECK), ["organisation: passed"]);
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        assert_eq!(with("RSA", 0).summary(&CHECK), ["organisation: unknown malformed"]);
        let mut refused = healthy();
        refused.facts.auth_config = forbidden(Needs::AuthConfig);
        assert_eq!(refused.summary(&CHECK), ["organisation: unknown forbidden"]);
        let mut nowhere = healthy();
        nowhere.facts.servers.items.clear();
        nowhere.facts.service_principals.items.clear();
        nowhere.facts.metadata_documents.clear();
        assert_eq!(nowhere.summary(&CHECK), ["organisation: unknown not_collected"]);
    }
}
