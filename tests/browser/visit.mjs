// One look at the console, in a page of its own. Whatever the browser objects to meanwhile is kept.

import assert from "node:assert/strict";

import { token } from "./sessions_server.mjs";
import { until } from "./waiting.mjs";

export class Visit {
  /** What the browser complained of: errors, failed requests, requests to elsewhere. */
  problems = [];
  /** How often the page has asked for /stats, with which a round begins, and has had a list of sessions, the end of it. */
  roundsBegun = 0;
  roundsEnded = 0;

  /** Opens the console of a server. */
  static async begin(browser, server, { address = `${server.console}#token=${token}`, clock = false, ...options } = {}) {
    const visit = new Visit();
    visit.context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    visit.page = await visit.context.newPage();
    visit.page.setDefaultTimeout(10_000);
    visit.#watch(new URL(server.console).origin);
    if (clock) {
      await visit.page.clock.install();
    }
    await visit.page.goto(address);
    return visit;
  }

  #watch(origin) {
    const { page, problems } = this;
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        problems.push(`console: ${message.text()}`);
      }
    });
    page.on("pageerror", (error) => problems.push(`error: ${error.stack}`));
    page.on("requestfailed", (request) => {
      const { errorText } = request.failure();
      // What was under way when a page was left.
      if (errorText !== "net::ERR_ABORTED") {
        problems.push(`${request.url()} failed: ${errorText}`);
      }
    });
    page.on("requestfinished", (request) => {
      this.roundsEnded += new URL(request.url()).pathname === "/sessions" ? 1 : 0;
    });
    page.on("response", (response) => {
      if (response.status() >= 400) {
        problems.push(`${response.url()} is answered ${response.status()}`);
      }
    });
    page.on("request", (request) => {
      const url = new URL(request.url());
      this.roundsBegun += url.pathname === "/stats" ? 1 : 0;
      if (url.protocol !== "data:" && url.origin !== origin) {
        problems.push(`a request to elsewhere: ${request.url()}`);
      }
    });
  }

  /** Ends the visit; the browser must not have complained. */
  async end() {
    await this.context.close();
    assert.deepEqual(this.problems, []);
  }

  /** Forgets complaints that a test has provoked. */
  forgive() {
    this.problems.length = 0;
  }

  /** The text of the element of this id. */
  text(id) {
    return this.page.evaluate((id) => document.getElementById(id).textContent, id);
  }

  isShown(id) {
    return this.page.locator(`#${id}`).isVisible();
  }

  /** Waits until an element says this. */
  async says(id, wanted) {
    const fits = wanted instanceof RegExp ? (text) => wanted.test(text) : (text) => text === wanted;
    return until(`#${id} says ${wanted}`, () => this.text(id), fits);
  }

  /** The rows of a table: the text of each cell. */
  table(id) {
    return this.page.$$eval(`#${id} tr`, (rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent.trim())));
  }

  /** The references that are listed, in order. */
  async listed() {
    return (await this.table("rows")).map(([reference]) => reference);
  }

  /** Waits until these are listed and nothing else; in order or not. */
  lists(wanted, { inOrder = false } = {}) {
    const sorted = (texts) => (inOrder ? texts : [...texts].sort());
    const text = JSON.stringify(sorted(wanted));
    return until(`the list is ${text}`, () => this.listed(), (seen) => JSON.stringify(sorted(seen)) === text);
  }

  /** What has the focus, in words. */
  focused() {
    return this.page.evaluate(() => {
      const { activeElement: active } = document;
      return active.getAttribute("aria-label") ?? active.labels?.[0]?.textContent ?? (active.id || active.textContent.trim());
    });
  }

  /** Goes on by the Tab key until this has the focus. */
  async tabTo(wanted, most = 200) {
    const seen = [];
    for (let i = 0; i < most; ++i) {
      await this.page.keyboard.press("Tab");
      seen.push(await this.focused());
      if (seen.at(-1) === wanted) {
        return;
      }
    }
    assert.fail(`'${wanted}' is not reached by ${most} times Tab, only ${JSON.stringify([...new Set(seen)])}`);
  }
}
