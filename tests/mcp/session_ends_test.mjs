/** Sessions end once, on both sides of the gateway. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import { concernsGateway } from "./support/gateway.mjs";
import { request } from "./support/messages.mjs";
import { assertRefused, SESSION_NOT_FOUND } from "./support/refusal.mjs";
import { beginSession } from "./support/setup.mjs";

test("session ends: a DELETE ends the session, here and upstream", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t);

    const reply = await session.end();

    assert.ok([200, 202, 204].includes(reply.status), inspect(reply));
    assert.equal((await upstream.sees("DELETE")).sessionId, "upstream-session-1");
    await assertRefused(await session.post(request(7, "ping")), 404, { code: SESSION_NOT_FOUND, id: 7 });
    await assertRefused(await session.end(), 404, { code: SESSION_NOT_FOUND });
    assert.equal(upstream.count("DELETE"), 1);
});

test(
    "session ends: a session ends here even if the upstream does not let clients end theirs",
    concernsGateway,
    async (t) => {
        const { upstream, session } = await beginSession(t, {
            answers: { DELETE: (exchange) => exchange.respond(405) },
        });

        await (await session.end()).text();

        await upstream.sees("DELETE");
        await assertRefused(await session.post(request(7, "ping")), 404, { code: SESSION_NOT_FOUND, id: 7 });
    },
);

test(
    "session ends: a session that has expired is not found, and the upstream is told of its end once",
    concernsGateway,
    async (t) => {
        const { upstream, session } = await beginSession(t, { options: ["--idle-timeout", "1s"] });

        assert.equal((await upstream.sees("DELETE")).sessionId, "upstream-session-1");

        await assertRefused(await session.post(request(7, "ping")), 404, { code: SESSION_NOT_FOUND, id: 7 });
        assert.equal(upstream.count("DELETE"), 1);
    },
);
