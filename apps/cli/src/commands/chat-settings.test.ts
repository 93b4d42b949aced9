/** Settings of all chats in the terminal. */
import assert from "node:assert/strict";
import test from "node:test";
import { cli, SIGNED_IN, type Parsed } from "../cli-scene.test.ts";

const ROOT = "/api/v2/chats/config";

function scene() {
  const bodies: unknown[] = [];
  const put = ({ body }: Parsed) => {
    bodies.push(body);
    return null;
  };
  const api = {
    variables: SIGNED_IN,
    [`GET ${ROOT}/auto-archive-days`]: () => ({ auto_archive_days: 91, is_set: false }),
    [`GET ${ROOT}/retention-days`]: () => ({ retention_days: 0, is_set: true }),
    [`GET ${ROOT}/computer-use-provider`]: () => ({ provider: "openai" }),
    [`GET ${ROOT}/personal-model-overrides`]: () => ({ allow_users: false }),
    [`GET ${ROOT}/debug-logging`]: () => ({ allow_users: true, forced_by_deployment: false }),
    [`GET ${ROOT}/debug-retention-days`]: () => ({ debug_retention_days: 30, is_set: false }),
    [`PUT ${ROOT}/debug-logging`]: put,
    [`PUT ${ROOT}/debug-retention-days`]: put,
    [`PUT ${ROOT}/personal-model-overrides`]: put,
    [`PUT ${ROOT}/auto-archive-days`]: put,
    [`PUT ${ROOT}/retention-days`]: put,
    [`PUT ${ROOT}/computer-use-provider`]: put,
  };
  return { bodies, run: (...words: readonly string[]) => cli(["chat-settings", ...words], api) };
}

test("they are shown with where they come from", async () => {
  const { out } = await scene().run("show");
  assert.match(out, /archived +after 91 days \(the server's option\)/);
  assert.match(out, /kept +for ever$/m);
  assert.match(out, /People choose models +no$/m);
  assert.match(out, /calls are recorded +where people want it/);
  assert.match(out, /Recorded calls are kept +for 30 days \(as usual\)/);
  assert.match(out, /desktops +openai/);
});

test("what is given is sent, and nothing else", async () => {
  const { bodies, run } = scene();
  const days = ["--auto-archive-days", "default", "--retention-days", "30"];
  assert.equal((await run("set", ...days)).exitCode, 0);
  assert.equal((await run("set", "--computer-use-provider", "openai")).exitCode, 0);
  assert.equal((await run("set", "--personal-models", "off")).exitCode, 0);
  assert.equal((await run("set", "--debug-logging", "on")).exitCode, 0);
  assert.equal((await run("set", "--debug-retention-days", "7")).exitCode, 0);
  assert.deepEqual(bodies, [
    { auto_archive_days: null },
    { retention_days: 30 },
    { provider: "openai" },
    { allow_users: false },
    { allow_users: true },
    { debug_retention_days: 7 },
  ]);
  for (const wrong of [[], ["--retention-days", "3651"], ["--retention-days", "soon"]]) {
    assert.equal((await run("set", ...wrong)).exitCode, 2);
  }
  assert.equal(bodies.length, 6);
});
