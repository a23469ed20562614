/** A client that has lost a connection gets what it missed: all of it, once, in order, and nothing else. */

import assert from "node:assert/strict";
import * as node from "node:test";

import { Cutter } from "./support/cutter.mjs";
import { concernsGateway, everywhere, Gateway } from "./support/gateway.mjs";
import { request, textOf } from "./support/messages.mjs";
import { PollingServer } from "./support/polling_server.mjs";
import { RawSession } from "./support/raw_client.mjs";
import { ReferenceServer } from "./support/reference_server.mjs";
import { SdkClient } from "./support/sdk_client.mjs";
import { beginSession, STREAMS } from "./support/setup.mjs";
import { eventually } from "./support/within.mjs";

const { test } = node;

const reference = await ReferenceServer.start(node);
const gateway = await Gateway.start(node, reference);

/** The upstream's side of the call with this id. */
function callSeen(upstream, id) {
    return upstream.seen.find(`call ${id}`, ({ message }) => message?.method === "tools/call" && message.id === id);
}

/** The stream that goes on after an event. Until it is known that the client has gone, there may be a conflict. */
function goOn(session, after) {
    return eventually("a stream that goes on", async () => {
        const reply = await session.listen({ "Last-Event-ID": after.id });
        if (reply.status === 409) {
            return undefined;
        }
        assert.equal(reply.status, 200);
        return reply;
    });
}

function texts(events) {
    return events.map(({ message }) => textOf(message)).filter((text) => text !== undefined);
}

// Not without a gateway: the reference server replays, but does not go on after that.
test(
    "resumption: a call that is cut in the middle goes on, each step of its progress once and in order",
    concernsGateway,
    async (t) => {
        const cutter = await Cutter.start(t, gateway.url);
        const client = await SdkClient.connect(t, cutter.url);
        const progress = [];

        const answer = await client.call(
            "trigger-long-running-operation",
            { duration: 1, steps: 5 },
            {
                onprogress: ({ progress: step }) => {
                    progress.push(step);
                    if (step === 2) {
                        cutter.cut();
                    }
                },
            },
        );

        assert.match(answer, /completed/);
        assert.deepEqual(progress, [1, 2, 3, 4, 5]);
    },
);

test("resumption: what the server says while its client is away comes when that is back", everywhere, async (t) => {
    const session = await RawSession.begin(t, gateway.url);
    const subscribe = async (number) => {
        const uri = `demo://resource/dynamic/text/${number}`;
        await (await session.post(request(number, "resources/subscribe", { uri }))).text();
        return ({ message }) => textOf(message)?.includes(`${uri} `);
    };
    const before = await session.listen();
    const last = await before.events.find("first log", await subscribe(1));
    before.abort();
    await subscribe(2);
    const isThird = await subscribe(3);

    const after = await goOn(session, last);
    await after.events.find("third log", isThird);

    const missed = texts(after.events.entries).map((text) => /text\/(\d+)/.exec(text)[1]);
    assert.deepEqual(missed, ["2", "3"]);
});

test(
    "resumption: a client that goes has cancelled nothing, and gets the rest of its call",
    concernsGateway,
    async (t) => {
        const { upstream, session } = await beginSession(t, { answers: STREAMS });
        const before = await session.post(request(1, "tools/call"));
        const call = await callSeen(upstream, 1);
        call.note("one");
        const last = await before.note("one");
        before.abort();
        call.note("two");
        call.note("three");
        call.finish({ content: [] });

        const after = await goOn(session, last);

        const missed = await after.events.all();
        assert.deepEqual(texts(missed), ["two", "three"]);
        assert.deepEqual(missed.at(-1).message, { jsonrpc: "2.0", id: 1, result: { content: [] } });
        assert.equal(upstream.count("notifications/cancelled"), 0);
    },
);

test("resumption: a call goes on while its client is back", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t, { answers: STREAMS });
    const before = await session.post(request(1, "tools/call"));
    const call = await callSeen(upstream, 1);
    call.note("one");
    const last = await before.note("one");
    before.abort();
    call.note("two");

    const after = await goOn(session, last);
    await after.note("two");
    call.note("three");
    await after.note("three");
    call.finish();

    assert.deepEqual(texts(await after.events.all()), ["two", "three"]);
});

test(
    "resumption: what the client had before the event that it names does not come again",
    concernsGateway,
    async (t) => {
        const { upstream, session } = await beginSession(t, { answers: STREAMS });
        const before = await session.post(request(1, "tools/call"));
        const call = await callSeen(upstream, 1);
        call.note("one");
        call.note("two");
        call.note("three");
        const named = await before.note("two");
        await before.note("three");
        before.abort();
        call.finish();

        const after = await goOn(session, named);

        assert.deepEqual(texts(await after.events.all()), ["three"]);
    },
);

test("resumption: of two streams of a session only the one goes on that is named", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t, { answers: STREAMS });
    const before = await session.post(request(1, "tools/call"));
    const other = await session.post(request(2, "tools/call"));
    const [call, otherCall] = await Promise.all([callSeen(upstream, 1), callSeen(upstream, 2)]);
    call.note("one");
    const last = await before.note("one");
    otherCall.note("of the other");
    await other.note("of the other");
    before.abort();
    otherCall.note("of the other too");
    await other.note("of the other too");
    call.finish();

    const after = await goOn(session, last);

    const missed = await after.events.all();
    assert.deepEqual(
        missed.map(({ message }) => message),
        [{ jsonrpc: "2.0", id: 1, result: {} }],
    );
});

test("resumption: no two events of a session have the same id", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t, { answers: STREAMS });
    const replies = [
        await session.listen(),
        await session.post(request(1, "tools/call")),
        await session.post(request(2, "tools/call")),
    ];
    const streams = [await upstream.sees("GET"), await callSeen(upstream, 1), await callSeen(upstream, 2)];
    for (const stream of streams) {
        stream.note("one");
        stream.note("two");
    }

    const pairs = await Promise.all(replies.map((reply) => Promise.all([reply.note("one"), reply.note("two")])));

    const ids = pairs.flat().map(({ id }) => id);
    assert.ok(ids.every(Boolean), `${ids}`);
    assert.equal(new Set(ids).size, 6, `${ids}`);
});

test("resumption: an event of another session brings nothing of that", concernsGateway, async (t) => {
    const { upstream, url, session } = await beginSession(t, { answers: STREAMS });
    const mine = await session.post(request(1, "tools/call"));
    const call = await callSeen(upstream, 1);
    call.note("secret");
    const secret = await mine.note("secret");
    call.note("secret too");
    await mine.note("secret too");
    const thief = await RawSession.begin(t, url);

    const reply = await thief.listen({ "Last-Event-ID": secret.id });

    // A replay begins at once, so it would be here before an answer to what is asked after it.
    await (await thief.post(request(2, "tools/list"))).text();
    assert.deepEqual(texts(reply.events.entries), []);
});

test("resumption: an event that was never sent is refused, or brings nothing", concernsGateway, async (t) => {
    const { session } = await beginSession(t, { answers: STREAMS });

    const reply = await session.listen({ "Last-Event-ID": "18446744073709551615-1" });

    await (await session.post(request(2, "tools/list"))).text();
    assert.ok(reply.status === 200 || reply.status === 400 || reply.status === 404, `${reply.status}`);
    assert.deepEqual(reply.events.entries, []);
});

test("resumption: a call of a server that wants to be polled gets its answer", everywhere, async (t) => {
    const server = await PollingServer.start(t);
    const { url } = await Gateway.start(t, server);
    const client = await SdkClient.connect(t, url);

    assert.equal(await client.call("late"), "late");

    assert.equal(server.polls.entries.length, 1);
});
