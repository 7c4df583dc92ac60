#!/usr/bin/python3
"""Extends the schema of a lab's directory and fills it.

    seed.py SMB.CONF SAM.LDB FIXTURE…

Each FIXTURE is a folder below tests/fixtures/directory; a file of an earlier one
takes the place of the file of the same name in a later one. So `healthy` is a
complete Contoso, and `27-application-disabled healthy` the same with a fault.
It runs on Debian's own Python, which has python3-samba.
"""

import base64
import os
import sys
import time
from pathlib import Path

import ldb
import samba.param
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack
from samba.samdb import SamDB

import schema

DOMAIN = "DC=corp,DC=contoso,DC=com"
EXCHANGE = f"CN=Microsoft Exchange,CN=Services,CN=Configuration,{DOMAIN}"
ORGANISATION = f"CN=Contoso Org,{EXCHANGE}"
AUTH = f"CN=Auth Configuration,{ORGANISATION}"
GROUPS = f"OU=Microsoft Exchange Security Groups,{DOMAIN}"
FIXTURES = Path(__file__).parent.parent / "fixtures" / "directory"

BEGUN = time.time()

# Of its own accord the directory sets these.
OWN = {"objectGUID", "whenChanged", "cn"}
# The entries of roles that matter; every other role gets a cmdlet.
ENTRIES = {"UserApplication": ["a,ConvertId", "a,GetDelegate", "a,GetFolder"]}

# Users, whose passwords are as public as this file. What each of them may not see
# is set below.
PASSWORD = "Pr0be-of-the-lab"
USERS = ["svc-trustprobe", "svc-blind", "svc-no-thumbprint", "svc-no-evosts", "svc-no-partners",
         "svc-admin", "svc-exchange"]


def main():
    settings, database, *fixtures = sys.argv[1:]
    parameters = samba.param.LoadParm()
    parameters.load(settings)
    parameters.set("dsdb:schema update allowed", "true")
    sam = SamDB(url=database, lp=parameters, session_info=system_session())
    extend(sam)
    # As one: a thousand writes of their own would take a thousand times to the disk.
    sam.transaction_start()
    fill(sam, fixtures)
    sam.transaction_commit()
    hide(sam)


def extend(sam):
    place = f"CN=Schema,CN=Configuration,{DOMAIN}"
    sam.transaction_start()
    for ldif in schema.attributes(place):
        sam.add_ldif(ldif)
    sam.transaction_commit()
    sam.set_schema_update_now()
    for batch in schema.classes(place):
        for ldif in batch:
            sam.add_ldif(ldif)
        sam.set_schema_update_now()
    for ldif in schema.gains(place):
        sam.modify_ldif(ldif)
    sam.set_schema_update_now()


def entries(fixtures):
    """The entries of the fixtures, as DN and attributes."""
    chosen = {}
    for fixture in fixtures:
        for path in sorted((FIXTURES / fixture).glob("*.ldif")):
            chosen.setdefault(path.name, path)
    for path in chosen.values():
        text = path.read_text().replace("\n ", "")
        for record in text.split("\n\n"):
            lines = [line.split(": ", 1) for line in record.splitlines() if ": " in line]
            lines = [(n, v) for n, v in lines if not n.startswith("#") and n != "version"]
            if lines:
                yield lines[0][1], lines[1:]


def fill(sam, fixtures):
    sam.add({"dn": EXCHANGE, "objectClass": "msExchConfigurationContainer"})
    sam.add({"dn": ORGANISATION, "objectClass": "msExchOrganizationContainer"})
    found = list(entries(fixtures))
    # What others point to, and lie below, comes first.
    found.sort(key=lambda it: (it[0].count(","), "msExchRoleLink" in dict(it[1])))
    links = [value for _, lines in found for name, value in lines if name == "msExchRoleLink"]
    for role in sorted(set(links), key=len):
        name = role.split(",")[0].split("=")[1]
        add(sam, role, [("objectClass", "msExchRole"), ("msExchVersion", "1")]
            + [("msExchRoleEntries", it) for it in ENTRIES.get(name, ["c,Get-Mailbox,Identity"])])
    assignments = [it for it in found if "msExchRoleLink" in dict(it[1])]
    accounts = [dn for dn, lines in found if ("objectClass", "user") in lines]
    for dn, lines in [it for it in found if it not in assignments]:
        add(sam, dn, [it for it in lines if it[0] != "msExchAuthLinkedAccount"])
    for dn, lines in assignments:
        add(sam, dn, lines)
    for dn, lines in found:
        for name, value in lines:
            if name == "msExchAuthLinkedAccount":
                change(sam, dn, name, value)
    # A secret that nobody may ever ask for.
    for dn, _ in found:
        if ",CN=Auth Servers," in dn:
            change(sam, dn, "msExchAuthAppSecret", "0:the-secret-of-the-lab")
    # The accounts are in a group that is in a group.
    inner, outer = f"CN=Inner Callers,{GROUPS}", f"CN=Outer Callers,{GROUPS}"
    for group, members in ((inner, accounts), (outer, [inner])):
        add(sam, group, [("objectClass", "group"), ("groupType", "-2147483640")])
        for member in members:
            change(sam, group, "member", member)
    many(sam)
    for user in USERS:
        sam.newuser(user, PASSWORD)
    # These two may do too much, the second one by way of another group.
    management, helpers = f"CN=Organization Management,{GROUPS}", f"CN=Helpers,{GROUPS}"
    for group in (management, helpers):
        add(sam, group, [("objectClass", "group"), ("groupType", "-2147483640")])
    change(sam, management, "member", helpers)
    change(sam, helpers, "member", f"CN=svc-exchange,CN=Users,{DOMAIN}")
    change(sam, f"CN=Domain Admins,CN=Users,{DOMAIN}", "member", f"CN=svc-admin,CN=Users,{DOMAIN}")
    # Under these names Kerberos knows the controller.
    computer = f"CN=DC1,OU=Domain Controllers,{DOMAIN}"
    for host in ("dc1.corp.contoso.com", os.environ["LAB_ADDRESS"]):
        change(sam, computer, "servicePrincipalName", f"ldap/{host}")


def many(sam):
    """As many assignments as it takes for several pages."""
    first = next(iter(sam.search(ORGANISATION, expression="(msExchRoleLink=*)",
                                 attrs=["msExchRoleLink", "msExchUserLink"])))
    group = f"CN=Organization Management,{GROUPS}"
    for number in range(int(os.environ.get("LAB_ASSIGNMENTS", "0"))):
        add(sam, f"CN=Many-{number},CN=Role Assignments,CN=RBAC,{ORGANISATION}", [
            ("objectClass", "msExchRoleAssignment"), ("msExchVersion", "1"),
            ("msExchRoleLink", str(first["msExchRoleLink"])), ("msExchUserLink", group),
            ("msExchRoleAssignmentFlags", "-3458483038810275838"),
        ])


def add(sam, dn, lines):
    """Adds an entry, and above it whatever is missing."""
    if exists(sam, dn):
        return
    above(sam, dn.split(",", 1)[1])
    classes = [value for name, value in lines if name == "objectClass"]
    message = ldb.Message(ldb.Dn(sam, dn))
    values = {"objectClass": [classes[-1]]}
    for name, value in lines:
        plain = name.rstrip(":")
        if plain in OWN or plain == "objectClass":
            continue
        octets = base64.b64decode(value) if name.endswith(":") else value.encode()
        values.setdefault(plain, []).append(octets)
        if plain == "msExchUserLink":
            assignee(sam, value)
    if classes[-1] in ("user", "group"):
        # The older name of the two has 20 characters.
        values["sAMAccountName"] = [dn.split(",")[0].split("=")[1].replace(" ", "")[:20]]
    for name, contents in values.items():
        message[name] = ldb.MessageElement(contents, ldb.FLAG_MOD_ADD, name)
    sam.add(message)


def above(sam, dn):
    if exists(sam, dn):
        return
    above(sam, dn.split(",", 1)[1])
    ou = dn.lower().startswith("ou=")
    sam.add({"dn": dn, "objectClass": "organizationalUnit" if ou else "msExchContainer"})


def assignee(sam, dn):
    """Groups of Exchange are in no fixture."""
    if GROUPS in dn:
        add(sam, dn, [("objectClass", "group"), ("groupType", "-2147483640")])


def exists(sam, dn):
    try:
        return bool(sam.search(dn, scope=ldb.SCOPE_BASE, attrs=["dn"]))
    except ldb.LdbError:
        return False


def change(sam, dn, name, value):
    message = ldb.Message(ldb.Dn(sam, dn))
    message[name] = ldb.MessageElement(value, ldb.FLAG_MOD_ADD, name)
    sam.modify(message)


def hide(sam):
    """Takes from some users what others may see."""
    evosts = [it.dn for it in sam.search(f"CN=Auth Servers,{AUTH}", expression="(cn=EvoSTS*)")]
    thumbprint = sam.search(
        f"CN=msExchAuthCertificateThumbprint,CN=Schema,CN=Configuration,{DOMAIN}",
        scope=ldb.SCOPE_BASE, attrs=["schemaIDGUID"])[0]["schemaIDGUID"][0]
    guid = str(ndr_unpack(samba.dcerpc.misc.GUID, thumbprint))
    deny(sam, ORGANISATION, "svc-blind", "D;CI;RPLCLORC;;")
    deny(sam, AUTH, "svc-no-thumbprint", f"OD;;RP;{guid};")
    for dn in evosts:
        deny(sam, str(dn), "svc-no-evosts", "D;;RPLCLORC;;")
    deny(sam, f"CN=Partner Applications,{AUTH}", "svc-no-partners", "D;CI;RPLCLORC;;")


def deny(sam, dn, user, what):
    """Puts a refusal in front of what an object grants, and below it where it says so."""
    sid = ndr_unpack(security.dom_sid, sam.search(
        DOMAIN, expression=f"(sAMAccountName={user[:20]})", attrs=["objectSid"])[0]["objectSid"][0])
    found = sam.search(dn, scope=ldb.SCOPE_BASE, attrs=["nTSecurityDescriptor"],
                       controls=["sd_flags:1:4"])
    descriptor = ndr_unpack(security.descriptor, found[0]["nTSecurityDescriptor"][0])
    text = descriptor.as_sddl(security.dom_sid(sam.get_domain_sid()))
    front, rest = text.split("(", 1)
    changed = security.descriptor.from_sddl(
        f"{front}({what};{sid})({rest}", security.dom_sid(sam.get_domain_sid()))
    message = ldb.Message(ldb.Dn(sam, dn))
    message["nTSecurityDescriptor"] = ldb.MessageElement(
        ndr_pack(changed), ldb.FLAG_MOD_REPLACE, "nTSecurityDescriptor")
    sam.modify(message, controls=["sd_flags:1:4"])


if __name__ == "__main__":
    main()
    print(f"seeded in {time.time() - BEGUN:.1f} s", file=sys.stderr)
