/** A short form of what `npm run simulate -- chat-kills` runs at length. */
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { simulateChatKills } from "../simulation/chat-kills.ts";
import type { Volley } from "../simulation/chat-kills-volley.ts";

/** Some of each: a whole matrix takes hours. */
const VOLLEYS: readonly Volley[] = [
  volley("agent killed", "command took effect, unheard"),
  volley("database cut", "step of calls: answered"),
  volley("driver killed", "first parts: answered"),
];

function volley(strike: Volley["strike"], moment: string): Volley {
  return { strike, cells: [{ scenario: "tools", moment }], bystander: null, again: null };
}

test("chats that are struck at work lose nothing, do nothing twice, and come to rest", async () => {
  await using database = await testDatabase();
  const left = [...VOLLEYS];
  const ends = await simulateChatKills(database, {
    ...{ next: () => left.shift() ?? null, seed: 5, onEnd: () => {} },
  });
  assert.deepEqual(
    ends.flatMap(({ violations }) => violations),
    [],
  );
  for (const { volley: of, struck } of ends) assert.deepEqual(struck, of.cells);
  assert.ok(ends.some(({ effects, wordsSeen }) => effects > 0 && wordsSeen > 0));
});
