// Pages that are kept open as `live.js` keeps them, and dashboards of socket.io-client. Arguments: the address, how many pages, how many
// dashboards. An order is a sku with its new name: each says once that it shows it. `leave` closes all.
const http = require("http");
const readline = require("readline");
const { io } = require("socket.io-client");

const [url, pages, dashboards] = process.argv.slice(1).filter((argument) => argument !== "--");
const say = (...what) => console.log(JSON.stringify(what));
const all = (count, open) => [...Array(+count).keys()].map(open);

let wanted = [];
let counts = { page: new Set(), dashboard: new Set() };
let isLeaving = false;
const broken = (error) => { if (!isLeaving) throw error; };
const shows = (kind, number) => {
  if (counts[kind].has(number)) return;
  counts[kind].add(number);
  say(wanted.length ? "shown" : "open", counts.page.size, counts.dashboard.size);
};

function page(number) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let waiting = null;
  const soon = () => { waiting ??= setTimeout(() => { waiting = null; look(); }, 300); };
  const look = () => http.get(url, { agent, headers: { Accept: "text/html" } }, (answer) => {
    let body = "";
    answer.setEncoding("utf8").on("data", (part) => { body += part; }).on("end", () => {
      if (answer.statusCode === 200 && (!wanted.length || body.includes(wanted[0]))) shows("page", number);
    });
  // The server closes idle connections.
  }).on("error", () => isLeaving || soon());
  const stream = http.get(`${url}/api/v1/events`, { agent: false }, (answer) => {
    soon();
    const lines = readline.createInterface({ input: answer });
    lines.on("line", (line) => line.startsWith("event:") && soon()).on("error", broken);
  });
  return () => { stream.destroy(); agent.destroy(); };
}

function dashboard(number) {
  const socket = io(url, { transports: ["websocket"], forceNew: true });
  socket.on("csv_update", (rows) => {
    const [sku, name] = wanted;
    if (!wanted.length || rows.some((row) => row.sku === sku && row.name === name)) shows("dashboard", number);
  });
  return () => socket.close();
}

const close = [...all(pages, page), ...all(dashboards, dashboard)];

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "leave") {
    isLeaving = true;
    close.forEach((one) => one());
    return say("left");
  }
  wanted = line.split(" ");
  counts = { page: new Set(), dashboard: new Set() };
});
