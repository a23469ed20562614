/** Those who are gone hold nobody up: a client in the middle of a stream, a session with a call, an upstream that hangs. */

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";

import { concernsGateway, Gateway } from "./support/gateway.mjs";
import { note, notification, request, textOf } from "./support/messages.mjs";
import { RawSession } from "./support/raw_client.mjs";
import { ReferenceServer } from "./support/reference_server.mjs";
import { assertRefused, SESSION_NOT_FOUND } from "./support/refusal.mjs";
import { begin, beginSession, STREAMS } from "./support/setup.mjs";
import { eventually, within } from "./support/within.mjs";

/** Begins a request, of which nothing is read; `destroy` resets its connection. */
function sendAndReadNothing(t, url, fields, message) {
    const outgoing = http.request(url, { method: message ? "POST" : "GET", agent: false, headers: fields });
    outgoing.on("error", () => {});
    outgoing.end(message && JSON.stringify(message));
    t.after(() => outgoing.destroy());
    return outgoing;
}

function fieldsOf(session) {
    return {
        Accept: "application/json, text/event-stream",
        "Content-Type": "application/json",
        "MCP-Protocol-Version": "2025-11-25",
        "Mcp-Session-Id": session.id,
    };
}

function socketOf(name) {
    return path.join(tmpdir(), `sojourn-mcp-${process.pid}-${name}.sock`);
}

async function statistics(socketPath) {
    const asked = http.get({ socketPath, path: "/stats" });
    const [answer] = await once(asked, "response");
    return JSON.parse(await text(answer));
}

test(
    "vanished: a client that goes while much waits for it gets the rest when it is back",
    concernsGateway,
    async (t) => {
        const { upstream, url, session } = await beginSession(t, { answers: STREAMS });
        const client = sendAndReadNothing(t, url, fieldsOf(session), request(5, "tools/call"));
        const exchange = await upstream.sees("tools/call");
        const much = "x".repeat(200_000);
        let written = 0;
        const all = (async () => {
            for (; written < 60; ++written) {
                await exchange.write(`data: ${JSON.stringify(note(much))}\n\n`);
            }
            exchange.note("after");
            exchange.finish({ done: true });
        })();
        // So much is more than all on the way can hold for a client that reads nothing.
        await eventually("a part of it", () => written > 20);
        client.destroy();
        await within("the rest", all);

        const reply = await session.listen({ "Last-Event-ID": "2-0" });
        const events = await reply.events.all();

        assert.equal(events.at(-1).message.result?.done, true);
        assert.equal(events.filter(({ message }) => textOf(message) === "after").length, 1);
    },
);

test("vanished: a call ends with its session, and the upstream is told", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t, { answers: { "tools/call": () => {} } });
    const call = session.post(request(5, "tools/call"));
    const exchange = await upstream.sees("tools/call");

    await (await session.end()).text();

    await within("the end of the call upstream", exchange.cancelled);
    await assertRefused(await call, 404, { code: SESSION_NOT_FOUND, id: 5 });
    await upstream.sees("DELETE");
});

test(
    "vanished: a client of a server that was started again is told to begin anew, each time",
    concernsGateway,
    async (t) => {
        const reference = await ReferenceServer.start(t);
        const { url } = await Gateway.start(t, reference);
        const session = await RawSession.begin(t, url);
        await (await session.post(notification("notifications/initialized"))).text();
        await reference.restart();

        for (const id of [1, 2]) {
            await assertRefused(await session.post(request(id, "ping")), 404, { code: SESSION_NOT_FOUND, id });
        }
        assert.equal((await session.listen()).status, 404);
    },
);

test(
    "vanished: an answer that nobody read, and that is too large to be kept, is an error for who comes back",
    concernsGateway,
    async (t) => {
        const socket = socketOf("kept");
        const { upstream, session } = await beginSession(t, { answers: STREAMS, options: ["--admin", `unix:${socket}`] });
        const reply = await session.post(request(5, "tools/call"));
        const exchange = await upstream.sees("tools/call");
        reply.abort();
        exchange.finish({ text: "x".repeat(2_000_000) });
        await eventually("an answer that was dropped", async () => {
            const { sessions } = await statistics(socket);
            return sessions.frames_dropped === 1;
        });

        const events = await eventually("an answer", async () => {
            const again = await session.listen({ "Last-Event-ID": "2-0" });
            const all = await again.events.all();
            return all.length > 0 && all;
        });

        assert.deepEqual(
            events.map(({ message }) => [message.id, message.error?.code]),
            [[5, 502]],
        );
    },
);

test("vanished: an upstream that hangs at the end of one session hears of others", concernsGateway, async (t) => {
    const { upstream, url } = await begin(t, { answers: { DELETE: () => {} } });
    const sessions = await Promise.all(Array.from({ length: 5 }, () => RawSession.begin(t, url)));

    await Promise.all(sessions.map(async (session) => (await session.end()).text()));

    await upstream.seen.take(5, "ends", ({ method }) => method === "DELETE");
});

test("vanished: a client that goes before its stream has begun can come again", concernsGateway, async (t) => {
    const { upstream, url, session } = await beginSession(t, { answers: { GET: () => {} } });
    const client = sendAndReadNothing(t, url, fieldsOf(session));
    const exchange = await upstream.sees("GET");

    client.destroy();
    await within("the end of the stream upstream", exchange.cancelled);

    session.listen().catch(() => {});
    await upstream.seen.take(2, "streams", ({ method }) => method === "GET");
});
