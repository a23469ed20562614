/** What most tests begin with: an upstream of their own, a gateway in front of it, and a session. */

import { FakeUpstream } from "./fake_upstream.mjs";
import { Gateway } from "./gateway.mjs";
import { RawSession } from "./raw_client.mjs";

/** Of an upstream that begins a stream for each call, and leaves the rest to the test. */
export const STREAMS = { "tools/call": (exchange) => exchange.openStream() };

/**
 * @param {Object} setup.answers of the upstream
 * @param {string[]} setup.options of the gateway
 */
export async function begin(t, { answers, options } = {}) {
    const upstream = await FakeUpstream.start(t, answers);
    const gateway = await Gateway.start(t, upstream, options);
    return { upstream, gateway, url: gateway.url };
}

/** @param {Object} setup.fields sent with each request of the session */
export async function beginSession(t, { fields, ...setup } = {}) {
    const begun = await begin(t, setup);
    return { ...begun, session: await RawSession.begin(t, begun.url, fields) };
}

/** A session that nobody has begun; the id could be one. */
export function unknownSession(t, url, id = "A".repeat(43)) {
    return new RawSession(t, url, id);
}
