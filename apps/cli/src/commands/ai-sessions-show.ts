/** `atelier ai sessions show`: a session and its threads, latest first. */
import { assert } from "@atelier/base/assert";
import { ok, type Result } from "@atelier/base/result";
import { getAiSession, type AiThread } from "@atelier/contract/http/ai-usage";
import { isPlainTrail } from "@atelier/contract/trail-words";
import type { z } from "zod";
import type { CliFailure } from "../cli-failure.ts";
import { signedIn, type Api } from "../cli.ts";
import { argument, defineCommand, shown, textOption, type Answer } from "../command.ts";
import {
  compactNumber,
  fields,
  heading,
  orDash,
  since,
  type Cell,
  type Look,
} from "../output/people.ts";
import { terminalSafe } from "../output/terminal-safe.ts";
import { trailLines } from "../output/trail-lines.ts";
import { collectPages, PAGING_OPTIONS, type PagingInput } from "../paging.ts";

type Thread = z.output<typeof AiThread>;
type Session = z.output<typeof getAiSession.success.body>;

const THREADS_PAGE_MAX = 200;
/** Of a prompt, for people; programs get all of it. */
const PROMPT_LENGTH_MAX = 400;

export const aiSessionsShow = defineCommand({
  name: "ai sessions show",
  summary: "Show one session with its threads, latest first",
  examples: ["atelier ai sessions show 5c1e0f5c-8a54-4a37-9d4f-0c7a6c2a7f10"],
  args: { session: argument("its id") },
  options: {
    user: textOption("--user <user>", "whose, where two people used the same id"),
    ...PAGING_OPTIONS,
  },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    return showSession(api.value, cli.look, {
      id: args.session,
      user: options.user,
      paging: options,
    });
  },
});

async function showSession(
  api: Api,
  look: Look,
  wanted: { readonly id: string; readonly user: string | undefined; readonly paging: PagingInput },
): Promise<Result<Answer, CliFailure>> {
  const heads: Session[] = [];
  const threads = await collectPages(wanted.paging, {
    pageMax: THREADS_PAGE_MAX,
    idOf: (thread: Thread) => thread.id,
    load: async ({ limit, after }) => {
      const answer = await api.call(getAiSession, {
        params: { session: wanted.id },
        query: { limit, after_id: after, initiator: wanted.user },
      });
      if (!answer.ok) return answer;
      if (heads.length === 0) heads.push(answer.value);
      return ok({ items: answer.value.threads, count: answer.value.thread_count });
    },
  });
  if (!threads.ok) return threads;
  const { items, count, isComplete } = threads.value;
  const [session] = heads;
  assert(session !== undefined, "at least one page was loaded");
  return ok(
    shown({
      json: { ...session, threads: items },
      text: () =>
        [sessionFields(look, session), ...items.map((each) => threadText(look, each))].join("\n\n"),
      note: isComplete
        ? null
        : `Showing ${items.length} of ${count} threads. More: --limit or --all.`,
    }),
  );
}

function sessionFields(look: Look, session: Session): string {
  const { token_usage_summary: tokens } = session;
  return fields(look, [
    ["Session", session.id],
    ["User", session.initiator.username],
    ["Client", orDash(session.client)],
    ["Providers", session.provider_names.join(", ")],
    ["Models", session.models.join(", ")],
    ["Started", since(look, session.started_at)],
    ["Ended", session.ended_at === null ? "under way" : since(look, session.ended_at)],
    ["Calls", String(session.interceptions)],
    ["Tokens", tokensText(tokens)],
    ["Errors", session.errors === 0 ? "0" : { text: String(session.errors), tone: "bad" }],
  ]);
}

function threadText(look: Look, thread: Thread): string {
  const prompt = thread.prompt === null ? "(no prompt)" : shortened(thread.prompt);
  const calls = thread.agentic_actions.flatMap((action) => action.tool_calls);
  const pairs: [string, Cell][] = [
    ["  Model", `${thread.model} (${thread.provider_name})`],
    ["  Started", since(look, thread.started_at)],
    ["  Tokens", tokensText(thread.token_usage)],
    ["  Tool calls", calls.length === 0 ? "0" : `${calls.length}: ${toolCounts(calls)}`],
  ];
  if (thread.error_type !== null) {
    const text = `${thread.error_type}: ${thread.error_message ?? ""}`;
    pairs.push(["  Error", { text, tone: "bad" }]);
  }
  const attempts = thread.agentic_actions.flatMap(({ started_at: startedAt, trail }) =>
    trail === null || isPlainTrail(trail)
      ? []
      : [`  Attempts of the call at ${startedAt}`, ...trailLines(look, trail)],
  );
  return [heading(look, prompt), fields(look, pairs), ...attempts].join("\n");
}

function toolCounts(calls: readonly { readonly tool: string }[]): string {
  const counts = new Map<string, number>();
  for (const { tool } of calls) counts.set(tool, (counts.get(tool) ?? 0) + 1);
  return [...counts].map(([tool, count]) => (count === 1 ? tool : `${tool} ×${count}`)).join(", ");
}

function tokensText(tokens: Session["token_usage_summary"]): string {
  const input = compactNumber(tokens.input_tokens);
  const output = compactNumber(tokens.output_tokens);
  const read = compactNumber(tokens.cache_read_input_tokens);
  const written = compactNumber(tokens.cache_write_input_tokens);
  return `${input} in, ${output} out, ${read} read from cache, ${written} written to it`;
}

function shortened(prompt: string): string {
  const text = terminalSafe(prompt).trim();
  return text.length <= PROMPT_LENGTH_MAX ? text : `${text.slice(0, PROMPT_LENGTH_MAX)}…`;
}
