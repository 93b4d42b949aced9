/** Settings of chats on a real database: defaults, changes, and whose they are. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { systemClock } from "@atelier/base/system-clock";
import { BUILT_IN_PROMPT } from "../prompt/built-in-prompt.ts";
import { chatWorld, must } from "../state/chat-world-testkit.ts";
import {
  autoArchiveSetting,
  chatSettingService,
  computerUseProviderSetting,
  decidedForTurn,
  retentionSetting,
  systemPromptSetting,
} from "./chat-setting-actions.ts";
import { toTurnSettings, TURN_SETTINGS_TEXT } from "./chat-setting-store.ts";

const DAY_MS = 86_400_000;

async function settingsWorld() {
  const world = await chatWorld();
  const options = { retentionMs: null, autoArchiveMs: 90 * DAY_MS + 1, isDebugForced: false };
  const deps = { database: world.database, clock: systemClock, options };
  const service = chatSettingService(deps);
  const request = <Input extends object>(input: Input) => ({
    caller: { userId: world.ownerId, username: "ann", apiKeyId: world.apiKeyId, may: () => true },
    subjectId: null,
    params: {},
    query: {},
    body: undefined,
    audit: {
      attempted: () => {},
      record: async () => {},
      piece: () => {
        throw new Error("nothing here is one statement");
      },
    },
    signal: new AbortController().signal,
    ...input,
  });
  /** As the statement that reads a chat of this person reads it. */
  const decidedFor = async (ownerId: string) => {
    const { rows } = await world.database.pool.query<{ readonly read: unknown }>(
      `select ${TURN_SETTINGS_TEXT} as read from (select $1::uuid as owner_id) as chats`,
      [ownerId],
    );
    return decidedForTurn(toTurnSettings(rows[0]?.read));
  };
  return { world, deps, service, request, decidedFor };
}

test("where nobody decided, the product's own prompt holds", async () => {
  const { world, service, request, decidedFor } = await settingsWorld();
  await using _world = world;
  assert.deepEqual(must(await service.getChatSystemPrompt(request({}))), {
    system_prompt: "",
    include_default_system_prompt: true,
    default_system_prompt: BUILT_IN_PROMPT,
  });
  const { thresholdPercentOf, ...decided } = await decidedFor(world.ownerId);
  assert.deepEqual(decided, { userPrompt: "", planInstructions: "", advisor: null });
  assert.equal(thresholdPercentOf(world.modelConfigId), null);
});

test("how long chats live is the option's, until administrators decide, and again when they take it back", async () => {
  const { world, deps, service, request } = await settingsWorld();
  await using _world = world;
  const seen = async () => {
    const archive = must(await service.getChatAutoArchiveDays(request({})));
    const kept = must(await service.getChatRetentionDays(request({})));
    const times = [await autoArchiveSetting(deps), await retentionSetting(deps)];
    return [archive.auto_archive_days, archive.is_set, kept.retention_days, kept.is_set, ...times];
  };
  const put = async (archive: number | null, kept: number | null) => {
    must(await service.putChatAutoArchiveDays(request({ body: { auto_archive_days: archive } })));
    must(await service.putChatRetentionDays(request({ body: { retention_days: kept } })));
  };
  assert.deepEqual(await seen(), [91, false, 0, false, 90 * DAY_MS + 1, null]);
  await put(0, 30);
  assert.deepEqual(await seen(), [0, true, 30, true, null, 30 * DAY_MS]);
  await put(7, 0);
  assert.deepEqual(await seen(), [7, true, 0, true, 7 * DAY_MS, null]);
  await put(null, null);
  assert.deepEqual(await seen(), [91, false, 0, false, 90 * DAY_MS + 1, null]);
});

test("a desktop is Anthropic's to work with, unless administrators say otherwise", async () => {
  const { world, deps, service, request } = await settingsWorld();
  await using _world = world;
  assert.equal(await computerUseProviderSetting(deps), "anthropic");
  must(await service.putChatComputerUseProvider(request({ body: { provider: "openai" } })));
  assert.deepEqual(must(await service.getChatComputerUseProvider(request({}))), {
    provider: "openai",
  });
});

test("an advisor is there once somebody says so", async () => {
  const { world, service, request, decidedFor } = await settingsWorld();
  await using _world = world;
  const body = { enabled: true, max_uses_per_run: 3, max_output_tokens: 1_000 };
  must(await service.putChatAdvisor(request({ body })));
  assert.deepEqual(must(await service.getChatAdvisor(request({}))), body);
  const { advisor } = await decidedFor(world.ownerId);
  assert.equal(advisor?.usesMax, 3);
  must(await service.putChatAdvisor(request({ body: { ...body, enabled: false } })));
  const after = await decidedFor(world.ownerId);
  assert.equal(after.advisor, null);
});

test("what administrators write holds, without letters that nobody sees", async () => {
  const { world, deps, service, request } = await settingsWorld();
  await using _world = world;
  const body = { system_prompt: "Be\u200b kind.", include_default_system_prompt: false };
  must(await service.putChatSystemPrompt(request({ body })));
  assert.deepEqual(await systemPromptSetting(deps), { text: "Be kind.", includesDefault: false });
});

test("people have their own prompt and thresholds, and nobody else's", async () => {
  const { world, service, request, decidedFor } = await settingsWorld();
  await using _world = world;
  const { ownerId, modelConfigId } = world;
  must(await service.putChatUserPrompt(request({ body: { custom_prompt: "In French." } })));
  const params = { modelConfig: modelConfigId };
  must(await service.putChatUserThreshold(request({ params, body: { threshold_percent: 40 } })));
  must(await service.putChatUserThreshold(request({ params, body: { threshold_percent: 50 } })));
  const own = await decidedFor(ownerId);
  assert.deepEqual([own.userPrompt, own.thresholdPercentOf(modelConfigId)], ["In French.", 50]);
  const other = await decidedFor(randomUUID());
  assert.deepEqual([other.userPrompt, other.thresholdPercentOf(modelConfigId)], ["", null]);
  assert.deepEqual(must(await service.listChatUserThresholds(request({}))), {
    thresholds: [{ model_config_id: modelConfigId, threshold_percent: 50 }],
  });
  must(await service.deleteChatUserThreshold(request({ params })));
  const again = await service.deleteChatUserThreshold(request({ params }));
  assert.deepEqual(again, { ok: false, failure: { code: "resource.not_found" } });
});
