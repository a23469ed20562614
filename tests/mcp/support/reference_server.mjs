/** The reference server of the protocol's authors, which has an example of each of its features. */

import { fileURLToPath } from "node:url";

import { Program } from "./program.mjs";

const PRELOADED = new URL("reference_server_preload.mjs", import.meta.url).href;
// Its package exports nothing, so its program is found beside its description.
const PROGRAM = fileURLToPath(
    new URL("../node_modules/@modelcontextprotocol/server-everything/dist/index.js", import.meta.url),
);

export class ReferenceServer {
    url;
    #scope;
    #program;

    /** @param {{after: Function}} scope what it ends with */
    static async start(scope) {
        const server = new ReferenceServer(scope);
        await server.#start(0);
        return server;
    }

    constructor(scope) {
        this.#scope = scope;
    }

    /** Dies as in a crash, and comes back at the same address with no memory of its sessions. */
    async restart() {
        await this.kill();
        await this.#start(new URL(this.url).port);
    }

    kill() {
        return this.#program.kill();
    }

    async #start(port) {
        this.#program = new Program(
            this.#scope,
            "reference server",
            [process.execPath, "--import", PRELOADED, PROGRAM, "streamableHttp"],
            { PORT: String(port) },
        );
        this.url = `${await this.#program.says(/^listening on (\S+)$/)}/mcp`;
    }
}
