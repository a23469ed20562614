/** A limit for what has none of its own. */

import { LIMIT_MS } from "./journal.mjs";

/** What `promise` resolves to; an error that names `what` if that takes longer than the limit. */
export function within(what, promise, limitMs = LIMIT_MS) {
    let timer;
    const limit = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`${what}: not within ${limitMs} ms`)), limitMs);
    });
    return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

/** Calls `attempt` until it gives something, one call after the other; an error that names `what` at the limit. */
export async function eventually(what, attempt, limitMs = LIMIT_MS) {
    const until = Date.now() + limitMs;
    let last;
    while (Date.now() < until) {
        try {
            const result = await within(what, attempt(), limitMs);
            if (result) {
                return result;
            }
        } catch (error) {
            last = error;
        }
        // Others get a turn: an attempt that fails at once must not starve what it waits for.
        await new Promise(setImmediate);
    }
    throw new Error(`${what}: not within ${limitMs} ms`, { cause: last });
}
