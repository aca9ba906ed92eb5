# SPDX-License-Identifier: GPL-2.0-or-later
"""
Makes the database of a domain controller as a JSON object on standard input says. A program of its own, run by
testenv.samba with python3 -I: Samba's provisioning changes the process that it runs in.
"""

import json
import logging
import sys

import ldb
import samba.provision
from samba.auth import system_session
from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
from samba.param import LoadParm


def main(conf, realm, domain, password, spns, address, dns):
    """
    The domain of an smb.conf. Its sysvol gets no ACLs, which need privileges that containers lack. spns: names of the
    domain controller that the DNS service, which is not running, would have registered.
    """
    lp = LoadParm()
    lp.load(conf)
    made = samba.provision.provision(
        logging.getLogger("provision"), system_session(), smbconf=conf, lp=lp, realm=realm, domain=domain,
        hostname=lp.get("netbios name"), hostip=address, adminpass=password,
        serverrole="active directory domain controller", dns_backend=dns, skip_sysvolacl=True,
        dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2, batch_mode=True)
    message = ldb.Message(ldb.Dn(made.samdb, f"CN={lp.get('netbios name')},OU=Domain Controllers,{made.samdb.domain_dn()}"))
    message["spn"] = ldb.MessageElement(spns, ldb.FLAG_MOD_ADD, "servicePrincipalName")
    made.samdb.modify(message)


main(**json.load(sys.stdin))
