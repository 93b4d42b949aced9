/** What becomes of a model that somebody chose for certain work, and that cannot be had (spec agents 8.10). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { fail, ok } from "@atelier/base/result";
import { routeFailure } from "../models/model-failure.ts";
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
