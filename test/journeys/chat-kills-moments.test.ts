/**
 * Each moment at which chats can be struck still comes, once chats do their work: what servers say to the
 * database changes with their code, and a moment that is not recognised any more would never be struck.
 */
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import { isTallyMoment } from "../simulation/chat-kills-aim.ts";
import { KillsChat } from "../simulation/chat-kills-chat.ts";
import { MOMENTS, type ScenarioName } from "../simulation/chat-kills-moments.ts";
import type { TallyCall } from "../simulation/chat-kills-tally.ts";
import { ChatKillsWorld } from "../simulation/chat-kills-world.ts";
import type { Said } from "../simulation/postgres-talk.ts";

/** All chats at once are much for a busy machine. */
const LANES = 4;
const SCENARIOS = Object.keys(MOMENTS) as readonly ScenarioName[];

test("what is waited for at a moment comes in the chats that are to be struck at it", async () => {
  await using database = await testDatabase();
  await using resources = new AsyncDisposableStack();
  const world = await ChatKillsWorld.start(database, resources);
  const said: Said[] = [];
  const told: string[] = [];
  const relayed: string[] = [];
  const tallied: TallyCall[] = [];
  world.listen({
    database: (each) => said.push(each),
    agent: (text) => told.push(text),
    relay: (text) => relayed.push(text),
    tally: (call) => tallied.push(call),
  });
  const run = async (scenario: ScenarioName): Promise<readonly string[]> => {
    const key = `m${SCENARIOS.indexOf(scenario)}`;
    using chat = await KillsChat.create(world, key, scenario);
    await chat.perform();
    await chat.rest();
    // Both come after its turn.
    await chat.until("letting go", ({ runnerId }) => runnerId === null);
    await chat.until("a label", () => said.some((each) => isLabel(each, chat.id)));
    const about = [chat.id, null].map((chatId) => ({ key, chatId }));
    return Object.entries(MOMENTS[scenario]).flatMap(([name, moment]) => {
      if (moment.kind === "relayed" || moment.kind === "carried out elsewhere") {
        const isThere = relayed.some((text) => about.some((each) => moment.is(text, each)));
        return isThere ? [] : [`${scenario}, ${name}`];
      }
      if (moment.kind === "remote" || moment.kind === "remote list") {
        const isThere = tallied.some((call) => isTallyMoment(moment, call, key));
        return isThere ? [] : [`${scenario}, ${name}`];
      }
      if (moment.kind !== "asked" && moment.kind !== "answered" && moment.kind !== "dispatched") {
        return [];
      }
      // A workspace that takes too long to tell of itself is left out, until the next turn.
      if (name.startsWith("step of the workspace") && !isContextPinned()) return [];
      const isByAnswer = moment.kind !== "dispatched" && moment.isAnswer !== undefined;
      const wanted = moment.kind === "dispatched" || isByAnswer ? 1 : (moment.nth ?? 1);
      const came =
        moment.kind === "dispatched"
          ? told.filter((text) => about.some((each) => moment.is(text, each)))
          : said.filter((each) => about.some((one) => moment.is(each, one)));
      return came.length < wanted ? [`${scenario}, ${name}: ${came.length} of ${wanted}`] : [];
    });
  };
  const isContextPinned = (): boolean =>
    said.some(({ values }) => values.includes('"context-file"'));
  // The driver of the last one is killed, and would take the others along. Ways between servers are those of all.
  const alone: readonly ScenarioName[] = ["elsewhere", "recovery"];
  const others = SCENARIOS.filter((each) => !alone.includes(each));
  const left = others.values();
  const missing: string[] = [];
  const lane = async (): Promise<void> => {
    for (const scenario of left) missing.push(...(await run(scenario)));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  world.cutRelays();
  world.comesLate((await world.sideOfAgent()) ?? null);
  missing.push(...(await run("elsewhere")));
  world.comesLate(null);
  missing.push(...(await run("recovery")));
  assert.deepEqual(missing, []);
});

/** Kept, not only written. */
function isLabel({ text, within }: Said, chatId: string): boolean {
  const isOfLabel =
    within.texts.includes('"last_turn_summary" = ') && within.values.includes(chatId);
  return isOfLabel && /^commit/i.test(text);
}
