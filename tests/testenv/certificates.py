#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Certificates from text recipes: good ones for real EAP-TLS, and every odd or hostile one that a library refuses to make.

A recipe is a dict (the same in Python and in JSON). Everything is optional:

  subject        list of RDNs in DER order; an RDN is [attribute, value], or a list of such pairs (multi-valued RDN).
                 attribute: a short name (CN, OU, serialNumber, ..) or an OID. value: see below.
  issuer         the same, instead of the authority's own name
  san            list of one-key dicts: {"dns": value} {"email": value} {"uri": value} {"upn": value}
                 {"other": {"oid": .., value fields}} {"ip": "10.0.0.1"} {"dir": subject} {"rid": oid} {"edi": text}
                 {"x400": hex} {"raw": hex of a whole GeneralName}
  san_trailing   hex of bytes after the SAN's sequence, inside the extension
  eku            list of clientAuth, serverAuth, any or OIDs; [] leaves the extension out. Default: clientAuth
  server         true: a server's certificate (EKU serverAuth)
  ca             true: a CA's certificate
  sid            SID text (or {"hex"} of the octet string's content) for Microsoft's SID extension
  entra_device_id, entra_tenant, mdm_device_id, mdm_tenant
                 a GUID, or {"guid": .., "form": "octet" | "long" | "bare"} (OCTET STRING, the same with its length in
                 long form, 16 bare bytes), or {"hex": ..} for the extension's raw value
  template       {"oid": .., "major": n, "minor": n}, or a name (the older extension, BMPString)
  extensions     list of {"oid": .., "hex": .., "critical": bool}, added at the end
  duplicate      list of OIDs of extensions that are to stand twice
  ski            hex of the subject key identifier, or false to leave it out
  aki            hex of the issuer's key identifier instead of its own, or false to leave the extension out
  not_before, not_after    "2026-01-31T12:00:00Z", Unix seconds, or {"hex": ..} of the whole Time
  serial         hex of the INTEGER's content
  key            "ec" (P-256) or "rsa" (2048 bits)
  trailing       hex of bytes after the certificate

A value is a text, or {"type": "utf8" | "bmp" | "t61" | "printable" | "ia5" | "universal" | "numeric" | "visible" |
"octet" | "int" | "bits" | "null" | "sequence", "text": .. or "hex": ..}.
"""

import argparse
import base64
import datetime
import ipaddress
import json
import os
import pathlib
import re
import sys
import uuid

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

# ---- DER ----


def tlv(tag, content):
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def sequence(*parts):
    return tlv(0x30, b"".join(parts))


def octets(content):
    return tlv(0x04, content)


def integer(number):
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def bits(content, unused=0):
    return tlv(0x03, bytes([unused]) + content)


def oid(dotted):
    arcs = [int(arc) for arc in dotted.split(".")]
    content = bytearray()
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        group = [arc & 0x7F]
        while arc := arc >> 7:
            group.append(0x80 | (arc & 0x7F))
        content += bytes(reversed(group))
    return tlv(0x06, bytes(content))


def point_in_time(when):
    if isinstance(when, dict):
        return bytes.fromhex(when["hex"])
    if isinstance(when, str):
        when = datetime.datetime.fromisoformat(when.replace("Z", "+00:00"))
    elif isinstance(when, (int, float)):
        when = datetime.datetime.fromtimestamp(when, datetime.timezone.utc)
    if 1950 <= when.year < 2050:
        return tlv(0x17, when.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(0x18, f"{when.year:04d}{when:%m%d%H%M%S}Z".encode())


# ---- values and names ----

TYPES = {
    "utf8": (0x0C, "utf-8"), "bmp": (0x1E, "utf-16-be"), "t61": (0x14, "latin-1"), "printable": (0x13, "latin-1"),
    "ia5": (0x16, "latin-1"), "universal": (0x1C, "utf-32-be"), "numeric": (0x12, "latin-1"),
    "visible": (0x1A, "latin-1"), "octet": (0x04, "latin-1"), "int": (0x02, "latin-1"), "bits": (0x03, "latin-1"),
    "null": (0x05, "latin-1"), "sequence": (0x30, "latin-1"),
}

ATTRIBUTES = {
    "CN": "2.5.4.3", "SN": "2.5.4.4", "serialNumber": "2.5.4.5", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8",
    "O": "2.5.4.10", "OU": "2.5.4.11", "title": "2.5.4.12", "description": "2.5.4.13", "GN": "2.5.4.42",
    "UID": "0.9.2342.19200300.100.1.1", "DC": "0.9.2342.19200300.100.1.25", "emailAddress": "1.2.840.113549.1.9.1",
}

USUAL_TYPES = {"C": "printable", "DC": "ia5", "emailAddress": "ia5"}


def value_content(value, usual="utf8"):
    """(tag, content) of a value as described on top."""
    if not isinstance(value, dict):
        value = {"text": value}
    tag, encoding = TYPES[value.get("type", usual)]
    if "hex" in value:
        return tag, bytes.fromhex(value["hex"])
    return tag, value.get("text", "").encode(encoding)


def name(rdns):
    encoded = []
    for rdn in rdns:
        pairs = [rdn] if isinstance(rdn[0], str) else rdn
        attributes = [sequence(oid(ATTRIBUTES.get(attribute, attribute)),
                               tlv(*value_content(value, USUAL_TYPES.get(attribute, "utf8"))))
                      for attribute, value in pairs]
        encoded.append(tlv(0x31, b"".join(sorted(attributes))))
    return sequence(*encoded)


def other_name(type_oid, value):
    return tlv(0xA0, oid(type_oid) + tlv(0xA0, value))


def general_name(item):
    (kind, value), = item.items()
    if kind == "raw":
        return bytes.fromhex(value)
    if kind in ("email", "dns", "uri"):
        return tlv({"email": 0x81, "dns": 0x82, "uri": 0x86}[kind], value_content(value)[1])
    if kind == "upn":
        return other_name("1.3.6.1.4.1.311.20.2.3", tlv(*value_content(value)))
    if kind == "other":
        return other_name(value["oid"], tlv(*value_content(value)))
    if kind == "ip":
        return tlv(0x87, ipaddress.ip_address(value).packed)
    if kind == "dir":
        return tlv(0xA4, name(value))
    if kind == "rid":
        return tlv(0x88, oid(value)[2:])
    if kind == "edi":
        return tlv(0xA5, tlv(0xA1, tlv(*value_content(value))))
    if kind == "x400":
        return tlv(0xA3, bytes.fromhex(value))
    raise ValueError(f"no such kind of subjectAltName: {kind}")


# ---- extensions ----

SAN, SKI, AKI = "2.5.29.17", "2.5.29.14", "2.5.29.35"
PURPOSES = {"clientAuth": "1.3.6.1.5.5.7.3.2", "serverAuth": "1.3.6.1.5.5.7.3.1", "any": "2.5.29.37.0",
            "codeSigning": "1.3.6.1.5.5.7.3.3"}
GUID_EXTENSIONS = {"entra_device_id": "1.2.840.113556.1.5.284.2", "entra_tenant": "1.2.840.113556.1.5.284.5",
                   "mdm_device_id": "1.2.840.113556.5.4", "mdm_tenant": "1.2.840.113556.5.14"}


def extension(type_oid, value, critical=False):
    return sequence(oid(type_oid), b"\x01\x01\xff" if critical else b"", octets(value))


def guid_value(value):
    if isinstance(value, str):
        value = {"guid": value}
    if "hex" in value:
        return bytes.fromhex(value["hex"])
    content = uuid.UUID(value["guid"]).bytes_le
    return {"octet": b"\x04\x10", "long": b"\x04\x81\x10", "bare": b""}[value.get("form", "octet")] + content


def sid_value(value):
    content = bytes.fromhex(value["hex"]) if isinstance(value, dict) else value.encode()
    return sequence(other_name("1.3.6.1.4.1.311.25.2.1", octets(content)))


def template_extension(value):
    if isinstance(value, str):
        return extension("1.3.6.1.4.1.311.20.2", tlv(*value_content(value, "bmp")))
    numbers = [integer(value[field]) for field in ("major", "minor") if field in value]
    return extension("1.3.6.1.4.1.311.21.7", sequence(oid(value["oid"]), *numbers))


def usage_extensions(recipe, key_kind):
    if recipe.get("ca"):
        return [extension("2.5.29.19", sequence(b"\x01\x01\xff"), True), extension("2.5.29.15", bits(b"\x06", 1), True)]
    usage = bits(b"\xa0", 5) if key_kind == "rsa" else bits(b"\x80", 7)
    encoded = [extension("2.5.29.19", sequence()), extension("2.5.29.15", usage, True)]
    purposes = recipe.get("eku", ["serverAuth"] if recipe.get("server") else ["clientAuth"])
    if purposes:
        encoded.append(extension("2.5.29.37", sequence(*(oid(PURPOSES.get(purpose, purpose)) for purpose in purposes))))
    return encoded


def device_extensions(recipe):
    encoded = []
    if "san" in recipe:
        value = sequence(*map(general_name, recipe["san"])) + bytes.fromhex(recipe.get("san_trailing", ""))
        encoded.append(extension(SAN, value))
    if "sid" in recipe:
        encoded.append(extension("1.3.6.1.4.1.311.25.2", sid_value(recipe["sid"])))
    for field, type_oid in GUID_EXTENSIONS.items():
        if field in recipe:
            encoded.append(extension(type_oid, guid_value(recipe[field])))
    if "template" in recipe:
        encoded.append(template_extension(recipe["template"]))
    for item in recipe.get("extensions", []):
        encoded.append(extension(item["oid"], bytes.fromhex(item["hex"]), item.get("critical", False)))
    return encoded


# ---- keys and authorities ----


def make_key(kind="ec"):
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def sign(key, data):
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def signature_algorithm(key):
    if isinstance(key, rsa.RSAPrivateKey):
        return sequence(oid("1.2.840.113549.1.1.11"), b"\x05\x00")
    return sequence(oid("1.2.840.10045.4.3.2"))


def public_key_info(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_identifier(key):
    if isinstance(key, rsa.RSAPrivateKey):
        content = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    else:
        content = key.public_key().public_bytes(serialization.Encoding.X962,
                                                serialization.PublicFormat.UncompressedPoint)
    digest = hashes.Hash(hashes.SHA1())
    digest.update(content)
    return digest.finalize()


def pem(der):
    text = base64.b64encode(der).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


def key_to_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


class Certificate:
    """A certificate and its private key: .der (bytes), .pem, .key_pem (text), .key."""

    def __init__(self, der, key):
        self.der, self.key = der, key

    @property
    def pem(self):
        return pem(self.der)

    @property
    def key_pem(self):
        return key_to_pem(self.key)

    def write(self, directory, stem):
        """Writes <stem>.der, <stem>.pem and <stem>.key; returns (path of the .pem, path of the .key)."""
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{stem}.der").write_bytes(self.der)
        certificate, key = directory / f"{stem}.pem", directory / f"{stem}.key"
        certificate.write_text(self.pem)
        key.touch(mode=0o600)
        key.write_text(self.key_pem)
        return certificate, key


class Authority(Certificate):
    """A CA. name is a common name or a list of RDNs; it signs itself, or is signed by `parent` (an intermediate CA)."""

    def __init__(self, name="certdir test CA", key="ec", parent=None, **recipe):
        self.subject = [["CN", name]] if isinstance(name, str) else name
        self.name = name
        private = make_key(key)
        recipe = {"subject": self.subject, "ca": True, "not_after": _days(3650), **recipe}
        signer = parent or self
        self.key = private
        super().__init__(build(recipe, private, key, signer.subject, signer.key), private)

    def issue(self, recipe=None, key=None, **more):
        """A Certificate from `recipe` (a dict, keywords, or both); with a fresh key unless `key` (a private key) is given."""
        recipe = {**(recipe or {}), **more}
        kind = recipe.get("key", "ec")
        private = key or make_key(kind)
        kind = "rsa" if isinstance(private, rsa.RSAPrivateKey) else "ec"
        return Certificate(build(recipe, private, kind, self.subject, self.key), private)


def _days(days):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)


def build(recipe, key, key_kind, issuer, issuer_key):
    """The DER of one certificate."""
    serial = recipe.get("serial")
    serial = tlv(0x02, bytes.fromhex(serial)) if serial else integer(int.from_bytes(os.urandom(8), "big") | 1 << 62)
    extensions = usage_extensions(recipe, key_kind)
    ski = recipe.get("ski", key_identifier(key).hex())
    if ski is not False:
        extensions.append(extension(SKI, octets(bytes.fromhex(ski))))
    aki = recipe.get("aki", key_identifier(issuer_key).hex())
    if aki is not False:
        extensions.append(extension(AKI, sequence(tlv(0x80, bytes.fromhex(aki)))))
    extensions += device_extensions(recipe)
    for type_oid in recipe.get("duplicate", []):
        extensions.append(next(e for e in extensions if oid(type_oid) in e[:len(oid(type_oid)) + 8]))
    to_be_signed = sequence(
        tlv(0xA0, integer(2)), serial, signature_algorithm(issuer_key), name(recipe.get("issuer", issuer)),
        sequence(point_in_time(recipe.get("not_before", _days(-1))), point_in_time(recipe.get("not_after", _days(365)))),
        name(recipe.get("subject", [])), public_key_info(key), tlv(0xA3, sequence(*extensions)))
    signed = sequence(to_be_signed, signature_algorithm(issuer_key), bits(sign(issuer_key, to_be_signed)))
    return signed + bytes.fromhex(recipe.get("trailing", ""))


# ---- command line ----


def write_vectors(vectors_file, directory):
    """Writes <name>.der and <name>.pem for each vector, unless they are there and newer than the vectors and this file."""
    directory = pathlib.Path(directory)
    vectors = json.loads(pathlib.Path(vectors_file).read_text())
    names = [vector["name"] for vector in vectors]
    if len(set(names)) != len(names) or not all(re.fullmatch(r"[a-z0-9-]+", n) for n in names):
        sys.exit(f"{vectors_file}: every vector needs a name of its own, of [a-z0-9-]")
    sources = max(os.stat(vectors_file).st_mtime, os.stat(__file__).st_mtime)
    files = [directory / f"{n}.{kind}" for n in names for kind in ("der", "pem")]
    if all(file.exists() and file.stat().st_mtime >= sources for file in files):
        return
    directory.mkdir(parents=True, exist_ok=True)
    authority, key = Authority("certdir test CA"), make_key()
    for vector in vectors:
        try:
            certificate = authority.issue(vector["recipe"], key=key if "key" not in vector["recipe"] else None)
        except (ValueError, KeyError, TypeError, StopIteration) as problem:
            sys.exit(f"{vectors_file}: {vector['name']}: {problem!r}")
        (directory / f"{vector['name']}.der").write_bytes(certificate.der)
        (directory / f"{vector['name']}.pem").write_text(certificate.pem)


def main():
    parser = argparse.ArgumentParser(description="make certificates from text recipes")
    commands = parser.add_subparsers(dest="command", required=True)
    vectors = commands.add_parser("vectors", help="write NAME.der and NAME.pem for each vector of a JSON file")
    vectors.add_argument("json")
    vectors.add_argument("directory")
    arguments = parser.parse_args()
    write_vectors(arguments.json, arguments.directory)


if __name__ == "__main__":
    main()
