// The peer "ws": what its control connection says goes to everybody else, as its documentation has it.
"use strict";
const http = require("node:http");
const { WebSocket, WebSocketServer } = require("ws");

const server = http.createServer();
const sockets = new WebSocketServer({ server });
const audience = new Set();

sockets.on("connection", (socket, request) => {
  socket.on("error", console.error);
  if (request.url === "/control") {
    socket.on("message", (message) => {
      for (const client of audience) {
        if (client.readyState === WebSocket.OPEN) client.send(message, { binary: false });
      }
    });
    return;
  }
  audience.add(socket);
  socket.on("close", () => audience.delete(socket));
  socket.send('{"type":"connection_status"}');
});

server.listen({ host: "127.0.0.1", port: 0, backlog: 1024 }, () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
