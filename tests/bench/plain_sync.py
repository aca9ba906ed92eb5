#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What an administrator would write instead: lists a tenant's devices and Intune records into an SQLite file. What
`certdir sync` is measured against (bench_sync.py), so it is written to be quick: one connection that is kept, a dict of json
bound as it comes, one transaction.

usage: plain_sync.py URL TENANT CLIENT_ID SECRET_FILE CA_FILE DATABASE [MIB of SQLite page cache]
"""

import http.client
import json
import sqlite3
import ssl
import sys
from pathlib import Path
from urllib.parse import urlencode, urlsplit

SCHEMA = """
CREATE TABLE IF NOT EXISTS device(
    object_id TEXT PRIMARY KEY, entra_device_id TEXT, intune_device_id TEXT, name TEXT, serial_number TEXT, sid TEXT, owner TEXT,
    ownership TEXT, operating_system TEXT, compliance TEXT, enabled INTEGER, managed INTEGER, join_type TEXT, last_seen TEXT,
    registered TEXT, intune_last_sync TEXT, enrolled TEXT, wifi_mac TEXT, ethernet_mac TEXT, intune_name TEXT,
    management_state TEXT, category TEXT, enrollment_profile TEXT);
CREATE INDEX IF NOT EXISTS device_by_entra_device_id ON device(entra_device_id);
CREATE INDEX IF NOT EXISTS device_by_intune_device_id ON device(intune_device_id);
CREATE INDEX IF NOT EXISTS device_by_name ON device(name);
CREATE INDEX IF NOT EXISTS device_by_serial_number ON device(serial_number);
CREATE TABLE IF NOT EXISTS state(delta_link TEXT);
"""
DEVICES = ("/v1.0/devices/delta?$select=id,deviceId,displayName,accountEnabled,trustType,isCompliant,isManaged,operatingSystem,"
           "deviceOwnership,approximateLastSignInDateTime,registrationDateTime,onPremisesSecurityIdentifier")
DEVICE = """
INSERT INTO device(object_id, entra_device_id, name, sid, ownership, operating_system, compliance, enabled, managed, join_type,
    last_seen, registered)
VALUES (:id, :deviceId, :displayName, :onPremisesSecurityIdentifier, :deviceOwnership, :operatingSystem,
    CASE :isCompliant WHEN 1 THEN 'compliant' WHEN 0 THEN 'noncompliant' END, :accountEnabled, :isManaged, :trustType,
    :approximateLastSignInDateTime, :registrationDateTime)
ON CONFLICT(object_id) DO UPDATE SET entra_device_id=excluded.entra_device_id, name=excluded.name, sid=excluded.sid,
    ownership=excluded.ownership, operating_system=excluded.operating_system, compliance=excluded.compliance,
    enabled=excluded.enabled, managed=excluded.managed, join_type=excluded.join_type, last_seen=excluded.last_seen,
    registered=excluded.registered
"""
RECORDS = ("/v1.0/deviceManagement/managedDevices?$select=id,azureADDeviceId,deviceName,serialNumber,complianceState,"
           "lastSyncDateTime,managedDeviceOwnerType,enrolledDateTime,userPrincipalName,operatingSystem,managementState,"
           "wiFiMacAddress,ethernetMacAddress,deviceCategoryDisplayName,enrollmentProfileName&$top=1000")
RECORD = """
UPDATE device SET intune_device_id=:id, serial_number=:serialNumber, compliance=:complianceState, owner=:userPrincipalName,
    intune_last_sync=:lastSyncDateTime, enrolled=:enrolledDateTime, wifi_mac=:wiFiMacAddress, ethernet_mac=:ethernetMacAddress,
    intune_name=:deviceName, management_state=:managementState, category=:deviceCategoryDisplayName,
    enrollment_profile=:enrollmentProfileName
WHERE entra_device_id=:azureADDeviceId
"""


class Graph:
    def __init__(self, url, ca_file):
        self.url = url
        self.connection = http.client.HTTPSConnection(urlsplit(url).netloc, context=ssl.create_default_context(cafile=ca_file))
        self.headers = {}

    def _request(self, method, url, body=None, headers=None):
        parts = urlsplit(url)
        self.connection.request(method, f"{parts.path}?{parts.query}", body, headers or self.headers)
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        if response.status != 200:
            sys.exit(f"{url}: {response.status}: {answer}")
        return answer

    def log_in(self, tenant, client_id, secret):
        form = urlencode({"client_id": client_id, "client_secret": secret, "scope": self.url + "/.default",
                          "grant_type": "client_credentials"})
        answer = self._request("POST", f"{self.url}/{tenant}/oauth2/v2.0/token", form,
                               {"Content-Type": "application/x-www-form-urlencoded"})
        self.headers = {"Authorization": "Bearer " + answer["access_token"]}

    def pages(self, path):
        link = self.url + path
        while link:
            page = self._request("GET", link)
            yield page
            link = page.get("@odata.nextLink")


def main():
    url, tenant, client_id, secret_file, ca_file, database, *cache = sys.argv[1:]
    db = sqlite3.connect(database)
    if cache:
        db.execute(f"PRAGMA cache_size = -{int(cache[0]) * 1024}")
    db.executescript(SCHEMA)
    graph = Graph(url, ca_file)
    graph.log_in(tenant, client_id, Path(secret_file).read_text().strip())
    for page in graph.pages(DEVICES):
        db.executemany(DEVICE, page["value"])
    db.execute("DELETE FROM state")
    db.execute("INSERT INTO state VALUES(?)", [page["@odata.deltaLink"]])
    for page in graph.pages(RECORDS):
        db.executemany(RECORD, page["value"])
    db.commit()
    db.close()


if __name__ == "__main__":
    main()
