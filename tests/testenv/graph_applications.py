# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of a fake Graph and Entra ID in which an administrator signs in by a code and registers applications."""

import base64
import hashlib
import json
import re
import secrets
import time
import urllib.parse
import uuid
from datetime import timezone

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from testenv.graph_faults import Answer, error, recorded, told
from testenv.graph_token import refusal, unpadded

GRAPH = "00000003-0000-0000-c000-000000000000"
PROOF_AUDIENCE = "00000002-0000-0000-c000-000000000000"
SIGN_IN_CLIENT = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
SCOPES = {"Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"}
# Application roles of Graph, as its service principal has them in each tenant.
ROLES = {
    "7438b122-aefc-4978-80ed-43db9fcc7715": "Device.Read.All",
    "2f51be20-0bb4-4fed-bf7b-db946066c75e": "DeviceManagementManagedDevices.Read.All",
    "98830695-27a2-44f7-8c18-0c3ebc9698f6": "GroupMember.Read.All",
    "df021288-bdef-4463-88db-98f22de89214": "User.Read.All",
    "dc377aa6-52d8-4e23-b271-2a7ae04cedf3": "DeviceManagementConfiguration.Read.All",
}
KEY = r"\((?P<by>appId|uniqueName)='(?P<value>[^']+)'\)"
ROUTES = [(re.compile(pattern), name) for pattern, name in (
    (r"/(?P<tenant>[^/]+)/v2\.0/\.well-known/openid-configuration", "configuration"),
    (r"/(?P<tenant>[^/]+)/oauth2/v2\.0/devicecode", "deviceCode"),
    (rf"/v1\.0/applications(?:{KEY}|/(?P<id>[^/()]+))", "application"),
    (r"/v1\.0/applications/(?P<id>[^/()]+)/(?P<action>addKey|removeKey)", "keys"),
    (rf"/v1\.0/servicePrincipals(?:{KEY})?", "principals"),
    (r"/v1\.0/servicePrincipals/(?P<id>[^/]+)/appRoleAssignments", "assignments"),
    (r"/v1\.0/servicePrincipals/(?P<id>[^/]+)/appRoleAssignedTo", "assignedTo"),
)]
METHODS = {"configuration": ("GET",), "deviceCode": ("POST",), "application": ("GET", "PATCH"), "keys": ("POST",),
           "principals": ("GET", "POST"), "assignments": ("GET",), "assignedTo": ("POST",)}
WRITABLE = {"displayName", "signInAudience", "requiredResourceAccess", "keyCredentials", "tags", "notes"}


def _when(moment):
    return moment.replace(tzinfo=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class SignIn:
    """
    One device code. The administrator's part: .answers, what polls get before the token ("authorization_pending",
    "slow_down", an AADSTS code of graph_token.REFUSALS, ..).
    """

    def __init__(self, interval):
        self.code, self.device_code = secrets.token_hex(4).upper(), secrets.token_urlsafe(60)
        self.interval, self.polled = interval, None


class Applications:
    """A mixin of FakeGraph. Change at any time: .sign_in_answers, .may_register, .may_grant, .lag, .domains."""

    def start_applications(self):
        self.applications, self.principals, self.assignments = {}, {}, []
        self.sign_ins, self.delegated = [], {}  # access token -> scopes
        self.sign_in_answers, self.sign_in_interval = [], 1
        self.device_code_answer = None  # in the place of a code
        self.may_register = self.may_grant = True
        self.lag = 0  # so many questions about something new are answered as if it were not there
        self.domains = {"contoso.onmicrosoft.com"}
        self._unseen = {}  # object -> questions that are still answered so
        self.registered = []  # application ids in their order: the first one has the client id of .tokens

    # -- sign-in --

    def _knows(self, tenant):
        return tenant.lower() == self.tenant.id or tenant in self.domains

    def _get_configuration(self, request):
        if not self._knows(request.arguments["tenant"]):
            return refusal(90002)
        base = f"{self.url}/{self.tenant.id}"
        return told({"issuer": f"{base}/v2.0", "token_endpoint": f"{base}/oauth2/v2.0/token",
                     "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode"})

    def _post_deviceCode(self, request):
        form = dict(urllib.parse.parse_qsl(request.body.decode()))
        if not self._knows(request.arguments["tenant"]):
            return refusal(90002)
        if form.get("client_id") != SIGN_IN_CLIENT:
            return refusal(700016)
        if set(form.get("scope", "").split()) != {f"{self.url}/{scope}" for scope in SCOPES}:
            return refusal(70011)
        if self.device_code_answer:
            return refusal(self.device_code_answer)
        sign_in = SignIn(self.sign_in_interval)
        self.sign_ins.append(sign_in)
        return told({"user_code": sign_in.code, "device_code": sign_in.device_code, "interval": sign_in.interval,
                     "verification_uri": "https://microsoft.com/devicelogin", "expires_in": 900,
                     "message": f"To sign in, open the page and enter the code {sign_in.code} to authenticate."})

    def sign_in_token(self, form):
        """What the token endpoint says to a poll."""
        found = [one for one in self.sign_ins if one.device_code == form.get("device_code")]
        if form.get("client_id") != SIGN_IN_CLIENT or not found:
            return refusal("bad_verification_code")
        now = time.monotonic()
        if found[0].polled and now - found[0].polled < found[0].interval - 0.01:
            self.violations.append(f"polled after {now - found[0].polled:.2f} s, and not {found[0].interval}")
        found[0].polled = now
        if self.sign_in_answers:
            said = self.sign_in_answers.pop(0)
            found[0].interval += 5 if said == "slow_down" else 0
            return refusal(said)
        token = "delegated." + secrets.token_urlsafe(40)
        self.delegated[token] = SCOPES
        return told({"token_type": "Bearer", "scope": " ".join(sorted(SCOPES)), "expires_in": 3599, "ext_expires_in": 3599,
                     "access_token": token})

    def admits_application_request(self, request):
        token = request.headers.get("authorization", "").partition(" ")[2]
        if request.method not in METHODS[request.route]:
            return False
        if request.route in ("configuration", "deviceCode"):
            return True
        # An application needs no permission to roll its own keys.
        return token in self.delegated or (request.route == "keys" and self._has_token(request))

    # -- applications --

    def _new(self, thing):
        self._unseen[thing] = self.lag
        return thing

    def _hidden(self, thing):
        if self._unseen.get(thing, 0) <= 0:
            return False
        self._unseen[thing] -= 1
        return True

    def _application(self, arguments):
        value = (arguments.get("value") or arguments["id"]).lower()
        by = {"appId": "appId", "uniqueName": "uniqueName", None: "id"}[arguments.get("by")]
        return next((one for one in self.applications.values() if (one[by] or "").lower() == value), None)

    def _get_application(self, request):
        application = self._application(request.arguments)
        if not application:
            return _missing(request.arguments.get("value") or request.arguments["id"])
        select = request.query.get("$select", "").split(",")
        shown = {name: application[name] for name in select} if select != [""] else {
            **application, "keyCredentials": [{**key, "key": None} for key in application["keyCredentials"]]}
        return told({"@odata.context": f"{self.base}/v1.0/$metadata#applications/$entity", **shown})

    def _patch_application(self, request):
        body = json.loads(request.body)
        application = self._application(request.arguments)
        if not self.may_register:
            return recorded("403")(self, request, None)
        if not all(_is_key(key) for key in body.get("keyCredentials", ())):
            return error(400, "KeyCredentialsInvalidEndDate", "Key credential end date is invalid.")
        if set(body) - WRITABLE:
            return error(400, "Request_BadRequest", f"Property {sorted(set(body) - WRITABLE)[0]} is not writable.")
        if application:
            self._change(application, body)
            return Answer(204)
        if request.headers.get("prefer") != "create-if-missing" or request.arguments.get("by") != "uniqueName":
            return _missing(request.arguments.get("value") or request.arguments["id"])
        application = self._register(body, request.arguments["value"])
        shown = {**application, "keyCredentials": [{**key, "key": None} for key in application["keyCredentials"]]}
        return told({"@odata.context": f"{self.base}/v1.0/$metadata#applications/$entity", **shown}, 201)

    def _register(self, body, unique_name):
        number = len(self.registered)
        app_id = self.tokens.client_id if number == 0 else str(uuid.uuid4())
        application = {"id": str(uuid.uuid4()), "appId": app_id, "uniqueName": unique_name, "displayName": None,
                       "createdDateTime": "2026-11-30T12:00:00Z", "deletedDateTime": None, "tags": [], "notes": None,
                       "signInAudience": "AzureADMyOrg", "requiredResourceAccess": [], "keyCredentials": [],
                       "passwordCredentials": [], "identifierUris": [], "publisherDomain": "contoso.onmicrosoft.com"}
        self.registered.append(self._new(application["id"]))
        self.applications[application["id"]] = application
        self._new(app_id)
        self._change(application, body)
        return application

    def _change(self, application, body):
        body = dict(body)
        if "keyCredentials" in body:
            had = {key["key"]: key for key in application["keyCredentials"]}
            body["keyCredentials"] = [had.get(key["key"]) or self._key(key) for key in body["keyCredentials"]]
        application.update(body)

    def _key(self, given):
        certificate = x509.load_der_x509_certificate(base64.b64decode(given["key"]))
        self._new(given["key"])
        thumbprint = hashlib.sha1(base64.b64decode(given["key"])).digest()
        return {"customKeyIdentifier": base64.b64encode(thumbprint).decode(), "displayName": given.get("displayName"),
                "startDateTime": _when(certificate.not_valid_before), "endDateTime": _when(certificate.not_valid_after),
                "key": given["key"], "keyId": str(uuid.uuid4()), "type": given["type"], "usage": given["usage"]}

    def application_certificates(self):
        """DER of all that the first application has, as far as the token endpoint has heard of them."""
        if not self.registered:
            return []
        keys = self.applications[self.registered[0]]["keyCredentials"]
        return [base64.b64decode(key["key"]) for key in keys if not self._hidden(key["key"])]

    # -- keys that the application changes by itself --

    def _post_keys(self, request):
        application = self._application(request.arguments)
        body = json.loads(request.body)
        if not application:
            return _missing(request.arguments["id"])
        if not self._proves(application, body.get("proof") or ""):
            return error(401, "Authentication_MissingOrMalformed", "Access Token missing or malformed.")
        if request.arguments["action"] == "addKey":
            if set(body) != {"keyCredential", "passwordCredential", "proof"}:
                return error(400, "Request_BadRequest", "A property is missing.")
            if not _is_key(body["keyCredential"]):
                return error(400, "KeyCredentialsInvalidEndDate", "Key credential end date is invalid.")
            key = self._key(body["keyCredential"])
            application["keyCredentials"].append(key)
            return told({"@odata.context": f"{self.base}/v1.0/$metadata#microsoft.graph.keyCredential",
                         **key, "key": None})
        kept = [key for key in application["keyCredentials"] if key["keyId"] != body["keyId"]]
        if len(kept) == len(application["keyCredentials"]):
            return error(400, "Request_BadRequest", "No credentials found to be removed.")
        application["keyCredentials"] = kept
        return Answer(204)

    def _proves(self, application, proof):
        try:
            header, claims, signature = (base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
                                         for part in proof.split("."))
            header, claims = json.loads(header), json.loads(claims)
        except ValueError:
            return False
        if claims["aud"] != PROOF_AUDIENCE or claims["iss"] != application["id"] or header["alg"] != "RS256":
            return False
        if not (claims["nbf"] - 300 <= time.time() < claims["exp"] <= claims["nbf"] + 600):
            return False
        for key in application["keyCredentials"]:
            der = base64.b64decode(key["key"])
            if unpadded(hashlib.sha1(der).digest()) != header["x5t"]:
                continue
            try:
                x509.load_der_x509_certificate(der).public_key().verify(
                    signature, proof.rpartition(".")[0].encode(), padding.PKCS1v15(), hashes.SHA256())
                return True
            except InvalidSignature:
                return False
        return False

    # -- service principals, what they may do --

    def _get_principals(self, request):
        app_id = (request.arguments["value"] or "").lower()
        if app_id == GRAPH:
            return told({"id": self.graph_principal})
        if app_id not in self.principals or self._hidden(self.principals[app_id]):
            return _missing(app_id)
        return told({"@odata.context": f"{self.base}/v1.0/$metadata#servicePrincipals(id)/$entity", "id": self.principals[app_id]})

    @property
    def graph_principal(self):
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.tenant.id}.graph"))

    def _post_principals(self, request):
        app_id = json.loads(request.body)["appId"]
        if app_id in self.principals:
            return error(409, "Request_MultipleObjectsWithSameKeyValue",
                         f"The service principal cannot be created for the application {app_id}: it is there already.")
        if not any(one["appId"] == app_id for one in self.applications.values()) or self._hidden(app_id):
            return error(400, "Request_BadRequest", f"The appId '{app_id}' of the service principal does not reference a "
                         "valid application object.")
        self.principals[app_id] = self._new(str(uuid.uuid4()))
        return told({"@odata.context": f"{self.base}/v1.0/$metadata#servicePrincipals/$entity", "id": self.principals[app_id],
                     "appId": app_id, "displayName": "certdir"}, 201)

    def _get_assignments(self, request):
        found = [one for one in self.assignments if one["principalId"] == request.arguments["id"]]
        return told({"@odata.context": f"{self.base}/v1.0/$metadata#appRoleAssignments", "value": found})

    def _post_assignedTo(self, request):
        body = json.loads(request.body)
        if not self.may_grant:
            return recorded("403")(self, request, None)
        if body["principalId"] not in self.principals.values() or self._hidden(body["principalId"]):
            return _missing(body["principalId"])
        if body["resourceId"] != self.graph_principal or body["appRoleId"] not in ROLES:
            return error(400, "Request_BadRequest", "Not a valid reference update.")
        if any(one["principalId"] == body["principalId"] and one["appRoleId"] == body["appRoleId"] for one in self.assignments):
            return error(400, "Request_BadRequest", "Permission being assigned already exists on the object")
        assignment = {"id": secrets.token_urlsafe(30), "deletedDateTime": None, "createdDateTime": "2026-11-30T12:00:00Z",
                      "principalDisplayName": "certdir", "principalType": "ServicePrincipal",
                      "resourceDisplayName": "Microsoft Graph", **body}
        self.assignments.append(assignment)
        self.permissions.add(ROLES[body["appRoleId"]])
        return told({"@odata.context": f"{self.base}/v1.0/$metadata#appRoleAssignments/$entity", **assignment}, 201)


def _is_key(given):
    """Checked as the service does: a certificate, and good for a year at most."""
    certificate = x509.load_der_x509_certificate(base64.b64decode(given["key"], validate=True))
    return (given["type"], given["usage"]) == ("AsymmetricX509Cert", "Verify") and (
        certificate.not_valid_after - certificate.not_valid_before).days <= 365


def _missing(what):
    return error(404, "Request_ResourceNotFound", f"Resource '{what}' does not exist or one of its queried "
                 "reference-property objects are not present.")
