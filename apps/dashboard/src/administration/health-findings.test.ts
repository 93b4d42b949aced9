import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleProvider } from "../gateway/provider-testkit.ts";
import {
  accessUrlFinding,
  databaseFinding,
  providerFinding,
  serverFinding,
} from "./health-findings.ts";

const BUILD = { version: "1", external_url: "", dashboard_url: "", deployment_id: "" };

for (const [accessUrl, browserUrl, tone] of [
  ["https://example.com", "https://example.com", "good"],
  ["https://example.com/", "https://example.com", "good"],
  ["https://example.com/atelier/", "https://example.com/atelier", "good"],
  ["http://127.0.0.1:3000", "https://example.com", "warn"],
] as const) {
  test(`access URL ${accessUrl} seen from ${browserUrl} is ${tone}`, () => {
    assert.equal(accessUrlFinding({ ...BUILD, external_url: accessUrl }, browserUrl).tone, tone);
  });
}

test("a server that answers slowly is no good server, one that does not is a bad one", () => {
  assert.equal(serverFinding({ isOk: true, tookMs: 20 }, "1").tone, "good");
  assert.equal(serverFinding({ isOk: true, tookMs: 2_000 }, "1").tone, "warn");
  assert.equal(serverFinding({ isOk: false, tookMs: 1 }, "1").tone, "bad");
});

test("a database that does not answer comes with what to do", () => {
  assert.match(databaseFinding({ isOk: false, tookMs: 1 }).detail, /runbooks/);
});

test("a provider that is switched off is worth a look, and says why it cannot serve", () => {
  const off = sampleProvider({
    status: { state: "disabled", waiting: 0, warnings: [], breakers: [] },
  });
  assert.equal(providerFinding(off).tone, "warn");
  const broken = sampleProvider({
    status: {
      state: "error",
      waiting: 0,
      warnings: ["The key cannot be opened."],
      breakers: [],
    },
  });
  assert.deepEqual(
    [providerFinding(broken).tone, providerFinding(broken).detail],
    ["bad", "The key cannot be opened."],
  );
});
