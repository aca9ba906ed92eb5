// SPDX-License-Identifier: GPL-2.0-or-later
// Pages through the fake Graph with Microsoft's client, its PageIterator and its retries, and counts what comes.
import assert from "node:assert/strict";
import graphClient from "@microsoft/microsoft-graph-client";

const { Client, PageIterator } = graphClient;
const fake = JSON.parse(process.env.GRAPH_FAKE);
let requests = 0, throttled = 0;

const plainFetch = globalThis.fetch;
globalThis.fetch = async (...request) => {
	const answer = await plainFetch(...request);
	requests++;
	throttled += answer.status === 429;
	return answer;
};

async function accessToken() {
	const form = new URLSearchParams({ client_id: fake.client, client_secret: fake.secret, grant_type: "client_credentials",
		scope: `${fake.graph}/.default` });
	for (;;) {
		const answer = await plainFetch(fake.token, { method: "POST", body: form });
		if (answer.status === 429) {
			await new Promise((resolve) => setTimeout(resolve, 1000 * answer.headers.get("Retry-After")));
			continue;
		}
		assert.equal(answer.status, 200);
		return (await answer.json()).access_token;
	}
}

const token = await accessToken();
const client = Client.init({ baseUrl: fake.graph, defaultVersion: "v1.0", customHosts: new Set([new URL(fake.graph).hostname]),
	authProvider: (done) => done(null, token) });

async function count(path, headers = {}) {
	const seen = new Set();
	const first = await client.api(path).headers(headers).get();
	const pages = new PageIterator(client, first, (object) => {
		seen.add(object.id);
		return true;
	}, { headers });
	await pages.iterate();
	assert.ok(pages.isComplete());
	return { count: seen.size, deltaLink: pages.getDeltaLink() };
}

async function expect(what, path, wanted, headers) {
	const found = await count(path, headers);
	assert.equal(found.count, wanted, what);
	console.log(`${what}: ${found.count}`);
	return found;
}

await expect("devices", "/devices?$top=999", fake.devices);
const delta = await expect("devices/delta", "/devices/delta?$select=id,deviceId,displayName", fake.devices);
await expect("devices/delta again", delta.deltaLink, 0);
await expect("managedDevices", "/deviceManagement/managedDevices", fake.records);
for (const [group, members] of Object.entries(fake.members))
	await expect("members", `/groups/${group}/transitiveMembers/microsoft.graph.device?$count=true&$top=100`, members,
		{ ConsistencyLevel: "eventual" });
assert.ok(throttled > 0, "nothing was throttled, so the retries were not tried");
console.log(`${requests} requests, ${throttled} of them throttled`);
