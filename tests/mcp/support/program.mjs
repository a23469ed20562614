/**
 * A program that a test starts, and that ends with it.
 *
 * The kernel kills it when the test's process dies, however that comes (`setpriv --pdeathsig`); so nothing is left
 * running, not even of a run that was killed.
 */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { inspect } from "node:util";

import { Journal } from "./journal.mjs";
import { within } from "./within.mjs";

export class Program {
    /** The lines of its standard output and error. */
    lines;
    #name;
    #process;
    #ended;
    #isToEnd = false;

    /**
     * @param {{after: Function}} scope what it ends with: a test, or `node:test` for a whole file
     * @param {string} name for messages
     */
    constructor(scope, name, command, environment = {}) {
        this.#name = name;
        this.lines = new Journal(name);
        this.#process = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...command], {
            env: { ...process.env, ...environment },
            stdio: ["ignore", "pipe", "pipe"],
        });
        this.#ended = new Promise((resolve, reject) => {
            this.#process.once("error", reject);
            this.#process.once("close", (status, signal) => resolve(signal ?? status));
        });
        this.#ended.catch(() => {}).finally(() => this.lines.close());
        for (const output of [this.#process.stdout, this.#process.stderr]) {
            createInterface({ input: output }).on("line", (line) => this.lines.add(line));
        }
        scope.after(() => this.#end());
    }

    /** Resolves to how it ended: its exit status, or the signal's name. */
    get ended() {
        this.#isToEnd = true;
        return within(`the end of the ${this.#name}`, this.#ended);
    }

    /** What matches the group of `pattern` in the first line that has it. */
    async says(pattern) {
        const line = await this.lines.find(`line like ${pattern}`, (text) => pattern.test(text));
        return pattern.exec(line)[1];
    }

    signal(name) {
        this.#process.kill(name);
    }

    /** Ends it at once, as a crash would, and waits until it is gone. */
    kill() {
        this.signal("SIGKILL");
        return this.ended;
    }

    /** An error if it has failed by itself, and no test has waited for that. */
    async #end() {
        const isExpected = this.#isToEnd;
        const how = await this.kill();
        if (!isExpected && how !== "SIGKILL" && how !== 0) {
            const death = `the ${this.#name} has ended with ${how}, and wrote ${inspect(this.lines.entries)}`;
            // A test that has failed already does not tell of another error.
            console.error(death);
            throw new Error(death);
        }
    }
}
