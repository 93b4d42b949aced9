import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestControlPlane } from "../control-plane-on-postgres-testkit.ts";

test("the description is public, and names its version", async () => {
  await using api = await startTestControlPlane();
  const { status, body } = await api.call("GET", "/api/v2/openapi.json");
  assert.equal(status, 200);
  assert.deepEqual([body.openapi, body.info.version], ["3.1.0", "0.0.0-test"]);
});

test("the readable page runs with scripts and styles of this server only, none of them inline", async () => {
  await using api = await startTestControlPlane();
  const page = await api.call("GET", "/api/v2/docs");
  assert.equal(page.status, 200);
  const policy = page.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|https:|\*/);
  assert.doesNotMatch(page.text, /<script(?![^>]*src=)|<style|style=|\son\w+=|https?:\/\//);

  const sources = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? "");
  assert.ok(sources.length >= 5);
  for (const path of sources) {
    const asset = await api.call("GET", new URL(path, `${api.url}/api/v2/docs`).pathname);
    assert.equal(asset.status, 200, path);
    assert.ok(asset.text.length > 100, path);
  }
  // Where the page's script looks for the description.
  const described = await api.call("GET", "/api/v2/docs/json");
  assert.equal(described.body.openapi, "3.1.0");
  assert.match((await api.call("GET", "/api/v2/docs/yaml")).text, /^openapi: 3\.1\.0$/m);
});
