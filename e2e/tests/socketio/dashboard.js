// A dashboard in Node, with the same arguments and orders as the one in Python.
const { io } = require("socket.io-client");

const [url, transports, headers] = process.argv.slice(1).filter((argument) => argument !== "--");
const options = {
  transports: transports.split(","),
  extraHeaders: JSON.parse(headers),
  reconnectionDelay: 100,
  reconnectionDelayMax: 500,
};
const say = (...what) => console.log(JSON.stringify(what));
const rows = io(url, options);
const events = io(`${url}/tributary`, options);
const shop = io(`${url}/shop`, options);

const connected = () => rows.connected && events.connected && say("connect", rows.io.engine.transport.name);
rows.on("connect", connected);
events.on("connect", connected);
rows.io.engine.on("upgrade", connected);
rows.on("disconnect", () => say("disconnect"));
rows.on("csv_update", (data) => say("csv_update", data));
events.onAny((name, data) => say("event", name, data));
shop.on("connect", () => say("shop"));
shop.on("connect_error", (error) => say("refused", { message: error.message }));

require("readline").createInterface({ input: process.stdin }).on("line", async (line) => {
  switch (line) {
    case "request":
      rows.emit("request_update");
      break;
    case "call":
      await rows.timeout(20000).emitWithAck("request_update");
      say("called", null);
      break;
    case "burst":
      await Promise.all([...Array(200).keys()].map((number) => rows.timeout(20000).emitWithAck("anything", number)));
      say("burst");
      break;
    case "leave":
      [rows, events, shop].forEach((socket) => socket.close());
      say("left");
  }
});
