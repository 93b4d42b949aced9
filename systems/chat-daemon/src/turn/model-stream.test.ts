/** When what a model says is read: its beginning at once, and the rest when somebody may read that. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { systemClock } from "@atelier/base/system-clock";
import { readModelStream } from "./model-stream-actions.ts";
import { callsTools, finish } from "./turn-testkit.ts";

/** All of it is there from the start. */
function modelOf(parts: readonly LanguageModelV4StreamPart[]): LanguageModelV4 {
  return {
    ...{ specificationVersion: "v4", provider: "test", modelId: "m", supportedUrls: {} },
    doGenerate: () => assert.fail("it is streamed"),
    doStream: () => Promise.resolve({ stream: ReadableStream.from(parts) }),
  };
}

async function reading(parts: readonly LanguageModelV4StreamPart[]) {
  const log: string[] = [];
  const shown = Promise.withResolvers<void>();
  const read = readModelStream(
    modelOf(parts),
    { prompt: [] },
    {
      ...{ clock: systemClock, signal: new AbortController().signal, invoked: () => {} },
      show: ({ part }) => log.push(part.type === "text" ? part.text : part.type),
      beginningShown: () => {
        log.push("asked");
        return shown.promise;
      },
    },
  );
  const step = read.then((whole) => log.push(`${whole.parts().length} parts`));
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  return { log, shown, step };
}

test("the rest of an answer is read when its first words are shown", async () => {
  const { log, shown, step } = await reading([
    { type: "stream-start", warnings: [] },
    { type: "text-start", id: "0" },
    ...["It was", " the cable", "."].map((delta) => ({
      type: "text-delta" as const,
      id: "0",
      delta,
    })),
    { type: "text-end", id: "0" },
    finish("stop"),
  ]);
  assert.deepEqual(log, ["It was", "asked"]);
  shown.resolve();
  await step;
  assert.deepEqual(log, ["It was", "asked", " the cable", ".", "1 parts"]);
});

test("nobody waits for calls of tools to be shown", async () => {
  const { log, step } = await reading(callsTools([{ id: "1", name: "look" }]));
  await step;
  assert.deepEqual(log, ["tool-call", "1 parts"]);
});
