/** A network between a client and a server that breaks when it is told to. */

import { once } from "node:events";
import { connect, createServer } from "node:net";

export class Cutter {
    url;
    #connections = new Set();
    #server;

    /** @param {{after: Function}} scope what it ends with */
    static async start(scope, url) {
        const cutter = new Cutter(new URL(url));
        cutter.#server.listen(0, "127.0.0.1");
        await once(cutter.#server, "listening");
        const here = new URL(url);
        here.port = cutter.#server.address().port;
        cutter.url = here.href;
        scope.after(() => {
            cutter.#server.close();
            cutter.cut();
        });
        return cutter;
    }

    constructor({ hostname, port }) {
        this.#server = createServer((near) => {
            const far = connect({ host: hostname, port });
            this.#keep(near, far);
            this.#keep(far, near);
        });
    }

    /** Breaks all connections; new ones are let through. */
    cut() {
        for (const connection of this.#connections) {
            connection.destroy();
        }
    }

    #keep(connection, other) {
        this.#connections.add(connection);
        connection.on("error", () => {});
        connection.once("close", () => {
            this.#connections.delete(connection);
            other.destroy();
        });
        connection.pipe(other);
    }
}
