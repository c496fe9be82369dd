// Keeps what is in view up to date, and says that a correction waits. Every page works without this.
"use strict";

const parts = () => document.querySelectorAll("[data-live]");

async function refresh() {
  // A form that was refused has no page of its own to ask for again.
  const page = location.pathname === "/update" ? "/" : location.href;
  const answer = await fetch(page, { headers: { Accept: "text/html" } });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts()) {
    const other = fresh.getElementById(part.id);
    // What a person is using is left alone.
    if (other && other.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) {
      part.innerHTML = other.innerHTML;
    }
  }
}

const look = () => refresh().catch(() => {});

let events = null;
let waiting = null;
// Many changes at once are one look.
const soon = () => { waiting ??= setTimeout(() => { waiting = null; look(); }, 300); };

function follow() {
  // A browser opens six connections to a server and no more: tabs that nobody sees must not hold them all.
  if (document.hidden || events) return;
  events = new EventSource("/api/v1/events");
  // Between the page and the connection something may have happened.
  for (const kind of ["open", "applied", "source", "edit", "report", "configuration", "reset"]) events.addEventListener(kind, soon);
}

function rest() {
  events?.close();
  events = null;
}

if (parts().length > 0) {
  follow();
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : follow()));
  addEventListener("pagehide", rest);
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  document.querySelector("form[action='/update']")?.addEventListener("submit", (event) => {
    const button = document.getElementById("submit");
    const { name, description } = event.target.elements;
    const entered = event.submitter?.name === "enter" && (name.value + description.value).trim() !== "";
    if (event.submitter !== button && !entered) return;
    // Not at once: the browser must still send the form as it is.
    setTimeout(() => { button.disabled = true; button.textContent = "Saving…"; }, 0);
    // A large version may be being applied: then the page says so while the correction waits.
    setTimeout(look, 150);
    setInterval(look, 1000);
  });
}
