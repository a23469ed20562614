/** How much the gateway takes from a client, from a session and from all of them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { concernsGateway } from "./support/gateway.mjs";
import { initialize, request } from "./support/messages.mjs";
import { RawSession, send } from "./support/raw_client.mjs";
import { assertRefusedForNow } from "./support/refusal.mjs";
import { beginSession } from "./support/setup.mjs";

test("limits: a body that is too large is refused, and goes nowhere", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t, { options: ["--max-body", "1024"] });

    const reply = await session.post(request(7, "tools/call", { text: "x".repeat(2000) }));

    assert.equal(reply.status, 413);
    assert.equal(upstream.count("tools/call"), 0);
    assert.equal((await session.post(request(8, "ping"))).status, 200);
});

test(
    "limits: a body that does not say its length is refused as soon as it is too large",
    concernsGateway,
    async (t) => {
        const { session } = await beginSession(t, { options: ["--max-body", "1024"] });

        const reply = await session.post(request(7, "tools/call", { text: "x".repeat(2000) }), {
            "Transfer-Encoding": "chunked",
        });

        assert.equal(reply.status, 413);
    },
);

test(
    "limits: a session that sends too much is told when to go on; another is not concerned",
    concernsGateway,
    async (t) => {
        const { upstream, url, session } = await beginSession(t, { options: ["--rate", "2"] });

        const replies = await Promise.all(Array.from({ length: 20 }, () => session.post(request(7, "ping"))));

        const refused = replies.filter(({ status }) => status !== 200);
        assert.ok(refused.length > 0 && refused.length < 20, `${refused.length}`);
        for (const reply of refused) {
            await assertRefusedForNow(reply, 429, { code: 429, id: 7 });
        }
        assert.equal(upstream.count("ping"), 20 - refused.length);
        const other = await RawSession.begin(t, url);
        assert.equal((await other.post(request(7, "ping"))).status, 200);
    },
);

test("limits: a gateway that is full lets nobody in, until somebody goes", concernsGateway, async (t) => {
    const { upstream, url, session } = await beginSession(t, { options: ["--max-sessions", "1"] });

    // One whose client never comes back would make room.
    assert.equal((await session.post(request(6, "ping"))).status, 200);
    await assertRefusedForNow(await send(t, url, "POST", {}, initialize(7)), 503, { code: 503, id: 7 });
    assert.equal((await session.post(request(8, "ping"))).status, 200);

    await (await session.end()).text();
    await RawSession.begin(t, url);
    // Of a session that was refused, the upstream knows nothing, or no longer.
    const begun = upstream.count("initialize");
    await upstream.seen.take(begun - 1, "ends", ({ method }) => method === "DELETE");
});
