# SPDX-License-Identifier: GPL-2.0-or-later
"""The token endpoints of a fake Graph: Entra ID's /oauth2/v2.0/token and a machine's managed identity service."""

import base64
import hashlib
import json
import secrets
import time
import urllib.parse
import uuid

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from testenv.graph_faults import told

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_ASSERTION = 10 * 60

# AADSTS code -> (HTTP status, OAuth error, text)
REFUSALS = {
    7000215: (401, "invalid_client", "Invalid client secret provided. The value of the secret is needed, not its id."),
    7000222: (401, "invalid_client", "The provided client secret keys for app are expired."),
    7000216: (401, "invalid_client", "'client_assertion', 'client_secret' or 'request' is required for this grant type."),
    700016: (400, "unauthorized_client", "Application was not found in the directory."),
    700027: (401, "invalid_client", "The certificate with identifier used to sign the client assertion is not registered "
                                    "on application, or the signature is not valid."),
    700024: (401, "invalid_client", "Client assertion is not within its valid time range."),
    700023: (401, "invalid_client", "Client assertion audience claim does not match Realm issuer."),
    700021: (401, "invalid_client", "Client assertion application identifier does not match 'client_id' parameter."),
    700213: (401, "invalid_client", "No matching federated identity record found for presented assertion subject."),
    90002: (400, "invalid_request", "Tenant not found. Check to make sure you have the correct tenant ID."),
    70011: (400, "invalid_scope", "The provided value for the input parameter 'scope' is not valid."),
    70003: (400, "unsupported_grant_type", "The app requested an unsupported grant type."),
    53003: (400, "invalid_grant", "Access has been blocked by Conditional Access policies."),
    65001: (400, "invalid_grant", "The user or administrator has not consented to use the application."),
    65004: (400, "invalid_grant", "User declined to consent to access the app."),
    "authorization_pending": (400, "authorization_pending", "AADSTS70016: The user must input their code."),
    "slow_down": (400, "slow_down", "The requests come too fast."),
    "expired_token": (400, "expired_token", "AADSTS70020: The provided value for the code has expired."),
    "authorization_declined": (400, "authorization_declined", "The user has denied the request."),
    "bad_verification_code": (400, "bad_verification_code", "AADSTS70018: The verification code is not known."),
    900144: (400, "invalid_request", "The request body must contain a parameter that is missing."),
}


class Refused(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


def refusal(code):
    """An error answer with an AADSTS code; also for FakeGraph.order("token", lambda *_: refusal(..))."""
    status, error, text = REFUSALS[code]
    trace = "255d1aef-8c98-452f-ac51-23d051240864"
    when = "2024-01-09 02:02:12Z"
    known = isinstance(code, int)
    description = f"{f'AADSTS{code}: ' if known else ''}{text}\r\nTrace ID: {trace}\r\nCorrelation ID: {trace}\r\nTimestamp: {when}"
    return told({"error": error, "error_description": description, "error_codes": [code] if known else [], "timestamp": when,
                 "trace_id": trace, "correlation_id": trace,
                 "error_uri": f"https://login.microsoftonline.com/error?code={code}"}, status)


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text):
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise Refused(700027) from None


class Tokens:
    """
    The application's registration and the access tokens that were given out. Change what tests are about: .secrets
    (value -> still good), .certificates (DER), .federated (assertions), .lifetime.
    """

    def __init__(self, tenant_id, graph, roles=list, registered=list):
        self.tenant_id, self.graph, self.roles, self.registered = tenant_id, graph, roles, registered
        self.client_id = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{tenant_id}.app"))
        self.secrets = {"the-client-secret": True}
        self.certificates = []
        self.federated = set()
        self.lifetime = 3599
        self.known = {}  # access token -> time.monotonic() of its end
        self.assertion_ids = set()

    def issue(self):
        claims = json.dumps({"aud": self.graph(), "tid": self.tenant_id, "roles": sorted(self.roles())})
        token = ".".join(unpadded(part) for part in (b'{"typ":"JWT"}', claims.encode(), secrets.token_bytes(600)))
        self.known[token] = time.monotonic() + self.lifetime
        return token

    def good(self, token):
        return self.known.get(token, 0) > time.monotonic()

    def expire(self):
        """All tokens that are out end now."""
        self.known = dict.fromkeys(self.known, 0)

    # -- Entra ID --

    def answer(self, tenant, url, body):
        """POST {authority}/{tenant}/oauth2/v2.0/token."""
        form = {name: values[0] for name, values in urllib.parse.parse_qs(body.decode("ascii", "replace")).items()}
        try:
            self._check(tenant, url, form)
        except Refused as refused:
            return refusal(refused.code)
        return told({"token_type": "Bearer", "expires_in": self.lifetime, "ext_expires_in": self.lifetime,
                     "access_token": self.issue()})

    def _check(self, tenant, url, form):
        if tenant.lower() != self.tenant_id:
            raise Refused(90002)
        if not {"client_id", "scope", "grant_type"} <= set(form):
            raise Refused(900144)
        if form["grant_type"] != "client_credentials":
            raise Refused(70003)
        if form["client_id"].lower() != self.client_id:
            raise Refused(700016)
        if form["scope"] != f"{self.graph()}/.default":
            raise Refused(70011)
        if "client_secret" in form:
            if form["client_secret"] not in self.secrets:
                raise Refused(7000215)
            if not self.secrets[form["client_secret"]]:
                raise Refused(7000222)
        elif form.get("client_assertion_type") == JWT_BEARER and "client_assertion" in form:
            self._check_assertion(url, form["client_assertion"])
        else:
            raise Refused(7000216)

    def _check_assertion(self, url, assertion):
        if assertion in self.federated:
            return
        parts = assertion.split(".")
        if len(parts) != 3:
            raise Refused(700213)
        try:
            header, claims = json.loads(_decoded(parts[0])), json.loads(_decoded(parts[1]))
        except ValueError:
            raise Refused(700027) from None
        self._check_signature(header, ".".join(parts[:2]).encode(), _decoded(parts[2]))
        now = time.time()
        if claims.get("iss") != self.client_id or claims.get("sub") != self.client_id:
            raise Refused(700021)
        if claims.get("aud") != url:
            raise Refused(700023)
        if not (claims["nbf"] - 300 <= now < claims["exp"] <= claims["nbf"] + LONGEST_ASSERTION):
            raise Refused(700024)
        if not claims.get("jti") or claims["jti"] in self.assertion_ids:
            raise Refused(700027)
        self.assertion_ids.add(claims["jti"])

    def _check_signature(self, header, signed, signature):
        for der in [*self.certificates, *self.registered()]:
            if (header.get("alg"), header.get("typ")) != ("PS256", "JWT"):
                break
            if header.get("x5t#S256") == unpadded(hashlib.sha256(der).digest()):
                pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
                try:
                    x509.load_der_x509_certificate(der).public_key().verify(signature, signed, pss, hashes.SHA256())
                    return
                except InvalidSignature:
                    break
        raise Refused(700027)

    # -- managed identity --

    def managed_identity(self, query, headers):
        """GET /metadata/identity/oauth2/token: every number of the answer is a text."""
        if headers.get("metadata", "").lower() != "true" or "x-forwarded-for" in headers:
            return _imds_error("Required metadata header not specified")
        if query.get("api-version") != "2018-02-01":
            return _imds_error("Identity not found" if query.get("api-version") else "Bad api version")
        if query.get("resource", "").rstrip("/") != self.graph():
            return _imds_error("The resource principal was not found in the tenant", "invalid_resource")
        if query.get("client_id", self.client_id).lower() != self.client_id:
            return _imds_error("Identity not found")
        now = int(time.time())
        return told({"access_token": self.issue(), "client_id": self.client_id, "refresh_token": "",
                     "expires_in": str(self.lifetime), "expires_on": str(now + self.lifetime),
                     "not_before": str(now - 300), "resource": query["resource"], "token_type": "Bearer"})


def _imds_error(text, error="invalid_request"):
    return told({"error": error, "error_description": text}, 400)
