/**
 * The current revision has no sessions: a request says all that is needed, and goes through.
 *
 * https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import { concernsGateway } from "./support/gateway.mjs";
import { CURRENT_REVISION, currentRequest, note, request } from "./support/messages.mjs";
import { send } from "./support/raw_client.mjs";
import {
    assertRefused,
    assertRefusedForNow,
    HEADER_MISMATCH,
    UNSUPPORTED_PROTOCOL_VERSION,
} from "./support/refusal.mjs";
import { begin, beginSession, STREAMS } from "./support/setup.mjs";
import { within } from "./support/within.mjs";

const CURRENT = { "MCP-Protocol-Version": CURRENT_REVISION };

/** Sends a request that is of the current revision, and says so. */
function post(t, url, id, method, fields = {}) {
    return send(t, url, "POST", { ...CURRENT, ...fields }, currentRequest(id, method));
}

test("stateless: a request is served without a session", concernsGateway, async (t) => {
    const { upstream, url } = await begin(t, {
        answers: { "tools/list": (exchange) => exchange.reply({ tools: [] }) },
    });

    const reply = await post(t, url, 7, "tools/list", { "Mcp-Method": "tools/list" });

    assert.equal(reply.status, 200);
    assert.deepEqual(await reply.json(), { jsonrpc: "2.0", id: 7, result: { tools: [] } });
    const { headers, message } = await upstream.sees("tools/list");
    assert.deepEqual(message, currentRequest(7, "tools/list"));
    assert.equal(headers["mcp-protocol-version"], CURRENT_REVISION);
    assert.equal(headers["mcp-method"], "tools/list");
    assert.equal(upstream.seen.entries.length, 1);
});

test("stateless: a session id is ignored, and none is given", concernsGateway, async (t) => {
    const { upstream, url, session } = await beginSession(t, {
        answers: { "tools/list": (exchange) => exchange.reply({}, { "Mcp-Session-Id": "minted-upstream" }) },
    });

    for (const id of [session.id, "unknown"]) {
        const reply = await post(t, url, 7, "tools/list", { "Mcp-Session-Id": id, "Last-Event-ID": "1-1" });
        assert.equal(reply.status, 200);
        assert.equal(reply.headers["mcp-session-id"], undefined);
    }

    const seen = await upstream.seen.take(2, "requests", ({ message }) => message?.method === "tools/list");
    assert.deepEqual(
        seen.map(({ headers }) => [headers["mcp-session-id"], headers["last-event-id"]]),
        Array(2).fill([undefined, undefined]),
    );
});

for (const method of ["GET", "DELETE"]) {
    test(`stateless: the method ${method} is not allowed, whatever session it names`, concernsGateway, async (t) => {
        const { upstream, url, session } = await beginSession(t);

        const reply = await send(t, url, method, { ...CURRENT, "Mcp-Session-Id": session.id });

        await assertRefused(reply, 405, { code: 405 });
        assert.equal(reply.headers.allow, "POST");
        assert.equal(upstream.count(method), 0);
        assert.equal((await session.post(request(1, "ping"))).status, 200);
    });
}

test("stateless: a header that says another revision than the message is a mismatch", concernsGateway, async (t) => {
    const { upstream, url } = await begin(t);

    for (const revision of [{ "MCP-Protocol-Version": "2025-11-25" }, {}]) {
        const reply = await send(t, url, "POST", revision, currentRequest(7, "tools/list"));
        await assertRefused(reply, 400, { code: HEADER_MISMATCH, id: 7 });
    }
    await assertRefused(await send(t, url, "POST", CURRENT, request(7, "tools/list")), 400, {
        code: HEADER_MISMATCH,
        id: 7,
    });

    assert.deepEqual(upstream.seen.entries, []);
});

test("stateless: of a revision that nobody knows, those that are known are told", concernsGateway, async (t) => {
    const { url } = await begin(t);
    const message = currentRequest(7, "tools/list");
    message.params._meta["io.modelcontextprotocol/protocolVersion"] = "2099-01-01";

    const reply = await send(t, url, "POST", { "MCP-Protocol-Version": "2099-01-01" }, message);

    await assertRefused(reply, 400, { code: UNSUPPORTED_PROTOCOL_VERSION, id: 7 });
    const { error } = await reply.json();
    assert.ok(error.data?.supported?.includes(CURRENT_REVISION), inspect(error));
});

test("stateless: a page of an origin that is not allowed is refused", concernsGateway, async (t) => {
    const { upstream, url } = await begin(t);

    await assertRefused(await post(t, url, 7, "tools/list", { Origin: "http://evil.example" }), 403, {
        code: 403,
        id: [7, null],
    });

    assert.deepEqual(upstream.seen.entries, []);
});

test("stateless: an event reaches the client before the next is there", concernsGateway, async (t) => {
    const { upstream, url } = await begin(t, { answers: STREAMS });
    const reply = await post(t, url, 7, "tools/call");
    const call = await upstream.sees("tools/call");

    for (const text of ["one", "two"]) {
        call.note(text);
        await reply.note(text);
    }
    call.finish();

    const messages = (await reply.events.all()).map(({ message }) => message);
    assert.deepEqual(messages, [note("one"), note("two"), { jsonrpc: "2.0", id: 7, result: {} }]);
});

test(
    "stateless: a client that closes its stream has cancelled: the upstream's connection closes",
    concernsGateway,
    async (t) => {
        const { upstream, url } = await begin(t, { answers: STREAMS });
        const reply = await post(t, url, 7, "tools/call");
        const call = await upstream.sees("tools/call");
        call.note("one");
        await reply.note("one");

        reply.abort();

        await within("the end of the upstream's connection", call.cancelled);
    },
);

test("stateless: a client that goes before there is an answer has cancelled too", concernsGateway, async (t) => {
    const { upstream, url } = await begin(t, { answers: { "tools/call": () => {} } });
    const gone = new AbortController();
    const reply = fetch(url, {
        method: "POST",
        headers: { ...CURRENT, "Content-Type": "application/json", Accept: "application/json, text/event-stream" },
        body: JSON.stringify(currentRequest(7, "tools/call")),
        signal: gone.signal,
    });
    const call = await upstream.sees("tools/call");

    gone.abort();

    await assert.rejects(reply, { name: "AbortError" });
    await within("the end of the upstream's connection", call.cancelled);
});

test("stateless: a 404 of the upstream is its own, and has its own body", concernsGateway, async (t) => {
    const error = { code: -32601, message: "Method not found" };
    const { url } = await begin(t, { answers: { "no/such": (exchange) => exchange.respond(404, { error }) } });

    const reply = await post(t, url, 7, "no/such");

    assert.equal(reply.status, 404);
    assert.deepEqual(await reply.json(), { jsonrpc: "2.0", id: 7, error });
});

test("stateless: while the upstream is down, the request is told so", concernsGateway, async (t) => {
    const { upstream, url } = await begin(t);
    await upstream.stop();

    const reply = await post(t, url, 7, "tools/list");

    await assertRefused(reply, [502, 503], { id: 7 });
});

test(
    "stateless: a principal that sends too much is told when to go on; another is not concerned",
    concernsGateway,
    async (t) => {
        const { upstream, url } = await begin(t, {
            options: ["--rate", "2", "--principal-header", "X-Forwarded-User"],
        });
        const alice = { "X-Forwarded-User": "alice" };

        const replies = await Promise.all(Array.from({ length: 20 }, () => post(t, url, 7, "tools/list", alice)));

        const refused = replies.filter(({ status }) => status !== 200);
        assert.ok(refused.length > 0 && refused.length < 20, `${refused.length}`);
        for (const reply of refused) {
            await assertRefusedForNow(reply, 429, { code: 429, id: 7 });
        }
        assert.equal(upstream.count("tools/list"), 20 - refused.length);
        assert.equal((await post(t, url, 7, "tools/list", { "X-Forwarded-User": "bob" })).status, 200);
    },
);
