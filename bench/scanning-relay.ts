/**
 * The floor of large bodies: a relay that gathers each request, reads its JSON as the gateway does, and passes it on in
 * one write. Nothing else is looked at. Usage: scanning-relay.ts <upstream>
 */
import { BytePieces } from "@atelier/model-wire/byte-pieces";
import { readModelRequest } from "@atelier/model-wire/read-request";
import { connect, createServer, type AddressInfo } from "node:net";

const { hostname: host, port } = new URL(process.argv[2] ?? "");

const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ host, port: Number(port), noDelay: true });
  let pieces: Buffer[] = [];
  let missing = 0;
  client.on("data", (piece: Buffer) => {
    if (pieces.length === 0) {
      const end = piece.indexOf("\r\n\r\n") + 4;
      const head = piece.toString("latin1", 0, end);
      upstream.cork();
      upstream.write(piece.subarray(0, end));
      missing = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0) - (piece.length - end);
      pieces.push(piece.subarray(end));
    } else {
      missing -= piece.length;
      pieces.push(piece);
    }
    if (missing > 0) return;
    if (!readModelRequest("chat_completions", new BytePieces(pieces)).ok) client.destroy();
    for (const each of pieces) upstream.write(each);
    upstream.uncork();
    pieces = [];
  });
  upstream.on("data", (piece: Buffer) => client.write(piece));
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.on("error", () => {}); // `close` follows.
    from.on("close", () => to.destroy());
  }
});
server.listen(0, "127.0.0.1", () => {
  console.log(`port ${(server.address() as AddressInfo).port}`);
});
