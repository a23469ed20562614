/** The client of the protocol's own TypeScript SDK, which we did not write. */

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

import { Journal, LIMIT_MS } from "./journal.mjs";
import { within } from "./within.mjs";

// Soon after a cut, and for as long as a test would wait.
const RECONNECTION = {
    initialReconnectionDelay: 20,
    maxReconnectionDelay: 200,
    reconnectionDelayGrowFactor: 1.5,
    maxRetries: 30,
};

// It gives up after a test would, so that nothing ends by that.
const PATIENCE_MS = 1.5 * LIMIT_MS;

export class SdkClient {
    /** The SDK's client. */
    mcp;
    transport;
    /** The method and the status of each HTTP request that was answered. */
    answered = new Journal("client's HTTP requests");
    notifications = new Journal("client's notifications");

    /**
     * @param {{after: Function}} scope it is closed when this ends
     * @param {Object<string, (params: Object) => Object>} options.answers to requests of the server, by method
     * @param {boolean} options.listens whether it opens a stream for what the server has to say by itself
     * @param {string} options.sessionId of a session that it goes on with, instead of beginning one
     */
    static async connect(scope, url, options = {}) {
        const { listens = true } = options;
        const client = new SdkClient(url, { ...options, listens });
        scope.after(() => client.mcp.close());
        await within("the client's initialization", client.mcp.connect(client.transport));
        if (listens) {
            await client.listening();
        }
        return client;
    }

    constructor(url, { answers = {}, capabilities = {}, listens, sessionId }) {
        this.transport = new StreamableHTTPClientTransport(new URL(url), {
            sessionId,
            reconnectionOptions: RECONNECTION,
            fetch: (...request) => this.#fetch(listens, ...request),
        });
        this.mcp = new Client({ name: "sojourn test", version: "0" }, { capabilities });
        this.mcp.fallbackRequestHandler = async ({ method, params }) => answers[method](params);
        this.mcp.fallbackNotificationHandler = async (notification) => this.notifications.add(notification);
    }

    /** Until the server can send to it of its own accord: `connect` of the SDK does not wait for that. */
    listening() {
        return this.answered.find("stream", ({ method, status }) => method === "GET" && status === 200);
    }

    /** Calls a tool, and gives the text that it answers. */
    async call(name, args = {}, options = {}) {
        const result = await this.mcp.callTool({ name, arguments: args }, undefined, {
            timeout: PATIENCE_MS,
            ...options,
        });
        return result.content[0].text;
    }

    async #fetch(listens, url, init) {
        const method = init?.method ?? "GET";
        if (method === "GET" && !listens) {
            return new Response(null, { status: 405 });
        }
        const response = await fetch(url, init);
        this.answered.add({ method, status: response.status });
        return response;
    }
}
