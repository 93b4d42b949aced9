/** What becomes of a model that somebody chose for certain work, and that cannot be had (spec agents 8.10). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { silentLogger } from "@atelier/base/logger";
import { fail, ok } from "@atelier/base/result";
import type { ModelFetch } from "@atelier/contract/rpc/model-transport";
import { routeFailure } from "../models/model-failure.ts";
import type { ModelBuildOptions } from "../models/model-route.ts";
import type { ModelRouter, OverrideChoice } from "../models/model-router.ts";
import type { ChatRow } from "../state/chat-row.ts";
import { turnModels } from "./turn-models-actions.ts";

const FAILURE = routeFailure("config", "The chosen model is disabled.");
const CHAT = { id: "c" } as ChatRow;
const REQUEST = { activeApiKeyId: null, beside: undefined, hold: null };

function modelsWith(choice: Awaited<ReturnType<ModelRouter["override"]>>) {
  const warned: object[] = [];
  const router = { override: () => Promise.resolve(choice) } as unknown as ModelRouter;
  const warn = (fields: object): void => {
    warned.push(fields);
  };
  const models = turnModels(
    { router, log: { ...silentLogger, warn } },
    { storedOf: () => undefined as never, tapOf: () => null },
  );
  return { models, warned };
}

for (const [work, method] of [
  ["compaction", "forSummary"],
  ["advisor", "forAdvisor"],
] as const) {
  test(`${work}: a chosen model that cannot be used is passed over, and the log says which and why`, async () => {
    const { models, warned } = modelsWith(ok({ kind: "unusable", failure: FAILURE }));
    assert.deepEqual(await models[method](CHAT, REQUEST), ok(null));
    assert.deepEqual(warned, [{ chatId: "c", work, failure: FAILURE }]);
  });

  test(`${work}: where nobody chose one, or it cannot be known, there is nothing to say`, async () => {
    const unset: OverrideChoice = { kind: "unset" };
    for (const choice of [ok(unset), fail(FAILURE)]) {
      const { models, warned } = modelsWith(choice);
      assert.deepEqual(await models[method](CHAT, REQUEST), choice.ok ? ok(null) : choice);
      assert.deepEqual(warned, []);
    }
  });
}

test("nothing is sent to a provider before what holds it back, and nothing where that fails", async () => {
  for (const isRecorded of [false, true]) {
    const log: string[] = [];
    const hold = Promise.withResolvers<void>();
    const fetch = await fetchOf({ hold: hold.promise, isRecorded, log });
    const answered = fetch("https://provider.example/");
    await setImmediate();
    assert.deepEqual(log, []);
    hold.resolve();
    await answered;
    assert.deepEqual(log, isRecorded ? ["seen", "sent"] : ["sent"]);
    const never = await fetchOf({ hold: Promise.reject(new Error("dropped")), isRecorded, log });
    await assert.rejects(never("https://provider.example/"), /dropped/);
    assert.equal(log.length, isRecorded ? 2 : 1);
  }
});

/** As a model of a turn would be given it. */
async function fetchOf({
  hold,
  isRecorded,
  log,
}: {
  readonly hold: Promise<void>;
  readonly isRecorded: boolean;
  readonly log: string[];
}): Promise<(url: string) => Promise<Response>> {
  const options = { config: { id: "m", model: "claude", options: {} }, effort: null, route: null };
  let built: ModelBuildOptions | undefined;
  const router = {
    modelOfChat: () => Promise.resolve(ok(options)),
    newModel: (_request: unknown, _route: unknown, given: ModelBuildOptions) => {
      built = given;
      return Promise.resolve(ok({ model: {}, family: "anthropic", providerType: "anthropic" }));
    },
  } as unknown as ModelRouter;
  const tap = {
    recordHttp: (fetch: ModelFetch): ModelFetch => {
      return (...request) => {
        log.push("seen");
        return fetch(...request);
      };
    },
    ...{ take: () => [], credentials: new Set<string>() },
  };
  const beside = { storedOf: () => undefined as never, tapOf: () => (isRecorded ? tap : null) };
  const models = turnModels({ router, log: silentLogger }, beside);
  const made = await models.forTurn(CHAT, { ...REQUEST, hold });
  assert.ok(made.ok);
  const send = async () => {
    log.push("sent");
    return Promise.resolve(new Response());
  };
  return built?.aroundFetch?.(send, []) ?? assert.fail("there is something around it");
}
