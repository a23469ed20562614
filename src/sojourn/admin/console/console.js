// The console of an admin endpoint. It asks the endpoint it came from once a second what there is, as docs/admin.md
// describes the answers, and shows it. What it shows it writes as text; it never makes HTML of what it was told.

const roundTime = 1000;
const patience = 5000;
const minute = 60 * 1000;
const chartMinutes = 5;
const pageLength = 25;

const element = (id) => document.getElementById(id);

/** Touches the page only where something has changed. Parts are texts and nodes. */
function write(target, ...parts) {
  const node = typeof target === "string" ? element(target) : target;
  if (node.textContent !== parts.map((part) => part.textContent ?? part).join("")) {
    node.replaceChildren(...parts);
  }
}

/** The text with a mark for each character that shows nothing, or turns others around, so that no name looks like another. */
const visible = (text) => text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, "\uFFFD");

/** A principal's name, whose direction is its own. */
function nameOf(principal) {
  const name = document.createElement("bdi");
  name.textContent = visible(principal);
  return name;
}

// --- Numbers for people

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });

const count = (number) => whole.format(number);

function rate(number) {
  if (number === null) {
    return "–";
  }
  return number > 0 && number < 10 ? number.toFixed(1) : whole.format(Math.round(number));
}

function duration(seconds) {
  for (const [unit, length] of [["ns", 1e-9], ["µs", 1e-6], ["ms", 1e-3]]) {
    if (seconds > 0 && seconds < length * 1000) {
      return `${short.format(seconds / length)} ${unit}`;
    }
  }
  const total = Math.floor(seconds);
  const parts = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]].map(([unit, length]) => [
    unit, unit === "d" ? Math.floor(total / length) : Math.floor(total / length) % (length === 3600 ? 24 : 60),
  ]);
  const first = parts.findIndex(([, number]) => number > 0);
  const told = parts.slice(first, first + 2).filter(([, number]) => number > 0);
  return first < 0 ? "0s" : told.map(([unit, number]) => `${number}${unit}`).join(" ");
}

const sessions = (number) => (number === 1 ? "1 session" : `${count(number)} sessions`);

// --- The endpoint

/** Nobody answers. */
class Gone extends Error {}

/** The token that was shown is not ours any more: whatever the answer is, it is for nobody. */
class Late extends Error {}

/** The endpoint answers, but not with what was asked for. */
class Refused extends Error {
  constructor(status, { message, error, field } = {}) {
    super(message ?? error ?? `the server answers with status ${status}`);
    this.status = status;
    this.field = field;
  }
}

/** The token, for as long as the tab is open. */
const token = {
  get: () => sessionStorage.getItem("sojourn-token"),
  set: (text) => sessionStorage.setItem("sojourn-token", text),
  forget: () => sessionStorage.removeItem("sojourn-token"),
};

/** The status and the text that the endpoint answers to whoever shows this token; nothing if it does not. */
async function exchange(method, target, shownToken) {
  const headers = shownToken ? { Authorization: `Bearer ${shownToken}` } : {};
  try {
    // Without cookies: those of other servers on this host would come along.
    const answer = await fetch(target, {
      method, headers, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(patience),
    });
    return { ok: answer.ok, status: answer.status, text: await answer.text() };
  } catch {
    return null;
  }
}

/** What the endpoint answers, if it does as it is asked. */
async function ask(method, target) {
  const shownToken = token.get();
  const answer = await exchange(method, target, shownToken);
  if (token.get() !== shownToken) {
    throw new Late();
  }
  if (!answer) {
    throw new Gone();
  }
  let body = {};
  try {
    body = answer.text ? JSON.parse(answer.text) : {};
  } catch {
    throw new Refused(answer.status);
  }
  if (!answer.ok) {
    throw new Refused(answer.status, body);
  }
  return body;
}

// --- The last minutes

/** Why there are refusals, and whether each is counted by no other reason. */
const refusals = [
  ["not_found", "no such session", true],
  ["guesses_rate_limited", "of these, guesses over their rate", false],
  ["rate_limited", "over its rate", true],
  ["refused_busy", "too many of one session", true],
  ["requests_shed", "shed while they waited", true],
  ["refused_stopping", "the service ends", true],
  ["refused_overloaded", "no room for a session", true],
  ["creations_rate_limited", "creations over their rate", true],
  ["creations_refused_stopping", "creations while it ends", true],
];

const causes = [
  ["expired_idle", "idle for too long"],
  ["expired_lifetime", "end of its lifetime"],
  ["evicted", "made room"],
  ["deleted", "deleted"],
  ["drained", "drained"],
];

const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);
const created = (stats) => stats.sessions.created;
const removed = (stats) => total(Object.values(stats.sessions.removed));
const acquired = (stats) => stats.sessions.acquired;
const refused = (stats) =>
  total(refusals.filter(([, , alone]) => alone).map(([name]) => stats.sessions[name]));
const held = (stats) => stats.in_flight?.held ?? stats.sessions.leased;

/** What the endpoint has told, each with its time and with the life of the server that told it. */
class Past {
  #samples = [];
  #life = 0;

  add(stats, now) {
    const last = this.#samples.at(-1);
    // Counters that went back are another server's; across a gap there is nothing to draw.
    const isNewLife = last && (created(stats) < created(last.stats) || acquired(stats) < acquired(last.stats) ||
        now - last.time > 4 * roundTime);
    this.#life += isNewLife ? 1 : 0;
    this.#samples.push({ time: now, stats, life: this.#life });
    this.#samples = this.#samples.filter(({ time }) => time > now - chartMinutes * minute);
  }

  interrupt() {
    this.#life += 1;
  }

  /** How many minutes a chart must have to hold all of it. */
  minutes(now) {
    return Math.max(1, Math.ceil((now - this.#samples[0].time) / minute));
  }

  /** The oldest before sample `index` by this long or a little less; of the same life, or nothing. */
  #before(index, time) {
    const { time: until, life } = this.#samples[index];
    let found = null;
    for (let i = index - 1; i >= 0; --i) {
      const sample = this.#samples[i];
      if (sample.life !== life || until - sample.time > time) {
        break;
      }
      found = sample;
    }
    return found;
  }

  #rateAt(index, counter, time) {
    const first = this.#before(index, time);
    const last = this.#samples[index];
    return first && ((counter(last.stats) - counter(first.stats)) * 1000) / (last.time - first.time);
  }

  /** How fast a counter has grown in the last seconds, in a second. */
  rate(counter) {
    return this.#rateAt(this.#samples.length - 1, counter, 5.5 * roundTime);
  }

  /** A counter's growth over time, smoothed a little. */
  rates(counter) {
    return this.#samples.map(({ time, life }, i) => ({
      time, life, value: this.#rateAt(i, counter, 3.5 * roundTime),
    }));
  }

  values(gauge) {
    return this.#samples.map(({ time, life, stats }) => ({ time, life, value: gauge(stats) }));
  }

  /** How many waits we saw in the last minute, by bucket: pairs of its bound in seconds and a count. */
  waits() {
    const counts = (stats) => {
      let before = 0;
      return (stats.in_flight?.waits ?? []).map(({ shorter_than_seconds: bound, waits }) => {
        const inBucket = waits - before;
        before = waits;
        return [bound, inBucket];
      });
    };
    const last = this.#samples.at(-1);
    const first = this.#before(this.#samples.length - 1, minute);
    if (!first) {
      return [];
    }
    const earlier = new Map(counts(first.stats));
    return counts(last.stats).map(([bound, number]) => [bound, number - (earlier.get(bound) ?? 0)]);
  }
}

/** What this part of all waits was shorter than, in words. */
function waitQuantile(waits, part) {
  const all = total(waits.map(([, number]) => number));
  let seen = 0;
  for (const [bound, number] of waits) {
    seen += number;
    if (number > 0 && seen >= part * all) {
      return bound <= 1e-9 ? "none" : bound > 1e6 ? "> 18m" : `< ${duration(bound)}`;
    }
  }
  return "–";
}

// --- Charts

/** A number of one digit and zeros that is no less than this one. */
function roundUp(number) {
  const power = 10 ** Math.floor(Math.log10(number));
  return Math.ceil(number / power) * power;
}

function drawn(points, x, y) {
  let path = "";
  let before = null;
  for (const { time, life, value } of points) {
    if (value !== null) {
      path += `${before === life ? "L" : "M"}${x(time).toFixed(1)} ${y(value).toFixed(1)}`;
    }
    before = value === null ? null : life;
  }
  return path;
}

/** Draws lines into the chart of this name, of so many minutes: pairs of a series' class and its points. */
function draw(name, now, minutes, lines) {
  const most = roundUp(Math.max(1, ...lines.flatMap(([, points]) => points.map(({ value }) => value ?? 0))));
  const x = (time) => 300 - ((now - time) / (minutes * minute)) * 300;
  const y = (value) => 59 - (value / most) * 56;
  const chart = element(`${name}-chart`);
  const paths = lines.flatMap(([series, points]) => {
    const line = drawn(points, x, y);
    const isWhole = lines.length === 1 && line.lastIndexOf("M") === 0;
    const area = isWhole ? `${line}V60H${x(points.find(({ value }) => value !== null).time).toFixed(1)}Z` : "";
    return [[`area ${series}`, area], [`line ${series}`, line]];
  });
  paths.forEach(([names, path], i) => {
    if (!chart.children[i]) {
      chart.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
    }
    chart.children[i].setAttribute("class", names);
    chart.children[i].setAttribute("d", path);
  });
  write(chart.nextElementSibling.firstElementChild, `${minutes} min ago`);
  write(`${name}-most`, `top ${count(most)}`);
}

// --- The overview

function figure(target, number, small) {
  const node = element(target);
  if (!node.firstElementChild) {
    node.replaceChildren(document.createElement("span"), " ", document.createElement("small"));
  }
  write(node.firstElementChild, number);
  write(node.lastElementChild, small);
}

/** Rows of a reason, how often in a second, and how often in all. */
function writeCounts(target, rows) {
  const body = element(target);
  rows.forEach(([name, perSecond, all], i) => {
    const row = body.rows[i] ?? body.insertRow();
    if (row.cells.length === 0) {
      const heading = document.createElement("th");
      heading.scope = "row";
      row.append(heading, document.createElement("td"), document.createElement("td"));
    }
    row.className = all === 0 ? "zero" : "";
    [name, rate(perSecond), count(all)].forEach((text, cell) => write(row.cells[cell], text));
  });
}

function loopState({ running, rounds, failures, consecutive_failures: now }) {
  if (!running && rounds + failures === 0) {
    return "not needed";
  }
  const state = running ? "running" : "not running";
  const failed = failures > 0 ? `, ${count(failures)} failed${now > 0 ? `, the last ${count(now)}` : ""}` : "";
  return `${state}, ${count(rounds)} rounds${failed}`;
}

function showHealth(health, metrics) {
  const isGood = health.state === "running" && health.ready;
  const state = element("state");
  state.dataset.state = isGood ? "good" : health.state === "running" ? "bad" : "ending";
  write(state, health.state === "running" && !health.ready ? "running, but not ready" : health.state);
  write("health-state", health.state);
  write("ready", health.ready ? "yes" : "no");
  write("cleanup-lag", duration(health.cleanup_lag_seconds));
  write("cleanup", loopState(health.cleanup));
  write("events", loopState(health.events));
  write("listener-failures", count(health.listener_failures));
  write("pending", count(metrics.pending_creations + metrics.pending_removals));
}

function showInFlight(inFlight, past) {
  element("waits").hidden = !inFlight;
  if (!inFlight) {
    return;
  }
  const waits = past.waits();
  write("waiting", count(inFlight.waiting));
  for (const part of [50, 90, 99]) {
    write(`wait-p${part}`, waitQuantile(waits, part / 100));
  }
}

function showOverview(stats, past, now) {
  const metrics = stats.sessions;
  write("live", count(metrics.live));
  for (const [id, number] of [
    ["leased", metrics.leased], ["half-open", metrics.half_open], ["closing", metrics.closing],
    ["created", created(stats)], ["removed", removed(stats)], ["acquired", acquired(stats)], ["refused", refused(stats)],
  ]) {
    write(id, count(number));
  }
  for (const [id, counter] of [
    ["created-rate", created], ["removed-rate", removed], ["acquired-rate", acquired], ["refused-rate", refused],
  ]) {
    write(id, rate(past.rate(counter)));
  }
  figure("in-flight", count(held(stats)), stats.in_flight ? `of ${count(stats.in_flight.limit)}` : "without a limit");
  showInFlight(stats.in_flight, past);
  writeCounts("causes", causes.map(([name, words]) => [
    words, past.rate((then) => then.sessions.removed[name]), metrics.removed[name],
  ]));
  writeCounts("refusals", refusals.map(([name, words]) => [
    words, past.rate((then) => then.sessions[name]), metrics[name],
  ]));
  showHealth(stats.health, metrics);
  const minutes = past.minutes(now);
  draw("live", now, minutes, [["first", past.values((then) => then.sessions.live)]]);
  draw("flow", now, minutes, [["first", past.rates(created)], ["second", past.rates(removed)]]);
  draw("requests", now, minutes, [["first", past.rates(acquired)], ["third", past.rates(refused)]]);
  draw("in-flight", now, minutes, [["first", past.values(held)]]);
}

// --- Questions

/** Asks before something is destroyed; tells what was answered. Escape is a no. */
function confirmed(question, consequence) {
  const dialog = element("confirmation");
  write("question", ...question);
  write("consequence", consequence);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

element("confirm").addEventListener("click", () => element("confirmation").close("yes"));
element("refuse").addEventListener("click", () => element("confirmation").close());

/** Says what became of something that was asked for. */
const tell = (...parts) => write("outcome", ...parts);

/** Deletes, and tells what `done` says of the answer; if there is nothing there, what `missing` says. */
async function change(target, done, missing = null) {
  try {
    tell(...done(await ask("DELETE", target)));
  } catch (error) {
    if (error instanceof Late) {
      return;
    }
    if (missing && error instanceof Refused && error.status === 404) {
      tell(missing);
    } else if (error instanceof Refused && error.status === 401) {
      signOut("The token is not valid any more.");
    } else {
      tell(error instanceof Refused ? `Nothing was deleted: ${error.message}.` : "The server did not answer.");
    }
  }
  askNow();
}

async function deleteSession(reference) {
  if (await confirmed([`Delete session ${reference}?`], "Its client is asked to log in again at its next request.")) {
    await change(`sessions/${reference}`, () => [`Session ${reference} was deleted.`], "It has ended already.");
  }
}

async function deletePrincipal(principal) {
  const question = ["Delete all sessions of ", nameOf(principal), "?"];
  if (await confirmed(question, "They end at once, those on other pages too. Who has them must log in again.")) {
    const target = `sessions?${new URLSearchParams({ principal })}`;
    await change(target, ({ sessions: ended }) => [`${sessions(ended)} of `, nameOf(principal), " deleted."]);
  }
}

// --- One session

const uses = { in_use: "in use", idle: "idle", half_open: "half-open" };
const age = ({ created: moment }) => duration(Math.max(0, (Date.now() - Date.parse(moment)) / 1000));

function facts(session) {
  return [
    ["principal", session.principal === null ? "nobody" : nameOf(session.principal)],
    ["use", uses[session.use] ?? session.use],
    ["created", `${new Date(session.created).toLocaleString()}, ${age(session)} ago`],
    ["idle", duration(session.idle_seconds)],
    ["may be idle for", duration(session.idle_timeout_seconds)],
    ["expires in", duration(session.expires_in_seconds)],
    ["requests", count(session.requests)],
    ["requests that hold it", count(session.leases)],
    ["streams", count(session.streams)],
    ["attributes", `${count(session.attribute_bytes)} bytes, version ${count(session.attributes_version)}`],
  ];
}

function fact([name, text]) {
  const pair = document.createElement("div");
  for (const [tag, content] of [["dt", name], ["dd", text]]) {
    const part = document.createElement(tag);
    part.append(content);
    pair.append(part);
  }
  return pair;
}

let shown = null;

async function showSession(reference) {
  try {
    shown = await ask("GET", `sessions/${reference}`);
  } catch (error) {
    if (error instanceof Late) {
      return;
    }
    tell(error instanceof Refused && error.status === 404 ? "It has ended already." : "It could not be shown.");
    return;
  }
  write("session-reference", shown.reference);
  element("session-facts").replaceChildren(...facts(shown).map(fact));
  // An escaped name is not the principal's: whoever has that name is another.
  element("session-principal").hidden = !shown.principal || Boolean(shown.principal_is_escaped);
  element("session").showModal();
}

element("session-close").addEventListener("click", () => element("session").close());
element("session-delete").addEventListener("click", () => {
  element("session").close();
  deleteSession(shown.reference);
});
element("session-principal").addEventListener("click", () => {
  element("session").close();
  element("search").reset();
  element("principal").value = visible(shown.principal);
  principalOfSession = shown.principal;
  search();
});

// --- The list of sessions

/** What is listed: the words of the form, and the cursors of the pages up to the one that is shown. */
let wish = { fields: {}, cursors: [""], next: null };
const rows = new Map();

function targetOf({ fields, cursors }) {
  const { reference, ...others } = fields;
  if (reference) {
    return `sessions/${encodeURIComponent(reference)}`;
  }
  const query = new URLSearchParams({ ...others, limit: pageLength });
  if (cursors.at(-1)) {
    query.set("after", cursors.at(-1));
  }
  return `sessions?${query}`;
}

async function askForPage() {
  const isOne = Boolean(wish.fields.reference);
  try {
    const answer = await ask("GET", targetOf(wish));
    return isOne ? { sessions: [answer], next: null } : answer;
  } catch (error) {
    if (isOne && error instanceof Refused && error.status === 404) {
      return { sessions: [], next: null };
    }
    throw error;
  }
}

function makeRow(reference) {
  const row = element("row").content.firstElementChild.cloneNode(true);
  const cells = Object.fromEntries([...row.querySelectorAll("[data-cell]")].map((cell) => [cell.dataset.cell, cell]));
  cells.reference.textContent = reference;
  cells.reference.setAttribute("aria-label", `Show session ${reference}`);
  cells.reference.addEventListener("click", () => showSession(reference));
  cells.delete.setAttribute("aria-label", `Delete session ${reference}`);
  cells.delete.addEventListener("click", () => deleteSession(reference));
  return { row, cells };
}

function writeRow({ cells }, session) {
  write(cells.principal, session.principal === null ? "nobody" : nameOf(session.principal));
  cells.principal.classList.toggle("nobody", !session.principal);
  write(cells.use, (uses[session.use] ?? session.use) + (session.streams > 0 ? ", streams" : ""));
  cells.use.dataset.use = session.use;
  write(cells.idle, session.use === "in_use" ? "–" : duration(Math.floor(session.idle_seconds)));
  write(cells.age, age(session));
  write(cells.expires, duration(Math.floor(session.expires_in_seconds)));
  write(cells.requests, count(session.requests));
}

/** Shows these sessions. Whoever is at one of them by keyboard stays there, or at its successor. */
function writeRows(list) {
  const body = element("rows");
  const active = document.activeElement;
  const place = [...body.children].findIndex((row) => row.contains(active));
  const wanted = new Set(list.map(({ reference }) => reference));
  for (const [reference, { row }] of rows) {
    if (!wanted.has(reference)) {
      row.remove();
      rows.delete(reference);
    }
  }
  list.forEach((session, i) => {
    const known = rows.get(session.reference) ?? makeRow(session.reference);
    rows.set(session.reference, known);
    writeRow(known, session);
    if (body.children[i] !== known.row) {
      body.insertBefore(known.row, body.children[i] ?? null);
    }
  });
  if (place >= 0 && document.activeElement !== active) {
    const successor = body.children[Math.min(place, body.children.length - 1)];
    const same = active.isConnected ? active : successor?.querySelector(`[data-cell="${active.dataset.cell}"]`);
    (same ?? element("sessions")).focus();
  }
}

function writePage(page) {
  const number = wish.cursors.length;
  const isSorted = Boolean(wish.fields.sort);
  writeRows(page.sessions);
  element("none").hidden = page.sessions.length > 0;
  const place = isSorted ? `the first ${pageLength} at most` : `page ${number}`;
  write("page", `${sessions(page.sessions.length)}, ${place}`);
  // A disabled button would lose the focus to nobody.
  if (!page.next && document.activeElement === element("next")) {
    element("sessions").focus();
  }
  element("next").disabled = !page.next;
  element("previous").disabled = number === 1;
  for (const heading of document.querySelectorAll("[data-sort]")) {
    const isIt = heading.dataset.sort === wish.fields.sort;
    if (isIt) {
      heading.setAttribute("aria-sort", "descending");
    } else {
      heading.removeAttribute("aria-sort");
    }
  }
  const { principal } = wish.fields;
  element("delete-principal").hidden = !principal;
  write("delete-principal", "Delete all of ", nameOf(principal ?? ""), "…");
}

/** Marks what the endpoint does not understand, and asks no more until it is changed. */
function object(error) {
  const field = element("search").elements.namedItem(error.field ?? "");
  field?.setAttribute("aria-invalid", "true");
  const label = field?.labels[0]?.textContent;
  write("search-objection", `${label ? `${label}: ` : ""}${error.message}.`);
  wish.isRefused = true;
}

async function refreshList() {
  const asked = wish;
  if (asked.isRefused) {
    return;
  }
  try {
    const page = await askForPage();
    if (asked === wish) {
      asked.next = page.next;
      writePage(page);
    }
  } catch (error) {
    if (!(error instanceof Refused && error.status === 400)) {
      throw error;
    }
    if (asked === wish) {
      object(error);
    }
  }
}

/** The name that was taken from a session, until somebody writes another: a field cannot hold every name. */
let principalOfSession = null;

function search() {
  const form = element("search");
  const { principal: written, ...others } = Object.fromEntries(new FormData(form));
  const trimmed = Object.entries(others).map(([name, text]) => [name, text.trim()]);
  const wanted = [...trimmed, ["principal", principalOfSession ?? written]];
  const fields = Object.fromEntries(wanted.filter(([, text]) => text));
  for (const input of form.elements) {
    input.removeAttribute("aria-invalid");
  }
  write("search-objection", "");
  wish = { fields, cursors: [""], next: null };
  askNow();
}

function turn(cursors) {
  wish = { ...wish, cursors, next: null };
  askNow();
}

element("search").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
element("search").addEventListener("reset", () => {
  principalOfSession = null;
  // The fields are empty only after the event.
  setTimeout(search);
});
element("principal").addEventListener("input", () => {
  principalOfSession = null;
});
for (const choice of [element("use"), element("sort")]) {
  choice.addEventListener("change", search);
}
element("next").addEventListener("click", () => wish.next && turn([...wish.cursors, wish.next]));
element("previous").addEventListener("click", () => wish.cursors.length > 1 && turn(wish.cursors.slice(0, -1)));
element("delete-principal").addEventListener("click", () => deletePrincipal(wish.fields.principal));

// --- The token

const needsToken = document.documentElement.dataset.needsToken === "yes";
let isSignedIn = false;

function signIn() {
  isSignedIn = true;
  element("sign-in").hidden = true;
  element("forget-token").hidden = !token.get();
  askNow();
}

/** Leaves nothing of what was told to whoever had the token. */
function signOut(why) {
  isSignedIn = false;
  token.forget();
  document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
  element("session-facts").replaceChildren();
  writeRows([]);
  element("dashboard").hidden = true;
  element("forget-token").hidden = true;
  element("sign-in").hidden = false;
  element("state").dataset.state = "unknown";
  write("state", "locked");
  write("token-objection", why);
  const input = element("token");
  input.value = "";
  input.setAttribute("aria-invalid", String(Boolean(why)));
  input.focus();
}

/** What may be a token, as Options::token says: no header could hold just any text. */
const isToken = (text) => /^[A-Za-z0-9._~+/=-]{16,512}$/.test(text);

function signInWith(text) {
  if (!isToken(text)) {
    signOut("A token is 16 to 512 letters, digits and characters of -._~+/=.");
    return;
  }
  token.set(text);
  element("token").value = "";
  write("token-objection", "");
  signIn();
}

element("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  signInWith(element("token").value.trim());
});
element("forget-token").addEventListener("click", () => signOut(""));

/** The text that was percent-encoded so; itself if none was, which is no token either. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Signs in with the token that an address may bring behind its `#`, which no server is told; says whether it brought one
 * that is asked for. It is taken out of sight first, whatever it is.
 */
function signInByAddress() {
  const given = location.hash.match(/^#token=(.*)$/)?.[1];
  if (given === undefined) {
    return false;
  }
  history.replaceState(null, "", location.pathname);
  if (needsToken) {
    signInWith(decoded(given));
  }
  return needsToken;
}

// --- Once a second

const past = new Past();
let goneSince = null;
let timer = null;
let isAsking = false;
let isHurried = false;

function noteAnswer() {
  if (goneSince) {
    goneSince = null;
    element("banner").hidden = true;
    write("announcer", "The server answers again.");
  }
}

function noteSilence(problem) {
  if (!goneSince) {
    goneSince = new Date();
    past.interrupt();
    element("state").dataset.state = "unknown";
    write("state", "no answer");
    write("announcer", problem);
  }
  write("banner", `${problem} Since ${goneSince.toLocaleTimeString()}; asking again every second.`);
  element("banner").hidden = false;
}

async function refresh() {
  try {
    const stats = await ask("GET", "stats");
    const now = Date.now();
    noteAnswer();
    past.add(stats, now);
    element("dashboard").hidden = false;
    showOverview(stats, past, now);
    await refreshList();
    write("freshness", `As of ${new Date(now).toLocaleTimeString()}.`);
  } catch (error) {
    if (error instanceof Gone) {
      noteSilence("The server does not answer.");
    } else if (error instanceof Refused && error.status === 401) {
      signOut("The server does not know this token.");
    } else if (error instanceof Refused) {
      noteSilence(`The server cannot tell: ${error.message}.`);
    } else if (!(error instanceof Late)) {
      throw error;
    }
  }
}

/** Asks at once, or as soon as there is an answer to what was asked before; and then again every second. */
async function askNow() {
  clearTimeout(timer);
  if (!isSignedIn || document.hidden) {
    return;
  }
  if (isAsking) {
    isHurried = true;
    return;
  }
  isAsking = true;
  isHurried = false;
  try {
    await refresh();
  } finally {
    isAsking = false;
    timer = setTimeout(askNow, isHurried ? 0 : roundTime);
  }
}

document.addEventListener("visibilitychange", askNow);
addEventListener("hashchange", signInByAddress);
if (!signInByAddress()) {
  if (needsToken && !token.get()) {
    signOut("");
  } else {
    signIn();
  }
}
