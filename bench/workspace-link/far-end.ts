/**
 * A program at the far end of a measured connection, in a process of its own. Prints `port N`.
 *
 * `target`: what one asks for is its connection's first byte: `e` sends back what comes; `d` and a length send
 * so many bytes; `u` and a length take so many, and then say one byte.
 * `relay <port>`: passes connections on to that port, with nothing but Node's own pipes.
 */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** After the letter: 48 bits, big end first. */
const LENGTH_BYTES = 6;
const CHUNK = Buffer.alloc(256 * 1024);

/** What a connection to the target begins with. */
export function requestBytes(what: "e" | "d" | "u", bytes = 0): Buffer {
  const request = Buffer.alloc(what === "e" ? 1 : 1 + LENGTH_BYTES, what);
  if (what !== "e") request.writeUIntBE(bytes, 1, LENGTH_BYTES);
  return request;
}

async function serve(socket: Socket): Promise<void> {
  const first = await readSome(socket, 1);
  const what = String.fromCharCode(first[0] ?? 0);
  if (what === "e") {
    socket.unshift(first.subarray(1));
    socket.pipe(socket);
    return;
  }
  const head = await readSome(socket, LENGTH_BYTES, first.subarray(1));
  const length = head.readUIntBE(0, LENGTH_BYTES);
  if (what === "d") {
    for (let left = length; left > 0; left -= CHUNK.byteLength) {
      if (!socket.write(CHUNK.subarray(0, left))) await once(socket, "drain");
    }
    socket.end();
    return;
  }
  let taken = head.byteLength - LENGTH_BYTES;
  socket.on("data", (bytes: Buffer) => {
    taken += bytes.byteLength;
    if (taken >= length) socket.end("!");
  });
  socket.resume();
}

async function readSome(
  socket: Socket,
  bytes: number,
  held: Buffer = Buffer.alloc(0),
): Promise<Buffer> {
  let all = held;
  while (all.byteLength < bytes) {
    const [more] = (await once(socket, "data")) as [Buffer];
    all = Buffer.concat([all, more]);
  }
  socket.pause();
  return all;
}

function relay(socket: Socket, port: number): void {
  const onward = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  onward.on("error", () => socket.destroy());
  socket.on("close", () => onward.destroy());
  socket.pipe(onward).pipe(socket);
}

if (import.meta.main) {
  const [role, port] = process.argv.slice(2);
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {}); // `close` follows.
    if (role === "relay") relay(socket, Number(port));
    else serve(socket).catch(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  console.log(`port ${(server.address() as AddressInfo).port}`);
}
