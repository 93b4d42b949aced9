import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "@atelier/base/secret";
import {
  parseModelProviderRef,
  planKeys,
  type StoredKey,
  type WantedKey,
} from "./model-provider.ts";

const ID_A = "0000000a-0000-4000-8000-000000000000";
const ID_B = "0000000b-0000-4000-8000-000000000000";
const createdAt = new Date(0);
const always = { createdAt, disabledAt: null };
const A: StoredKey = { ...always, id: ID_A, masked: "a", secret: new Secret("key-a") };
const B: StoredKey = { ...always, id: ID_B, masked: "b", secret: new Secret("key-b") };

const PLANS: [name: string, wanted: WantedKey[], added: string[], removed: string[], kept: string[]][] = [
  ["nothing wanted: all go", [], [], [ID_A, ID_B], []],
  ["both kept, in any order", [{ id: ID_B }, { id: ID_A }], [], [], [ID_A, ID_B]],
  ["one replaced", [{ id: ID_A }, { api_key: "key-c" }], ["key-c"], [ID_B], [ID_A]],
  ["a removed key under a new id", [{ api_key: "key-a" }], ["key-a"], [ID_A, ID_B], []],
]; // prettier-ignore
for (const [name, wanted, added, removed, kept] of PLANS) {
  test(`the wanted list of keys, ${name}`, () => {
    const plan = planKeys([A, B], wanted);
    assert(plan.ok);
    assert.deepEqual(plan.value.added.map((key) => key.reveal()), added); // prettier-ignore
    assert.deepEqual(plan.value.removed.map((key) => key.id), removed); // prettier-ignore
    assert.deepEqual(plan.value.kept.map((key) => key.id), kept); // prettier-ignore
  });
}

const UNKNOWN = "The provider has no key of this id.";
const TWICE = "The provider would have this key twice.";
const MISTAKES: [name: string, wanted: WantedKey[], failure: [string, string][]][] = [
  ["an unknown id", [{ id: "x" }], [["api_keys.0", UNKNOWN]]],
  ["an id twice", [{ id: ID_A }, { id: ID_A }], [["api_keys.1", "This id is listed twice."]]],
  ["a new key twice", [{ api_key: "n" }, { api_key: "n" }], [["api_keys.1", TWICE]]],
  ["a kept key as a new one", [{ api_key: "key-a" }, { id: ID_A }], [["api_keys.0", TWICE]]],
]; // prettier-ignore
for (const [name, wanted, failure] of MISTAKES) {
  test(`the wanted list of keys refuses ${name}`, () => {
    assert.deepEqual(planKeys([A, B], wanted), {
      ok: false,
      failure: failure.map(([field, detail]) => ({ field, detail })),
    });
  });
}

test("a path names a provider by id, by name, or not at all", () => {
  assert.deepEqual(parseModelProviderRef(ID_A), { id: ID_A, name: ID_A });
  assert.deepEqual(parseModelProviderRef("open-ai"), { id: null, name: "open-ai" });
  assert.equal(parseModelProviderRef("Open AI"), null);
  assert.equal(parseModelProviderRef("-"), null);
});
