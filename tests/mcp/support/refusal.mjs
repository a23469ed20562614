/** How a request is refused: a status, and a JSON-RPC error. */

import assert from "node:assert/strict";
import { inspect } from "node:util";

// The codes of src/sojourn/http/mcp_refusal.hpp. An error that no specification knows has its status as its code.
export const INVALID_REQUEST = -32600;
export const SESSION_NOT_FOUND = -32001;
export const HEADER_MISMATCH = -32020;
export const UNSUPPORTED_PROTOCOL_VERSION = -32022;

/**
 * Asserts that it is refused with this status, and with a JSON-RPC error that has this code, if one is given, and the
 * request's id, if it had one; or one of several ids, if it may be too early to know the request's.
 */
export async function assertRefused(reply, status, { code, id = null } = {}) {
    assert.equal(reply.status, status, inspect(reply));
    assert.match(reply.headers["content-type"], /^application\/json/);
    const { jsonrpc, error, id: named } = await reply.json();
    assert.equal(jsonrpc, "2.0");
    assert.ok([id].flat().includes(named), `${named}, of ${inspect(id)}`);
    assert.ok(Number.isInteger(error?.code) && error?.message, inspect(reply));
    if (code !== undefined) {
        assert.equal(error.code, code, inspect(reply));
    }
}

/** Asserts that it also says when to come back. */
export async function assertRefusedForNow(reply, status, expected) {
    await assertRefused(reply, status, expected);
    assert.match(reply.headers["retry-after"] ?? "missing", /^[1-9]\d*$/);
}
