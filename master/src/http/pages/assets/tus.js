// Sends one file in parts, as tus 1.0, and goes on after a failure where the master stopped. It remembers in this browser which uploads
// have begun, so that the same file, chosen again after a reload, goes on too. The page does not belong here.

// Less than any proxy allows, and enough that the time between two parts does not count.
const PART = 16 * 1024 * 1024;
// Seconds before each further try; the last one repeats.
const DELAYS = [1, 2, 5, 10, 20, 30];
// Seconds without progress after which a connection counts as lost. A laptop that wakes up notices a dead one only late.
const MAX_SILENCE = 60;
const PREFIX = "upload:";

const url = (id = "") => `/api/v1/tus/${id}`;
const headers = { "Tus-Resumable": "1.0.0" };
const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const keyOf = ({ file, replace }) => PREFIX + JSON.stringify([file.name, file.size, file.lastModified, replace]);

// A browser may forbid to store anything; then a reload begins anew.
function stored(act) {
  try {
    return act(localStorage);
  } catch {
    return null;
  }
}
export const remember = (job) => stored((storage) => storage.setItem(keyOf(job), job.id));
const recall = (job) => stored((storage) => storage.getItem(keyOf(job)));
const entries = () => stored((storage) => Object.entries(storage).filter(([key]) => key.startsWith(PREFIX))) ?? [];
export const isRemembered = (id) => entries().some(([, known]) => known === id);
export const forgetUnless = (keep) =>
  entries().forEach(([key, id]) => keep(id) || stored((storage) => storage.removeItem(key)));

// Why a request failed. `mayRecover` says that another one may succeed.
class Failure extends Error {
  constructor(status, text, mayRecover = status < 400 || [408, 409, 425, 429].includes(status) || (status >= 500 && status !== 507)) {
    super(text);
    Object.assign(this, { status, mayRecover });
  }
}
function failed(status, body) {
  try {
    return new Failure(status, JSON.parse(body).detail);
  } catch {
    return new Failure(status, status ? `the server answers ${status}` : "connection lost");
  }
}

// Says in a few words why a transfer waits.
function reason(status) {
  if (status === 503) return "the master is busy";
  if (status === 409) return "it is sent from elsewhere too";
  return status >= 500 ? `the server answers ${status}` : "connection lost";
}

async function ask(path, method, more, signal) {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(1000 * MAX_SILENCE)]);
  const answer = await fetch(path, { method, headers: { ...headers, ...more }, signal: limit }).catch(() => {
    throw failed(0);
  });
  if (!answer.ok) throw failed(answer.status, await answer.text());
  // A login page of a network, which has taken nothing.
  if (!answer.headers.has("Tus-Resumable")) throw failed(0);
  return answer;
}

// How much the master has of an upload; null if it has none.
async function find(id, signal) {
  try {
    const answer = await ask(url(id), "HEAD", {}, signal);
    return Number(answer.headers.get("Upload-Offset"));
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

// The upload of this file that was begun earlier and can go on; null if there is none.
export async function begun(file, replace) {
  // A person may have allowed the replacement only later.
  for (const job of [{ file, replace }, { file, replace: true }]) {
    const id = recall(job);
    const offset = id && (await find(id, new AbortController().signal).catch(() => null));
    if (offset !== null && offset < file.size) return { ...job, id, isBegun: true };
  }
  return null;
}

async function create({ id, file, replace }, signal) {
  const pairs = [`filename ${base64(file.name)}`, `id ${base64(id)}`, ...(replace ? [`replace ${base64("1")}`] : [])];
  try {
    await ask(url(), "POST", { "Upload-Length": file.size, "Upload-Metadata": pairs.join() }, signal);
  } catch (error) {
    // There is a file of that name: no other try changes that.
    throw error.status === 409 ? new Failure(409, error.message, false) : error;
  }
  return 0;
}

// Sends one part, and returns how much the master has then.
function append({ id, file }, offset, signal, progress) {
  const xhr = new XMLHttpRequest();
  const abort = () => xhr.abort();
  let silence;
  const heard = (sent) => {
    clearTimeout(silence);
    silence = setTimeout(abort, 1000 * MAX_SILENCE);
    progress(offset + sent);
  };
  return new Promise((resolve, reject) => {
    xhr.upload.addEventListener("progress", (event) => heard(event.loaded));
    xhr.addEventListener("loadend", () => {
      clearTimeout(silence);
      signal.removeEventListener("abort", abort);
      if (xhr.status === 204) resolve(Number(xhr.getResponseHeader("Upload-Offset")));
      else reject(failed(xhr.status, xhr.responseText));
    });
    signal.addEventListener("abort", abort);
    xhr.open("PATCH", url(id));
    xhr.setRequestHeader("Tus-Resumable", headers["Tus-Resumable"]);
    xhr.setRequestHeader("Upload-Offset", offset);
    xhr.setRequestHeader("Content-Type", "application/offset+octet-stream");
    heard(0);
    xhr.send(file.slice(offset, offset + PART));
  });
}

// A file that was changed or deleted since it was chosen cannot be read any more, which looks like a lost connection.
async function isReadable(file) {
  return file.slice(0, 1).arrayBuffer().then(() => true, () => false);
}

// Waits, but not when the network is back before.
function pause(seconds, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      resolve();
    };
    const timer = setTimeout(end, 1000 * seconds);
    addEventListener("online", end);
    signal.addEventListener("abort", end, { once: true });
  });
}

// Sends a file until the master has all of it. `progress` gets the bytes sent, `trouble` why it waits. Throws a failure that is final.
export async function transfer(job, signal, progress, trouble) {
  let tries = 0;
  let hasAsked = false;
  let isNew = !job.isBegun;
  for (;;) {
    try {
      const known = isNew ? null : await find(job.id, signal);
      isNew = false;
      let offset = known ?? (await create(job, signal));
      while (offset < job.file.size) {
        offset = await append(job, offset, signal, progress);
        tries = 0;
        hasAsked = false;
      }
      return;
    } catch (error) {
      if (signal.aborted || !error.mayRecover) throw error;
      // Browsers repeat a request by themselves if its connection breaks, of which a part may have arrived.
      if (error.status === 409 && !hasAsked) {
        hasAsked = true;
        continue;
      }
      if (!(await isReadable(job.file))) {
        await cancel(job.id);
        throw new Failure(0, "the file was changed or deleted; choose it again", false);
      }
      trouble(reason(error.status));
      await pause(DELAYS[Math.min(tries, DELAYS.length - 1)], signal);
      tries += 1;
      if (signal.aborted) throw error;
    }
  }
}

// Takes back what the master has of an upload.
export const cancel = (id) => fetch(url(id), { method: "DELETE", headers }).catch(() => null);
