import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { test } from "node:test";
import { findCallerToken, parseBearer, type CallerToken } from "./caller-token.ts";

const OURS = "0123456789-0123456789abcdefghijkl";

const CASES: [name: string, headers: IncomingHttpHeaders, want: CallerToken | null][] = [
  ["nothing", {}, null],
  ["a bearer", { authorization: "Bearer tok" }, { token: "tok", mode: "central" }],
  ["a bearer in odd case", { authorization: "bEaReR  tok " }, { token: "tok", mode: "central" }],
  ["an x-api-key", { "x-api-key": " tok " }, { token: "tok", mode: "central" }],
  ["an api-key that has our form", { "api-key": ` ${OURS} ` }, { token: OURS, mode: "central" }],
  ["an api-key that has another form", { "api-key": "0123456789abcdef0123456789abcdef" }, null],
  ["x-api-key before api-key, whatever its form", { "x-api-key": "k", "api-key": OURS }, { token: "k", mode: "central" }],
  ["a blank x-api-key is none", { "x-api-key": " ", "api-key": OURS }, { token: OURS, mode: "central" }],
  ["the governance header before api-key, which stays the caller's own", { "x-coder-ai-governance-token": "g", "api-key": OURS }, { token: "g", mode: "byok" }],
  ["bearer before x-api-key", { authorization: "Bearer a", "x-api-key": "b" }, { token: "a", mode: "central" }],
  ["a malformed bearer falls through", { authorization: "Bearer a b", "x-api-key": "k" }, { token: "k", mode: "central" }],
  ["basic is no token", { authorization: "Basic dXNlcjpwYXNz" }, null],
  ["the governance header first", { "x-coder-ai-governance-token": " g ", authorization: "Bearer a" }, { token: "g", mode: "byok" }],
  ["a blank governance header is none", { "x-coder-ai-governance-token": "  ", authorization: "Bearer a" }, { token: "a", mode: "central" }],
  ["the session header is not accepted here", { "coder-session-token": "s" }, null],
  ["the session cookie is not accepted here", { cookie: "coder_session_token=s" }, null],
]; // prettier-ignore

for (const [name, headers, want] of CASES) {
  test(`caller token: ${name}`, () => assert.deepEqual(findCallerToken(headers), want));
}

for (const [value, want] of [
  [undefined, null],
  ["", null],
  ["   ", null],
  ["tok", null],
  ["Bearer", null],
  ["Bearer ", null],
  ["Bearer tok", "tok"],
  ["BEARER tok", "tok"],
  ["  Bearer   tok  ", "tok"],
  ["Bearer a b", null],
] as const) {
  test(`bearer ${JSON.stringify(value)}`, () => assert.equal(parseBearer(value), want));
}
