/**
 * Rules of the Streamable HTTP transport that any server has, seen on the wire.
 *
 * https://modelcontextprotocol.io/specification/2025-11-25/basic/transports
 */

import assert from "node:assert/strict";
import * as node from "node:test";

import { everywhere, Gateway } from "./support/gateway.mjs";
import { initialize, notification, request, response } from "./support/messages.mjs";
import { RawSession, send } from "./support/raw_client.mjs";
import { ReferenceServer } from "./support/reference_server.mjs";

const { test } = node;

const { url } = await Gateway.start(node, await ReferenceServer.start(node));

/** The message with this id: the whole body, or an event. */
async function answer(reply, id) {
    assert.equal(reply.status, 200);
    if (reply.headers["content-type"].startsWith("application/json")) {
        return reply.json();
    }
    return (await reply.events.find(`answer ${id}`, ({ message }) => message.id === id)).message;
}

test(
    "transport: the answer to initialize has a session id of visible ASCII, and agrees on a revision",
    everywhere,
    async (t) => {
        const reply = await send(t, url, "POST", {}, initialize(1));

        assert.match(reply.headers["mcp-session-id"], /^[\x21-\x7e]+$/);
        assert.equal((await answer(reply, 1)).result.protocolVersion, "2025-11-25");
    },
);

for (const revision of ["2025-03-26", "2025-06-18", "2025-11-25"]) {
    test(`transport: a client of ${revision} is served`, everywhere, async (t) => {
        const session = await RawSession.begin(t, url, { "MCP-Protocol-Version": revision });

        assert.ok((await answer(await session.post(request(1, "tools/list")), 1)).result.tools.length > 0);
    });
}

test("transport: a request without a session id that does not initialize is a bad one", everywhere, async (t) => {
    const reply = await send(t, url, "POST", {}, request(1, "tools/list"));

    assert.equal(reply.status, 400);
    assert.ok((await reply.json()).error);
});

test("transport: a GET without a session id is a bad one", everywhere, async (t) => {
    assert.equal((await send(t, url, "GET")).status, 400);
});

test("transport: a DELETE without a session id is a bad one", everywhere, async (t) => {
    assert.equal((await send(t, url, "DELETE")).status, 400);
});

for (const message of [notification("notifications/initialized"), response(99)]) {
    test(
        `transport: a ${message.method ? "notification" : "response"} is accepted, and not answered`,
        everywhere,
        async (t) => {
            const session = await RawSession.begin(t, url);

            const reply = await session.post(message);

            assert.equal(reply.status, 202);
            assert.equal(await reply.text(), "");
        },
    );
}

test("transport: a body that is no JSON-RPC is a bad one", everywhere, async (t) => {
    const session = await RawSession.begin(t, url);

    for (const body of ["", "{", "7", '"tools/list"', "{}", '{"jsonrpc":"2.0"}', '{"jsonrpc":"2.0","id":1}']) {
        assert.equal((await session.post(body)).status, 400, `of ${body}`);
    }
});

test("transport: each request of a batch is answered", everywhere, async (t) => {
    const revision = { "MCP-Protocol-Version": "2025-03-26" };
    const session = await RawSession.begin(t, url, revision);

    const reply = await session.post([
        request(1, "ping"),
        request(2, "ping"),
        notification("notifications/cancelled", { requestId: 9 }),
    ]);

    const events = await reply.events.all();
    assert.deepEqual(events.map(({ message }) => message.id).sort(), [1, 2]);
});

test("transport: a request of a revision that nobody knows is a bad one", everywhere, async (t) => {
    const session = await RawSession.begin(t, url);

    const reply = await session.post(request(1, "tools/list"), { "MCP-Protocol-Version": "1999-12-31" });

    assert.equal(reply.status, 400);
    assert.ok((await reply.json()).error);
});

test("transport: a request that does not say its revision is served", everywhere, async (t) => {
    const { id } = await RawSession.begin(t, url);

    const reply = await send(t, url, "POST", { "Mcp-Session-Id": id }, request(1, "tools/list"));

    assert.ok((await answer(reply, 1)).result.tools.length > 0);
});

for (const name of ["mcp-session-id", "MCP-SESSION-ID", "mCP-sESSION-iD"]) {
    test(`transport: a header may be written ${name}`, everywhere, async (t) => {
        const { id } = await RawSession.begin(t, url);

        const reply = await send(t, url, "POST", { [name]: id }, request(1, "tools/list"));

        assert.ok((await answer(reply, 1)).result.tools.length > 0);
    });
}

test("transport: a session has one stream to listen to; a second is a conflict", everywhere, async (t) => {
    const session = await RawSession.begin(t, url);

    assert.equal((await session.listen()).status, 200);
    assert.equal((await session.listen()).status, 409);
});

test("transport: two sessions each have a stream to listen to", everywhere, async (t) => {
    const sessions = [await RawSession.begin(t, url), await RawSession.begin(t, url)];

    for (const session of sessions) {
        const reply = await session.listen();
        assert.equal(reply.status, 200);
        assert.match(reply.headers["content-type"], /^text\/event-stream/);
    }
});

test("transport: a DELETE ends the stream that the client listens to", everywhere, async (t) => {
    const session = await RawSession.begin(t, url);
    const stream = await session.listen();

    const reply = await session.end();

    assert.ok([200, 202, 204].includes(reply.status), `${reply.status}`);
    await stream.events.all();
});
