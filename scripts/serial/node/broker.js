// An MQTT broker behind WebSocket, with and without TLS, for the serial tests.
//
// Its argument is a JSON list of listeners: {name, address, port, kind: "tcp" | "ws" | "wss", tls: {cert, key, ca}},
// where `ca` asks for a client certificate and port 0 means any. It prints `listening` and their ports as JSON when
// all of them do, and then a line for each thing that happens. NODE_PATH names the folder of its packages.
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const net = require("node:net");
const aedes = require("aedes")({ heartbeatInterval: 5000 });
const { WebSocketServer, createWebSocketStream } = require("ws");

const say = (...words) => fs.writeSync(1, words.join(" ") + "\n");

aedes.on("clientReady", (client) => say("ready", client.id));
aedes.on("clientDisconnect", (client) => say("gone", client.id));
aedes.on("ping", (_packet, client) => say("ping", client.id));
aedes.on("subscribe", (list, client) => list.forEach((entry) => say("subscribe", client.id, entry.topic, entry.qos)));
aedes.on("unsubscribe", (list, client) => list.forEach((topic) => say("unsubscribe", client.id, topic)));
aedes.on("publish", (packet, client) => {
  if (client) say("publish", client.id, packet.topic, packet.qos, packet.payload.length);
});
aedes.on("connectionError", (client, error) => say("error", client.id, error.message));
aedes.on("clientError", (client, error) => say("error", client.id, error.message));

function credentials({ cert, key, ca }) {
  const read = (file) => fs.readFileSync(file);
  const demand = ca ? { ca: read(ca), requestCert: true, rejectUnauthorized: true } : {};
  return { cert: read(cert), key: read(key), ...demand };
}

function webSocket(server) {
  const sockets = new WebSocketServer({ server, handleProtocols: (names) => names.has("mqtt") && "mqtt" });
  sockets.on("connection", (socket, request) => {
    say("websocket", request.url, socket.protocol);
    const stream = createWebSocketStream(socket);
    stream.on("error", (error) => say("error", error.message));
    aedes.handle(stream, request);
  });
  return server;
}

function serverOf(listener) {
  if (listener.kind === "tcp") return net.createServer(aedes.handle);
  if (listener.kind === "ws") return webSocket(http.createServer());
  const server = https.createServer(credentials(listener.tls));
  server.on("tlsClientError", (error) => say("tls", listener.name, error.code || error.message));
  return webSocket(server);
}

async function main() {
  const ports = {};
  for (const listener of JSON.parse(process.argv[2])) {
    const server = serverOf(listener);
    await new Promise((resolve, reject) => {
      server.on("error", reject);
      server.listen(listener.port, listener.address, resolve);
    });
    ports[listener.name] = server.address().port;
  }
  say("listening", JSON.stringify(ports));
}

main();
