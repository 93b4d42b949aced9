import assert from "node:assert/strict";
import { test } from "node:test";
import {
  actorHeaders,
  forwardingHeaders,
  keyCredential,
  toUpstreamHeaders,
} from "./upstream-headers.ts";
import { findOwnCredential } from "./own-credential.ts";

const KEY = keyCredential("openai", "sk-central");

test("a client's headers go upstream as they are: order, case, repeats", () => {
  const raw = ["User-Agent", "x/1", "anthropic-beta", "a,b", "X-Custom", "1", "x-custom", "2"];
  const before = [...raw];
  assert.deepEqual(toUpstreamHeaders(raw, KEY), [...raw, "authorization", "Bearer sk-central"]);
  assert.deepEqual(raw, before);
});

for (const name of [
  "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer",
  "Transfer-Encoding", "Upgrade", "Expect", "Host", "Accept-Encoding", "Content-Length",
  "Authorization", "X-Api-Key", "Api-Key", "Cookie", "Coder-Session-Token",
  "X-Coder-AI-Governance-Token", "X-Coder-AI-Governance-Request-Id", "X-Forwarded-For",
  "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "Forwarded",
  "X-Coder-Agent-Firewall-Session-Id", "X-Coder-Agent-Firewall-Sequence-Number",
  "Anthropic-Workspace-Id", "X-AI-Bridge-Actor-ID", "x-ai-bridge-actor-metadata-username",
]) {
  test(`${name} does not go upstream`, () => {
    const sent = toUpstreamHeaders([name, "leak", "accept", "*/*"], KEY);
    assert.deepEqual(sent, ["accept", "*/*", "authorization", "Bearer sk-central"]);
  });
} // prettier-ignore

test("what the Connection header names stays on the connection", () => {
  const raw = ["Connection", "close, X-Hop", "x-hop", "1", "x-end", "2"];
  assert.deepEqual(toUpstreamHeaders(raw, KEY), [
    "x-end",
    "2",
    "authorization",
    "Bearer sk-central",
  ]);
});

test("a Connection header cannot take the credential out", () => {
  const sent = toUpstreamHeaders(["Connection", "authorization"], KEY);
  assert.deepEqual(sent, ["authorization", "Bearer sk-central"]);
});

test("a key goes where its provider looks for it", () => {
  assert.deepEqual(keyCredential("anthropic", "k"), { header: "x-api-key", value: "k" });
  assert.deepEqual(keyCredential("openai", "k"), { header: "authorization", value: "Bearer k" });
});

test("the actor is told by id and name", () => {
  const caller = { userId: "u-1", username: "ann", email: "a@b.c", apiKeyId: "k" };
  assert.deepEqual(actorHeaders(caller), [
    "X-AI-Bridge-Actor-ID",
    "u-1",
    "X-AI-Bridge-Actor-Metadata-Username",
    "ann",
  ]);
});

test("the chain of hops grows by the peer", () => {
  assert.deepEqual(
    forwardingHeaders({
      headers: { host: "gw", "x-forwarded-for": "2.2.2.2, 3.3.3.3", "user-agent": "x" },
      peer: "1.1.1.1",
      isTls: true,
    }),
    [
      "X-Forwarded-Proto",
      "https",
      "X-Forwarded-Host",
      "gw",
      "X-Forwarded-For",
      "2.2.2.2, 3.3.3.3, 1.1.1.1",
    ],
  );
  assert.deepEqual(forwardingHeaders({ headers: {}, peer: undefined, isTls: false }), [
    "X-Forwarded-Proto",
    "http",
    "User-Agent",
    "atelier",
  ]);
});

for (const { name, dialect, headers, want } of [
  { name: "an OpenAI bearer", dialect: "openai", headers: { authorization: "Bearer sk-mine-0123456789abcdef" }, want: "authorization Bearer sk-mine-0123456789abcdef sk-m...cdef" },
  { name: "no x-api-key for OpenAI", dialect: "openai", headers: { "x-api-key": "k" }, want: null },
  { name: "an Anthropic API key before a bearer", dialect: "anthropic", headers: { "x-api-key": "sk-ant", authorization: "Bearer b" }, want: "x-api-key sk-ant s...t" },
  { name: "an Anthropic bearer", dialect: "anthropic", headers: { authorization: "Bearer oauth1" }, want: "authorization Bearer oauth1 o...1" },
  { name: "nothing", dialect: "anthropic", headers: {}, want: null },
] as const) {
  test(`own credential: ${name}`, () => {
    const own = findOwnCredential(dialect, headers);
    const got = own === null ? null : `${own.credential.header} ${own.credential.value} ${own.hint}`;
    assert.equal(got, want);
  });
} // prettier-ignore
