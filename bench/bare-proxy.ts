/** The yardstick: `node:http` piped to `node:http`, and nothing else. Usage: bare-proxy.ts <upstream> */
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";

const upstreamUrl = new URL(process.argv[2] ?? "");
const { Agent, request } = upstreamUrl.protocol === "https:" ? https : http;
const agent = new Agent({ keepAlive: true });

const server = http.createServer((req, res) => {
  const headers = { ...req.headers, host: upstreamUrl.host };
  const { hostname: host, port } = upstreamUrl;
  const upstream = request(
    { agent, host, port, path: req.url, method: req.method, headers },
    (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    },
  );
  upstream.on("error", () => res.destroy());
  res.on("close", () => upstream.destroy());
  req.pipe(upstream);
});
server.listen(0, "127.0.0.1", () => {
  console.log(`port ${(server.address() as AddressInfo).port}`);
});
