/** What goes through the gateway comes out as it went in, and at once. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { concernsGateway } from "./support/gateway.mjs";
import { note, request } from "./support/messages.mjs";
import { assertRefused } from "./support/refusal.mjs";
import { beginSession, STREAMS } from "./support/setup.mjs";
import { eventually } from "./support/within.mjs";

test("streams: a second stream to listen to is a conflict, and goes nowhere", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t);
    await session.listen();

    await assertRefused(await session.listen(), 409);

    assert.equal(upstream.count("GET"), 1);
});

test("streams: a client may listen again when it has gone", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t);
    (await session.listen()).abort();

    const reply = await eventually("a stream", async () => {
        const stream = await session.listen();
        return stream.status === 200 ? stream : undefined;
    });

    const streams = upstream.seen.entries.filter(({ method }) => method === "GET");
    streams.at(-1).note("welcome back");
    await reply.note("welcome back");
});

test("streams: an upstream that has no stream to listen to says so to the client", concernsGateway, async (t) => {
    const { session } = await beginSession(t, { answers: { GET: (exchange) => exchange.respond(405) } });

    assert.equal((await session.listen()).status, 405);
    assert.equal((await session.post(request(1, "ping"))).status, 200);
});

test("streams: an event of a call reaches the client before the next is there", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t, { answers: STREAMS });
    const reply = await session.post(request(1, "tools/call"));
    const call = await upstream.sees("tools/call");

    for (const text of ["one", "two", "three"]) {
        call.note(text);
        await reply.note(text);
    }
    call.finish();

    const events = await reply.events.all();
    assert.deepEqual(
        events.map(({ message }) => message.params?.data ?? message.id),
        ["one", "two", "three", 1],
    );
});

test(
    "streams: an event of the stream that the client listens to reaches it before the next is there",
    concernsGateway,
    async (t) => {
        const { upstream, session } = await beginSession(t);
        const reply = await session.listen();
        const stream = await upstream.sees("GET");

        for (const text of ["one", "two", "three"]) {
            stream.note(text);
            await reply.note(text);
        }
    },
);

test("streams: no proxy is to hold back or to keep a stream", concernsGateway, async (t) => {
    const { session } = await beginSession(t);

    const { headers } = await session.listen();

    assert.match(headers["content-type"], /^text\/event-stream/);
    assert.match(headers["cache-control"] ?? "missing", /no-cache|no-store/);
    assert.equal(headers["x-accel-buffering"], "no");
});

test("streams: an upstream may answer as JSON", concernsGateway, async (t) => {
    const { session } = await beginSession(t, {
        answers: { "tools/call": (exchange) => exchange.reply({ as: "JSON" }) },
    });

    const reply = await session.post(request(7, "tools/call"));

    assert.match(reply.headers["content-type"], /^application\/json/);
    assert.deepEqual(await reply.json(), { jsonrpc: "2.0", id: 7, result: { as: "JSON" } });
});

test("streams: an upstream may answer initialize on a stream", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t, {
        answers: {
            initialize: (exchange) => {
                exchange.openStream({ "Mcp-Session-Id": "upstream-session-of-stream" });
                exchange.finish({ protocolVersion: "2025-11-25", capabilities: {} });
            },
        },
    });

    assert.equal((await session.post(request(1, "ping"))).status, 200);

    assert.equal((await upstream.sees("ping")).sessionId, "upstream-session-of-stream");
});

test("streams: a message that spans packets, and lines of data, is one message", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t, { answers: STREAMS });
    const reply = await session.post(request(1, "tools/call"));
    const call = await upstream.sees("tools/call");
    const lines = JSON.stringify(note("in pieces"), null, 1).split("\n");
    const event = lines.map((line) => `data: ${line}\r\n`).join("");

    for (const piece of event.match(/.{1,7}/gs)) {
        await call.write(piece);
    }
    await call.write("\r\n");

    await reply.note("in pieces");
});

test("streams: a request comes through letter by letter", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t);
    const body = '{ "jsonrpc": "2.0", "id": 9007199254740993, "method": "ping", "params": { "x": 1.00, "y": 1e-7 } }';

    const reply = await session.post(body);

    assert.equal(reply.status, 200);
    assert.equal((await upstream.sees("ping")).body, body);
});
