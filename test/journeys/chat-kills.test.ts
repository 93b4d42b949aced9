/** A short form of what `npm run simulate -- chat-kills` runs at length. */
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { simulateChatKills, type Cell } from "../simulation/chat-kills.ts";

/** Some of each: a whole matrix takes half an hour. */
const CELLS: readonly Cell[] = [
  { scenario: "tools", moment: "command took effect", strike: "agent killed", again: null },
  { scenario: "tools", moment: "answer nearly whole", strike: "database cut", again: null },
  { scenario: "tools", moment: "parts kept", strike: "server killed", again: null },
];

test("chats that are struck at work lose nothing, do nothing twice, and come to rest", async () => {
  await using database = await testDatabase();
  const ends = await simulateChatKills(database, {
    ...{ cells: CELLS, seed: 5, onEnd: () => {} },
    signal: new AbortController().signal,
  });
  assert.deepEqual(
    ends.flatMap(({ violations }) => violations),
    [],
  );
  assert.ok(
    ends.every(({ isStruck }) => isStruck),
    "every moment came",
  );
  assert.ok(ends.some(({ effects, wordsSeen }) => effects > 0 && wordsSeen > 0));
});
