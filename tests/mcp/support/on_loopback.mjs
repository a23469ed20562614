/**
 * Preloaded into a server that listens on all interfaces, and that cannot say which port it was given: listens on
 * loopback instead, and says where.
 */

import { Server } from "node:net";

const { listen } = Server.prototype;

Server.prototype.listen = function (port, ...rest) {
    this.once("listening", () => console.log(`listening on http://127.0.0.1:${this.address().port}`));
    return listen.call(this, Number(port), "127.0.0.1", ...rest);
};
