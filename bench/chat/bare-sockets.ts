/** A WebSocket server that greets and keeps quiet: what sockets cost without anything behind them. */
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("connection", (socket) => socket.send("hello"));
server.on("listening", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) {
    console.log(`ws://127.0.0.1:${address.port}`);
  }
});
