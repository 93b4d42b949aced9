/** For tests: a server whose chat rests, and a model that notes when it is ready to be asked, and when it is. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import { silentLogger } from "@atelier/base/logger";
import { ok } from "@atelier/base/result";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import type { MessagePart } from "@atelier/contract/chat/message-part";
import { startPubSub } from "@atelier/database/pub-sub";
import type { HttpTap } from "../debug-runs/debug-recorder.ts";
import { createChatMachine } from "../state/chat-machine-actions.ts";
import type { ChatMachine, OwnWorker, ReadBeside, ReadChat } from "../state/chat-machine.ts";
import { must } from "../state/chat-world-testkit.ts";
import { startChatWorker } from "../worker/chat-worker-task.ts";
import { runGeneration } from "./generation-task.ts";
import { TurnHeadStart } from "./head-start-actions.ts";
import { runInterruption } from "./interrupt-task.ts";
import type { ModelRequest, TurnDeps } from "./turn-deps.ts";
import { addWorkspace, says, turnWorld, type TurnWorld } from "./turn-testkit.ts";

export type HeldServer = AsyncDisposable & {
  readonly world: TurnWorld;
  readonly turn: TurnDeps;
  readonly machine: ChatMachine;
  readonly chatId: string;
  /** What became of the calls of the model, each with what its prompt says. */
  readonly log: string[];
  /** What became of each head start. */
  readonly ended: readonly string[];
  /** Runs when a message is to be written, and before it is. */
  before: () => Promise<void>;
  /** The same of a step's results. */
  beforeStep: () => Promise<void>;
  /** As JSON, of the calls that the model was asked. */
  readonly prompts: readonly string[];
  send(text: string): Promise<unknown>;
  /** What a message would most likely make of the chat. */
  foresee(text: string): Promise<ReadChat | null>;
  until(line: string): Promise<void>;
  rests(): Promise<void>;
  said(): Promise<readonly string[]>;
};

/** Another value where there is another workspace. */
const BESIDE: ReadBeside = {
  name: "test",
  text: "(select to_json(count(*)) from workspaces)",
  version: "(select count(*)::text from workspaces)",
};

/** What the model says, or the calls of tools that it makes: one after the other. */
export type HeldAnswers = readonly (string | readonly LanguageModelV4StreamPart[])[];

/** Its chat rests after a first turn, in which the model said `first`. */
export async function startHeldServer({
  isSilent = () => false,
  tap = null,
  hasWorkspace = false,
  answers = ["first", "second", "third"],
  ...others
}: {
  /** Prompts that the model never answers. */
  readonly isSilent?: (prompt: string) => boolean;
  readonly tap?: HttpTap | null;
  readonly hasWorkspace?: boolean;
  readonly answers?: HeldAnswers;
} & Partial<
  Pick<TurnDeps, "workspaceOf" | "abandonedCalls" | "toolsOf">
> = {}): Promise<HeldServer> {
  const resources = new AsyncDisposableStack();
  const log: string[] = [];
  const ended: string[] = [];
  const prompts: string[] = [];
  const world = resources.use(await turnWorld());
  const { database, user, newChat } = world.chats;
  const { models } = world.deps;
  const rest = answers.values();
  const forTurn: typeof models.forTurn = async (chat, request) => {
    const made = await models.forTurn(chat, request);
    const model = heldModel({ log, prompts }, request.hold, (prompt) =>
      isSilent(prompt) ? null : (rest.next().value ?? "again"),
    );
    return made.ok ? ok({ ...made.value, tap, model }) : made;
  };
  const foresights: (ReadChat | null)[] = [];
  const ownWorker: OwnWorker = {
    taking: (chatId, send, foreseen) => {
      foresights.push(foreseen);
      const written: typeof send = async (owner) => {
        await server.before();
        const sent = await send(owner);
        log.push("on the disk");
        return sent;
      };
      return worker.taking(chatId, written, foreseen);
    },
    hear: (chat) => worker.hear(chat),
    stepping: (runnerId, commit, foreseen) => {
      const written: typeof commit = async () => {
        if (foreseen === null) return commit();
        await server.beforeStep();
        const done = await commit();
        log.push("results on the disk");
        return done;
      };
      return worker.stepping(runnerId, written, foreseen);
    },
  };
  const clock = systemClock;
  const machine = createChatMachine({ database, clock, ownWorker, besideTaken: BESIDE });
  const turn: TurnDeps = {
    ...{ ...world.deps, machine, beside: BESIDE, models: { ...models, forTurn } },
    ...others,
  };
  const worker = resources.use(startWorker(resources, world, { turn, ended }));
  const workspaceId = hasWorkspace ? await addWorkspace(world) : null;
  const { chat } = must(await machine.create(newChat({ dynamicTools: null, workspaceId })));
  const isAtRest = async (): Promise<boolean> => {
    const { status, runnerId } = await world.row(chat.id);
    return status === "waiting" && runnerId === null;
  };
  const server: HeldServer = {
    ...{ world, turn, machine, log, ended, prompts, chatId: chat.id },
    before: async () => {},
    beforeStep: async () => {},
    send: (text) => machine.sendAtRest(chat.id, user(text), { conditions: [], writes: [] }),
    foresee: async (text) => {
      server.before = () => Promise.reject(new Error("only looked at"));
      await assert.rejects(server.send(text), /only looked at/);
      return foresights.at(-1) ?? null;
    },
    until: (line) => eventually(async () => log.includes(line)),
    rests: () => eventually(isAtRest),
    said: async () => (await world.history(chat.id)).map(({ content }) => textOf(content)),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
  await server.rests();
  log.length = 0;
  return server;
}

function startWorker(
  resources: AsyncDisposableStack,
  { chats: { database } }: TurnWorld,
  { turn, ended }: { readonly turn: TurnDeps; readonly ended: string[] },
): ReturnType<typeof startChatWorker> {
  const deps = { clock: systemClock, random: systemRandom, log: silentLogger };
  const { connection } = database;
  const pubSub = resources.use(startPubSub({ connection, applicationName: "test" }, deps));
  return startChatWorker({
    ...{ ...deps, database, machine: turn.machine, pubSub },
    headStartEnded: (outcome) => ended.push(outcome),
    tasks: {
      runGeneration: async (context) => {
        await runGeneration(turn, { ...context, fence: context });
      },
      runInterrupt: async (context) => {
        await runInterruption(turn, { ...context, fence: context });
      },
      headStart: (foreseen) => new TurnHeadStart(turn, foreseen),
    },
  });
}

async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  const enough = AbortSignal.timeout(30_000);
  while (!(await isSo())) await systemClock.sleep(5, enough);
}

/** Held back where a client's request to its provider is. `answerTo`: null where it says nothing until it is ended. */
function heldModel(
  { log, prompts }: { readonly log: string[]; readonly prompts: string[] },
  hold: ModelRequest["hold"],
  answerTo: (prompt: string) => Answer | null,
): LanguageModelV4 {
  return {
    ...{ specificationVersion: "v4", provider: "test", modelId: "held", supportedUrls: {} },
    doGenerate: () => assert.fail("nothing is summed up"),
    doStream: async (options) => {
      const prompt = saidIn(options);
      log.push(`ready: ${prompt}`);
      try {
        await hold?.until;
      } catch (error) {
        log.push(`dropped: ${prompt}`);
        throw error;
      }
      // As where the gateway's record is a little later than what is held for.
      if (hold !== null) await setImmediate();
      log.push(`asked: ${prompt}`);
      hold?.left();
      prompts.push(JSON.stringify(options.prompt));
      const answer = answerTo(prompt);
      if (answer !== null) {
        return { stream: ReadableStream.from(typeof answer === "string" ? says(answer) : answer) };
      }
      return new Promise((_resolve, reject) => {
        options.abortSignal?.addEventListener("abort", () => {
          log.push(`ended: ${prompt}`);
          reject(new Error("ended"));
        });
      });
    },
  };
}

type Answer = HeldAnswers[number];

function saidIn({ prompt }: LanguageModelV4CallOptions): string {
  return prompt
    .map(({ content }) => (typeof content === "string" ? content : textOf(content)))
    .filter((text) => text !== "")
    .join(", ");
}

function textOf(content: readonly (MessagePart | { readonly type: string })[]): string {
  return content
    .map((part) => {
      if (part.type === "tool-result") return "result";
      return "text" in part ? String(part.text) : "";
    })
    .join("");
}
