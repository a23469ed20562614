/** Whatever the protocol has, a client has it through the gateway: the SDK's client, and the reference server. */

import assert from "node:assert/strict";
import * as node from "node:test";

import { everywhere, Gateway } from "./support/gateway.mjs";
import { ReferenceServer } from "./support/reference_server.mjs";
import { SdkClient } from "./support/sdk_client.mjs";

const { test } = node;

const gateway = await Gateway.start(node, await ReferenceServer.start(node), ["--max-body", "4194304"]);

test("features: the server says who it is when the client initializes", everywhere, async (t) => {
    const { mcp } = await SdkClient.connect(t, gateway.url);

    assert.equal(mcp.getServerVersion().name, "mcp-servers/everything");
    assert.ok(mcp.getServerCapabilities().tools);
});

test("features: tools are listed and called", everywhere, async (t) => {
    const client = await SdkClient.connect(t, gateway.url);

    const { tools } = await client.mcp.listTools();

    const names = tools.map(({ name }) => name);
    assert.ok(names.includes("echo") && names.includes("get-sum"), `${names}`);
    assert.equal(await client.call("echo", { message: "hello" }), "Echo: hello");
    assert.equal(await client.call("get-sum", { a: 2, b: 40 }), "The sum of 2 and 40 is 42.");
});

test("features: a text of any language and of a megabyte comes back as it was", everywhere, async (t) => {
    const client = await SdkClient.connect(t, gateway.url);
    const message = 'grüße, 你好, 🧭\n\u2028"\\ '.repeat(40_000);

    const answer = await client.call("echo", { message });

    assert.equal(answer.length, `Echo: ${message}`.length);
    assert.ok(answer === `Echo: ${message}`, "it has changed on its way");
});

test("features: a tool that fails says so in its result", everywhere, async (t) => {
    const { mcp } = await SdkClient.connect(t, gateway.url);

    const result = await mcp.callTool({ name: "get-sum", arguments: { a: "no number" } });

    assert.equal(result.isError, true);
});

test("features: a long call tells of its progress, in order", everywhere, async (t) => {
    const client = await SdkClient.connect(t, gateway.url);
    const progress = [];

    const answer = await client.call(
        "trigger-long-running-operation",
        { duration: 0.3, steps: 3 },
        { onprogress: ({ progress: step }) => progress.push(step) },
    );

    assert.match(answer, /completed/);
    assert.deepEqual(progress, [1, 2, 3]);
});

test("features: resources are listed and read", everywhere, async (t) => {
    const { mcp } = await SdkClient.connect(t, gateway.url);

    const { resources } = await mcp.listResources();
    const { resourceTemplates } = await mcp.listResourceTemplates();
    const { contents } = await mcp.readResource({ uri: "demo://resource/dynamic/text/7" });

    assert.ok(resources.length > 0);
    assert.ok(resourceTemplates.length > 0);
    assert.match(contents[0].text, /Resource 7/);
});

test("features: a client is told of a change of what it has subscribed to", everywhere, async (t) => {
    const client = await SdkClient.connect(t, gateway.url);
    const uri = "demo://resource/dynamic/text/1";

    await client.mcp.subscribeResource({ uri });
    await client.call("toggle-subscriber-updates");

    await client.notifications.find(
        "update",
        ({ method, params }) => method === "notifications/resources/updated" && params.uri === uri,
    );
});

test("features: prompts are listed and got", everywhere, async (t) => {
    const { mcp } = await SdkClient.connect(t, gateway.url);

    const { prompts } = await mcp.listPrompts();
    const { messages } = await mcp.getPrompt({ name: "args-prompt", arguments: { city: "Bremen" } });

    assert.ok(
        prompts.some(({ name }) => name === "args-prompt"),
        JSON.stringify(prompts),
    );
    assert.equal(messages[0].content.text, "What's weather in Bremen?");
});

test("features: arguments are completed", everywhere, async (t) => {
    const { mcp } = await SdkClient.connect(t, gateway.url);

    const { completion } = await mcp.complete({
        ref: { type: "ref/prompt", name: "completable-prompt" },
        argument: { name: "department", value: "E" },
    });

    assert.deepEqual(completion.values, ["Engineering"]);
});

test("features: the server samples, in the middle of a call", everywhere, async (t) => {
    const client = await SdkClient.connect(t, gateway.url, {
        capabilities: { sampling: {} },
        answers: {
            "sampling/createMessage": ({ messages }) => ({
                role: "assistant",
                model: "none",
                content: { type: "text", text: `I was asked: ${messages[0].content.text}` },
            }),
        },
    });

    const answer = await client.call("trigger-sampling-request", { prompt: "how are you?" });

    assert.match(answer, /I was asked: .*how are you\?/);
});

test("features: the server elicits, in the middle of a call", everywhere, async (t) => {
    const client = await SdkClient.connect(t, gateway.url, {
        capabilities: { elicitation: {} },
        answers: { "elicitation/create": () => ({ action: "accept", content: { name: "Ada" } }) },
    });

    const answer = await client.call("trigger-elicitation-request");

    assert.match(answer, /provided/);
});

test("features: the server asks for the client's roots, on the stream that it listens to", everywhere, async (t) => {
    const client = await SdkClient.connect(t, gateway.url, {
        capabilities: { roots: {} },
        answers: { "roots/list": () => ({ roots: [{ uri: "file:///tmp/of-the-test", name: "of the test" }] }) },
    });

    const answer = await client.call("get-roots-list");

    assert.match(answer, /file:\/\/\/tmp\/of-the-test/);
});

test("features: the server logs to a client that listens", everywhere, async (t) => {
    const client = await SdkClient.connect(t, gateway.url);

    await client.mcp.setLoggingLevel("debug");
    await client.call("toggle-simulated-logging");

    const { params } = await client.notifications.find("log", ({ method }) => method === "notifications/message");
    assert.match(params.data, /level[- ]message/);
});

test("features: a ping is answered", everywhere, async (t) => {
    const { mcp } = await SdkClient.connect(t, gateway.url);

    assert.deepEqual(await mcp.ping(), {});
});

test("features: an error of the server is the client's, with its code", everywhere, async (t) => {
    const { mcp } = await SdkClient.connect(t, gateway.url);

    await assert.rejects(mcp.getPrompt({ name: "no such prompt" }), { code: -32602 });
});
