//! What a proposed command may call, and with which parameters.

/// What changes something, each with its parameters as Microsoft documents them.
pub(super) const CHANGING: &[(&str, &[&str])] = &[
    ("Export-ExchangeCertificate", &["-Server", "-Thumbprint", "-BinaryEncoded", "-Password"]),
    ("Import-ExchangeCertificate", &["-Server", "-FileData", "-Password", "-PrivateKeyExportable"]),
    ("New-AuthServer", &["-Name", "-Type", "-AuthMetadataUrl"]),
    (
        "New-ExchangeCertificate",
        &["-KeySize", "-PrivateKeyExportable", "-SubjectName", "-FriendlyName", "-DomainName"],
    ),
    ("New-ManagementRole", &["-Name", "-Parent"]),
    ("New-ManagementRoleAssignment", &["-Name", "-Role", "-User", "-SecurityGroup"]),
    ("New-MgServicePrincipal", &["-AppId"]),
    ("New-PartnerApplication", &["-Name", "-ApplicationIdentifier", "-Enabled", "-LinkedAccount"]),
    ("Remove-AcceptedDomain", &["-Identity"]),
    ("New-AcceptedDomain", &["-Name", "-DomainName", "-DomainType"]),
    ("Remove-AuthServer", &["-Identity"]),
    ("Remove-ExchangeCertificate", &["-Server", "-Thumbprint"]),
    ("Remove-ManagementRole", &["-Identity"]),
    ("Remove-ManagementRoleAssignment", &[]),
    ("Remove-ManagementRoleEntry", &["-Confirm"]),
    ("Remove-MgServicePrincipal", &["-ServicePrincipalId"]),
    ("Remove-PartnerApplication", &["-Identity"]),
    ("Restart-Service", &[]),
    (
        "Set-AuthConfig",
        &[
            "-NewCertificateThumbprint",
            "-NewCertificateEffectiveDate",
            "-PublishCertificate",
            "-ClearPreviousCertificate",
        ],
    ),
    (
        "Set-AuthServer",
        &[
            "-Identity",
            "-AuthMetadataUrl",
            "-Enabled",
            "-RefreshAuthMetadata",
            "-DomainName",
            "-ApplicationIdentifier",
        ],
    ),
    ("New-SettingOverride", &["-Name", "-Component", "-Section", "-Parameters", "-Reason"]),
    ("Remove-SettingOverride", &["-Identity"]),
    ("Set-SettingOverride", &["-Identity", "-Parameters"]),
    (
        "Set-IntraOrganizationConnector",
        &["-Identity", "-Enabled", "-DiscoveryEndpoint", "-TargetAddressDomains"],
    ),
    ("Set-MailUser", &["-Identity", "-HiddenFromAddressListsEnabled"]),
    ("Set-ManagementRoleAssignment", &["-Identity", "-Enabled"]),
    ("Set-OrganizationConfig", &["-EwsEnabled", "-EwsAllowList"]),
    ("Set-PartnerApplication", &["-Identity", "-Enabled", "-Realm", "-LinkedAccount"]),
    ("Set-WebServicesVirtualDirectory", &["-Identity", "-OAuthAuthentication", "-ExternalUrl"]),
    ("Update-MgApplication", &["-ApplicationId", "-KeyCredentials"]),
    (
        "Update-MgServicePrincipal",
        &["-ServicePrincipalId", "-KeyCredentials", "-ServicePrincipalNames", "-AccountEnabled"],
    ),
    // On the computer where it runs.
    ("Connect-MgGraph", &["-Scopes", "-Environment"]),
    ("Export-Clixml", &[]),
    ("ForEach-Object", &[]),
    ("New-Item", &["-ItemType", "-Force"]),
    ("Out-Null", &[]),
    ("Read-Host", &["-AsSecureString"]),
    ("Remove-Item", &[]),
    ("Write-Output", &["-InputObject"]),
];

/// What a test may call, too.
pub(super) const READING: &[(&str, &[&str])] = &[
    ("Format-List", &[]),
    ("Format-Table", &[]),
    ("Get-AcceptedDomain", &[]),
    ("Get-AuthConfig", &[]),
    ("Get-AuthServer", &["-Identity"]),
    ("Get-Date", &[]),
    ("Get-ExchangeCertificate", &["-Server", "-Thumbprint", "-ErrorAction"]),
    ("Get-IntraOrganizationConnector", &[]),
    ("Get-Item", &[]),
    ("Get-MailUser", &["-Identity"]),
    (
        "Get-ManagementRoleAssignment",
        &["-RoleAssignee", "-Role", "-AssignmentMethod", "-Delegating"],
    ),
    ("Get-ManagementRoleEntry", &[]),
    ("Get-MgApplication", &["-Filter", "-ApplicationId", "-Property"]),
    ("Get-MgContext", &[]),
    ("Get-MgServicePrincipal", &["-Filter", "-ServicePrincipalId", "-Property"]),
    ("Get-OrganizationConfig", &[]),
    ("Get-PartnerApplication", &["-Identity"]),
    ("Get-PfxCertificate", &["-FilePath", "-ErrorAction"]),
    ("Get-SettingOverride", &[]),
    ("Get-WebServicesVirtualDirectory", &["-Identity", "-ADPropertiesOnly"]),
    ("Select-Object", &["-ExpandProperty"]),
    ("Where-Object", &[]),
];

/// What a script may do beside calling cmdlets: as it stands in this program.
pub(super) const METHODS: &[&str] = &[
    "$certificate.NotAfter.ToUniversalTime",
    "$certificate.NotBefore.ToUniversalTime",
    "(Get-Date).AddHours",
    "[System.IO.File]::WriteAllBytes",
    "[System.Security.Cryptography.X509Certificates.X509Certificate2]::new",
    "[regex]::Unescape",
];
