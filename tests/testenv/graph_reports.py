# SPDX-License-Identifier: GPL-2.0-or-later
"""
Intune's reports: jobs that are posted and asked after, and another host that gives the zip for a link with a signature.

Reports is a part of FakeGraph. The host must never see an access token: what comes with one is refused and kept in `violations`.
"""

import csv
import hashlib
import io
import json
import re
import urllib.parse
import zipfile
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from testenv.graph_faults import Answer, error, told

READ, CREATE = "DeviceManagementConfiguration.Read.All", "DeviceManagementConfiguration.ReadWrite.All"
COLUMNS = ("CertificateStatus", "DeviceId", "DeviceName", "EnhancedKeyUsage", "IssuerName", "KeyUsage", "PolicyId",
           "SerialNumber", "SubjectName", "Thumbprint", "UPN", "UserId", "ValidFrom", "ValidTo")
LOCALIZED = {"CertificateStatus": {
    "de": {"issued": "Ausgestellt", "revoked": "Widerrufen"},
    "en": {"issued": "Issued", "revoked": "Revoked", "9": "Issued", "14": "Revoked", "7": "Issue failed", "17": "Install failed"}}}
ISSUER = "CN=Contoso Issuing CA, O=Contoso, C=US"
ADDITIONAL = "localizedValuesAsAdditionalColumn"
NEVER = "0001-01-01T00:00:00Z"


def certificate(device="", number=1, life=365, status="issued", user="", upn="", **columns):
    """A row of the report; number is the certificate's. device, user: Intune's id, Entra's."""
    begin = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(days=30)
    row = {"CertificateStatus": status, "DeviceId": device, "DeviceName": f"PC-{number}", "IssuerName": ISSUER,
           "EnhancedKeyUsage": "Client Authentication (1.3.6.1.5.5.7.3.2)", "KeyUsage": "Digital Signature, Key Encipherment",
           "PolicyId": "ModelName=AC_1/LogicalName_8a0c1f7c", "SerialNumber": f"4D{number:036X}",
           "SubjectName": "CN=Wi-Fi", "Thumbprint": hashlib.sha1(str(number).encode()).hexdigest().upper(),
           "UPN": upn, "UserId": user, "ValidFrom": f"{begin:%Y-%m-%d %H:%M:%S}.0000000",
           "ValidTo": f"{begin + timedelta(days=life):%Y-%m-%d %H:%M:%S}.0000000"}
    return {**row, **columns}


def table(rows, columns, mark=True, quoting=csv.QUOTE_MINIMAL, language="en"):
    """The rows as a CSV file, as bytes; a column CertificateStatus_loc has the words of the language."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", quoting=quoting, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({**row, **{f"{name}_loc": words[language].get(row[name], row[name])
                                   for name, words in LOCALIZED.items() if name in row}})
    return (b"\xef\xbb\xbf" if mark else b"") + out.getvalue().encode()


def packed(*files, **options):
    """A zip of (name, content)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


@dataclass
class Job:
    id: str
    select: list
    polls: int  # questions until it is done
    language: str  # of the words for people
    file: bytes = None
    signature: str = ""
    asked: int = 0

    def status(self, fails):
        if self.asked < self.polls:
            return "inProgress" if self.asked else "notStarted"
        return "failed" if fails else "completed"


class Reports:
    """
    .certificates: rows of the report. .report_polls: how often a job is asked after until it is done. .report_fails: so many jobs fail.
    .report_permission: what creating one needs. .report_host: where links lead, "HOST:PORT". .report_file: bytes instead of the zip.
    """

    def start_reports(self, listener):
        """listener(answer) opens an https port."""
        self.certificates = []
        self.report_polls, self.report_fails, self.report_permission, self.report_file = 1, 0, READ, None
        self.jobs = {}
        self._blobs = listener(self._answer_blob)
        self.report_host = f"fef01.blob.localhost:{self._blobs.port}"
        self.report_suffix = f".blob.localhost:{self._blobs.port}"

    def stop_reports(self):
        self._blobs.close()

    def expire_reports(self):
        """No link that is out leads anywhere any more."""
        for job in self.jobs.values():
            job.signature = ""

    # -- jobs --

    def _post_exports(self, request):
        try:
            wanted = json.loads(request.body)
            name, select = wanted["reportName"], wanted.get("select", [])
        except (ValueError, KeyError):
            return error(400, "BadRequest", "Unable to read JSON request payload.")
        unknown = [column for column in select if column not in COLUMNS]
        if request.headers.get("content-type") != "application/json" or name != "AllDeviceCertificates" or unknown or set(
                wanted) - {"reportName", "select", "format", "filter", "localizationType"} or wanted.get("filter"):
            return error(400, "BadRequest", f"Invalid report request: {name} {unknown}")
        # What else there is replaces values by words of some language.
        if wanted.get("localizationType", ADDITIONAL) != ADDITIONAL:
            self.violations.append("a report was asked for whose values are words for people")
        language = "en" if request.headers.get("accept-language", "").startswith("en") else "de"
        job = Job(f"{name}_{self.tenant.new_id()}", select or list(COLUMNS), self.report_polls, language)
        self.jobs[job.id] = job
        return told(self._job(job), 201)

    def _get_exports(self, request):
        job = self.jobs.get(request.arguments["job"])
        if not job:
            return error(404, "ResourceNotFound", "The export job was not found.")
        job.asked += 1
        return told(self._job(job))

    def _job(self, job):
        status = job.status(self.report_fails > 0)
        self.report_fails -= status == "failed"
        if status == "completed" and not job.file:
            job.signature = f"{self.rng.getrandbits(128):x}%3D"
            job.file = self.report_file if self.report_file is not None else self._make(job)
        now = datetime.now(timezone.utc)
        path = f"cccd0e8f-0000-4000-8000-000000000000/{job.id}.zip"
        query = f"sv=2019-07-07&sr=b&sig={job.signature}&skoid=1db6df02-4c8b-4cb3-8394-7ac2390642f8&se={now:%Y-%m-%d}&sp=r"
        done = status == "completed"
        return {"@odata.context": f"{self.base}/v1.0/$metadata#deviceManagement/reports/exportJobs/$entity", "id": job.id,
                "reportName": "AllDeviceCertificates", "filter": None, "select": job.select, "format": "csv",
                "snapshotId": None, "localizationType": ADDITIONAL, "status": status,
                "url": f"https://{self.report_host}/{path}?{query}" if done else None,
                "requestDateTime": f"{now:%Y-%m-%dT%H:%M:%S.%f}Z",
                "expirationDateTime": f"{now + timedelta(hours=6):%Y-%m-%dT%H:%M:%S.%f}Z" if done else NEVER}

    def _make(self, job):
        columns = [*job.select, *(f"{name}_loc" for name in LOCALIZED if name in job.select)]
        self.rng.shuffle(columns)
        quoting = self.rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
        return packed((f"{job.id}.csv", table(self.certificates, columns, self.rng.random() < 0.5, quoting, job.language)))

    # -- the other host --

    def _answer_blob(self, request):
        request.route = "report"
        self.requests.append(request)
        fault = self._take_order("report")
        answer = fault(self, request, lambda: self._blob(request)) if fault else None
        answer = answer or self._blob(request)
        request.status = answer.status
        return answer

    def _blob(self, request):
        about = {"Server": "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0", "x-ms-version": "2019-07-07"}
        if "authorization" in request.headers:
            self.violations.append("an Authorization header was sent to the host of the reports")
            return _refused(400, "InvalidAuthenticationInfo", about)
        found = re.fullmatch(r"/[0-9a-f-]+/(\w[\w-]*)\.zip", request.path)
        job = self.jobs.get(found[1]) if found else None
        signature = urllib.parse.unquote(job.signature) if job else None
        if not job or not signature or request.query.get("sig") != signature or request.method != "GET":
            return _refused(403, "AuthenticationFailed", about)
        return Answer(200, job.file, {**about, "Content-Type": "application/octet-stream", "x-ms-blob-type": "BlockBlob"})


def _refused(status, code, about):
    body = f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
    return Answer(status, body.encode(), {**about, "Content-Type": "application/xml", "x-ms-error-code": code})
