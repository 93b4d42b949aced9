/** Titles and labels on a real database, with a model that says what the test wants. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { silentLogger } from "@atelier/base/logger";
import { ok } from "@atelier/base/result";
import { systemClock } from "@atelier/base/system-clock";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { NO_RECORDER } from "../debug-runs/debug-recorder.ts";
import type { ChosenModel, ModelRouter, OverrideChoice } from "../models/model-router.ts";
import { boundary, chatWorld, must, SAYS, type ChatWorld } from "../state/chat-world-testkit.ts";
import { updateChatMetadata } from "../state/chat-metadata-store.ts";
import { labelTurn, nameChat, proposeTitle, type QuickgenDeps } from "./quickgen-actions.ts";
import { ShortTexts } from "./short-texts-task.ts";

const never = new AbortController().signal;

type Asked = {
  readonly options: LanguageModelV4CallOptions;
  readonly apiKeyId: string;
  readonly modelName: string;
};

function quickgen(
  world: ChatWorld,
  answer: string | Error,
  override: OverrideChoice = { kind: "unset" },
  /** What a light model answers, where there is one. */
  light: string | Error | null = null,
) {
  const asked: Asked[] = [];
  const chosen = {
    config: { id: world.modelConfigId, model: "m", options: {} },
    effort: null,
    route: { kind: "unset" },
  } as unknown as ChosenModel; // As far as titles look at it.
  const router: Pick<ModelRouter, "override" | "modelOfChat" | "newModel" | "lightModel"> = {
    override: async () => ok(override),
    modelOfChat: async () => ok(chosen),
    lightModel: async (own) =>
      light === null ? null : { ...own, config: { ...own.config, model: "light" } },
    newModel: async ({ modelName }, _route, { activeApiKeyId }) => {
      const model = {
        doGenerate: async (options: LanguageModelV4CallOptions) => {
          asked.push({ options, apiKeyId: activeApiKeyId, modelName });
          const said = modelName === "light" && light !== null ? light : answer;
          if (said instanceof Error) throw said;
          return { content: [{ type: "text", text: said }] };
        },
      } as unknown as LanguageModelV4;
      return ok({ model, family: "anthropic", providerType: "anthropic", modelName: "m" });
    },
  };
  const deps: QuickgenDeps = {
    database: world.database,
    clock: systemClock,
    log: silentLogger,
    models: router as ModelRouter,
    recorder: NO_RECORDER,
    tapOf: async () => null,
  };
  return { deps, asked };
}

async function titleOf(world: ChatWorld, id: string) {
  const { rows } = await world.database.pool.query<{
    title: string;
    title_source: string;
    last_turn_summary: string | null;
  }>("select title, title_source, last_turn_summary from chats where id = $1", [id]);
  return rows[0];
}

async function begun(world: ChatWorld): Promise<string> {
  const created = await world.machine.create(world.newChat({ title: "hello" }));
  assert.ok(created.ok);
  return created.value.chat.id;
}

describe("a title", () => {
  test("is made once, from the first message, on behalf of who wrote it", async () => {
    await using world = await chatWorld();
    const { deps, asked } = quickgen(world, "Greet the agent");
    const id = await begun(world);
    await nameChat(deps, id, never);
    await nameChat(deps, id, never);
    assert.deepEqual(await titleOf(world, id), {
      title: "Greet the agent",
      title_source: "generated",
      last_turn_summary: null,
    });
    assert.deepEqual(
      asked.map(({ apiKeyId }) => apiKeyId),
      [world.apiKeyId],
    );
    assert.match(JSON.stringify(asked[0]?.options.prompt), /User: hello/);
  });

  test("is asked for with the key of the newest message that a person sent, and with no older one", async () => {
    await using world = await chatWorld();
    const { deps, asked } = quickgen(world, "A new title");
    const { id } = await world.chatIn("W");
    const { machine, apiKeyId } = world;
    const propose = async () => {
      await proposeTitle(deps, id, never);
      return asked.at(-1)?.apiKeyId;
    };
    const repeated = { role: "user", visibility: "model", apiKeyId: null, content: [] } as const;
    await machine.change(id, (chat) => chat.sendMessage(world.user("more"), "queue"));
    await machine.change(id, (chat) => chat.commitStep([...boundary(), repeated]));
    assert.equal(await propose(), apiKeyId);
    await machine.change(id, (chat) => chat.finishTurn());
    const unsigned = world.user("and now?", { apiKeyId: null });
    await machine.change(id, (chat) => chat.sendMessage(unsigned, "queue"));
    assert.equal(await propose(), "", "which the way through the gateway refuses");
  });

  for (const { name, answer } of [
    { name: "that is too long", answer: "one two three four five six seven eight nine" },
    { name: "that does not come", answer: new Error("busy") },
  ]) {
    test(`${name} leaves the first words`, async () => {
      await using world = await chatWorld();
      const id = await begun(world);
      await nameChat(quickgen(world, answer).deps, id, never);
      assert.equal((await titleOf(world, id))?.title_source, "fallback");
    });
  }

  test("of a person stays", async () => {
    await using world = await chatWorld();
    const { deps, asked } = quickgen(world, "Another title");
    const id = await begun(world);
    const { sql } = world.database;
    await updateChatMetadata(sql, id, { title: "Mine", titleSource: "user" });
    await nameChat(deps, id, never);
    assert.equal((await titleOf(world, id))?.title, "Mine");
    assert.equal(asked.length, 0);
  });

  test("of a person stays, also one that comes while the model thinks", async () => {
    await using world = await chatWorld();
    const id = await begun(world);
    const { deps } = quickgen(world, "Of a model");
    const slow: QuickgenDeps = {
      ...deps,
      models: {
        ...deps.models,
        newModel: async (...request) => {
          await updateChatMetadata(world.database.sql, id, { title: "Mine", titleSource: "user" });
          return deps.models.newModel(...request);
        },
      },
    };
    await nameChat(slow, id, never);
    const { title, title_source: source } = (await titleOf(world, id)) ?? {};
    assert.deepEqual([title, source], ["Mine", "user"]);
  });

  test("is not made with another model when the one chosen for it cannot be used", async () => {
    await using world = await chatWorld();
    const failure = { kind: "config", message: "gone", retryable: false } as const;
    const { deps, asked } = quickgen(world, "A title", { kind: "unusable", failure });
    const id = await begun(world);
    await nameChat(deps, id, never);
    assert.equal(asked.length, 0);
    assert.deepEqual(await proposeTitle(deps, id, never), { ok: false, failure: "gone" });
  });

  for (const { name, light, title, asked: wanted } of [
    { name: "a light model where there is one", light: "Of the light", asked: ["light"] },
    {
      name: "the chat's own where the light one does not answer",
      ...{ light: new Error("busy"), title: "Of its own", asked: ["light", "m"] },
    },
    {
      name: "a light model, whose answer counts though it is none",
      ...{ light: " ", title: null, asked: ["light"] },
    },
  ]) {
    test(`is made by ${name}`, async () => {
      await using world = await chatWorld();
      const { deps, asked } = quickgen(world, "Of its own", { kind: "unset" }, light);
      const proposed = await proposeTitle(deps, await begun(world), never);
      assert.equal(proposed.ok ? proposed.value : null, title === undefined ? light : title);
      assert.deepEqual(
        asked.map(({ modelName }) => modelName),
        wanted,
      );
    });
  }

  test("is made by the model that was chosen for it, and no other, light or not", async () => {
    await using world = await chatWorld();
    const config = { id: world.modelConfigId, model: "chosen", options: {} };
    const model = { config, effort: null, route: { kind: "unset" } } as unknown as ChosenModel;
    const { deps, asked } = quickgen(world, new Error("busy"), { kind: "model", model }, "light");
    assert.equal((await proposeTitle(deps, await begun(world), never)).ok, false);
    assert.deepEqual(
      asked.map(({ modelName }) => modelName),
      ["chosen"],
    );
  });

  test("has thirty seconds, for all models that are asked together", async () => {
    await using world = await chatWorld();
    const { deps, asked } = quickgen(world, "Of its own", { kind: "unset" }, "never");
    const clock = new FakeClock();
    const models: QuickgenDeps["models"] = {
      ...deps.models,
      newModel: async (request, ...rest) => {
        const client = must(await deps.models.newModel(request, ...rest));
        const silent = (options: LanguageModelV4CallOptions) => {
          asked.push({ options, apiKeyId: "", modelName: request.modelName });
          const { promise, reject } = Promise.withResolvers<never>();
          options.abortSignal?.addEventListener("abort", () => reject(new Error("aborted")));
          return promise;
        };
        return ok({ ...client, model: { ...client.model, doGenerate: silent } });
      },
    };
    const proposing = proposeTitle({ ...deps, clock, models }, await begun(world), never);
    for (let turns = 0; asked.length === 0 && turns < 10_000; turns++) await nextTurn();
    await clock.advance(30_000);
    for (let turns = 0; turns < 100; turns++) await nextTurn();
    await clock.advance(30_000);
    assert.deepEqual(await proposing, { ok: false, failure: "aborted" });
    assert.deepEqual(
      asked.map(({ modelName }) => modelName),
      ["light"],
    );
  });

  test("is proposed at any time, and not stored", async () => {
    await using world = await chatWorld();
    const { id } = await world.chatIn("W");
    const proposed = await proposeTitle(quickgen(world, "A new title").deps, id, never);
    assert.deepEqual(proposed, { ok: true, value: "A new title" });
    assert.equal((await titleOf(world, id))?.title, "New Chat");
  });
});

describe("a label", () => {
  test("says what the turn came to", async () => {
    await using world = await chatWorld();
    const { id } = await world.chatIn("W");
    await labelTurn(quickgen(world, "Answered the greeting").deps, id, "finished", never);
    assert.equal((await titleOf(world, id))?.last_turn_summary, "Answered the greeting");
  });

  test("is one of ours where the model's is none, and where nobody is asked", async () => {
    await using world = await chatWorld();
    const { id } = await world.chatIn("W");
    const { deps, asked } = quickgen(world, "I did it");
    await labelTurn(deps, id, "finished", never);
    assert.equal((await titleOf(world, id))?.last_turn_summary, "Finished latest turn");
    await labelTurn(deps, id, "error", never);
    assert.equal((await titleOf(world, id))?.last_turn_summary, "Hit an error");
    assert.equal(asked.length, 1);
  });

  test("is not made for a chat that another one started", async () => {
    await using world = await chatWorld();
    const parent = await world.chatIn("R0");
    const family = { parentChatId: parent.id, rootChatId: parent.id };
    const child = await world.chatIn("W", family);
    await world.machine.change(child.id, (chat) => chat.commitStep([SAYS]));
    await labelTurn(quickgen(world, "Did something good").deps, child.id, "finished", never);
    assert.equal((await titleOf(world, child.id))?.last_turn_summary, null);
  });
});

describe("labels beside turns", () => {
  const labelsOf = (world: ChatWorld, answer: (asked: number) => Promise<string>) => {
    const clock = new FakeClock();
    const { deps, asked } = quickgen(world, "");
    const newModel: ModelRouter["newModel"] = async () => {
      const model = {
        doGenerate: async (options: LanguageModelV4CallOptions) => {
          asked.push({ options, apiKeyId: "", modelName: "m" });
          return { content: [{ type: "text", text: await answer(asked.length) }] };
        },
      } as unknown as LanguageModelV4;
      return ok({ model, family: "anthropic", providerType: "anthropic", modelName: "m" });
    };
    const texts = new ShortTexts({ ...deps, clock, models: { ...deps.models, newModel } });
    return { clock, asked, texts };
  };
  const labelOf = async (world: ChatWorld, id: string) =>
    (await titleOf(world, id))?.last_turn_summary;
  const until = async (isSo: () => boolean | Promise<boolean>) => {
    while (!(await isSo())) await nextTurn();
  };

  test("wait until the chat has rested", async () => {
    await using world = await chatWorld();
    const { id } = await world.chatIn("W");
    const { clock, asked, texts } = labelsOf(world, async () => "Answered the greeting");
    await using _ = texts;
    texts.turnEnded(id, "finished");
    await clock.advance(999);
    assert.equal(asked.length, 0);
    await clock.advance(1);
    await until(async () => (await labelOf(world, id)) === "Answered the greeting");
  });

  test("are of the last turn where turns follow each other", async () => {
    await using world = await chatWorld();
    const { id } = await world.chatIn("W");
    const { clock, asked, texts } = labelsOf(world, async (nth) => `Answered question ${nth}`);
    await using _ = texts;
    texts.turnEnded(id, "finished");
    await clock.advance(999);
    texts.moved(id);
    await clock.advance(60_000);
    assert.equal(asked.length, 0);
    texts.turnEnded(id, "finished");
    await clock.advance(1_000);
    await until(async () => (await labelOf(world, id)) === "Answered question 1");
  });

  test("do not come late over a newer one", async () => {
    await using world = await chatWorld();
    const { id } = await world.chatIn("W");
    const first = Promise.withResolvers<string>();
    const { clock, asked, texts } = labelsOf(world, (nth) =>
      nth === 1 ? first.promise : Promise.resolve("Answered the second"),
    );
    await using _ = texts;
    texts.turnEnded(id, "finished");
    await clock.advance(1_000);
    await until(() => asked.length === 1);
    texts.moved(id);
    assert.equal(asked[0]?.options.abortSignal?.aborted, false);
    texts.turnEnded(id, "finished");
    assert.equal(asked[0]?.options.abortSignal?.aborted, true);
    first.resolve("Answered the first");
    await clock.advance(1_000);
    await until(async () => (await labelOf(world, id)) === "Answered the second");
  });

  test("tell at once of an error, for which no model is asked", async () => {
    await using world = await chatWorld();
    const { id } = await world.chatIn("W");
    const { asked, texts } = labelsOf(world, async () => "No");
    await using _ = texts;
    texts.turnEnded(id, "error");
    await until(async () => (await labelOf(world, id)) === "Hit an error");
    assert.equal(asked.length, 0);
  });
});
