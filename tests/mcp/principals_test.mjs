/** Who a client is: the upstream verifies that, and the gateway keeps the sessions of one from another. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { concernsGateway } from "./support/gateway.mjs";
import { request } from "./support/messages.mjs";
import { assertRefused, SESSION_NOT_FOUND } from "./support/refusal.mjs";
import { beginSession, unknownSession } from "./support/setup.mjs";

const PRINCIPAL = ["--principal-header", "X-Forwarded-User"];

test("principals: a session of another principal is not found, and goes on for its own", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t, {
        options: PRINCIPAL,
        fields: { "X-Forwarded-User": "alice" },
    });

    const theft = await session.post(request(7, "ping"), { "X-Forwarded-User": "bob" });

    await assertRefused(theft, 404, { code: SESSION_NOT_FOUND, id: 7 });
    assert.equal(upstream.count("ping"), 0);
    assert.equal((await session.post(request(8, "ping"))).status, 200);
});

for (const method of ["listen", "end"]) {
    test(`principals: a session of another principal is not found: ${method}`, concernsGateway, async (t) => {
        const { upstream, session } = await beginSession(t, {
            options: PRINCIPAL,
            fields: { "X-Forwarded-User": "alice" },
        });

        await assertRefused(await session[method]({ "X-Forwarded-User": "bob" }), 404, { code: SESSION_NOT_FOUND });

        assert.deepEqual(
            upstream.seen.entries.map((exchange) => exchange.method),
            ["POST"],
        );
        assert.equal((await session.post(request(8, "ping"))).status, 200);
    });
}

test("principals: a session of a principal is not found by who is none", concernsGateway, async (t) => {
    const { url, session } = await beginSession(t, { options: PRINCIPAL, fields: { "X-Forwarded-User": "alice" } });

    await assertRefused(await unknownSession(t, url, session.id).post(request(7, "ping")), 404, {
        code: SESSION_NOT_FOUND,
        id: 7,
    });
});

test("principals: without the option, nobody is a principal by a header", concernsGateway, async (t) => {
    const { session } = await beginSession(t, { fields: { "X-Forwarded-User": "alice" } });

    assert.equal((await session.post(request(7, "ping"), { "X-Forwarded-User": "bob" })).status, 200);
});

test("principals: who the client is, the upstream is told as the client said it", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t, { fields: { Authorization: "Bearer of-alice" } });

    await (await session.post(request(1, "ping"))).text();

    assert.equal((await upstream.sees("initialize")).headers.authorization, "Bearer of-alice");
    assert.equal((await upstream.sees("ping")).headers.authorization, "Bearer of-alice");
});

test(
    "principals: an upstream that wants another token says so to the client, whose session goes on",
    concernsGateway,
    async (t) => {
        const challenge = { "WWW-Authenticate": 'Bearer error="invalid_token"' };
        const { session } = await beginSession(t, {
            answers: { "tools/call": (exchange) => exchange.respond(401, { headers: challenge }) },
        });

        const reply = await session.post(request(1, "tools/call"));

        assert.equal(reply.status, 401);
        assert.equal(reply.headers["www-authenticate"], challenge["WWW-Authenticate"]);
        assert.equal((await session.post(request(2, "ping"))).status, 200);
    },
);
