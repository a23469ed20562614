/**
 * What was seen, in order, and waits for what is yet to be seen.
 *
 * This is how the tests wait for anything: for an entry, and never longer than the limit. A wait that fails prints all
 * entries.
 */

import { inspect } from "node:util";

/** Much more than what anything takes, even on a machine that is busy. */
export const LIMIT_MS = 15_000;

export class Journal {
    #name;
    #entries = [];
    #looking = new Set();
    #closed = false;

    /** @param {string} name whose it is, for messages */
    constructor(name) {
        this.#name = name;
    }

    get entries() {
        return [...this.#entries];
    }

    add(entry) {
        this.#entries.push(entry);
        this.#look();
    }

    /** No entries will follow, so whoever waits for one waits in vain. */
    close() {
        this.#closed = true;
        this.#look();
    }

    /** The first entry for which `matches` holds, be it past or to come. */
    find(what, matches, limitMs = LIMIT_MS) {
        return this.#wait(what, limitMs, () => {
            const found = this.#entries.find(matches);
            return found !== undefined ? { value: found } : undefined;
        });
    }

    /** The first `count` of the entries for which `matches` holds. */
    take(count, what, matches = () => true, limitMs = LIMIT_MS) {
        return this.#wait(`${count} of ${what}`, limitMs, () => {
            const found = this.#entries.filter(matches);
            return found.length >= count ? { value: found.slice(0, count) } : undefined;
        });
    }

    /** All entries, as soon as none will follow. */
    all(limitMs = LIMIT_MS) {
        return this.#wait("its end", limitMs, () => (this.#closed ? { value: this.entries } : undefined));
    }

    #look() {
        for (const look of [...this.#looking]) {
            look();
        }
    }

    #wait(what, limitMs, search) {
        return new Promise((resolve, reject) => {
            const finish = (settle, value) => {
                clearTimeout(timer);
                this.#looking.delete(look);
                settle(value);
            };
            const fail = (why) =>
                finish(
                    reject,
                    new Error(`${this.#name}: no ${what} ${why}; seen: ${inspect(this.#entries, { depth: 6 })}`),
                );
            const look = () => {
                const found = search();
                if (found) {
                    finish(resolve, found.value);
                } else if (this.#closed) {
                    fail("before the end");
                }
            };
            const timer = setTimeout(() => fail(`within ${limitMs} ms`), limitMs);
            this.#looking.add(look);
            look();
        });
    }
}
