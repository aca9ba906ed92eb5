# SPDX-License-Identifier: GPL-2.0-or-later
"""Validates JSON against the schemas of an OpenAPI 3.0 file: the subset that Microsoft's file of Graph v1.0 uses."""

import json
import re

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
FORMATS = {"date-time": TIME.fullmatch, "base64url": re.compile(r"[A-Za-z0-9_-]*={0,2}").fullmatch}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
# What OData adds to any object, and Graph's own annotation in a delta.
ANNOTATIONS = re.compile(r"@odata\.\w+|@removed|\w+@(odata\.\w+|delta)")


class OpenApi:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.root = json.load(file)

    def _resolve(self, schema):
        while "$ref" in schema:
            target = self.root
            for step in schema["$ref"].lstrip("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            schema = target
        return schema

    def answer_schema(self, path, status="200"):
        """The schema of what GET path answers."""
        responses = self.root["paths"][path]["get"]["responses"]
        found = self._resolve(responses[status if status in responses else "4XX"])
        return found["content"]["application/json"]["schema"]

    def problems(self, schema, value, where=""):
        """What is wrong with `value`, as sentences."""
        schema = self._resolve(schema)
        if value is None:
            if not schema.get("nullable"):
                yield f"{where}: null is not allowed"
            return
        for part in schema.get("allOf", ()):
            yield from self.problems(part, value, where)
        if "anyOf" in schema and all(any(True for _ in self.problems(part, value, where)) for part in schema["anyOf"]):
            yield f"{where}: {value!r} is none of anyOf"
        kind = schema.get("type")
        if kind and (not isinstance(value, TYPES[kind]) or (kind in ("integer", "number") and isinstance(value, bool))):
            yield f"{where}: {value!r} is no {kind}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{where}: {value!r} is not in the enum"
        check = FORMATS.get(schema.get("format"))
        if check and isinstance(value, str) and not check(value):
            yield f"{where}: {value!r} is no {schema['format']}"
        if kind == "array":
            for index, item in enumerate(value):
                yield from self.problems(schema["items"], item, f"{where}[{index}]")
        elif isinstance(value, dict):
            yield from self._object_problems(schema, value, where)

    def _object_problems(self, schema, value, where):
        properties = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{where}: {name} is missing"
        for name, item in value.items():
            if name in properties:
                yield from self.problems(properties[name], item, f"{where}.{name}")
            elif properties and "anyOf" not in schema and not ANNOTATIONS.fullmatch(name):
                # "innerError" is spelled both ways by the service.
                if name != "innerError":
                    yield f"{where}: has no property {name}"
