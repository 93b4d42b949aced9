/** Requests as clients and those who mean harm send them: mostly plain, often odd, several on one connection. */
import type { SeededDraws } from "@atelier/model-wire/seeded-draws";

const PLAIN_HEADERS = [
  "Content-Type: application/json",
  "User-Agent: sim/1.0",
  "Authorization: Bearer abc",
  "accept:*/*",
  "X-Empty:",
  "x-spaces:   in between   ",
  "X-Tabs:\tvalue\t",
  "Connection: keep-alive",
  "Cookie: a=b; c=d",
];

const ODD_HEADERS = [
  "Host: other",
  "Content-Length: 3",
  "Content-Length: +3",
  "Content-Length: 03",
  "Content-Length: 3, 3",
  "Content-Length:",
  "Content-Length: 3 3",
  "Content-Length: 0x3",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: identity",
  "Transfer-Encoding: gzip, chunked",
  "transfer-encoding : chunked",
  "Expect: 100-continue",
  "Expect: something",
  "Upgrade: websocket\r\nConnection: upgrade",
  "Upgrade: h2c",
  "Connection: close",
  "Connection: Keep-Alive, x-a",
  "Connection: upgrade",
  "Keep-Alive: timeout=1",
  "TE: trailers",
  " folded: value",
  "X-A: one\r\n two",
  "no colon",
  ": no name",
  "bad name: x",
  "b\u00e4d: x",
  "x-high: \u00e4\u00ff",
  "x-nul: a\0b",
  "x-bare: a\nContent-Length: 5",
  "x-return: a\rb",
  "x-delete: \x7f",
  "__proto__: x",
  "constructor: x",
  "Set-Cookie: a=b",
  "X-Twice: 1\r\nx-twice: 2",
  "Proxy-Connection: close",
  "Trailer: x",
];

const ODD_LINES = [
  "get /gate/a HTTP/1.1",
  "GET  /gate/a HTTP/1.1",
  "GET /gate/a  HTTP/1.1",
  "GET /gate/a HTTP/1.0",
  "GET /gate/a HTTP/1.2",
  "GET /gate/a HTTP/2.0",
  "GET /gate/a",
  "GET http://x/gate/a HTTP/1.1",
  "GET /other HTTP/1.1",
  "GET * HTTP/1.1",
  "PUT /gate/a HTTP/1.1",
  "HEAD /gate/a HTTP/1.1",
  "OPTIONS /gate HTTP/1.1",
  "DELETE /gate/a HTTP/1.1",
  "POSTS /gate/a HTTP/1.1",
  "GET /gate/\u00e4 HTTP/1.1",
  "GET /gate/a\tb HTTP/1.1",
  'GET /gate/"<>^`{|}\\#x HTTP/1.1',
  "\r\nGET /gate/a HTTP/1.1",
  "PRI * HTTP/2.0",
];

/** Latin-1. The last request asks for the connection's end, if it is understood as one. */
export function simulateRequests(draws: SeededDraws, prefix: string): string[] {
  const count = 1 + draws.below(3);
  const requests = Array.from({ length: count }, () => simulateRequest(draws, prefix));
  requests.push(`GET ${prefix}/last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  return requests.map((text) => (draws.once(20) ? damaged(draws, text) : text));
}

const HEAD_END_LENGTH = 4;

function damaged(draws: SeededDraws, text: string): string {
  // A body that is too long is a request that comes too early for a fair comparison.
  if (!text.endsWith("\r\n\r\n")) return text;
  const at = draws.below(text.length - HEAD_END_LENGTH);
  const strange = draws.pick(["\r", "\n", " ", "\0", "\t", ":", "\x80", "A"]);
  return text.slice(0, at) + strange + text.slice(at + draws.below(2));
}

function simulateRequest(draws: SeededDraws, prefix: string): string {
  const body = draws.once(3) ? "" : "b".repeat(draws.pick([1, 5, 300, 20_000]));
  const isPost = body !== "" || draws.once(2);
  const way = draws.below(7);
  const line = `${isPost ? "POST" : "GET"} ${prefix}/model?way=${way} HTTP/1.1`;
  const headers = PLAIN_HEADERS.filter(() => draws.once(2));
  if (!draws.once(30)) headers.unshift("Host: x");
  if (body !== "") headers.splice(draws.below(headers.length + 1), 0, lengthOf(draws, body));
  if (draws.once(4)) headers.splice(draws.below(headers.length + 1), 0, draws.pick(ODD_HEADERS));
  const shown = draws.once(10) ? draws.pick(ODD_LINES) : line;
  return `${shown}\r\n${headers.join("\r\n")}${headers.length > 0 ? "\r\n" : ""}\r\n${body}`;
}

function lengthOf(draws: SeededDraws, body: string): string {
  return `Content-Length: ${body.length + (draws.once(25) ? 1 : 0)}`;
}
