// The console of the admin endpoint, in a real browser, at a real server.
//
//     console_test.mjs CHROMIUM HTTP_SESSIONS FOLDER
//
// Screenshots are left in FOLDER.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

import { textsBelow } from "./contrast.mjs";
import { SessionsServer, token } from "./sessions_server.mjs";
import { SocketForwarder } from "./socket_forwarder.mjs";
import { Visit } from "./visit.mjs";
import { until } from "./waiting.mjs";

const [chromiumPath, program, folder] = process.argv.slice(2);
const options = ["--max-sessions", "1000", "--max-in-flight", "8"];
let browser;

before(async () => {
  mkdirSync(folder, { recursive: true });
  // Root may not use the sandbox; what is opened here is our own page.
  browser = await chromium.launch({
    executablePath: chromiumPath,
    args: ["--no-sandbox", "--host-resolver-rules=MAP rebound.example 127.0.0.1"],
    timeout: 60_000,
  });
});

after(() => browser?.close());

/** A test with a server of its own. */
function withServer(name, body) {
  test(name, { timeout: 60_000 }, async () => {
    const server = await SessionsServer.start(program, folder, { options });
    try {
      await body(server);
    } finally {
      await server.stop();
    }
  });
}

/** A test with a server and a look at its console, of which the browser must not complain. */
function withConsole(name, prepare, body) {
  withServer(name, async (server) => {
    const prepared = await prepare(server);
    const visit = await Visit.begin(browser, server);
    await body(visit, server, prepared);
    await visit.end();
  });
}

const createSessions = (server, principals) =>
  Promise.all(principals.map((principal) => server.createSession(principal)));
/** Characters that a browser shows nothing for, or that change the order of others. */
const unseen = [
  "\u0001", "\u007f", "\u009b", "\u00ad", "\u061c", "\u200b", "\u200e", "\u2028", "\u2029", "\u202a", "\u202e",
  "\u2060", "\u2066", "\u2069", "\ufeff",
];
const references = (sessions) => sessions.map(({ reference }) => reference);
const number = (text) => Number(text.replaceAll(",", ""));

withConsole("the numbers are those of /stats", async (server) => {
  const made = await createSessions(server, ["alice", "alice", "bob", undefined]);
  await server.use(made[0]);
  await server.use(made[0]);
  assert.equal(await server.use({ cookie: `__Host-id=${"A".repeat(43)}` }), 401);
  await server.ask(`/sessions/${made[1].reference}`, "DELETE");
}, async (visit, server) => {
  await visit.says("live", "3");
  const { body: stats } = await server.ask("/stats");
  const { sessions } = stats;
  for (const [id, value] of [
    ["live", sessions.live], ["leased", sessions.leased], ["half-open", sessions.half_open],
    ["closing", sessions.closing], ["created", sessions.created], ["removed", sessions.removed.deleted],
    ["acquired", sessions.acquired], ["refused", sessions.not_found], ["waiting", stats.in_flight.waiting],
  ]) {
    assert.equal(number(await visit.text(id)), value, id);
  }
  assert.equal(sessions.not_found, 1);
  assert.equal(sessions.half_open, 1);
  assert.equal(await visit.text("in-flight"), `${stats.in_flight.held} of ${stats.in_flight.limit}`);
  const causes = await visit.table("causes");
  assert.deepEqual(causes.find(([name]) => name === "deleted")?.[2], "1", JSON.stringify(causes));
  const refusals = await visit.table("refusals");
  assert.deepEqual(refusals.find(([name]) => name === "no such session")?.[2], "1", JSON.stringify(refusals));
  assert.equal(await visit.text("state"), "running");
  assert.equal(await visit.text("ready"), "yes");
});

withConsole("the numbers change as the service's do", () => {}, async (visit, server) => {
  await visit.says("live", "0");
  await visit.says("created-rate", "0");
  const [session] = await createSessions(server, ["alice", "bob"]);
  await visit.says("live", "2");
  await visit.says("created-rate", /^0\.[1-9]$/);
  await server.use(session);
  await visit.says("acquired", "1");
  // One request, which found a permit at once.
  await visit.says("wait-p99", /^(none|< \d+ [nµ]s)$/);
});

withConsole("sessions are shown with all but their ids", async (server) => [await server.createSession("alice")],
  async (visit, server, [session]) => {
    await visit.lists([session.reference]);
    const { body: told } = await server.ask(`/sessions/${session.reference}`);
    await visit.page.getByRole("button", { name: `Show session ${session.reference}` }).click();
    await until("it is shown", () => visit.isShown("session"), Boolean);
    const facts = await visit.text("session-facts");
    assert.match(facts, /principalalice/);
    assert.match(facts, new RegExp(`${told.attribute_bytes} bytes, version ${told.attributes_version}`));
    const page = await visit.page.content();
    assert.ok(page.includes(session.reference));
    assert.ok(!page.includes(session.cookie.split("=")[1]), "the id is on the page");
    await visit.page.keyboard.press("Escape");
    assert.equal(await visit.isShown("session"), false);
  });

withConsole("a session is deleted once somebody has said so", (server) => createSessions(server, ["alice", "bob"]),
  async (visit, server, made) => {
    const [alice, bob] = references(made);
    await visit.lists([alice, bob]);
    const remove = visit.page.getByRole("button", { name: `Delete session ${alice}` });
    await remove.click();
    await visit.page.getByRole("button", { name: "Keep" }).click();
    assert.equal((await server.ask(`/sessions/${alice}`)).status, 200);
    await remove.click();
    assert.equal(await visit.text("question"), `Delete session ${alice}?`);
    await visit.page.getByRole("button", { name: "Delete", exact: true }).click();
    await visit.says("outcome", `Session ${alice} was deleted.`);
    await visit.lists([bob]);
    await visit.says("live", "1");
    assert.equal((await server.ask(`/sessions/${alice}`)).status, 404);
    assert.equal(await server.use(made[0]), 401);
  });

withConsole("a session is reached and deleted by keyboard alone", (server) => createSessions(server, ["alice", "bob"]),
  async (visit, server, made) => {
    const [alice, bob] = references(made);
    await visit.lists([alice, bob]);
    await visit.tabTo(`Delete session ${alice}`);
    const outline = await visit.page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, "solid", "the focus can be seen");
    await visit.page.keyboard.press("Enter");
    assert.equal(await visit.focused(), "refuse", "who presses Enter twice destroys nothing");
    await visit.page.keyboard.press("Tab");
    assert.equal(await visit.focused(), "confirm");
    await visit.page.keyboard.press("Enter");
    await visit.lists([bob]);
    assert.equal((await server.ask(`/sessions/${alice}`)).status, 404);
    await until("the focus goes to the next session", () => visit.focused(), (it) => it === `Delete session ${bob}`);
  });

withConsole("the focus stays at a session while the numbers change", (server) => createSessions(server, ["alice", "bob"]),
  async (visit, server, made) => {
    await visit.lists(references(made));
    const wanted = `Show session ${made[1].reference}`;
    await visit.tabTo(wanted);
    await server.use(made[1]);
    await until("its requests are counted", () => visit.table("rows"), (rows) => rows.some((row) => row[6] === "1"));
    assert.equal(await visit.focused(), wanted);
  });

withConsole("all sessions of a principal are deleted at once",
  (server) => createSessions(server, ["a/b & c", "a/b & c", "bob"]), async (visit, server, made) => {
    await visit.lists(references(made));
    await visit.page.getByRole("button", { name: `Show session ${made[0].reference}` }).click();
    await visit.page.getByRole("button", { name: "All of this principal" }).click();
    await visit.lists(references(made.slice(0, 2)));
    await visit.page.getByRole("button", { name: "Delete all of a/b & c…" }).click();
    await visit.page.getByRole("button", { name: "Delete", exact: true }).click();
    await visit.says("outcome", "2 sessions of a/b & c deleted.");
    await visit.lists([]);
    await until("nothing is said to be there", () => visit.isShown("none"), Boolean);
    const { body } = await server.ask("/sessions");
    assert.deepEqual(references(body.sessions), [made[2].reference]);
  });

withConsole("a principal that no path can name is deleted like any other", (server) => createSessions(server, [".", "..", "bob"]),
  async (visit, server, made) => {
    await visit.lists(references(made));
    for (const [i, name] of [".", ".."].entries()) {
      await visit.page.getByLabel("Principal").fill(name);
      await visit.page.keyboard.press("Enter");
      await visit.lists([made[i].reference]);
      await visit.page.getByRole("button", { name: `Delete all of ${name}…` }).click();
      await visit.page.getByRole("button", { name: "Delete", exact: true }).click();
      await visit.says("outcome", `1 session of ${name} deleted.`);
    }
    const { body } = await server.ask("/sessions");
    assert.deepEqual(references(body.sessions), [made[2].reference]);
  });

withConsole("only of a session is it said that it has ended already", (server) => createSessions(server, ["alice"]),
  async (visit, server, [{ reference }]) => {
    const missing = { error: "not_found", message: "there is no such resource" };
    await visit.page.route(/\/sessions[/?]/, (route) =>
      (route.request().method() === "DELETE" ? route.fulfill({ status: 404, json: missing }) : route.continue()));
    await visit.page.getByRole("button", { name: `Delete session ${reference}` }).click();
    await visit.page.getByRole("button", { name: "Delete", exact: true }).click();
    await visit.says("outcome", "It has ended already.");
    await visit.page.getByLabel("Principal").fill("alice");
    await visit.page.keyboard.press("Enter");
    await visit.page.getByRole("button", { name: "Delete all of alice…" }).click();
    await visit.page.getByRole("button", { name: "Delete", exact: true }).click();
    await visit.says("outcome", "Nothing was deleted: there is no such resource.");
    visit.forgive();
  });

withConsole("who is shown with an escaped name is not taken for who has that name",
  (server) => createSessions(server, ["\\xff", "\\xff"]), async (visit, server, made) => {
    const [named, escaped] = references(made);
    // The example server gives no names that are not UTF-8.
    await visit.page.route(`**/sessions/${escaped}`, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...(await answer.json()), principal_is_escaped: true } });
    });
    await visit.lists([named, escaped]);
    for (const [reference, offersAll] of [[named, true], [escaped, false]]) {
      await visit.page.getByRole("button", { name: `Show session ${reference}` }).click();
      await until("it is shown", () => visit.isShown("session"), Boolean);
      assert.match(await visit.text("session-facts"), /principal\\xff/);
      assert.equal(await visit.isShown("session-principal"), offersAll, reference);
      await visit.page.getByRole("button", { name: "Close" }).click();
    }
  });

withConsole("all of a session's principal are those of exactly its name",
  (server) => createSessions(server, ["bob", "bob ", "bo\nb"]), async (visit, server, made) => {
    const [bob, ...others] = references(made);
    const page = visit.page;
    const deleteAll = page.locator("#delete-principal");
    await visit.lists([bob, ...others]);
    for (const reference of others) {
      await page.getByRole("button", { name: `Show session ${reference}` }).click();
      await page.getByRole("button", { name: "All of this principal" }).click();
      await visit.lists([reference]);
      // Another question about the same principal.
      await page.getByRole("combobox", { name: "Show" }).selectOption("the oldest");
      await visit.says("page", "1 session, the first 25 at most");
      await visit.lists([reference]);
      await deleteAll.click();
      await page.getByRole("button", { name: "Delete", exact: true }).click();
      await visit.lists([]);
      assert.equal((await server.ask(`/sessions/${reference}`)).status, 404);
      await page.getByRole("button", { name: "Clear" }).click();
      await until("it is listed", () => visit.listed(), (listed) => listed.includes(bob));
    }
    await visit.lists([bob]);
  });

withConsole("a principal is looked for as it is written", (server) => createSessions(server, ["bob", "bob "]),
  async (visit, server, made) => {
    const [bob, other] = references(made);
    const field = visit.page.getByLabel("Principal");
    await visit.lists([bob, other]);
    await field.fill("bob ");
    await field.press("Enter");
    await visit.lists([other]);
    await visit.page.getByRole("button", { name: `Show session ${other}` }).click();
    await visit.page.getByRole("button", { name: "All of this principal" }).click();
    await field.press("End");
    await field.press("Backspace");
    await field.press("Enter");
    await visit.lists([bob]);
  });

withConsole("no character of a principal is unseen, or turns others around",
  (server) => createSessions(server, ["bob", ...unseen.map((character) => `bob${character}`), "\u05d1\u05d5\u05d1"]),
  async (visit, server, made) => {
    const page = visit.page;
    await visit.lists(references(made));
    const shown = Object.fromEntries((await visit.table("rows")).map(([reference, principal]) => [reference, principal]));
    assert.deepEqual(made.map(({ reference }) => shown[reference]),
      ["bob", ...unseen.map(() => "bob\uFFFD"), "\u05d1\u05d5\u05d1"]);
    await page.getByRole("button", { name: `Show session ${made[1].reference}` }).click();
    await visit.says("session-facts", /principalbob\uFFFD/);
    await page.getByRole("button", { name: "All of this principal" }).click();
    await visit.lists([made[1].reference]);
    assert.equal(await page.getByLabel("Principal").inputValue(), "bob\uFFFD");
    await page.getByRole("button", { name: "Delete all of bob\uFFFD…" }).click();
    assert.equal(await visit.text("question"), "Delete all sessions of bob\uFFFD?");
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await visit.says("outcome", "1 session of bob\uFFFD deleted.");
    assert.equal((await server.ask(`/sessions/${made[1].reference}`)).status, 404);
    await page.getByRole("button", { name: "Clear" }).click();
    await visit.lists(references(made).filter((reference) => reference !== made[1].reference));
    for (const id of ["rows", "question", "outcome", "delete-principal", "session-facts"]) {
      const direction = await page.$eval(`#${id} bdi`, (name) => getComputedStyle(name).unicodeBidi);
      assert.equal(direction, "isolate", id);
    }
  });

withConsole("sessions are found by what they are", (server) => createSessions(server, ["alice", "bob", "bob", undefined]),
  async (visit, server, made) => {
    const all = references(made);
    const page = visit.page;
    const clear = () => page.getByRole("button", { name: "Clear" }).click();
    await visit.lists(all);
    await page.getByLabel("Principal").fill("bob");
    await page.keyboard.press("Enter");
    await visit.lists(all.slice(1, 3));
    await clear();
    await visit.lists(all);
    await page.getByLabel("Reference").fill(all[0]);
    await page.keyboard.press("Enter");
    await visit.lists([all[0]]);
    await clear();
    await page.getByRole("combobox", { name: "Use" }).selectOption("half-open");
    await visit.lists([all[3]]);
    await clear();
    await page.getByLabel("Idle longer than").fill("1ms");
    await page.keyboard.press("Enter");
    await visit.lists(all);
    await page.getByLabel("Idle longer than").fill("1h");
    await page.keyboard.press("Enter");
    await visit.lists([]);
  });

withConsole("what is no search is said, beside what it is", (server) => createSessions(server, ["alice"]),
  async (visit, server, made) => {
    await visit.lists(references(made));
    await visit.page.getByLabel("Idle longer than").fill("a while");
    await visit.page.keyboard.press("Enter");
    await visit.says("search-objection", /^Idle longer than: ./);
    assert.equal(await visit.page.getByLabel("Idle longer than").getAttribute("aria-invalid"), "true");
    visit.forgive();
    await visit.page.getByRole("button", { name: "Clear" }).click();
    await visit.says("search-objection", "");
    await visit.lists(references(made));
  });

withConsole("the first of an order come first", (server) => createSessions(server, ["alice", "bob", "eve"]),
  async (visit, server, made) => {
    const [alice, bob, eve] = made;
    for (const session of [bob, bob, bob, eve]) {
      await server.use(session);
    }
    await visit.page.getByLabel("Show", { exact: true }).selectOption("those with most requests");
    await visit.lists(references([bob, eve, alice]), { inOrder: true });
    assert.equal(await visit.page.locator("th[aria-sort]").textContent(), "Requests");
    await server.use(alice);
    await visit.page.getByLabel("Show", { exact: true }).selectOption("the longest idle");
    await visit.lists(references([bob, eve, alice]), { inOrder: true });
  });

withConsole("pages are turned, on and back", (server) => createSessions(server, Array(60).fill("alice")),
  async (visit, server, made) => {
    const seen = [];
    const [previous, next] = ["Previous", "Next"].map((name) => visit.page.getByRole("button", { name }));
    for (const [place, length] of [[1, 25], [2, 25], [3, 10]]) {
      await visit.says("page", `${length} sessions, page ${place}`);
      seen.push(await visit.listed());
      if (place < 3) {
        await next.click();
      }
    }
    assert.deepEqual(seen.flat().sort(), references(made).sort());
    assert.equal(await next.isDisabled(), true);
    await previous.click();
    await visit.lists(seen[1], { inOrder: true });
    await previous.click();
    await visit.lists(seen[0], { inOrder: true });
    assert.equal(await previous.isDisabled(), true);
  });

withServer("a wrong token is said to be wrong, and the right one opens", async (server) => {
  const visit = await Visit.begin(browser, server, { address: server.console });
  const input = visit.page.getByLabel("Token", { exact: true });
  await input.fill("a-token-that-is-no-good");
  await visit.page.keyboard.press("Enter");
  await visit.says("token-objection", "The server does not know this token.");
  assert.equal(await input.getAttribute("aria-invalid"), "true");
  assert.equal(await visit.isShown("dashboard"), false);
  assert.equal(await visit.focused(), "Token");
  assert.ok(visit.problems.some((problem) => problem.endsWith("/stats is answered 401")), visit.problems);
  visit.forgive();
  await input.fill(token);
  await visit.page.keyboard.press("Enter");
  await visit.says("live", "0");
  await visit.page.reload();
  await visit.says("state", "running");
  await visit.page.getByRole("button", { name: "Forget the token" }).click();
  assert.equal(await visit.isShown("dashboard"), false);
  assert.equal(await visit.page.evaluate(() => sessionStorage.length), 0);
  await visit.end();
});

withServer("what cannot be a token is said not to be one, and is not sent", async (server) => {
  const visit = await Visit.begin(browser, server, { address: server.console });
  const input = visit.page.getByLabel("Token", { exact: true });
  for (const text of ["a-token-that-nobody-gu\u20acsses", "fifteen-letters", "a token with spaces in it", "a".repeat(513)]) {
    await input.fill(text);
    await visit.page.keyboard.press("Enter");
    await visit.says("token-objection", "A token is 16 to 512 letters, digits and characters of -._~+/=.");
    await until("it is taken away", () => input.inputValue(), (value) => value === "");
  }
  assert.equal(visit.roundsBegun, 0);
  await input.fill(token);
  await visit.page.keyboard.press("Enter");
  await visit.says("state", "running");
  await visit.end();
});

withConsole("a token in the address is taken out of it, and kept for the tab alone", () => {}, async (visit, server) => {
  await visit.says("state", "running");
  assert.equal(visit.page.url(), server.console);
  assert.deepEqual(await visit.page.evaluate(() => [localStorage.length, document.cookie]), [0, ""]);
});

withServer("a token in the address of an open page is taken, too", async (server) => {
  const visit = await Visit.begin(browser, server, { address: server.console });
  await until("it asks for a token", () => visit.isShown("sign-in"), Boolean);
  await visit.page.evaluate((text) => { location.hash = `#token=${text}`; }, token);
  await visit.says("state", "running");
  assert.equal(visit.page.url(), server.console);
  assert.equal(await visit.isShown("sign-in"), false);
  await visit.end();
});

withServer("what is no token in the address is taken out of it, and said not to be one", async (server) => {
  const visit = await Visit.begin(browser, server, { address: `${server.console}#token=100%` });
  await visit.says("token-objection", /^A token is 16 to 512 /);
  await visit.says("state", "locked");
  assert.equal(visit.page.url(), server.console);
  await visit.end();
});

/** Holds back the answer to the next request like this; what is returned waits for the request. */
async function holdNext(page, pattern) {
  const caught = [];
  await page.route(pattern, (route) => (caught.length > 0 ? route.continue() : caught.push(route)));
  return () => until(`${pattern} is asked for`, () => caught[0], Boolean);
}

withServer("the refusal of a token that was replaced meanwhile signs nobody out", async (server) => {
  const visit = await Visit.begin(browser, server, { address: server.console });
  const input = visit.page.getByLabel("Token", { exact: true });
  const held = await holdNext(visit.page, "**/stats");
  await input.fill("a-token-that-is-no-good");
  await visit.page.keyboard.press("Enter");
  const route = await held();
  await visit.page.evaluate((text) => { location.hash = `#token=${text}`; }, token);
  await until("it is taken", () => visit.page.url(), (url) => url === server.console);
  await route.fulfill({ status: 401, json: { error: "unauthorized" } });
  await visit.says("state", "running");
  assert.equal(await visit.isShown("sign-in"), false);
  assert.equal(await visit.text("token-objection"), "");
  visit.forgive();
  await visit.end();
});

withConsole("who is signed out leaves nothing behind", (server) => createSessions(server, ["alice"]),
  async (visit, server, [{ reference }]) => {
    await visit.page.getByRole("button", { name: `Show session ${reference}` }).click();
    await visit.says("session-facts", /principalalice/);
    await visit.page.route("**/stats", (route) => route.fulfill({ status: 401, json: { error: "unauthorized" } }));
    await visit.says("state", "locked");
    assert.equal(await visit.isShown("session"), false);
    assert.equal(await visit.text("session-facts"), "");
    assert.deepEqual(await visit.listed(), []);
    assert.equal(await visit.focused(), "Token");
    visit.forgive();
  });

withConsole("an answer that comes after a sign-out is not shown", (server) => createSessions(server, ["alice"]),
  async (visit, server, made) => {
    await visit.lists(references(made));
    const list = await holdNext(visit.page, /\/sessions\?/);
    const one = await holdNext(visit.page, /\/sessions\//);
    const listRoute = await list();
    await visit.page.getByRole("button", { name: `Show session ${made[0].reference}` }).click();
    const oneRoute = await one();
    await visit.page.getByRole("button", { name: "Forget the token" }).click();
    for (const route of [listRoute, oneRoute]) {
      const answered = visit.page.waitForEvent("requestfinished", (request) => request === route.request());
      await route.continue();
      await answered;
    }
    // Once something that is asked for later is there, so is what was made of those.
    await visit.page.evaluate(() => fetch("/").then((answer) => answer.text()));
    assert.deepEqual(await visit.listed(), []);
    assert.equal(await visit.isShown("session"), false);
    assert.equal(await visit.text("session-facts"), "");
  });

withConsole("who may not delete is told so", (server) => createSessions(server, ["alice"]),
  async (visit, server, [{ reference }]) => {
    const refusal = { error: "forbidden", message: "this needs to be allowed to change things" };
    await visit.page.route(`**/sessions/${reference}`, (route) => route.fulfill({ status: 403, json: refusal }));
    await visit.page.getByRole("button", { name: `Delete session ${reference}` }).click();
    await visit.page.getByRole("button", { name: "Delete", exact: true }).click();
    await visit.says("outcome", "Nothing was deleted: this needs to be allowed to change things.");
    await visit.lists([reference]);
    visit.forgive();
  });

/** A test with a server whose admin endpoint is a Unix socket, without a token, that is forwarded to a port. */
function withForwardedSocket(name, body) {
  test(name, { timeout: 60_000 }, async () => {
    const socket = join(folder, "admin.sock");
    const server = await SessionsServer.start(program, folder, { admin: `unix:${socket}`, options });
    const forwarder = await SocketForwarder.start(socket);
    server.admin = `localhost:${forwarder.port}`;
    try {
      await body(server);
    } finally {
      await forwarder.stop();
      await server.stop();
    }
  });
}

withForwardedSocket("a Unix socket that is forwarded needs no token", async (server) => {
  const made = await createSessions(server, ["alice", "bob"]);
  const visit = await Visit.begin(browser, server, { address: server.console });
  await visit.lists(references(made));
  await visit.page.getByRole("button", { name: `Delete session ${made[0].reference}` }).click();
  await visit.page.getByRole("button", { name: "Delete", exact: true }).click();
  await visit.lists([made[1].reference]);
  assert.equal(await visit.isShown("forget-token"), false);
  await visit.end();
});

withForwardedSocket("a page of another site changes nothing, and reads nothing", async (server) => {
  const [session] = await createSessions(server, ["alice"]);
  const page = await browser.newPage();
  // The other server of this test is another site to the browser: it is named by its address.
  await page.goto(`http://${server.address}/hello`);
  const outcomes = await page.evaluate(async (admin) => {
    const ask = (target, options) => fetch(admin + target, options).then(({ type }) => type, () => "kept from it");
    return [
      await ask("cleanup?scope=all", { method: "POST", mode: "no-cors" }),
      await ask("drain", { method: "POST", mode: "no-cors" }),
      await ask("principals/alice/sessions", { method: "DELETE" }),
      await ask("stats", {}),
    ];
  }, server.console);
  // The first two were sent: only the endpoint could refuse them.
  assert.deepEqual(outcomes, ["opaque", "opaque", "kept from it", "kept from it"]);
  assert.equal((await server.ask(`/sessions/${session.reference}`)).status, 200);
  assert.equal((await server.ask("/health")).body.state, "running");
  await page.close();
});

withForwardedSocket("a page whose name leads to the endpoint by DNS rebinding is told nothing", async (server) => {
  const address = server.console.replace("localhost", "rebound.example");
  const visit = await Visit.begin(browser, { console: address }, { address });
  await visit.says("banner", /^The server cannot tell: without a token, Host must be localhost or an address\./);
  assert.equal(await visit.isShown("dashboard"), false);
  visit.forgive();
  await visit.end();
});

withServer("a server that dies is missed, and found again", async (server) => {
  await createSessions(server, ["alice", "bob"]);
  const visit = await Visit.begin(browser, server);
  await visit.says("live", "2");
  await server.kill();
  await visit.says("banner", /^The server does not answer\. Since .*; asking again every second\.$/);
  await visit.says("announcer", "The server does not answer.");
  await visit.says("state", "no answer");
  const again = await SessionsServer.start(program, folder, { admin: server.admin, options });
  try {
    await again.createSession("eve");
    await until("the banner goes", () => visit.isShown("banner"), (isShown) => !isShown);
    await visit.says("announcer", "The server answers again.");
    await visit.says("live", "1");
    await visit.says("state", "running");
    // Its counters begin anew, which is no rate.
    assert.match(await visit.text("created-rate"), /^(–|0|0\.\d)$/);
    visit.forgive();
    await visit.end();
  } finally {
    await again.stop();
  }
});

withServer("nothing is asked while the page is hidden", async (server) => {
  const visit = await Visit.begin(browser, server, { clock: true });
  await visit.says("state", "running");
  const hide = (hidden) => visit.page.evaluate((isHidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  // From here on only we move the time, so that no round begins by itself.
  await visit.page.clock.pauseAt(Date.now() + 60_000);
  // One that has begun may need a little of it to end.
  const rounds = async () => {
    await visit.page.clock.runFor(10);
    return [visit.roundsBegun, visit.roundsEnded];
  };
  await until("no round is under way", rounds, ([begun, ended]) => begun === ended);
  const asked = async (seconds) => {
    const before = visit.roundsBegun;
    for (let i = 0; i < seconds; ++i) {
      await visit.page.clock.runFor(1_000);
    }
    return visit.roundsBegun - before;
  };
  await hide(true);
  assert.equal(await asked(60), 0);
  await hide(false);
  await until("it asks again", () => asked(1), (rounds) => rounds > 0);
  await visit.end();
});

withConsole("a script that somebody slips in does not run", () => {}, async (visit) => {
  const outcome = await visit.page.evaluate(() => {
    try {
      document.body.innerHTML += "<img src=x onerror='window.slipped = true'>";
      return "written";
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(outcome, "TypeError");
  visit.forgive();
});

for (const colorScheme of ["light", "dark"]) {
  withServer(`every text is legible: ${colorScheme}`, async (server) => {
    const made = await createSessions(server, [undefined, "alice", "bob", "carol", "dave", "eve"]);
    await server.use(made[1]);
    await server.ask(`/sessions/${made[2].reference}`, "DELETE");
    const visit = await Visit.begin(browser, server, { colorScheme });
    await visit.says("live", "5");
    await visit.lists(references(made).filter((reference) => reference !== made[2].reference));
    assert.deepEqual(await visit.page.evaluate(textsBelow, 4.5), []);
    await visit.page.screenshot({ path: join(folder, `${colorScheme}.png`) });
    await visit.page.getByRole("button", { name: `Delete session ${made[3].reference}` }).click();
    assert.deepEqual(await visit.page.evaluate(textsBelow, 4.5), []);
    await visit.end();
    const stranger = await Visit.begin(browser, server, { colorScheme, address: server.console });
    assert.deepEqual(await stranger.page.evaluate(textsBelow, 4.5), []);
    await stranger.end();
  });
}

withServer("a phone shows all of it without scrolling aside", async (server) => {
  const made = await createSessions(server, [undefined, "alice", "somebody-with-a-name-without-end-".repeat(5)]);
  const viewport = { width: 360, height: 780 };
  const widthOf = (visit) => visit.page.evaluate(() => document.documentElement.scrollWidth);
  const stranger = await Visit.begin(browser, server, { viewport, address: server.console });
  assert.equal(await widthOf(stranger), 360);
  await stranger.end();
  const visit = await Visit.begin(browser, server, { viewport, deviceScaleFactor: 2, hasTouch: true, isMobile: true });
  await visit.lists(references(made));
  assert.equal(await widthOf(visit), 360);
  await visit.page.screenshot({ path: join(folder, "phone.png"), fullPage: true });
  await visit.page.getByRole("button", { name: `Show session ${made[2].reference}` }).tap();
  await until("it is shown", () => visit.isShown("session"), Boolean);
  assert.equal(await widthOf(visit), 360);
  const box = await visit.page.locator("#session").boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 360, JSON.stringify(box));
  await visit.end();
});
