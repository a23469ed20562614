/**
 * The gateway under test.
 *
 * `SOJOURN_MCP_GATEWAY` names its program. If that is `none`, clients talk to the upstream themselves: what does not
 * concern the gateway alone must hold there too, and the rest is skipped. So the tests are tested.
 */

import { Program } from "./program.mjs";

const program = process.env.SOJOURN_MCP_GATEWAY;
if (!program) {
    throw new Error("SOJOURN_MCP_GATEWAY must be the path of the gateway's program, or 'none' to go without");
}

const isThere = program !== "none";

/** Options of a test of what must hold with a gateway and without. */
export const everywhere = { timeout: 40_000 };

/** Options of a test of what only a gateway does. */
export const concernsGateway = { ...everywhere, skip: isThere ? false : "concerns the gateway alone" };

export class Gateway {
    url;
    #program;

    /**
     * @param {{after: Function}} scope what it ends with
     * @param {{url: string}} upstream
     * @param {string[]} options further ones, for the command line
     */
    static async start(scope, upstream, options = []) {
        const gateway = new Gateway();
        if (!isThere) {
            gateway.url = upstream.url;
            return gateway;
        }
        gateway.#program = new Program(scope, "gateway", [
            program,
            "--listen",
            "127.0.0.1:0",
            "--upstream",
            upstream.url,
            ...options,
        ]);
        gateway.url = `${await gateway.#program.says(/^listening on (\S+)$/)}/mcp`;
        return gateway;
    }

    /** Asks it to stop, as an operator would. */
    stop() {
        this.#program.signal("SIGTERM");
    }

    /** Resolves to its exit status, or to the name of the signal that ended it. */
    get ended() {
        return this.#program.ended;
    }
}
