/** Whose pages, which methods and which revisions the gateway serves at all. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { concernsGateway } from "./support/gateway.mjs";
import { initialize, request } from "./support/messages.mjs";
import { send } from "./support/raw_client.mjs";
import { assertRefused, INVALID_REQUEST } from "./support/refusal.mjs";
import { begin, beginSession } from "./support/setup.mjs";

test("admission: a page of an origin that is not allowed is refused, and goes nowhere", concernsGateway, async (t) => {
    const { upstream, url, session } = await beginSession(t);
    const evil = { Origin: "http://evil.example" };

    await assertRefused(await send(t, url, "POST", evil, initialize(7)), 403, { code: 403, id: [7, null] });
    await assertRefused(await session.post(request(7, "ping"), evil), 403, { code: 403, id: [7, null] });
    await assertRefused(await session.listen(evil), 403, { code: 403 });
    await assertRefused(await session.end(evil), 403, { code: 403 });
    await assertRefused(await session.post(request(7, "ping"), { Origin: "null" }), 403, { code: 403, id: [7, null] });

    assert.equal(upstream.seen.entries.length, 1);
});

test("admission: a page of an origin that is allowed is served", concernsGateway, async (t) => {
    const options = ["--allow-origin", "https://one.example", "--allow-origin", "https://two.example:8443"];
    const { session } = await beginSession(t, { options });

    for (const Origin of ["https://one.example", "https://two.example:8443"]) {
        assert.equal((await session.post(request(1, "ping"), { Origin })).status, 200, Origin);
    }
    assert.equal((await session.post(request(1, "ping"), { Origin: "https://two.example" })).status, 403);
});

for (const method of ["PUT", "PATCH", "HEAD"]) {
    test(`admission: the method ${method} is not allowed`, concernsGateway, async (t) => {
        const { upstream, url } = await begin(t);

        const reply = await send(t, url, method, {}, method === "HEAD" ? undefined : request(7, "ping"));

        assert.equal(reply.status, 405);
        assert.deepEqual(reply.headers.allow?.split(/, */).sort(), ["DELETE", "GET", "POST"]);
        assert.deepEqual(upstream.seen.entries, []);
    });
}

test("admission: a revision that nobody knows is refused, and goes nowhere", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t);

    const reply = await session.post(request(7, "ping"), { "MCP-Protocol-Version": "1999-12-31" });

    await assertRefused(reply, 400, { code: INVALID_REQUEST, id: 7 });
    assert.equal(upstream.count("ping"), 0);
});

test(
    "admission: a request that does not say its revision is taken for one of 2025-03-26",
    concernsGateway,
    async (t) => {
        const { upstream, url, session } = await beginSession(t);

        const reply = await send(t, url, "POST", { "Mcp-Session-Id": session.id }, request(7, "ping"));

        assert.equal(reply.status, 200);
        const revision = (await upstream.sees("ping")).headers["mcp-protocol-version"];
        assert.ok(revision === undefined || revision === "2025-03-26", revision);
    },
);

test("admission: the revision of a request goes to the upstream as it is", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t);

    await (await session.post(request(7, "ping"), { "MCP-Protocol-Version": "2025-06-18" })).text();

    assert.equal((await upstream.sees("ping")).headers["mcp-protocol-version"], "2025-06-18");
});
