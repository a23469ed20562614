// A port of loopback that leads to a Unix socket, as `ssh -L` makes one.

import { once } from "node:events";
import { connect, createServer } from "node:net";

export class SocketForwarder {
  #connections = new Set();

  static async start(path) {
    const forwarder = new SocketForwarder();
    forwarder.server = createServer((near) => {
      const far = connect(path);
      for (const [socket, other] of [[near, far], [far, near]]) {
        forwarder.#connections.add(socket);
        socket.pipe(other);
        socket.on("error", () => other.destroy());
        socket.on("close", () => forwarder.#connections.delete(socket));
      }
    });
    forwarder.server.listen(0, "127.0.0.1");
    await once(forwarder.server, "listening");
    forwarder.port = forwarder.server.address().port;
    return forwarder;
  }

  async stop() {
    this.server.close();
    for (const socket of this.#connections) {
      socket.destroy();
    }
    await once(this.server, "close");
  }
}
