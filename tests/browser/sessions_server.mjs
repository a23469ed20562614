// The example server with its admin endpoint, started as a program.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { within } from "./waiting.mjs";

export const token = "a-token-that-nobody-guesses";

export class SessionsServer {
  /** Starts PROGRAM with these options; with its admin endpoint at `admin`, which is guarded by a token on TCP. */
  static async start(program, folder, { admin = "127.0.0.1:0", options = [] } = {}) {
    const isOnTcp = !admin.startsWith("unix:");
    const tokenFile = join(folder, "token");
    writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
    const server = new SessionsServer();
    server.process = spawn(program, [
      "--listen", "127.0.0.1:0", "--admin", admin, "--admin-console", ...options,
      ...(isOnTcp ? ["--admin-token-file", tokenFile] : []),
    ], { stdio: ["ignore", "pipe", "inherit"] });
    server.ended = once(server.process, "exit");
    const lines = createInterface({ input: server.process.stdout })[Symbol.asyncIterator]();
    const addressIn = async (pattern) => {
      const { value: line } = await within(10_000, "the server says where it listens", lines.next());
      const match = line?.match(pattern);
      if (!match) {
        throw new Error(`the server says '${line}' in place of ${pattern}`);
      }
      return match[1];
    };
    server.address = await addressIn(/^listening on ([\d.:]+)$/);
    if (isOnTcp) {
      server.admin = await addressIn(/^admin endpoint on http:\/\/([\d.:]+)\/$/);
    }
    return server;
  }

  /** Where the console is. */
  get console() {
    return `http://${this.admin}/`;
  }

  async stop() {
    this.process.kill("SIGTERM");
    await within(20_000, "the server ends", this.ended);
  }

  /** Ends it as a crash does. */
  async kill() {
    this.process.kill("SIGKILL");
    await within(10_000, "the server is killed", this.ended);
  }

  /** A new session, as its client sees it. */
  async createSession(principal) {
    const answer = await fetch(`http://${this.address}/session`, {
      method: "POST", body: JSON.stringify(principal ? { principal } : {}), signal: AbortSignal.timeout(10_000),
    });
    if (answer.status !== 201) {
      throw new Error(`a session for ${principal} is answered ${answer.status}: ${await answer.text()}`);
    }
    const cookie = answer.headers.getSetCookie()[0].split(";")[0];
    return { cookie, ...(await answer.json()) };
  }

  /** A request of a session. */
  async use({ cookie }) {
    const answer = await fetch(`http://${this.address}/session`, {
      headers: { cookie }, signal: AbortSignal.timeout(10_000),
    });
    await answer.text();
    return answer.status;
  }

  /** What the admin endpoint answers: its status and its JSON. */
  async ask(target, method = "GET") {
    const answer = await fetch(`http://${this.admin}${target}`, {
      method, headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(10_000),
    });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null };
  }
}
