/** JSON-RPC messages, as both sides send them. */

export const NEWEST_LEGACY_REVISION = "2025-11-25";
export const CURRENT_REVISION = "2026-07-28";

export function request(id, method, params = {}) {
    return { jsonrpc: "2.0", id, method, params };
}

export function notification(method, params = {}) {
    return { jsonrpc: "2.0", method, params };
}

export function response(id, result = {}) {
    return { jsonrpc: "2.0", id, result };
}

export function initialize(id) {
    return request(id, "initialize", {
        protocolVersion: NEWEST_LEGACY_REVISION,
        capabilities: {},
        clientInfo: { name: "sojourn test", version: "0" },
    });
}

/** Of the revisions that have no sessions: it says of itself what `initialize` once said for all. */
export function currentRequest(id, method, params = {}) {
    return request(id, method, {
        ...params,
        _meta: {
            "io.modelcontextprotocol/protocolVersion": CURRENT_REVISION,
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    });
}

/** A notification that a test knows again by its text. */
export function note(text) {
    return notification("notifications/message", { level: "info", data: text });
}

/** The text of such a notification; nothing of any other message. */
export function textOf(message) {
    return message?.method === "notifications/message" ? message.params.data : undefined;
}
