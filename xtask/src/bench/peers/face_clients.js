// Pages that people have open, as live.js keeps them up to date, and clients of Socket.IO. They say when each saw a change.
"use strict";
const http = require("http");
const zlib = require("zlib");
const { io } = require("socket.io-client");

const [url, pages, sockets] = process.argv.slice(2).map((argument, at) => (at === 0 ? argument : Number(argument)));
// As in live.js: many events make one look, and there is one a minute in any case.
const SOON = 300;
const TICK = 60000;
// A change that somebody does not see for so long is given up.
const PATIENCE = 30000;
const RETRY = 1000;
const STAGGER = 20;
const KINDS = /^event: ?(applied|source|held|edit|report|configuration|reset)$/m;

const agent = new http.Agent({ keepAlive: true });
let wanted = null;
let waiting = pages + sockets;
let given = null;

const ready = () => --waiting === 0 && console.log("ready");

function report() {
  clearTimeout(given);
  console.log(JSON.stringify({ pages: [...wanted.pages.values()], sockets: [...wanted.sockets.values()] }));
  wanted = null;
}

function saw(kind, number) {
  if (wanted[kind].has(number)) return;
  wanted[kind].set(number, Date.now());
  if (wanted.pages.size === pages && wanted.sockets.size === sockets) report();
}

function look(number) {
  const headers = { Accept: "text/html", "Accept-Encoding": "gzip" };
  const request = http.get(url + "/", { agent, headers }, (answer) => {
    // A client that was busy for seconds gets a 408, because the server had waited for its request. A page looks again.
    if (answer.statusCode !== 200) return answer.resume(), setTimeout(look, RETRY, number);
    const body = answer.headers["content-encoding"] === "gzip" ? answer.pipe(zlib.createGunzip()) : answer;
    const parts = [];
    answer.on("error", () => setTimeout(look, RETRY, number));
    body.on("data", (part) => parts.push(part));
    body.on("end", () => wanted && Buffer.concat(parts).includes(wanted.sku) && saw("pages", number));
  });
  // A server may close a kept connection just then. A browser asks again.
  request.on("error", () => setTimeout(look, request.reusedSocket ? 0 : RETRY, number));
}

function open(number, isFirst = true) {
  let timer = null;
  let isOpen = false;
  const soon = () => { timer ??= setTimeout(() => { timer = null; look(number); }, SOON); };
  const again = () => setTimeout(open, RETRY, number, isFirst);
  const request = http.get(url + "/api/v1/events", { agent: false, headers: { Accept: "text/event-stream" } }, (stream) => {
    if (isFirst) ready();
    isOpen = true;
    isFirst = false;
    soon();
    stream.setEncoding("utf8");
    stream.on("data", (text) => KINDS.test(text) && soon());
    stream.on("error", () => {}).on("close", again);
  });
  request.on("error", () => isOpen || again());
}

function keep(number) {
  open(number);
  // They were not all opened in the same second.
  setTimeout(() => setInterval(look, TICK, number), (TICK * number) / pages);
}

function connect(number) {
  const socket = io(url, { transports: ["websocket"], forceNew: true });
  let isFirst = true;
  socket.on("csv_update", (rows) => {
    if (isFirst) { isFirst = false; ready(); }
    if (wanted && rows.some((row) => row.name === wanted.name)) saw("sockets", number);
  });
}

// A process that connects all at once would keep the server waiting for its requests.
for (let number = 0; number < pages; number++) setTimeout(keep, number * STAGGER, number);
for (let number = 0; number < sockets; number++) setTimeout(connect, (pages + number) * STAGGER, number);

require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const [sku, name] = line.split(" ");
  wanted = { sku, name, pages: new Map(), sockets: new Map() };
  given = setTimeout(report, PATIENCE);
  console.log("watching");
}).on("close", () => process.exit(0));
