// Keeps the page up to date and shows that a correction is waiting. Every page works without this script.
"use strict";

const parts = () => document.querySelectorAll("[data-live]");

const status = document.getElementById("live");
const say = (words) => { if (status && status.textContent !== words) status.textContent = words; };

// Makes `old` what `fresh` is and touches only what differs, so that what is selected, focused, scrolled or opened stays so.
function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || old.id !== fresh.id) return old.replaceWith(fresh);
  if (old.nodeType !== Node.ELEMENT_NODE) return void (old.nodeValue = fresh.nodeValue);
  for (const { name } of [...old.attributes]) {
    // People open details themselves.
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old === document.activeElement && old.matches("input, textarea, select")) return;
  const [before, after] = [[...old.childNodes], [...fresh.childNodes]];
  after.forEach((child, at) => (before[at] ? morph(before[at], child) : old.append(child)));
  before.slice(after.length).forEach((child) => child.remove());
}

async function refresh() {
  // A refused form is shown at /update, which cannot be fetched with GET. The same product is.
  const sku = document.getElementById("sku")?.defaultValue ?? "";
  const page = location.pathname === "/update" ? `/?${new URLSearchParams({ sku })}` : location.href;
  const answer = await fetch(page, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  // A master that has taken over has forms, which this page lacks.
  if (document.getElementById("role") && fresh.getElementById("main") && !fresh.getElementById("role")) return location.reload();
  const others = [...parts()].map((part) => [part, fresh.getElementById(part.id)]).filter(([, other]) => other);
  // A login page of a network has none.
  if (others.length === 0) throw new Error("another page");
  for (const [part, other] of others) morph(part, document.importNode(other, true));
  age();
}

const look = () => refresh().catch(() => say("the master does not answer; trying again"));

let events = null;
let waiting = null;
// Combines many events into one refresh.
const soon = () => { waiting ??= setTimeout(() => { waiting = null; look(); }, 300); };

// Time between two looks while there is no event stream, and while there is one: plots go on when nothing happens.
const POLL = 5000;
const TICK = 60000;
let looked = Date.now();

setInterval(() => {
  if (document.hidden || parts().length === 0) return;
  const isOpen = events?.readyState === EventSource.OPEN;
  if (Date.now() - looked < (isOpen ? TICK : POLL)) return;
  looked = Date.now();
  // A browser gives a stream up for good if it was refused.
  if (events?.readyState === EventSource.CLOSED) { rest(); follow(); }
  look();
}, 1000);

function follow() {
  // A browser opens only six connections per server: hidden tabs must not hold them all.
  if (document.hidden || events) return;
  events = new EventSource("/api/v1/events");
  events.addEventListener("open", () => say("live"));
  events.addEventListener("error", () => say(`no live connection: this page looks every ${POLL / 1000} seconds`));
  // Something may have changed before the connection was open.
  for (const kind of ["open", "applied", "source", "held", "accepted", "removed", "edit", "report", "configuration", "reset"]) events.addEventListener(kind, soon);
}

function rest() {
  events?.close();
  events = null;
}

// As the server says it, see moment.rs.
function distance(seconds) {
  const size = Math.abs(seconds);
  const [count, unit] = size < 60 ? [size, "s"] : size < 3600 ? [size / 60, "min"] : size < 172800 ? [size / 3600, "h"] : [size / 86400, "days"];
  if (seconds <= 0 && seconds > -5) return "just now";
  const words = `${Math.floor(count)} ${unit}`;
  return seconds > 0 ? `in ${words}` : `${words} ago`;
}

function age() {
  for (const time of document.querySelectorAll("time.ago")) {
    const words = distance(Math.round((Date.parse(time.dateTime) - Date.now()) / 1000));
    if (time.textContent !== words) time.textContent = words;
  }
}

setInterval(age, 5000);

// Shows the product of the form, with what was typed so far, at an address that can be shared.
function lookUp(event) {
  event.preventDefault();
  const fields = [...event.target.form.querySelectorAll("input:not([type=hidden], [type=checkbox]:not(:checked)), textarea")];
  const typed = fields.map(({ name, value }) => [name, value]).filter(([, text]) => text.trim() !== "");
  location.assign(`/?${new URLSearchParams(typed)}`);
}

if (parts().length > 0) {
  follow();
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : follow()));
  addEventListener("pagehide", rest);
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  // Without this script, Enter in the sku field saves what was typed below it.
  document.getElementById("sku")?.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    lookUp(event);
  });
  document.getElementById("show-product")?.addEventListener("click", lookUp);

  document.querySelector("form[action='/update']")?.addEventListener("submit", (event) => {
    const button = document.getElementById("submit");
    const unseen = ["sku", "enter", "version", "form-of"];
    const typed = [...new FormData(event.target)].some(([name, text]) => !unseen.includes(name) && text.trim() !== "");
    const entered = event.submitter?.name === "enter" && typed;
    if (event.submitter !== button && !entered) return;
    // Deferred: the browser must still send the form as it is.
    setTimeout(() => { button.disabled = true; button.textContent = "Saving…"; }, 0);
    // If a large version is being applied, the page says so while the correction waits.
    setTimeout(look, 150);
    setInterval(look, 1000);
  });
}
