/** How a request is refused: a status, and a JSON-RPC error. */

import assert from "node:assert/strict";
import { inspect } from "node:util";

// The codes of src/sojourn/http/mcp_refusal.hpp. An error that no specification knows has its status as its code.
export const INVALID_REQUEST = -32600;
export const SESSION_NOT_FOUND = -32001;
export const HEADER_MISMATCH = -32020;
export const UNSUPPORTED_PROTOCOL_VERSION = -32022;

/** Asserts that a message is an error with this code, if one is given, and this id or one of these. */
export function assertError({ jsonrpc, id: named, error }, { code, id = null } = {}) {
    const seen = inspect({ jsonrpc, id: named, error });
    assert.equal(jsonrpc, "2.0", seen);
    assert.ok([id].flat().includes(named), `not of ${inspect(id)}: ${seen}`);
    assert.ok(Number.isInteger(error?.code) && error.message, seen);
    if (code !== undefined) {
        assert.equal(error.code, code, seen);
    }
}

/**
 * Asserts that a request is refused with this status, or one of these, and with an error that has this code, if one is
 * given, and the request's id, if it had one; or one of several ids, where it may be too early to know the request's.
 */
export async function assertRefused(reply, status, expected) {
    assert.ok([status].flat().includes(reply.status), inspect(reply));
    assert.match(reply.headers["content-type"], /^application\/json/);
    assertError(await reply.json(), expected);
}

/** Asserts that it is refused, and told when to come back. */
export async function assertRefusedForNow(reply, status, expected) {
    await assertRefused(reply, status, expected);
    assert.match(reply.headers["retry-after"] ?? "missing", /^[1-9]\d*$/);
}
