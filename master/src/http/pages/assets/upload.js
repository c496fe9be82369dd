// Sends files with a progress bar and follows uploads in progress, including those of an earlier visit. The form works
// without it. A module, so that its names do not clash with those of the other script.

import { begun, cancel, forgetUnless, isRemembered, remember, transfer } from "/tus.js";

const list = document.getElementById("uploads");
const form = document.getElementById("upload-form");
// Each transfer and subscription holds a connection, and a browser opens only six per server.
const SENDING = 2;
const FOLLOWED = 2;

const waiting = [];
const sending = new Set();
// What was chosen on this page, by the id of its upload: a failed transfer can be repeated without asking for the file again.
const chosen = new Map();
const followed = new Map();
const isOurs = (id) => sending.has(id) || waiting.some((job) => job.id === id);
const isOver = (state) => state === "complete" || state === "failed";

const units = ["B", "KiB", "MiB", "GiB", "TiB"];
function bytes(count) {
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(count, 1)) / 10));
  return `${(count / 1024 ** power).toFixed(power ? 1 : 0)} ${units[power]}`;
}
function seconds(left) {
  if (!Number.isFinite(left)) return "";
  if (left < 60) return `${Math.ceil(left)} s left`;
  return left < 3600 ? `${Math.ceil(left / 60)} min left` : `${(left / 3600).toFixed(1)} h left`;
}
const counted = (count, what) => `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// Returns the line of an upload, which is created on top if it is new.
function line(id) {
  const known = list.querySelector(`[data-id="${id}"]`);
  if (known) return known;
  const made = element("li", "");
  made.dataset.id = id;
  list.prepend(made);
  document.getElementById("no-uploads").hidden = true;
  return made;
}

function button(text, act) {
  const made = element("button", "quiet", text);
  made.type = "button";
  made.addEventListener("click", () => act(made));
  return made;
}

// Updates a line: state, name, facts, links, error, lines for the configuration.
function show(id, { state, filename, facts, done, links = [], error, suggestions = [], buttons = [] }) {
  const at = line(id);
  const shape = JSON.stringify([state, filename, links, error, typeof done, buttons.map((one) => one.textContent)]);
  if (at.shape === shape && links.length === 0) {
    // A button that is replaced while it is pressed gets no click.
    at.querySelector(".facts").textContent = facts;
    if (typeof done === "number") at.querySelector("progress").value = done;
    return;
  }
  at.shape = shape;
  const focused = at.contains(document.activeElement) ? document.activeElement.textContent : null;
  const parts = [element("span", `state ${state}`, state), element("b", "filename", filename)];
  if (buttons.length > 0) {
    const all = element("span", "buttons");
    all.append(...buttons);
    parts.push(all);
  }
  if (done !== undefined) {
    const bar = element("progress", "");
    bar.max = 100;
    bar.setAttribute("aria-label", `${filename}: ${state}`);
    if (done !== null) bar.value = done;
    parts.push(bar);
  }
  const said = element("span", "facts", facts);
  for (const { title, href } of links) {
    const link = element("a", "", title);
    link.href = href;
    said.append(" · ", link);
  }
  parts.push(said);
  if (error) parts.push(element("span", "error", sentence(error)));
  if (suggestions.length > 0) parts.push(advice(suggestions));
  at.replaceChildren(...parts);
  if (focused) [...at.querySelectorAll("button")].find((other) => other.textContent === focused)?.focus();
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;

// Lines for the configuration, with a button to copy them.
function advice(suggestions) {
  const all = element("div", "suggestions");
  const intro = element("p", "", "No report claims this file, and its header lacks the columns of a product. Lines for ");
  intro.append(element("code", "", "tributary.toml"), ", after which it can be uploaded again:");
  all.append(intro);
  for (const { title, lines } of suggestions) {
    const shown = element("pre", "", lines);
    all.append(element("p", "", title), shown, button("Copy", (copy) => copyText(shown, copy)));
  }
  return all;
}

async function copyText(shown, copy) {
  try {
    await navigator.clipboard.writeText(shown.textContent);
    copy.textContent = "Copied";
  } catch {
    // Browsers give the clipboard to https and localhost only: select the text instead.
    getSelection().selectAllChildren(shown);
    copy.textContent = "Selected: press Ctrl C";
  }
}

// Shows the server's view of an upload.
function tell(upload) {
  const { id, filename, state, total, rows, percent, rejects, error, results, suggestions, sent_by: sender } = upload;
  const sent = total ? `${bytes(upload.bytes)} of ${bytes(total)}` : bytes(upload.bytes);
  const read = rows > 0 ? `, ${counted(rows, "row")}` : "";
  const rejected = rejects > 0 ? `, ${rejects.toLocaleString("en")} set aside` : "";
  const by = sender ? `, sent by ${sender}` : "";
  const kinds = {
    receiving: { facts: isRemembered(id) ? `${sent} · choose the file again to go on` : sent, done: total ? (100 * upload.bytes) / total : null },
    queued: { facts: `${bytes(upload.bytes)}, waits to be read`, done: null },
    processing: { facts: `${percent === null ? "" : `${percent.toFixed(0)} % read`}${read}`, done: percent },
    complete: { facts: `${bytes(upload.bytes)}${read}${rejected}${by}` },
    failed: { facts: `${bytes(upload.bytes)}${by}` },
  };
  show(id, { state, filename, links: results, error, suggestions, buttons: buttonsOf(id, state, filename), ...kinds[state] });
}

function buttonsOf(id, state, filename) {
  const away = () => fetch(`/api/v1/uploads/${id}`, { method: "DELETE" }).then(refresh);
  if (state === "failed") return [again(id, filename), button("Remove", () => forget(id))];
  if (state !== "complete") return [button("Cancel", away)];
  // This deletes the rows, too, so ask for confirmation.
  const sure = (first) => first.replaceWith(button("Remove file and rows", () => away().then(() => line(id).remove())));
  return [button("Remove", sure)];
}

// A button that sends a file again. The server keeps nothing of a failed upload, so the file must still be known here, or be chosen.
function again(id, filename) {
  const job = chosen.get(id);
  if (job) return button("Try again", () => retry(id, job.file, job.replace));
  return button("Choose it again", () => {
    const input = element("input", "");
    input.type = "file";
    input.setAttribute("aria-label", filename);
    input.addEventListener("change", () => retry(id, input.files[0], false));
    input.click();
  });
}

async function retry(id, file, replace) {
  const known = await upload(id);
  // The server still waits for the rest of it, or has never heard of it.
  if (!known || known.state === "receiving") return queue({ id, file, replace });
  await forget(id);
  await offer(file, replace);
}

// Forgets a failed upload, here and at the server, which may never have heard of it.
async function forget(id) {
  await fetch(`/api/v1/uploads/${id}`, { method: "DELETE" }).catch(() => null);
  chosen.delete(id);
  forgetUnless((other) => other !== id);
  line(id).remove();
}

const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

async function offer(file, replace) {
  const known = await begun(file, replace);
  if (known) {
    if (!isOurs(known.id)) queue(known);
    return;
  }
  const id = newId();
  show(id, { state: "waiting", filename: file.name, facts: bytes(file.size) });
  // Checked before sending gigabytes in vain; the server checks again.
  const answer = await fetch(`/api/v1/uploads?filename=${encodeURIComponent(file.name)}`);
  const others = answer.ok ? (await answer.json()).items : [];
  if (!replace && others.some((upload) => upload.state !== "failed")) ask(id, file, "");
  else queue({ id, file, replace });
}

// A file of that name exists: a person decides whether to replace it.
function ask(id, file, error) {
  const replace = button("Replace it", () => queue({ id, file, replace: true }));
  const keep = button("Keep it", () => line(id).remove());
  show(id, { state: "waiting", filename: file.name, facts: "There is a file of this name.", error, buttons: [replace, keep] });
}

function queue(job) {
  const cancel = button("Cancel", () => {
    waiting.splice(waiting.indexOf(job), 1);
    line(job.id).remove();
  });
  show(job.id, { state: "waiting", filename: job.file.name, facts: bytes(job.file.size), done: 0, buttons: [cancel] });
  waiting.push(job);
  sendNext();
}

function sendNext() {
  while (sending.size < SENDING && waiting.length > 0) send(waiting.shift());
}

async function send(job) {
  const { id, file, replace } = job;
  const stop = new AbortController();
  sending.add(id);
  unfollow(id);
  remember(job);
  chosen.set(id, job);
  const shown = (state, facts, loaded) => {
    const done = file.size ? (100 * loaded) / file.size : 100;
    show(id, { state, filename: file.name, facts, done, buttons: [button("Cancel", () => stop.abort())] });
  };
  let [times, sent] = [[], 0];
  const amount = (loaded) => `${bytes(loaded)} of ${bytes(file.size)}`;
  const progress = (loaded) => {
    // Speed over the last seconds.
    const now = performance.now();
    sent = loaded;
    times = [...times.filter(([at]) => now - at < 5000), [now, loaded]];
    const speed = (loaded - times[0][1]) / Math.max(0.2, (now - times[0][0]) / 1000);
    const left = loaded < file.size ? seconds((file.size - loaded) / speed) : "being stored";
    shown("sending", [amount(loaded), `${bytes(speed)}/s`, left].filter(Boolean).join(" · "), loaded);
  };
  const trouble = (why) => {
    times = [];
    shown("waiting", `${amount(sent)} · ${why}, trying again`, sent);
  };
  shown("sending", amount(0), 0);
  const failure = await transfer(job, stop.signal, progress, trouble).catch((error) => error);
  if (stop.signal.aborted) await cancel(id);
  sending.delete(id);
  const known = await upload(id);
  const isOurFailure = failure && !stop.signal.aborted && (failure.status === 0 || !isOver(known?.state));
  if (known && !isOurFailure) follow(known);
  else if (!known && failure?.status === 409 && !replace) ask(id, file, "");
  else if (isOurFailure) show(id, { state: "failed", filename: file.name, facts: bytes(file.size), error: failure.message, buttons: buttonsOf(id, "failed", file.name) });
  else if (stop.signal.aborted) line(id).remove();
  sendNext();
}

async function upload(id) {
  const answer = await fetch(`/api/v1/uploads/${id}`).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

function follow(known) {
  tell(known);
  if (isOver(known.state) || document.hidden || followed.has(known.id) || followed.size >= FOLLOWED) return;
  const events = new EventSource(`/api/v1/uploads/${known.id}/events`);
  followed.set(known.id, events);
  const end = () => unfollow(known.id);
  events.addEventListener("upload", (event) => {
    const news = JSON.parse(event.data);
    tell(news);
    if (isOver(news.state)) {
      end();
      refresh();
    }
  });
  events.addEventListener("error", () => {
    if (events.readyState !== EventSource.CLOSED) return;
    end();
    setTimeout(refresh, 1000);
  });
}

function unfollow(id) {
  followed.get(id)?.close();
  followed.delete(id);
}

// Shows all uploads but those being sent from this page, and follows those in progress.
async function refresh() {
  const answer = await fetch("/api/v1/uploads").catch(() => null);
  if (!answer?.ok) return;
  const { items } = await answer.json();
  const unfinished = new Set(items.filter(({ state }) => state === "receiving").map(({ id }) => id));
  forgetUnless((id) => unfinished.has(id) || isOurs(id));
  const shown = items.slice(0, 30).reverse();
  shown.filter(({ id }) => !isOurs(id) && !followed.has(id)).forEach(follow);
}

function choose(files) {
  const replace = document.querySelector("[name=replace]").checked;
  for (const file of files) offer(file, replace).catch(() => queue({ id: newId(), file, replace }));
}

document.getElementById("drop-hint").hidden = false;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  choose(document.getElementById("files").files);
  form.reset();
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  choose(event.dataTransfer.files);
});
addEventListener("beforeunload", (event) => {
  // Leaving ends the transfer, until the same file is chosen again.
  if (sending.size > 0 || waiting.length > 0) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    followed.forEach((events) => events.close());
    followed.clear();
  } else {
    refresh();
  }
});
refresh();
