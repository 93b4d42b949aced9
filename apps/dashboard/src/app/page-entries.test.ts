import { PERMISSIONS } from "@atelier/contract/permissions";
import assert from "node:assert/strict";
import { test } from "node:test";
import { PAGES } from "./page-entries.ts";

function repeated(values: readonly string[]): string[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}

test("no two pages share an address, and no two a key", () => {
  assert.deepEqual(repeated(PAGES.map(({ path }) => path)), []);
  assert.deepEqual(repeated(PAGES.flatMap(({ navigation }) => navigation?.key ?? [])), []);
});

test("what stands in the navigation can be opened as it is", () => {
  const open = PAGES.filter(
    ({ path, navigation }) => path.includes("$") && navigation !== undefined,
  );
  assert.deepEqual(open, []);
});

test("no page stands where the server answers itself", () => {
  const taken = PAGES.filter(({ path }) =>
    /^\/(?:api|healthz|readyz|metrics|assets)(?:\/|$)/.test(path),
  );
  assert.deepEqual(taken, []);
});

test("a page is shown for a permission that exists", () => {
  const known: readonly string[] = PERMISSIONS;
  assert.deepEqual(
    PAGES.filter(({ permission = "user:read" }) => !known.includes(permission)),
    [],
  );
});
