/**
 * A model provider for the benchmark of the upstream clients, made of Node's own servers: plain, TLS
 * with HTTP/1.1, and TLS with HTTP/2. `/json` answers 1.5 kB, `/stream` 100 events written at once, `/paced`
 * 100 events one after the other. Prints `ready` with its ports and its certificate.
 */
import { makeCertificate } from "@atelier/gateway/upstream/test-certificate-testkit";
import { once } from "node:events";
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

const certificate = makeCertificate("localhost");
const json = Buffer.from(JSON.stringify({ text: "x".repeat(1_480) }));
const event = Buffer.from(`data: ${"x".repeat(192)}\n\n`);

const answer: RequestListener = (req, res) => {
  req.on("data", () => {});
  req.on("end", () => {
    if (req.url === "/json") {
      res.writeHead(200, { "content-type": "application/json", "content-length": json.length });
      res.end(json);
      return;
    }
    res.writeHead(200, { "content-type": "text/event-stream" });
    if (req.url === "/paced") paced(res);
    else {
      for (let i = 0; i < 100; i += 1) res.write(event);
      res.end();
    }
  });
};

/** 100 events, 20 ms apart. */
function paced(res: ServerResponse): void {
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    if (sent <= 100) res.write(event);
    else {
      clearInterval(timer);
      res.end();
    }
  }, 20);
}

async function portOf(server: Pick<Server, "listen" | "address" | "once">): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server as Server, "listening"); // All three are event emitters.
  return (server.address() as AddressInfo).port;
}

const plain = await portOf(createServer({ keepAliveTimeout: 60_000 }, answer));
const tls = await portOf(createTlsServer({ ...certificate, keepAliveTimeout: 60_000 }, answer));
// HTTP/2's compatibility API calls listeners with the same two things.
const h2 = await portOf(createSecureServer(certificate, answer as never) as unknown as Server);
console.log(`ready ${JSON.stringify({ plain, tls, h2, ca: certificate.cert })}`);
