/** Loaded into the reference server before it begins, so that it suits a test. */

import { webcrypto } from "node:crypto";
import { Server } from "node:net";

// It would listen on all interfaces, and cannot say which port it was given.
const { listen } = Server.prototype;
Server.prototype.listen = function (port, ...rest) {
    this.once("listening", () => console.log(`listening on http://127.0.0.1:${this.address().port}`));
    return listen.call(this, Number(port), "127.0.0.1", ...rest);
};

// It takes for granted what Node.js 18, which it says is enough, does not have.
globalThis.crypto ??= webcrypto;
