/** What clients see when the upstream dies, and when the gateway is stopped. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { concernsGateway, Gateway } from "./support/gateway.mjs";
import { initialize, request } from "./support/messages.mjs";
import { RawSession, send } from "./support/raw_client.mjs";
import { ReferenceServer } from "./support/reference_server.mjs";
import { assertError, assertRefused, assertRefusedForNow, SESSION_NOT_FOUND } from "./support/refusal.mjs";
import { SdkClient } from "./support/sdk_client.mjs";
import { begin, beginSession, STREAMS } from "./support/setup.mjs";
import { eventually, within } from "./support/within.mjs";

const UNAVAILABLE = [502, 503];

test(
    "failures: when the upstream dies, each call gets an answer or an error; when it is back, clients begin anew",
    concernsGateway,
    async (t) => {
        const reference = await ReferenceServer.start(t);
        const { url } = await Gateway.start(t, reference);
        const clients = await Promise.all(Array.from({ length: 8 }, () => SdkClient.connect(t, url)));
        let inTheMiddle;
        const areRunning = new Promise((resolve) => (inTheMiddle = resolve));

        const calls = clients.map((client) =>
            client.call("trigger-long-running-operation", { duration: 60, steps: 600 }, { onprogress: inTheMiddle }),
        );
        const settled = Promise.allSettled(calls);
        await within("progress", areRunning);
        await reference.restart();
        await within("the end of each call", settled);

        const next = await eventually("a new client", () => SdkClient.connect(t, url));
        assert.equal(await next.call("echo", { message: "again" }), "Echo: again");
    },
);

test(
    "failures: who begins while the upstream is down is told so, under the id of its request",
    concernsGateway,
    async (t) => {
        const { upstream, url } = await begin(t);
        await upstream.stop();

        const reply = await send(t, url, "POST", {}, initialize(7));

        await assertRefused(reply, UNAVAILABLE, { id: 7 });
        assert.equal(reply.headers["mcp-session-id"], undefined);
    },
);

test(
    "failures: a call while the upstream is down is told so, under the id of its request",
    concernsGateway,
    async (t) => {
        const { upstream, session } = await beginSession(t);
        await upstream.stop();

        const reply = await session.post(request("a text", "tools/call"));

        await assertRefused(reply, UNAVAILABLE, { id: "a text" });
    },
);

test(
    "failures: a call that the upstream does not begin to answer before it dies gets an error",
    concernsGateway,
    async (t) => {
        const { session } = await beginSession(t, { answers: { "tools/call": (exchange) => exchange.break() } });

        const reply = await session.post(request(7, "tools/call"));

        await assertRefused(reply, UNAVAILABLE, { id: 7 });
    },
);

test("failures: a stream that the upstream breaks off ends with an error for its call", concernsGateway, async (t) => {
    const { upstream, session } = await beginSession(t, { answers: STREAMS });
    const reply = await session.post(request(7, "tools/call"));
    const call = await upstream.sees("tools/call");
    call.note("one");
    await reply.note("one");

    call.break();

    const events = await reply.events.all();
    assertError(events.at(-1).message, { id: 7 });
});

test("failures: a session that the upstream has forgotten ends here too", concernsGateway, async (t) => {
    const error = { code: SESSION_NOT_FOUND, message: "Session not found" };
    const { upstream, session } = await beginSession(t, {
        answers: { "tools/call": (exchange) => exchange.respond(404, { error }) },
    });

    await assertRefused(await session.post(request(1, "tools/call")), 404, { code: SESSION_NOT_FOUND, id: 1 });
    await assertRefused(await session.post(request(2, "tools/call")), 404, { code: SESSION_NOT_FOUND, id: 2 });

    assert.equal(upstream.count("tools/call"), 1);
});

test("failures: a call that runs when the gateway is stopped gets its answer", concernsGateway, async (t) => {
    const gateway = await Gateway.start(t, await ReferenceServer.start(t), ["--drain", "10s"]);
    const client = await SdkClient.connect(t, gateway.url);
    const progress = [];

    const answer = await client.call(
        "trigger-long-running-operation",
        { duration: 1, steps: 4 },
        {
            onprogress: ({ progress: step }) => {
                if (progress.push(step) === 1) {
                    gateway.stop();
                }
            },
        },
    );

    assert.match(answer, /completed/);
    assert.deepEqual(progress, [1, 2, 3, 4]);
    assert.equal(await gateway.ended, 0);
});

test("failures: a gateway that drains lets nobody in, and says when to come back", concernsGateway, async (t) => {
    const { upstream, gateway, url, session } = await beginSession(t, {
        answers: STREAMS,
        options: ["--drain", "10s"],
    });
    const reply = await session.post(request(1, "tools/call"));
    const call = await upstream.sees("tools/call");

    gateway.stop();
    const refusal = await eventually("a refusal", async () => {
        const late = await send(t, url, "POST", {}, initialize(7));
        return late.status === 200 ? undefined : late;
    });
    call.finish();

    await assertRefusedForNow(refusal, 503, { code: 503, id: 7 });
    assert.equal((await reply.events.all()).at(-1).message.id, 1);
    assert.equal(await gateway.ended, 0);
});

test("failures: a gateway that nobody uses stops at once", concernsGateway, async (t) => {
    const { gateway, session } = await beginSession(t, { options: ["--drain", "60s"] });
    // An open stream of a client that listens has nothing to finish.
    await session.listen();

    gateway.stop();

    assert.equal(await gateway.ended, 0);
});

test("failures: the sessions of a gateway that stops end upstream", concernsGateway, async (t) => {
    const { upstream, gateway } = await beginSession(t);

    gateway.stop();

    assert.equal((await upstream.sees("DELETE")).sessionId, "upstream-session-1");
});

test("failures: when the drain's time is over, the gateway ends", concernsGateway, async (t) => {
    const { gateway, session } = await beginSession(t, { answers: STREAMS, options: ["--drain", "1s"] });
    const reply = await session.post(request(1, "tools/call"));

    gateway.stop();

    await reply.events.all();
    assert.equal(typeof (await gateway.ended), "number");
});

test("failures: at a second signal nobody is waited for, neither a client nor the upstream", concernsGateway, async (t) => {
    const { upstream, gateway, url, session } = await beginSession(t, {
        answers: { ...STREAMS, DELETE: () => {} },
        options: ["--drain", "60s"],
    });
    const reply = await session.post(request(1, "tools/call"));
    await (await session.end()).text();
    await upstream.sees("DELETE");
    const other = await RawSession.begin(t, url);
    const call = await other.post(request(2, "tools/call"));
    gateway.stop();
    await eventually("a refusal", async () => (await send(t, url, "POST", {}, initialize(7))).status === 503);

    gateway.stop();

    assert.equal(await within("its end", gateway.ended, 5_000), 3);
    await Promise.all([reply.events.all(), call.events.all()]);
});
