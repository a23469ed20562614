/** Which requests belong to a session, and that each side of the gateway has its own ids for it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import { concernsGateway } from "./support/gateway.mjs";
import { initialize, notification, request } from "./support/messages.mjs";
import { RawSession, send } from "./support/raw_client.mjs";
import { assertRefused, INVALID_REQUEST, SESSION_NOT_FOUND } from "./support/refusal.mjs";
import { begin, beginSession, unknownSession } from "./support/setup.mjs";

test("session ids: a request without a session id is refused, and goes nowhere", concernsGateway, async (t) => {
    const { upstream, url } = await begin(t);

    const reply = await send(t, url, "POST", {}, request(7, "tools/list"));

    await assertRefused(reply, 400, { code: INVALID_REQUEST, id: 7 });
    assert.deepEqual(upstream.seen.entries, []);
});

for (const method of ["post", "listen", "end"]) {
    test(`session ids: a session that is unknown is not found: ${method}`, concernsGateway, async (t) => {
        const { upstream, url } = await begin(t);
        const session = unknownSession(t, url);

        const reply = method === "post" ? await session.post(request(7, "tools/list")) : await session[method]();

        await assertRefused(reply, 404, { code: SESSION_NOT_FOUND, id: method === "post" ? 7 : null });
        assert.deepEqual(upstream.seen.entries, []);
    });
}

test("session ids: a session id that cannot be one is not found either", concernsGateway, async (t) => {
    const { url } = await begin(t);

    for (const id of ["x", "with a blank", "x".repeat(4000), "../../etc/passwd", "%00"]) {
        await assertRefused(await unknownSession(t, url, id).post(request(7, "tools/list")), 404, {
            code: SESSION_NOT_FOUND,
            id: 7,
        });
    }
});

test("session ids: the upstream's session id is not one of ours", concernsGateway, async (t) => {
    const { url } = await beginSession(t);

    await assertRefused(await unknownSession(t, url, "upstream-session-1").post(request(7, "ping")), 404, { id: 7 });
});

test("session ids: to notify a session that is unknown is not found, under no id", concernsGateway, async (t) => {
    const { url } = await begin(t);

    await assertRefused(await unknownSession(t, url).post(notification("notifications/initialized")), 404, {
        code: SESSION_NOT_FOUND,
    });
});

test("session ids: an id with initialize is ignored", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t);

    const reply = await session.post(initialize(7));

    assert.equal(reply.status, 200);
    assert.notEqual(reply.headers["mcp-session-id"], session.id);
    assert.equal(upstream.count("initialize"), 2);
});

test(
    "session ids: the client never sees the upstream's session id, nor does the upstream see ours",
    concernsGateway,
    async (t) => {
        const { upstream, url } = await begin(t);
        const first = await send(t, url, "POST", {}, initialize(0));
        const session = new RawSession(t, url, first.headers["mcp-session-id"]);
        const replies = [
            first,
            await session.post(notification("notifications/initialized")),
            await session.post(request(1, "ping")),
        ];
        const stream = await session.listen();
        (await upstream.sees("GET")).note("hello");
        await stream.note("hello");
        replies.push(stream, await session.end());
        await Promise.all(replies.map((reply) => reply.text()));
        await upstream.sees("DELETE");

        const inside = inspect(upstream.seen.entries, { depth: 6 });
        const outside = inspect(replies, { depth: 6 });
        assert.ok(session.id.length >= 22, session.id);
        assert.ok(!inside.includes(session.id), inside);
        assert.ok(!outside.includes("upstream-session-1"), outside);
        const ids = upstream.seen.entries.map(({ sessionId }) => sessionId);
        assert.deepEqual(ids, [undefined, ...Array(4).fill("upstream-session-1")]);
    },
);

test("session ids: each session has one of its own upstream", concernsGateway, async (t) => {
    const { upstream, url, session } = await beginSession(t);
    const other = await RawSession.begin(t, url);

    await (await other.post(request("of the other", "ping"))).text();
    await (await session.post(request("of the first", "ping"))).text();

    const pings = await upstream.seen.take(2, "pings", ({ message }) => message?.method === "ping");
    assert.deepEqual(
        pings.map(({ message, sessionId }) => [message.id, sessionId]),
        [
            ["of the other", "upstream-session-2"],
            ["of the first", "upstream-session-1"],
        ],
    );
});

test("session ids: an upstream that refuses to initialize makes no session", concernsGateway, async (t) => {
    const { url } = await begin(t, {
        answers: { initialize: (exchange) => exchange.respond(200, { error: { code: -32602, message: "Not you" } }) },
        options: ["--max-sessions", "1"],
    });

    for (const id of [1, 2]) {
        const reply = await send(t, url, "POST", {}, initialize(id));
        assert.equal(reply.headers["mcp-session-id"], undefined);
        assert.notEqual(reply.status, 503, inspect(reply));
    }
});

test("session ids: an upstream that has no sessions gets none", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t, {
        answers: { initialize: (exchange) => exchange.reply({ protocolVersion: "2025-11-25", capabilities: {} }) },
    });

    assert.equal((await session.post(request(1, "ping"))).status, 200);

    assert.equal((await upstream.sees("ping")).sessionId, undefined);
});
