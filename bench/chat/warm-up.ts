/**
 * Serves turns to a server until it has become no faster: what it has just started runs unoptimised, and a
 * person's chat is hardly ever among the first hundred turns of a server.
 */
import { calls, says } from "@atelier/testkit/scripted-model-reply";
import type { RecordedUpstreamRequest } from "@atelier/testkit/scripted-model";
import { createChat, sendMessage, untilAtRest, watch, type ChatLane } from "./chat-lane.ts";
import { measureFirstText, measureStep } from "./latency.ts";

/** Of a server that has served so many turns before; milliseconds. */
export type Probe = {
  readonly turns: number;
  readonly firstText: number;
  readonly step: number;
};

const BATCH_TURNS = 250;
const PROBE_TURNS = 15;
/** So many probes without one that is better by more than this share than all before them. */
const STEADY_PROBES = 3;
const STEADY_SHARE = 0.95;
const CHATS_AT_ONCE = 4;
/** Long chats have long prompts: these stay short. */
const TURNS_OF_A_CHAT = 10;

/** The first probe is of the server as it started. */
export async function warmUntilSteady(
  lane: ChatLane,
  turnsMax: number,
): Promise<readonly [Probe, ...Probe[]]> {
  let turns = 0;
  const probes: [Probe, ...Probe[]] = [await probe(lane, turns)];
  while (turns < turnsMax && !isSteady(probes)) {
    await serveTurns(lane, BATCH_TURNS);
    turns += BATCH_TURNS;
    probes.push(await probe(lane, turns));
  }
  return probes;
}

async function probe(lane: ChatLane, turns: number): Promise<Probe> {
  const first = await measureFirstText(lane, PROBE_TURNS, null);
  const step = await measureStep(lane, PROBE_TURNS);
  return {
    turns,
    firstText: first["added first text p50"] ?? Number.NaN,
    step: step["step p50"] ?? Number.NaN,
  };
}

function isSteady(probes: readonly Probe[]): boolean {
  const before = probes.slice(0, -STEADY_PROBES);
  if (before.length < 2) return false;
  const since = probes.slice(-STEADY_PROBES);
  return (["firstText", "step"] as const).every((what) => {
    const best = (of: readonly Probe[]): number => Math.min(...of.map((each) => each[what]));
    return best(since) >= best(before) * STEADY_SHARE;
  });
}

/** Turns of two steps each, of chats that somebody watches. */
async function serveTurns({ server, token, model }: ChatLane, turns: number): Promise<void> {
  let call = 0;
  model.answer = (request) => {
    call += 1;
    return hasResults(request)
      ? says("It is done now, and this is what came of it in the end.", { delayMs: 1 })
      : calls("no_such_tool", { call }, `toolu_warm_${call}_${Date.now()}`);
  };
  let left = turns;
  const serve = async (): Promise<void> => {
    while (left > 0) {
      const chatId = await createChat(server, token, "Begin");
      using _ = await watch(server, token, chatId);
      await untilAtRest(server, token, chatId);
      for (let turn = 1; turn < TURNS_OF_A_CHAT && left > 0; turn += 1) {
        left -= 1;
        await sendMessage(server, token, chatId, "Go on");
        await untilAtRest(server, token, chatId);
      }
    }
  };
  await Promise.all(Array.from({ length: CHATS_AT_ONCE }, serve));
  model.answer = () => null;
}

function hasResults({ body }: RecordedUpstreamRequest): boolean {
  const text = Buffer.from(body).toString("utf8");
  return text.lastIndexOf('"tool_result"') > text.lastIndexOf("Go on");
}
