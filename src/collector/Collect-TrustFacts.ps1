#requires -Version 5.1
<#
.SYNOPSIS
Writes what trustprobe needs to know of this Exchange organisation into one JSON file.

.DESCRIPTION
It reads and never writes: nothing in Exchange or Active Directory is changed, and
the result file is all that it leaves. It calls these cmdlets of Exchange and no
others:

  Get-OrganizationConfig, Get-AuthConfig, Get-AuthServer, Get-PartnerApplication,
  Get-User and Get-MailUser (linked accounts only), Get-ManagementRoleAssignment,
  Get-ManagementRole, Get-ExchangeServer, Get-ExchangeCertificate,
  Get-WebServicesVirtualDirectory, Get-AutodiscoverVirtualDirectory,
  Get-MapiVirtualDirectory, Get-OabVirtualDirectory, Get-SettingOverride,
  Get-IntraOrganizationConnector, Get-AcceptedDomain,
  and Test-OAuthConnectivity where -Mailbox is given.

A member of View-Only Organization Management may run it. What this account may not
read, and a server that does not answer, is recorded with its error; the rest is
collected all the same. Test-OAuthConnectivity may take more than that right.

The file holds names, domains, addresses of servers, and certificates without their
private keys. It holds no password and no key.

.PARAMETER Path
The file to write. It must not exist.

.PARAMETER Mailbox
A mailbox for Test-OAuthConnectivity, which then asks -TargetUri for it with a token
of Exchange. Its result names the mailbox. Without this no test is run.

.PARAMETER Service
The service of Test-OAuthConnectivity.

.PARAMETER TargetUri
The address of Test-OAuthConnectivity.

.PARAMETER SkipCertificates
Asks no server for its certificates.

.PARAMETER Server
The FQDN of an Exchange server to connect to with Kerberos. It is needed in
PowerShell 7, and where Exchange's management tools are not installed.

.EXAMPLE
.\Collect-TrustFacts.ps1

.EXAMPLE
.\Collect-TrustFacts.ps1 -Server ex1.corp.contoso.com -Path C:\Temp\facts.json
#>
[CmdletBinding()]
param(
    [string] $Path,
    [string] $Mailbox,
    [ValidateSet('EWS', 'AutoD', 'Generic')]
    [string] $Service = 'EWS',
    [uri] $TargetUri = 'https://outlook.office365.com/ews/exchange.asmx',
    [switch] $SkipCertificates,
    [string] $Server
)

# A value as text. An enum from a remote session is a number that calls itself by
# its name, and only quotes ask what it calls itself.
function ConvertTo-TrustText {
    param($Value)
    if ($null -eq $Value) { return '' }
    [string] "$Value"
}

# A reference as a distinguished name where it has one.
function ConvertTo-TrustLink {
    param($Value)
    if ($null -ne $Value -and $Value.DistinguishedName) { return [string] "$($Value.DistinguishedName)" }
    ConvertTo-TrustText $Value
}

# An instant in UTC. A time whose zone nobody knows is written without one.
function ConvertTo-TrustTime {
    param($Value, [bool] $IsUtc)
    if ($null -eq $Value) { return '' }
    if ($Value -isnot [datetime]) { return ConvertTo-TrustText $Value }
    if ($Value.Kind -ne [DateTimeKind]::Unspecified) { return $Value.ToUniversalTime().ToString('o') }
    if ($IsUtc) { return [datetime]::SpecifyKind($Value, [DateTimeKind]::Utc).ToString('o') }
    $Value.ToString('o')
}

# Now, in UTC.
function ConvertTo-TrustNow {
    [datetime]::UtcNow.ToString('o')
}

# One value as JSON, in ASCII. ConvertTo-Json differs between versions of PowerShell,
# and cuts what is deep.
function ConvertTo-TrustJson {
    param($Value)
    if ($Value -is [bool]) {
        if ($Value) { return 'true' }
        return 'false'
    }
    if ($Value -is [Collections.IDictionary]) {
        $members = foreach ($name in $Value.Keys) {
            (ConvertTo-TrustJson $name) + ':' + (ConvertTo-TrustJson $Value[$name])
        }
        return '{' + ($members -join ',') + '}'
    }
    if ($Value -is [Collections.IList]) {
        $elements = foreach ($element in $Value) { ConvertTo-TrustJson $element }
        return '[' + ($elements -join ",`n") + ']'
    }
    $escaped = [regex]::Replace([string] $Value, '[^\x20\x21\x23-\x5B\x5D-\x7E]', {
            param($match)
            '\u{0:x4}' -f [int] [char] $match.Value
        })
    '"' + $escaped + '"'
}

# A section of the result. Whoever reads it takes it for whole unless it failed.
function Start-TrustSection {
    param([string] $Name, [string] $Asked)
    Write-Host "Reading $Name $Asked"
    $section = [ordered]@{
        section = $Name
        asked = $Asked
        collected_at = ConvertTo-TrustNow
        ok = $true
        error = ''
        error_id = ''
        items = [Collections.ArrayList] @()
    }
    [void] $sections.Add($section)
    $section
}

# Takes the named properties of each object. What the object does not have is left out.
function Read-TrustItem {
    param(
        [Parameter(ValueFromPipeline = $true)] $InputObject,
        $Section,
        [string[]] $Text,
        [string[]] $Link,
        [string[]] $List,
        [string[]] $Time,
        [string[]] $Octets
    )
    process {
        if ($null -eq $InputObject) { return }
        if (-not $header.answered_by) { $header.answered_by = ConvertTo-TrustText $InputObject.PSComputerName }
        $item = [ordered]@{}
        foreach ($name in @($Text) + @($Link) + @($List) + @($Time) + @($Octets)) {
            if (-not $name) { continue }
            $property = $InputObject.PSObject.Properties[$name]
            if ($null -eq $property) { continue }
            try { $value = $property.Value } catch { continue }
            if ($Link -contains $name) {
                $item[$name] = ConvertTo-TrustLink $value
            } elseif ($List -contains $name) {
                $item[$name] = @(foreach ($element in $value) { ConvertTo-TrustText $element })
            } elseif ($Time -contains $name) {
                $item[$name] = ConvertTo-TrustTime $value ($name -like '*UTC')
            } elseif ($Octets -contains $name) {
                if ($value) { $item[$name] = [Convert]::ToBase64String([byte[]] $value) }
            } else {
                $item[$name] = ConvertTo-TrustText $value
            }
        }
        [void] $Section.items.Add($item)
    }
}

# Keeps why a section failed. The identifier is the same in every language.
function Read-TrustFailure {
    param($Section, $Failure)
    $Section.ok = $false
    $Section.error = (@($Section.error, "$($Failure.Exception.Message)") -ne '') -join '; '
    $id = "$($Failure.CategoryInfo.Category) $($Failure.FullyQualifiedErrorId)"
    $Section.error_id = (@($Section.error_id, $id) -ne '') -join '; '
    Write-Host "  failed: $($Failure.Exception.Message)" -ForegroundColor Yellow
}

# Sees to it that the cmdlets are there. Gives the session, if it opened one.
function Connect-TrustExchange {
    if ($Server) {
        Write-Host "Connecting to $Server"
        $session = New-PSSession -ConfigurationName Microsoft.Exchange -ConnectionUri "http://$Server/PowerShell/" -Authentication Kerberos -ErrorAction Stop
        # Cmdlets that this account may not use are not there, and each is told of below.
        $null = Import-PSSession -Session $session -CommandName $cmdlets -DisableNameChecking -AllowClobber -ErrorAction SilentlyContinue
        return $session
    }
    if (Get-Command -Name Get-AuthConfig -ErrorAction SilentlyContinue) { return }
    if (-not $env:ExchangeInstallPath) {
        throw 'no management tools of Exchange are installed here: name an Exchange server with -Server'
    }
    Write-Host 'Loading the Exchange Management Shell'
    $null = . "$env:ExchangeInstallPath\bin\RemoteExchange.ps1"
    $null = Connect-ExchangeServer -Auto -ClientApplication:ManagementShell
}

$object = 'Name', 'DistinguishedName', 'Guid'
$changed = 'WhenChangedUTC'
$cmdlets = @(
    'Get-OrganizationConfig', 'Get-AuthConfig', 'Get-AuthServer', 'Get-PartnerApplication', 'Get-User', 'Get-MailUser',
    'Get-ManagementRoleAssignment', 'Get-ManagementRole', 'Get-ExchangeServer', 'Get-ExchangeCertificate',
    'Get-WebServicesVirtualDirectory', 'Get-AutodiscoverVirtualDirectory', 'Get-MapiVirtualDirectory',
    'Get-OabVirtualDirectory', 'Get-SettingOverride', 'Get-IntraOrganizationConnector', 'Get-AcceptedDomain',
    'Test-OAuthConnectivity'
)
$sections = [Collections.ArrayList] @()
$header = [ordered]@{
    format = 'trustprobe/collector'
    version = '1.0'
    collected_at = ConvertTo-TrustNow
    organization = ''
    computer = [string] [Environment]::MachineName
    answered_by = ''
    powershell = [string] $PSVersionTable.PSVersion
}
$session = $null
$stream = $null

try {
    $session = Connect-TrustExchange

    if (-not (Get-Command -Name Get-OrganizationConfig, Get-AuthConfig -ErrorAction SilentlyContinue)) {
        throw 'there are no cmdlets of Exchange for this account: see -Server, and the rights in the help'
    }

    $section = Start-TrustSection 'OrganizationConfig'
    try {
        Get-OrganizationConfig -ErrorAction Stop |
            Read-TrustItem -Section $section -Text ($object + @('EwsEnabled', 'EwsApplicationAccessPolicy')) -List EwsAllowList, EwsBlockList -Time $changed
    } catch { Read-TrustFailure $section $_ }
    foreach ($item in $section.items) { $header.organization = [string] $item.Name }

    # The file is opened before the long part, so that a folder that cannot be written
    # to is met at once. A file that exists is never overwritten; a run that is broken
    # off leaves this one empty.
    if (-not $Path) {
        $name = (@($header.organization, 'Exchange') -ne '')[0] -replace '[^A-Za-z0-9._-]', '_'
        $time = [datetime]::UtcNow.ToString('yyyyMMdd-HHmmss', [cultureinfo]::InvariantCulture)
        $folder = $ExecutionContext.SessionState.Path.CurrentFileSystemLocation.ProviderPath
        $Path = "$folder\TrustFacts-$name-$($time)Z.json"
    }
    $file = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
    $stream = [IO.FileStream]::new($file, [IO.FileMode]::CreateNew)

    $section = Start-TrustSection 'AuthConfig'
    try {
        Get-AuthConfig -ErrorAction Stop |
            Read-TrustItem -Section $section -Text ($object + @('CurrentCertificateThumbprint', 'PreviousCertificateThumbprint', 'NextCertificateThumbprint', 'ServiceName', 'Realm')) -Time NextCertificateEffectiveDate, $changed
    } catch { Read-TrustFailure $section $_ }

    $section = Start-TrustSection 'AuthServer'
    try {
        Get-AuthServer -ErrorAction Stop |
            Read-TrustItem -Section $section -Text ($object + @('Type', 'IssuerIdentifier', 'Realm', 'TokenIssuingEndpoint', 'AuthorizationEndpoint', 'AuthMetadataUrl', 'ApplicationIdentifier', 'IsDefaultAuthorizationEndpoint', 'Enabled')) -List DomainName, CertificateStrings -Time $changed
    } catch { Read-TrustFailure $section $_ }

    $section = Start-TrustSection 'PartnerApplication'
    try {
        Get-PartnerApplication -ErrorAction Stop |
            Read-TrustItem -Section $section -Text ($object + @('Enabled', 'ApplicationIdentifier', 'AuthMetadataUrl', 'Realm', 'UseAuthServer', 'AcceptSecurityIdentifierInformation', 'IssuerIdentifier', 'AccountType')) -Link LinkedAccount -List CertificateStrings, AppOnlyPermissions, ActAsPermissions -Time $changed
    } catch { Read-TrustFailure $section $_ }
    $applications = $section

    # Of accounts only those that an application is linked to.
    $section = Start-TrustSection 'LinkedAccount'
    if (-not $applications.ok) {
        $section.ok = $false
        $section.error = 'the partner applications could not be read'
        $section.error_id = $applications.error_id
    }
    $asked = @()
    foreach ($application in $applications.items) {
        $account = $application.LinkedAccount
        if (-not $account -or $asked -contains $account) { continue }
        $asked += $account
        try {
            Get-User -Identity $account -ErrorAction Stop |
                Read-TrustItem -Section $section -Text ($object + @('RecipientType', 'RecipientTypeDetails', 'UserAccountControl')) -Time $changed
            $last = $section.items[$section.items.Count - 1]
            if ($last.RecipientType -eq 'MailUser') {
                Get-MailUser -Identity $account -ErrorAction Stop |
                    Read-TrustItem -Section $section -Text ($object + @('RecipientType', 'RecipientTypeDetails', 'HiddenFromAddressListsEnabled', 'ExternalEmailAddress')) -Time $changed
            }
        } catch { Read-TrustFailure $section $_ }
    }

    $section = Start-TrustSection 'ManagementRoleAssignment'
    try {
        Get-ManagementRoleAssignment -ErrorAction Stop |
            Read-TrustItem -Section $section -Text ($object + @('RoleAssigneeType', 'RoleAssignmentDelegationType', 'AssignmentMethod', 'Enabled')) -Link Role, RoleAssignee, User -Time $changed
    } catch { Read-TrustFailure $section $_ }

    # Of roles those that somebody derived from another: the entries of the others are
    # known.
    $section = Start-TrustSection 'ManagementRole'
    try {
        foreach ($role in @(Get-ManagementRole -ErrorAction Stop)) {
            if ("$($role.IsRootRole)" -eq 'True') { continue }
            Read-TrustItem -InputObject $role -Section $section -Text $object -Link Parent -List RoleEntries -Time $changed
        }
    } catch { Read-TrustFailure $section $_ }

    $section = Start-TrustSection 'ExchangeServer'
    try {
        Get-ExchangeServer -ErrorAction Stop |
            Read-TrustItem -Section $section -Text ($object + @('Fqdn', 'AdminDisplayVersion', 'ServerRole', 'IsMailboxServer', 'IsClientAccessServer', 'IsEdgeServer')) -Time $changed
    } catch { Read-TrustFailure $section $_ }
    $servers = $section

    $section = Start-TrustSection 'WebServicesVirtualDirectory'
    try {
        Get-WebServicesVirtualDirectory -ADPropertiesOnly -ErrorAction Stop |
            Read-TrustItem -Section $section -Text ($object + @('InternalUrl', 'ExternalUrl', 'OAuthAuthentication', 'WSSecurityAuthentication', 'WindowsAuthentication')) -Link Server -List InternalAuthenticationMethods, ExternalAuthenticationMethods -Time $changed
    } catch { Read-TrustFailure $section $_ }

    $section = Start-TrustSection 'AutodiscoverVirtualDirectory'
    try {
        Get-AutodiscoverVirtualDirectory -ADPropertiesOnly -ErrorAction Stop |
            Read-TrustItem -Section $section -Text ($object + @('InternalUrl', 'ExternalUrl', 'OAuthAuthentication', 'WSSecurityAuthentication', 'WindowsAuthentication')) -Link Server -List InternalAuthenticationMethods, ExternalAuthenticationMethods -Time $changed
    } catch { Read-TrustFailure $section $_ }

    $section = Start-TrustSection 'MapiVirtualDirectory'
    try {
        Get-MapiVirtualDirectory -ADPropertiesOnly -ErrorAction Stop |
            Read-TrustItem -Section $section -Text ($object + @('InternalUrl', 'ExternalUrl')) -Link Server -List InternalAuthenticationMethods, ExternalAuthenticationMethods -Time $changed
    } catch { Read-TrustFailure $section $_ }

    $section = Start-TrustSection 'OabVirtualDirectory'
    try {
        Get-OabVirtualDirectory -ADPropertiesOnly -ErrorAction Stop |
            Read-TrustItem -Section $section -Text ($object + @('InternalUrl', 'ExternalUrl', 'OAuthAuthentication', 'WindowsAuthentication')) -Link Server -List InternalAuthenticationMethods, ExternalAuthenticationMethods -Time $changed
    } catch { Read-TrustFailure $section $_ }

    $section = Start-TrustSection 'SettingOverride'
    try {
        Get-SettingOverride -ErrorAction Stop |
            Read-TrustItem -Section $section -Text ($object + @('ComponentName', 'SectionName', 'Status', 'MinVersion', 'MaxVersion')) -List Parameters, Server -Time $changed
    } catch { Read-TrustFailure $section $_ }

    $section = Start-TrustSection 'IntraOrganizationConnector'
    try {
        Get-IntraOrganizationConnector -ErrorAction Stop |
            Read-TrustItem -Section $section -Text ($object + @('Enabled', 'DiscoveryEndpoint')) -List TargetAddressDomains -Time $changed
    } catch { Read-TrustFailure $section $_ }

    $section = Start-TrustSection 'AcceptedDomain'
    try {
        Get-AcceptedDomain -ErrorAction Stop |
            Read-TrustItem -Section $section -Text ($object + @('DomainName', 'DomainType', 'Default')) -Time $changed
    } catch { Read-TrustFailure $section $_ }

    # Each server is asked for its own certificates. An Edge server cannot be asked.
    foreach ($exchange in $servers.items) {
        if ($SkipCertificates -or $exchange.IsEdgeServer -eq 'True') { continue }
        $section = Start-TrustSection 'ExchangeCertificate' $exchange.Fqdn
        try {
            Get-ExchangeCertificate -Server $exchange.Fqdn -ErrorAction Stop |
                Read-TrustItem -Section $section -Text Identity, Thumbprint, Services, HasPrivateKey -Time NotAfter -Octets RawData
        } catch { Read-TrustFailure $section $_ }
    }

    if ($Mailbox) {
        $section = Start-TrustSection 'OAuthConnectivity' ([string] $TargetUri)
        try {
            Test-OAuthConnectivity -Service $Service -TargetUri $TargetUri -Mailbox $Mailbox -ErrorAction Stop |
                Read-TrustItem -Section $section -Text Task, Detail, ResultType
        } catch { Read-TrustFailure $section $_ }
    }

    $header['sections'] = $sections
    $encoding = [Text.UTF8Encoding]::new($false)
    $octets = $encoding.GetBytes("$(ConvertTo-TrustJson $header)`n")
    $stream.Write($octets, 0, $octets.Length)
    Write-Host "Written: $file"
} catch {
    # Without this, what follows a failed call would run.
    throw
} finally {
    if ($null -ne $stream) { $stream.Dispose() }
    if ($null -ne $session) { Remove-PSSession -Session $session -ErrorAction SilentlyContinue }
}
