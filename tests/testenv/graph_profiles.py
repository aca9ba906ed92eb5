# SPDX-License-Identifier: GPL-2.0-or-later
"""
What the fake Graph's beta endpoint says of profiles (testenv/profiles.py): deviceConfigurations with $expand=assignments, their relations
behind a cast, configurationPolicies and their settings. As documented at learn.microsoft.com/graph/api/resources/intune-deviceconfig-*:
the casts and relations are those of the page of each type, and assignments come only when they are expanded.
"""

import json
import re
from pathlib import Path

from testenv.graph_faults import Answer, error, told

PERMISSION = "DeviceManagementConfiguration.Read.All"
GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ROUTES = [(re.compile(r"/beta/deviceManagement/" + pattern), name) for pattern, name in (
    ("deviceConfigurations", "configurations"),
    (rf"deviceConfigurations/(?P<id>{GUID})/microsoft\.graph\.(?P<type>\w+)/(?P<relation>\w+)", "relation"),
    ("configurationPolicies", "policies"),
    (rf"configurationPolicies\('(?P<id>{GUID})'\)/settings", "settings"),
)]
PERMISSIONS = {name: PERMISSION for _, name in ROUTES}

# Relations of a type that lead to certificates, by the official schema: others are no segment of its path.
SCHEMA = json.loads((Path(__file__).resolve().parents[1] / "vectors" / "graph-schema.json").read_text())["profiles"]
RELATIONS = {kind: set(has["relations"]) for kind, has in SCHEMA.items()}


class ProfileAnswers:
    """Mixed into FakeGraph, which has .profiles."""

    def _get_configurations(self, request):
        if request.query.get("$expand", "assignments") != "assignments":
            return error(400, "BadRequest", "Parsing OData Select and Expand failed.")
        expanded = "$expand" in request.query
        found = [{key: value for key, value in one.items() if key != "assignments" or expanded}
                 for one in self.profiles.items.values()]
        return self._beta_page(request, found, {"$expand"}, "deviceManagement/deviceConfigurations")

    def _get_policies(self, request):
        select = request.query.get("$select")
        found = [{key: value for key, value in one.items() if not select or key in select.split(",")}
                 for one in self.profiles.policies]
        return self._beta_page(request, found, {"$select"}, "deviceManagement/configurationPolicies")

    def _get_settings(self, request):
        settings = self.profiles.settings.get(request.arguments["id"])
        if settings is None:
            return error(404, "ResourceNotFound", "An error has occurred")
        return self._beta_page(request, settings, set(), "deviceManagement/configurationPolicies/settings")

    def _get_relation(self, request):
        arguments = request.arguments
        short = next((one for one, item in self.profiles.items.items() if item["id"] == arguments["id"]), None)
        if not short:
            return error(404, "ResourceNotFound", "An error has occurred")
        if self.profiles[short]["@odata.type"] != f"#microsoft.graph.{arguments['type']}" or \
                arguments["relation"] not in RELATIONS.get(arguments["type"], ()):
            return error(400, "BadRequest", f"Resource not found for the segment '{arguments['relation']}'.")
        found = self.profiles.related(short, arguments["relation"])
        if found is None:
            return Answer(204)
        return told({"@odata.context": f"{self.base}/beta/$metadata#deviceManagement/deviceConfigurations/$entity", **found})

    def _beta_page(self, request, found, options, context):
        """A page of self.page_size; the next is asked for with $skiptoken, as a whole link."""
        query = request.query
        number = int(query.get("$skiptoken", "0"))
        if set(query) - options - {"$skiptoken"} or ("$skiptoken" in query and self._beta_links.get(request.target) is None):
            self.violations.append(f"{request.target}: is not asked as documented")
            return error(400, "BadRequest", "The query is not supported.")
        page = {"@odata.context": f"{self.base}/beta/$metadata#{context}"}
        if (number + 1) * self.page_size < len(found):
            options = "&".join([f"{name}={value}" for name, value in query.items() if name != "$skiptoken"] + [f"$skiptoken={number + 1}"])
            self._beta_links[f"{request.path}?{options}"] = True
            page["@odata.nextLink"] = f"{self.base}{request.path}?{options}"
        page["value"] = found[number * self.page_size:(number + 1) * self.page_size]
        return told(page)
