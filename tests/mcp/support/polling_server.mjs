/**
 * A server of the SDK that keeps no connection open: it ends the stream of a call, and answers when it is asked for the
 * rest.
 */

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

import { InMemoryEventStore } from "@modelcontextprotocol/sdk/examples/shared/inMemoryEventStore.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";

import { Journal } from "./journal.mjs";

export class PollingServer {
    url;
    /** Each event after which it was asked for the rest of a stream. */
    polls = new Journal("polls");

    /** @param {{after: Function}} scope what it ends with */
    static async start(scope) {
        const server = new PollingServer();
        const transport = new StreamableHTTPServerTransport({
            sessionIdGenerator: randomUUID,
            eventStore: new InMemoryEventStore(),
            retryInterval: 20,
        });
        const listener = createServer((incoming, outgoing) => {
            if (incoming.headers["last-event-id"]) {
                server.polls.add(incoming.headers["last-event-id"]);
            }
            transport.handleRequest(incoming, outgoing);
        });
        listener.listen(0, "127.0.0.1");
        await once(listener, "listening");
        server.url = `http://127.0.0.1:${listener.address().port}/mcp`;
        scope.after(async () => {
            await transport.close();
            listener.close();
            listener.closeAllConnections();
        });
        await server.#mcp().connect(transport);
        return server;
    }

    #mcp() {
        const mcp = new McpServer({ name: "polling", version: "0" });
        mcp.registerTool("late", { description: "answers once it was polled" }, async (extra) => {
            extra.closeSSEStream();
            await this.polls.take(1, "polls");
            return { content: [{ type: "text", text: "late" }] };
        });
        return mcp;
    }
}
