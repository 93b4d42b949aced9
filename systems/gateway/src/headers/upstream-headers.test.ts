import assert from "node:assert/strict";
import { test } from "node:test";
import {
  actorHeaders,
  forwardingHeaders,
  toCredential,
  toUpstreamHeaders,
} from "./upstream-headers.ts";
import { providerKindOf } from "../routing/provider-kinds.ts";
import { findOwnCredential } from "./own-credential.ts";

const KEY = toCredential("authorization", "sk-central");

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
  "X-Coder-Owner-Id", "X-Coder-Chat-Id", "X-Coder-Subchat-Id", "X-Coder-Workspace-Id",
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

test("only in an authorization header a credential stands behind the word Bearer", () => {
  assert.deepEqual(toCredential("x-api-key", "k"), { header: "x-api-key", value: "k" });
  assert.deepEqual(toCredential("api-key", "k"), { header: "api-key", value: "k" });
  assert.deepEqual(toCredential("authorization", "k"), {
    header: "authorization",
    value: "Bearer k",
  });
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

for (const { name, type, headers, want } of [
  { name: "an OpenAI bearer", type: "openai", headers: { authorization: "Bearer sk-mine-0123456789abcdef" }, want: "authorization Bearer sk-mine-0123456789abcdef sk-m...cdef" },
  { name: "no x-api-key for OpenAI", type: "openai", headers: { "x-api-key": "k" }, want: null },
  { name: "no api-key for OpenAI", type: "openai", headers: { "api-key": "k" }, want: null },
  { name: "no basic authorization", type: "openai", headers: { authorization: "Basic abc" }, want: null },
  { name: "an Anthropic API key before a bearer", type: "anthropic", headers: { "x-api-key": "sk-ant", authorization: "Bearer b" }, want: "x-api-key sk-ant s...t" },
  { name: "an Anthropic bearer behind a blank API key", type: "anthropic", headers: { "x-api-key": " ", authorization: "Bearer oauth1" }, want: "authorization Bearer oauth1 o...1" },
  { name: "no api-key for Anthropic", type: "anthropic", headers: { "api-key": "k" }, want: null },
  { name: "nothing", type: "anthropic", headers: {}, want: null },
  { name: "an Azure API key before a bearer", type: "azure", headers: { "api-key": "azure1", authorization: "Bearer entra1" }, want: "api-key azure1 a...1" },
  { name: "an Azure bearer", type: "azure", headers: { authorization: "Bearer entra1" }, want: "authorization Bearer entra1 e...1" },
  { name: "no x-api-key for Azure", type: "azure", headers: { "x-api-key": "k" }, want: null },
  { name: "a Copilot bearer", type: "copilot", headers: { authorization: "Bearer copi1" }, want: "authorization Bearer copi1 c...1" },
  { name: "no Copilot API key", type: "copilot", headers: { "x-api-key": "k", "api-key": "k" }, want: null },
] as const) {
  test(`own credential: ${name}`, () => {
    const kind = providerKindOf({ type, bedrock: null });
    assert(kind !== null);
    const own = findOwnCredential(kind, headers);
    const got = own === null ? null : `${own.credential.header} ${own.credential.value} ${own.hint}`;
    assert.equal(got, want);
  });
} // prettier-ignore
