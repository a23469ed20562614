/**
 * A server of which each test says what it answers, and that remembers what it was sent.
 *
 * It is made of Node's HTTP server alone, so that it can also do what a real one would do only on a bad day.
 */

import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { inspect } from "node:util";

import { Journal } from "./journal.mjs";
import { note, response } from "./messages.mjs";

/** A request that the upstream got, and the means to answer it. */
export class Exchange {
    method;
    /** By lower-case name. */
    headers;
    /** As it came. */
    body;
    /** What it says if it is a POST. */
    message;
    /** Resolves when the connection has closed before the answer was complete. */
    cancelled;
    #response;

    constructor(incoming, outgoing, body) {
        this.method = incoming.method;
        this.headers = incoming.headers;
        this.body = body;
        this.message = body ? JSON.parse(body) : undefined;
        this.#response = outgoing;
        this.cancelled = new Promise((resolve) => {
            outgoing.once("close", () => {
                if (!outgoing.writableFinished) {
                    resolve();
                }
            });
        });
    }

    get sessionId() {
        return this.headers["mcp-session-id"];
    }

    /** Answers as `application/json`. */
    reply(result, headers = {}) {
        this.#respond(
            200,
            { "Content-Type": "application/json", ...headers },
            JSON.stringify(response(this.message.id, result)),
        );
    }

    /** Answers with a status, and without a body unless there is an `error`. */
    respond(status, { error, headers = {} } = {}) {
        if (error) {
            const body = JSON.stringify({ jsonrpc: "2.0", error, id: this.message.id });
            this.#respond(status, { "Content-Type": "application/json", ...headers }, body);
        } else {
            this.#respond(status, headers);
        }
    }

    /** Begins to answer as `text/event-stream`. */
    openStream(headers = {}) {
        this.#response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache", ...headers });
        this.#response.flushHeaders();
    }

    send(message) {
        this.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
    }

    /** Sends a piece of the stream; resolves when it is on its way, so that the next is in another packet. */
    write(text) {
        return new Promise((resolve) => this.#response.write(text, resolve));
    }

    note(text) {
        this.send(note(text));
    }

    /** Sends the answer to the request on its stream, which ends. */
    finish(result = {}) {
        this.send(response(this.message.id, result));
        this.#response.end();
    }

    /** Closes the connection in the middle of whatever it was. */
    break() {
        this.#response.destroy();
    }

    [inspect.custom]() {
        return { method: this.method, headers: this.headers, message: this.message };
    }

    #respond(status, headers, body = "") {
        this.#response.writeHead(status, headers).end(body);
    }
}

export class FakeUpstream {
    url;
    /** Each `Exchange`. */
    seen = new Journal("upstream");
    #answers;
    #server;
    #sessions = 0;

    /**
     * @param {{after: Function}} scope what it ends with
     * @param {Object<string, (exchange: Exchange) => void>} answers by JSON-RPC method, or by HTTP method if it is not
     *     POST; whatever it does not name is answered as a server would that has little to say
     */
    static async start(scope, answers = {}) {
        const upstream = new FakeUpstream(answers);
        upstream.#server.listen(0, "127.0.0.1");
        await once(upstream.#server, "listening");
        upstream.url = `http://127.0.0.1:${upstream.#server.address().port}/mcp`;
        scope.after(() => upstream.stop());
        return upstream;
    }

    constructor(answers) {
        this.#answers = answers;
        this.#server = createServer(async (incoming, outgoing) => {
            const exchange = new Exchange(incoming, outgoing, await text(incoming));
            this.#answer(exchange);
            this.seen.add(exchange);
        });
    }

    /** The first request of this JSON-RPC method, or of this HTTP method if it is not POST. */
    sees(method) {
        return this.seen.find(method, (exchange) => nameOf(exchange) === method);
    }

    /** How many of them it has got so far. */
    count(method) {
        return this.seen.entries.filter((exchange) => nameOf(exchange) === method).length;
    }

    /** Breaks all connections, and listens no more. */
    async stop() {
        if (this.#server.listening) {
            this.#server.close();
            this.#server.closeAllConnections();
            await once(this.#server, "close");
        }
    }

    #answer(exchange) {
        const scripted = this.#answers[nameOf(exchange)];
        if (scripted) {
            scripted(exchange);
        } else if (exchange.method === "GET") {
            exchange.openStream();
        } else if (exchange.method === "DELETE") {
            exchange.respond(200);
        } else if (exchange.message.method === "initialize") {
            this.#initialize(exchange);
        } else if (exchange.message.id === undefined || exchange.message.method === undefined) {
            exchange.respond(202);
        } else {
            exchange.reply({});
        }
    }

    #initialize(exchange) {
        const result = {
            protocolVersion: exchange.message.params.protocolVersion,
            capabilities: { tools: {}, logging: {} },
            serverInfo: { name: "fake", version: "0" },
        };
        this.#sessions += 1;
        exchange.reply(result, { "Mcp-Session-Id": `upstream-session-${this.#sessions}` });
    }
}

function nameOf(exchange) {
    return exchange.method === "POST" ? exchange.message.method : exchange.method;
}
