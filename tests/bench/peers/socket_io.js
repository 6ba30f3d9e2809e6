// The peer "Socket.IO": what its control connection, a plain WebSocket, says goes to everybody, on WebSockets alone.
"use strict";
const http = require("node:http");
const { Server } = require("socket.io");
const { WebSocketServer } = require("ws");

const server = http.createServer();
const bench = new Server(server, { transports: ["websocket"], serveClient: false });
const control = new WebSocketServer({ noServer: true });

control.on("connection", (socket) => {
  socket.on("error", console.error);
  socket.on("message", (message) => bench.emit("m", JSON.parse(message)));
});

server.on("upgrade", (request, socket, head) => {
  if (request.url === "/control") {
    control.handleUpgrade(request, socket, head, (connection) => control.emit("connection", connection));
  }
});

server.listen({ host: "127.0.0.1", port: 0, backlog: 1024 }, () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
