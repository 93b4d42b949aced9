/**
 * The floor: each client's connection has one of its own to the upstream, and bytes go from one to the other,
 * unread. What a relay on Node's sockets costs before it knows anything. Usage: raw-relay.ts <upstream>
 */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

const { hostname: host, port } = new URL(process.argv[2] ?? "");

function pass(from: Socket, to: Socket): void {
  from.on("data", (chunk: Buffer) => {
    if (to.write(chunk)) return;
    from.pause();
    to.once("drain", () => from.resume());
  });
  from.on("error", () => {}); // `close` follows.
  from.on("close", () => to.destroy());
}

const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ host, port: Number(port), noDelay: true });
  pass(client, upstream);
  pass(upstream, client);
});
server.listen(0, "127.0.0.1", () => {
  console.log(`port ${(server.address() as AddressInfo).port}`);
});
