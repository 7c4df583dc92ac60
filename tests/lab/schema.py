"""The part of Exchange's schema that trustprobe reads, for a lab.

Names, syntaxes and the hierarchy of classes are Exchange's; object identifiers
are the lab's own. Never use any of it on a real forest.
"""

ARC = "1.2.840.113556.1.8000.2554.551177.1"

# name: attributeSyntax, oMSyntax, then what a DN needs beside them
SYNTAXES = {
    "text": ("2.5.5.12", 64, ""),
    "number": ("2.5.5.9", 2, ""),
    "large": ("2.5.5.16", 65, ""),
    "flag": ("2.5.5.8", 1, ""),
    "octets": ("2.5.5.10", 4, ""),
    "time": ("2.5.5.11", 24, ""),
    "dn": ("2.5.5.1", 127, "oMObjectClass:: KwwCh3McAIVK\n"),
}

# name, syntax, several values, linkID
ATTRIBUTES = [
    ("msExchVersion", "large", False, None),
    ("msExchConfigurationXML", "text", False, None),
    ("msExchAuthCertificateThumbprint", "text", True, None),
    ("msExchAuthNextEffectiveDate", "time", False, None),
    ("msExchAuthRealm", "text", False, None),
    ("msExchAuthApplicationIdentifier", "text", False, None),
    ("msExchAuthIssuerName", "text", False, None),
    ("msExchAuthIssuingUrl", "text", False, None),
    ("msExchAuthAuthorizationUrl", "text", False, None),
    ("msExchAuthMetadataUrl", "text", False, None),
    ("msExchAuthAppSecret", "text", True, None),
    ("msExchAuthCertificateData", "octets", True, None),
    ("msExchAuthAuthServerType", "number", False, None),
    ("msExchAuthFlags", "number", False, None),
    ("msExchAuthLinkedAccount", "dn", False, None),
    ("msExchCoexistenceDomains", "text", True, None),
    ("msExchRoleEntries", "text", True, None),
    ("msExchRoleEntriesExt", "text", True, None),
    ("msExchRoleFlags", "number", False, None),
    ("msExchRoleAssignmentFlags", "large", False, None),
    ("msExchRoleLink", "dn", False, 31002),
    ("msExchRoleBL", "dn", True, 31003),
    ("msExchUserLink", "dn", False, 31004),
    ("msExchUserBL", "dn", True, 31005),
    ("msExchAcceptedDomainName", "text", False, None),
    ("msExchFedDomainNames", "text", True, None),
    ("msExchFedTargetAutodiscoverEPR", "text", False, None),
    ("msExchFedIsEnabled", "flag", False, None),
    ("msExchInternalHostName", "text", False, None),
    ("msExchExternalHostName", "text", False, None),
    ("msExchInternalAuthenticationMethods", "number", False, None),
    ("msExchExternalAuthenticationMethods", "number", False, None),
    ("msExchCurrentServerRoles", "number", False, None),
    ("msExchHideFromAddressLists", "flag", False, None),
    ("msExchRecipientTypeDetails", "large", False, None),
    ("targetAddress", "text", False, None),
]

# name, class above, attributes, classes of what it may lie below; in the order of dependency
CLASSES = [
    ("msExchOrganizationContainer", "top", "msExchVersion", "msExchConfigurationContainer"),
    ("msExchContainer", "container", "msExchVersion msExchConfigurationXML",
     "container msExchConfigurationContainer msExchOrganizationContainer"),
    ("msExchAuthAuthConfig", "msExchContainer",
     "msExchAuthCertificateThumbprint msExchAuthNextEffectiveDate msExchAuthRealm "
     "msExchAuthApplicationIdentifier", "msExchOrganizationContainer"),
    ("msExchAuthAuthServer", "top",
     "msExchVersion msExchConfigurationXML msExchAuthIssuerName msExchAuthIssuingUrl "
     "msExchAuthAuthorizationUrl msExchAuthMetadataUrl msExchAuthRealm "
     "msExchAuthApplicationIdentifier msExchAuthCertificateData msExchAuthAppSecret "
     "msExchAuthAuthServerType msExchAuthFlags msExchCoexistenceDomains", "msExchContainer"),
    ("msExchAuthPartnerApplication", "top",
     "msExchVersion msExchConfigurationXML msExchAuthApplicationIdentifier "
     "msExchAuthMetadataUrl msExchAuthRealm msExchAuthFlags msExchAuthCertificateData "
     "msExchAuthLinkedAccount", "msExchContainer"),
    ("msExchRole", "top",
     "msExchVersion msExchRoleFlags msExchRoleEntries msExchRoleEntriesExt msExchRoleBL",
     "msExchContainer"),
    ("msExchRoleAssignment", "top",
     "msExchVersion msExchRoleLink msExchUserLink msExchRoleAssignmentFlags", "msExchContainer"),
    ("msExchConfigSettings", "top", "msExchVersion msExchConfigurationXML", "msExchContainer"),
    ("msExchIntraOrganizationConnector", "top",
     "msExchVersion msExchFedDomainNames msExchFedTargetAutodiscoverEPR msExchFedIsEnabled",
     "msExchContainer"),
    ("msExchAcceptedDomain", "top", "msExchVersion msExchAcceptedDomainName", "msExchContainer"),
    ("msExchExchangeServer", "server",
     "msExchVersion networkAddress serialNumber msExchCurrentServerRoles", "msExchContainer"),
    ("msExchVirtualDirectory", "top",
     "msExchVersion msExchInternalHostName msExchExternalHostName "
     "msExchInternalAuthenticationMethods msExchExternalAuthenticationMethods", "msExchContainer"),
    ("msExchWebServicesVirtualDirectory", "msExchVirtualDirectory", "", "msExchContainer"),
    ("msExchAutoDiscoverVirtualDirectory", "msExchVirtualDirectory", "", "msExchContainer"),
]

# What classes of Windows gain: what a recipient has, and where containers may lie.
GAINS = [
    ("Mail-Recipient", "mayContain",
     "msExchVersion msExchHideFromAddressLists msExchRecipientTypeDetails targetAddress"),
    ("Top", "mayContain", "msExchUserBL"),
    ("msExchContainer", "possSuperiors", "msExchContainer msExchExchangeServer"),
    ("msExchRole", "possSuperiors", "msExchRole"),
]

# Only whoever is authenticated may read, as after Exchange's own setup.
DESCRIPTOR = "D:(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;DA)(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;SY)(A;;RPLCLORC;;;AU)"


def attributes(schema):
    """LDIF of each attribute."""
    for number, (name, syntax, several, link) in enumerate(ATTRIBUTES, 1):
        syntax, om, more = SYNTAXES[syntax]
        link = f"linkID: {link}\n" if link else ""
        yield (
            f"dn: CN={name},{schema}\nobjectClass: attributeSchema\nlDAPDisplayName: {name}\n"
            f"attributeID: {ARC}.1.{number}\nattributeSyntax: {syntax}\noMSyntax: {om}\n{more}{link}"
            f"isSingleValued: {str(not several).upper()}\nsearchFlags: 0\n"
        )


def classes(schema):
    """LDIF of the classes, in batches: each refers to what is known before it only."""
    ours = {it[0] for it in CLASSES}
    known, left = set(), list(enumerate(CLASSES, 1))
    while left:
        ready = [it for it in left
                 if not (ours - known) & {it[1][1], *it[1][3].split()}]
        yield [one_class(schema, number, *it) for number, it in ready]
        known |= {it[1][0] for it in ready}
        left = [it for it in left if it not in ready]


def one_class(schema, number, name, above, may, superiors):
    lists = "".join(f"mayContain: {it}\n" for it in may.split())
    lists += "".join(f"possSuperiors: {it}\n" for it in superiors.split())
    return (
        f"dn: CN={name},{schema}\nobjectClass: classSchema\nlDAPDisplayName: {name}\n"
        f"governsID: {ARC}.2.{number}\nsubClassOf: {above}\nobjectClassCategory: 1\n"
        f"rDNAttID: cn\ndefaultObjectCategory: CN={name},{schema}\n{lists}"
        f"defaultSecurityDescriptor: {DESCRIPTOR}\n"
    )


def gains(schema):
    """LDIF of each change to a class."""
    for name, attribute, values in GAINS:
        values = "".join(f"{attribute}: {it}\n" for it in values.split())
        yield f"dn: CN={name},{schema}\nchangetype: modify\nadd: {attribute}\n{values}"
