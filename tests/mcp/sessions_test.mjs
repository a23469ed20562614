/** Sessions from their beginning to their end, of the SDK's clients. */

import assert from "node:assert/strict";
import * as node from "node:test";

import { FakeUpstream } from "./support/fake_upstream.mjs";
import { concernsGateway, everywhere, Gateway } from "./support/gateway.mjs";
import { ReferenceServer } from "./support/reference_server.mjs";
import { SdkClient } from "./support/sdk_client.mjs";

const { test } = node;

const gateway = await Gateway.start(node, await ReferenceServer.start(node));

function isUpdate({ method }) {
    return method === "notifications/resources/updated";
}

test("sessions: a client is told of nothing that another has subscribed to", everywhere, async (t) => {
    const uris = [1, 2].map((number) => `demo://resource/dynamic/text/${number}`);
    const clients = await Promise.all(uris.map(() => SdkClient.connect(t, gateway.url)));

    for (const [index, { mcp }] of clients.entries()) {
        await mcp.subscribeResource({ uri: uris[index] });
    }
    for (const client of clients) {
        await client.call("toggle-subscriber-updates");
    }
    for (const client of clients) {
        await client.notifications.find("update", isUpdate);
    }
    // Both were sent theirs before this is answered, so what went astray has arrived.
    await Promise.all(clients.map((client) => client.call("toggle-subscriber-updates")));

    const updated = clients.map(({ notifications }) =>
        notifications.entries.filter(isUpdate).map(({ params }) => params.uri),
    );
    assert.deepEqual(updated, [[uris[0]], [uris[1]]]);
});

test("sessions: the server asks each client for its own", everywhere, async (t) => {
    const uris = ["file:///one", "file:///two"];
    const clients = await Promise.all(
        uris.map((uri) =>
            SdkClient.connect(t, gateway.url, {
                capabilities: { roots: {} },
                answers: { "roots/list": () => ({ roots: [{ uri }] }) },
            }),
        ),
    );

    const answers = await Promise.all(clients.map((client) => client.call("get-roots-list")));

    assert.ok(answers[0].includes(uris[0]) && !answers[0].includes(uris[1]), answers[0]);
    assert.ok(answers[1].includes(uris[1]) && !answers[1].includes(uris[0]), answers[1]);
});

test("sessions: each of fifty clients at once gets the answers to its own calls", everywhere, async (t) => {
    const names = Array.from({ length: 50 }, (_, index) => `client ${index}`);
    const clients = await Promise.all(names.map(() => SdkClient.connect(t, gateway.url)));

    const answers = await Promise.all(
        clients.map((client, index) =>
            Promise.all([1, 2, 3, 4].map((call) => client.call("echo", { message: `${names[index]}, call ${call}` }))),
        ),
    );

    assert.deepEqual(
        answers,
        names.map((name) => [1, 2, 3, 4].map((call) => `Echo: ${name}, call ${call}`)),
    );
    assert.equal(new Set(clients.map(({ transport }) => transport.sessionId)).size, 50);
});

test("sessions: what a client has cancelled, the upstream is told of", everywhere, async (t) => {
    const upstream = await FakeUpstream.start(t, { "tools/call": () => {} });
    const client = await SdkClient.connect(t, (await Gateway.start(t, upstream)).url);
    const cancellation = new AbortController();

    const call = client.call("slow", {}, { signal: cancellation.signal });
    const begun = await upstream.sees("tools/call");
    cancellation.abort("enough");
    await assert.rejects(call, /enough/);

    const { message } = await upstream.sees("notifications/cancelled");
    assert.deepEqual(message.params, { requestId: begun.message.id, reason: "enough" });
});

test("sessions: one that its client has terminated is not found any more", concernsGateway, async (t) => {
    const upstream = await FakeUpstream.start(t);
    const { url } = await Gateway.start(t, upstream);
    const client = await SdkClient.connect(t, url);
    const { sessionId } = client.transport;

    await client.transport.terminateSession();

    assert.equal((await upstream.sees("DELETE")).sessionId, "upstream-session-1");
    const late = await SdkClient.connect(t, url, { sessionId, listens: false });
    await assert.rejects(late.call("echo"), { code: 404 });
});

test(
    "sessions: one that has been idle for too long ends, here and upstream, and its client begins anew",
    concernsGateway,
    async (t) => {
        const upstream = await FakeUpstream.start(t);
        const { url } = await Gateway.start(t, upstream, ["--idle-timeout", "1s"]);
        const client = await SdkClient.connect(t, url, { listens: false });

        assert.equal((await upstream.sees("DELETE")).sessionId, "upstream-session-1");
        await assert.rejects(client.call("echo"), { code: 404 });

        const next = await SdkClient.connect(t, url, { listens: false });
        await next.mcp.ping();
        assert.notEqual(next.transport.sessionId, client.transport.sessionId);
    },
);

test("sessions: one whose client listens is not idle", concernsGateway, async (t) => {
    const upstream = await FakeUpstream.start(t);
    const { url } = await Gateway.start(t, upstream, ["--idle-timeout", "1s"]);
    const client = await SdkClient.connect(t, url);

    // A younger session that is idle, and ends, says that the time of the older would be over too.
    await SdkClient.connect(t, url, { listens: false });
    assert.equal((await upstream.sees("DELETE")).sessionId, "upstream-session-2");

    await client.mcp.ping();
});
