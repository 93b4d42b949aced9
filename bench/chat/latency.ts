/** What a chat adds to talking to its model: until the first text, and from one step to the next. */
import { calls, says } from "@atelier/testkit/scripted-model-reply";
import { startCountingProxy } from "./counting-proxy.ts";
import {
  chatAtRest,
  isAtRest,
  isFirstText,
  isTurn,
  quantile,
  sendMessage,
  untilAtRest,
  type ChatLane,
} from "./chat-lane.ts";
import type { Floor } from "./floor.ts";

export type ChatFigures = Readonly<Record<string, number>>;

/** Milliseconds from the request to the first text, in a chat, asked directly and at the floor, in turns. */
export async function measureFirstText(
  lane: ChatLane,
  turns: number,
  floor: Floor | null,
): Promise<ChatFigures> {
  const { server, token, model } = lane;
  model.answer = () => says("The answer begins here.");
  const { chatId, viewer } = await chatAtRest(server, token);
  using _ = viewer;
  const direct: number[] = [];
  const chat: number[] = [];
  const asked: number[] = [];
  const least: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    direct.push(await timeDirect(model.url));
    if (floor !== null) least.push(await floor.firstText());
    const startedMs = performance.now();
    model.heard = (request) => {
      if (isTurn(request)) asked.push(performance.now() - startedMs);
    };
    // From before: a short answer has ended by the time that the request is answered.
    const shown = viewer.next(isFirstText);
    await sendMessage(server, token, chatId, "And?");
    chat.push((await shown) - startedMs);
    // Not of the next round, in which the model is asked directly, too.
    model.heard = () => {};
    await untilAtRest(server, token, chatId);
  }
  const added = chat.map((each, turn) => each - (direct[turn] ?? 0));
  return {
    "direct first text p50": quantile(direct, 0.5),
    "chat first text p50": quantile(chat, 0.5),
    "model asked p50": quantile(asked, 0.5),
    "added first text p50": quantile(added, 0.5),
    "added first text p99": quantile(added, 0.99),
    ...(floor !== null && floorFigures(least, direct)),
  };
}

function floorFigures(least: readonly number[], direct: readonly number[]): ChatFigures {
  const added = least.map((each, turn) => each - (direct[turn] ?? 0));
  return {
    "floor first text p50": quantile(least, 0.5),
    "floor added first text p50": quantile(added, 0.5),
  };
}

async function timeDirect(url: string): Promise<number> {
  const startedMs = performance.now();
  const answer = await fetch(`${url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": "sk-scripted" },
    body: JSON.stringify({
      ...{ model: "claude-scripted", max_tokens: 100, stream: true },
      tools: [{ name: "none", input_schema: { type: "object" } }],
      messages: [{ role: "user", content: "And?" }],
    }),
  });
  let text = "";
  let firstMs = Number.NaN;
  for await (const bytes of answer.body ?? []) {
    text += Buffer.from(bytes).toString("utf8");
    if (Number.isNaN(firstMs) && text.includes("text_delta")) firstMs = performance.now();
  }
  return firstMs - startedMs;
}

/** Milliseconds from the end of an answer that calls an unknown tool to the model's next request. */
export async function measureStep(lane: ChatLane, steps: number): Promise<ChatFigures> {
  const { server, token, model } = lane;
  const { chatId, viewer } = await chatAtRest(server, token);
  using _ = viewer;
  const gaps = await runSteps({ lane, chatId, viewer }, steps, () =>
    sendMessage(server, token, chatId, "Go on"),
  );
  model.answer = () => null;
  return { "step p50": quantile(gaps, 0.5), "step p99": quantile(gaps, 0.99) };
}

async function runSteps(
  {
    lane,
    viewer,
  }: Pick<Awaited<ReturnType<typeof chatAtRest>>, "chatId" | "viewer"> & { lane: ChatLane },
  steps: number,
  begin: () => Promise<void>,
): Promise<readonly number[]> {
  const { model } = lane;
  const gaps: number[] = [];
  let left = steps;
  let endedMs: number | null = null;
  model.heard = (request) => {
    if (!isTurn(request)) return;
    if (endedMs !== null) gaps.push(performance.now() - endedMs);
    endedMs = null;
    const heardEnd = (): void => {
      endedMs = performance.now();
    };
    request.over.then(heardEnd, heardEnd);
  };
  model.answer = () => {
    left -= 1;
    return left < 0
      ? says("Done.")
      : calls(`no_such_tool`, { left }, `toolu_${left}_${Date.now()}`);
  };
  await begin();
  // A viewer may still hear that it rested before.
  while (left >= 0) await viewer.next(isAtRest);
  model.heard = () => {};
  model.answer = () => null;
  return gaps;
}

/** Statements of the gateway, which are none of the loop's. */
const OF_THE_GATEWAY =
  /ai_(interceptions|token_usages|user_prompts|tool_usages|model_thoughts|sessions|filter_values)/;
/** Whoever looks on reads what was committed, beside the loop and at a pace of its own. */
const OF_VIEWERS = /^select c\.snapshot_version, c\.history_version/;
/** Of all chats together and of the server, on their own time: the slower the machine, the more of them. */
const IN_THE_BACKGROUND = new RegExp(
  [
    ...[
      "chat_message_parts",
      "chat_heartbeats",
      "chat_words",
      "chats where id = any",
      "pg_notification",
      "listen ",
      "news \\(channel, payload\\)",
    ],
    ...["ai_provider_changes", "workspace_links", "connection_log", "replicas"],
    ...["insert into notifications", "^select 1$"],
  ].join("|"),
  "i",
);

/** In a step. What comes less often comes by the clock: it falls into one turn or the other. */
const OFTEN = 0.5;

/**
 * What one step executes in the database, through a proxy that counts: two turns of different length, and
 * the difference divided.
 */
export async function countStatements(
  lane: ChatLane,
): Promise<{ readonly figures: ChatFigures; readonly statements: readonly [string, number][] }> {
  const steps = { few: 2, many: 22 };
  await using proxy = await startCountingProxy(lane.connection);
  // The only server then, so that it drives the chat.
  await lane.server.stop();
  const server = await lane.startAnother(proxy.url);
  const { chatId, viewer } = await chatAtRest(server, lane.token);
  const count = async (of: number) => {
    proxy.take();
    await runSteps({ lane, chatId, viewer }, of, () =>
      sendMessage(server, lane.token, chatId, "Go on"),
    );
    return proxy.take();
  };
  await count(steps.few);
  const few = await count(steps.few);
  const many = await count(steps.many);
  viewer[Symbol.dispose]();
  await server.stop();
  const per = steps.many - steps.few;
  const statements = [...many.statements]
    .map(([text, times]): [string, number] => [
      text.replaceAll(/\s+/g, " ").slice(0, 110),
      (times - (few.statements.get(text) ?? 0)) / per,
    ])
    .filter(([, times]) => times > 0.04)
    .toSorted((a, b) => b[1] - a[1]);
  const each = new Map(
    [...new Set([...many.statements.keys(), ...few.statements.keys()])].map((text) => {
      const times = (many.statements.get(text) ?? 0) - (few.statements.get(text) ?? 0);
      return [text, times / per] as const;
    }),
  );
  const sum = (pick: (text: string, times: number) => boolean): number =>
    [...each].reduce((total, [text, times]) => total + (pick(text, times) ? times : 0), 0);
  const isOfLoop = (text: string): boolean =>
    !OF_THE_GATEWAY.test(text) && !OF_VIEWERS.test(text) && !IN_THE_BACKGROUND.test(text);
  return {
    statements,
    figures: {
      "round trips": sum((text, times) => isOfLoop(text) && times >= OFTEN),
      "round trips by the clock": sum((text, times) => isOfLoop(text) && times < OFTEN),
      "a viewer's round trips": sum((text) => OF_VIEWERS.test(text)),
      "gateway's round trips": sum((text) => OF_THE_GATEWAY.test(text)),
      "kB sent to Postgres": (many.bytes - few.bytes) / per / 1_000,
    },
  };
}
