import assert from "node:assert/strict";
import { test } from "node:test";
import { toUpstreamTarget } from "./upstream-target.ts";

const CASES: [name: string, version: string | null, query: string, want: string][] = [
  ["without a version the query is the client's", null, "?a=%20&api-version=1", "/base/models?a=%20&api-version=1"],
  ["without a version nothing is added", null, "", "/base/models"],
  ["a missing version is added", "2024-10-21", "", "/base/models?api-version=2024-10-21"],
  ["a bare question mark is no query", "2024-10-21", "?", "/base/models?api-version=2024-10-21"],
  ["a missing version stands behind the query", "v1", "?a=%20&b", "/base/models?a=%20&b&api-version=v1"],
  ["the client's version counts", "v1", "?api-version=2025-01-01", "/base/models?api-version=2025-01-01"],
  ["in any place", "v1", "?a=1&api-version=x", "/base/models?a=1&api-version=x"],
  ["in any case", "v1", "?API-Version=x", "/base/models?API-Version=x"],
  ["in any spelling", "v1", "?api%2Dversion=x", "/base/models?api%2Dversion=x"],
  ["also when it is empty", "v1", "?api-version", "/base/models?api-version"],
  ["another name is not the version", "v1", "?my-api-version=x", "/base/models?my-api-version=x&api-version=v1"],
]; // prettier-ignore

for (const [name, apiVersion, query, want] of CASES) {
  test(`the upstream's query: ${name}`, () => {
    assert.equal(toUpstreamTarget({ basePath: "/base", apiVersion }, "/models", query), want);
  });
}
