import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleModel } from "../chat-models/model-testkit.ts";
import { sampleProvider } from "../gateway/provider-testkit.ts";
import {
  accessUrlFinding,
  databaseFinding,
  defaultModelFinding,
  encryptionFinding,
  providerFinding,
  serverFinding,
  summaryOf,
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
  assert.match(databaseFinding({ isOk: false, tookMs: 1 }).remedy ?? "", /runbooks/);
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

for (const [url, tone] of [
  ["https://example.com/atelier", "good"],
  ["http://127.0.0.1:3000", "good"],
  ["http://[::1]:3000", "good"],
  ["http://localhost:3000", "good"],
  ["http://atelier.example.com", "warn"],
] as const) {
  test(`a page from ${url} is ${tone}`, () => {
    assert.equal(encryptionFinding(url).tone, tone);
  });
}

test("agents need a default model that can be used, and what helps is told", () => {
  assert.equal(defaultModelFinding([]).words, "none");
  assert.equal(defaultModelFinding([sampleModel()]).tone, "good");
  const keyless = sampleModel({ available: false, unavailable_reason: "missing_api_key" });
  assert.match(defaultModelFinding([keyless]).remedy ?? "", /Add the company’s/);
  const off = defaultModelFinding([sampleModel({ enabled: false })]);
  assert.deepEqual([off.tone, off.words], ["bad", "switched off"]);
});

test("the summary counts what is not well", () => {
  const good = encryptionFinding("https://example.com");
  const odd = encryptionFinding("http://example.com");
  const bad = databaseFinding({ isOk: false, tookMs: 1 });
  assert.equal(summaryOf([good]), "All is well.");
  assert.equal(summaryOf([good, odd]), "1 deserves a look.");
  assert.equal(summaryOf([bad, odd, odd, bad]), "2 things are broken, 2 deserve a look.");
});
