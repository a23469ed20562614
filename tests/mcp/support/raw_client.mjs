/** Requests as they are on the wire, each on a connection of its own, for rules that a well-behaved client hides. */

import { once } from "node:events";
import http from "node:http";
import { inspect } from "node:util";

import { createParser } from "eventsource-parser";

import { Journal } from "./journal.mjs";
import { initialize, NEWEST_LEGACY_REVISION } from "./messages.mjs";
import { within } from "./within.mjs";

const ACCEPTED = "application/json, text/event-stream";

/** A response whose head has come; the rest may still be on its way. */
export class Reply {
    status;
    /** By lower-case name. */
    headers;
    /** The server-sent events with a message, each as `{ id, message }`. */
    events;
    #incoming;
    #text = "";

    constructor(incoming) {
        this.status = incoming.statusCode;
        this.headers = incoming.headers;
        this.events = new Journal("event stream");
        this.#incoming = incoming;
        const parser = createParser({
            onEvent: ({ id, data }) => data && this.events.add({ id, message: JSON.parse(data) }),
        });
        const isStream = incoming.headers["content-type"]?.startsWith("text/event-stream");
        incoming.setEncoding("utf8");
        incoming.on("data", (part) => {
            this.#text += part;
            if (isStream) {
                parser.feed(part);
            }
        });
        // The other side may break it, and so do we: that it has closed is all that counts.
        incoming.on("error", () => {});
        incoming.once("close", () => this.events.close());
    }

    /** Its body, as soon as that is complete. */
    async text() {
        await this.events.all();
        return this.#text;
    }

    async json() {
        const body = await this.text();
        try {
            return JSON.parse(body);
        } catch {
            throw new Error(`not JSON: ${inspect(this)}`);
        }
    }

    /** The first event with this text in a notification. */
    note(text) {
        return this.events.find(`note '${text}'`, ({ message }) => message.params?.data === text);
    }

    /** The connection closes, as if the client had gone. */
    abort() {
        this.#incoming.destroy();
    }

    [inspect.custom]() {
        return { status: this.status, headers: this.headers, body: this.#text };
    }
}

/**
 * Sends one request, and resolves when the head of its response is there.
 *
 * @param {{after: Function}} scope the connection is gone when this ends
 * @param {Object<string, string>} fields their names go out in the letters in which they are written
 * @param {Object|string|undefined} body a message, or a text as it is
 */
export async function send(scope, url, method, fields = {}, body = undefined) {
    const outgoing = http.request(url, {
        method,
        agent: false,
        headers: {
            Accept: ACCEPTED,
            ...(body !== undefined && { "Content-Type": "application/json" }),
            ...fields,
        },
    });
    scope.after(() => outgoing.destroy());
    const head = once(outgoing, "response");
    outgoing.end(typeof body === "object" ? JSON.stringify(body) : body);
    const [incoming] = await within(`the head of the response to ${method}`, head);
    // An error that follows is the response's.
    outgoing.on("error", () => {});
    return new Reply(incoming);
}

/** A session of the legacy era, of a client that sends what it is told. */
export class RawSession {
    id;
    #scope;
    #url;
    #fields;

    /** @param {Object<string, string>} fields sent with each of its requests */
    static async begin(scope, url, fields = {}) {
        const reply = await send(scope, url, "POST", fields, initialize(0));
        await reply.text();
        const id = reply.headers["mcp-session-id"];
        if (reply.status !== 200 || !id) {
            throw new Error(`no session: ${inspect(reply)}`);
        }
        return new RawSession(scope, url, id, fields);
    }

    constructor(scope, url, id, fields = {}) {
        this.id = id;
        this.#scope = scope;
        this.#url = url;
        this.#fields = { "MCP-Protocol-Version": NEWEST_LEGACY_REVISION, ...fields, "Mcp-Session-Id": id };
    }

    post(message, fields) {
        return this.#send("POST", fields, message);
    }

    /** Opens a stream; with `Last-Event-ID` among the fields, one that goes on. */
    listen(fields) {
        return this.#send("GET", fields);
    }

    end(fields) {
        return this.#send("DELETE", fields);
    }

    #send(method, fields = {}, message = undefined) {
        return send(this.#scope, this.#url, method, { ...this.#fields, ...fields }, message);
    }
}
