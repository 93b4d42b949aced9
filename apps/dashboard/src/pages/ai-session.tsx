/** One session of the gateway: its prompts, and what the model did with each. */
import { getAiSession, type AgenticAction, type AiThread } from "@atelier/contract/http/ai-usage";
import {
  isPlainTrail,
  keyWords,
  reasonWords,
  type TrailTexts,
} from "@atelier/contract/trail-words";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import type { z } from "zod";
import { usePages } from "../api/use-endpoint.ts";
import { RequestTrail } from "../gateway/request-trail.tsx";
import { tokenText } from "../gateway/token-text.ts";
import { Badge } from "../ui/badge.tsx";
import { ButtonLink } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-text.tsx";
import { Facts } from "../ui/facts.tsx";
import { LoadMore } from "../ui/load-more.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { Panel } from "../ui/panel.tsx";
import { durationText } from "../ui/relative-time-text.ts";
import { RelativeTime } from "../ui/relative-time.tsx";
import { costText, moneyText } from "../usage/money-text.ts";

type Thread = z.output<typeof AiThread>;
type Action = z.output<typeof AgenticAction>;

/** The session of its calls is called as its chat. */
const AGENTS = "Atelier Agents";
const PAGE_SIZE = 25;
const LOOK_AGAIN_MS = 5_000;

export function Page() {
  const { session = "" } = useParams({ strict: false }) as { readonly session?: string };
  const { initiator } = useSearch({ strict: false }) as { readonly initiator?: string };
  const params = { session };
  const pages = usePages(
    getAiSession,
    { params, query: { limit: PAGE_SIZE, initiator } },
    ({ threads }) =>
      threads.length < PAGE_SIZE
        ? null
        : { params, query: { limit: PAGE_SIZE, initiator, after_id: threads.at(-1)?.id } },
    { everyMs: LOOK_AGAIN_MS },
  );
  return (
    <>
      <PageHead title="Session">
        <CopyButton text={session} what="the session's id" />
        <ButtonLink to="/logs/ai-sessions">All sessions</ButtonLink>
      </PageHead>
      <Loaded query={pages} what="this session">
        {({ pages: answers }) => {
          const [head] = answers;
          if (head === undefined) return null;
          const threads = answers.flatMap((answer) => answer.threads);
          return (
            <>
              {head.client === AGENTS && (
                <p className="mb-4">
                  An agent’s calls.{" "}
                  <Link
                    className="text-accent underline underline-offset-2"
                    to={`/chats/${head.id}`}
                  >
                    Open its chat
                  </Link>
                </p>
              )}
              <SessionFacts head={head} />
              {threads.map((thread) => (
                <ThreadPanel key={thread.id} thread={thread} />
              ))}
              <LoadMore count={head.thread_count} pages={pages} shown={threads.length} />
            </>
          );
        }}
      </Loaded>
    </>
  );
}

type Head = z.output<(typeof getAiSession)["success"]["body"]>;

function SessionFacts({ head }: { readonly head: Head }) {
  return (
    <Panel>
      <Facts
        facts={[
          { name: "Person", value: head.initiator.username },
          { name: "Client", value: head.client === "" ? "unknown" : head.client },
          { name: "Models", value: head.models.join(", ") },
          { name: "Providers", value: head.provider_names.join(", ") },
          { name: "Tokens", value: tokenText(head.token_usage_summary) },
          { name: "Cost", value: costText(head) },
          { name: "Calls", value: head.interceptions },
          { name: "Started", value: <RelativeTime time={head.started_at} /> },
          {
            name: "Ended",
            value:
              head.ended_at === null ? (
                <Badge tone="accent">under way</Badge>
              ) : (
                <RelativeTime time={head.ended_at} />
              ),
          },
          { name: "Lasted", value: lengthText(head.started_at, head.ended_at) },
          {
            name: "Errors",
            value: head.errors === 0 ? "none" : <Badge tone="bad">{head.errors}</Badge>,
          },
        ]}
      />
    </Panel>
  );
}

function ThreadPanel({ thread }: { readonly thread: Thread }) {
  const { agentic_actions: actions } = thread;
  return (
    <article className="mb-4 rounded-lg border border-line bg-surface">
      <header className="border-b border-line p-4">
        <p className="max-h-60 overflow-y-auto break-words whitespace-pre-wrap">
          {thread.prompt ?? <span className="text-muted">(no prompt)</span>}
        </p>
        <p className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-muted">
          <span>
            {thread.model} · {thread.provider_name}
          </span>
          <span>{tokenText(thread.token_usage)}</span>
          <span>{costText(thread)}</span>
          <span>{lengthText(thread.started_at, thread.ended_at)}</span>
          <RelativeTime time={thread.started_at} />
          <span>
            {thread.credential_kind === "byok" ? "own key" : "company key"} {thread.credential_hint}
          </span>
        </p>
        <Failure message={thread.error_message} type={thread.error_type} />
      </header>
      {actions.length > 0 && (
        <ol>
          {actions.map((action) => (
            <ActionRow action={action} key={action.interception_id} />
          ))}
        </ol>
      )}
    </article>
  );
}

function ActionRow({ action }: { readonly action: Action }) {
  return (
    <li className="border-b border-line px-4 py-3 last:border-0">
      <p className="flex flex-wrap gap-x-3 text-xs text-muted">
        <span>{action.model}</span>
        <span>{tokenText(action.token_usage)}</span>
        <span>{moneyText(action.cost_micros)}</span>
        <span>{lengthText(action.started_at, action.ended_at)}</span>
        <PlainKey action={action} />
      </p>
      {action.trail !== null && !isPlainTrail(action.trail) && (
        <RequestTrail startedAt={action.started_at} trail={action.trail} />
      )}
      <Failure message={action.error_message} type={action.error_type} />
      {action.thinking.map((text) => (
        <details className="mt-1" key={text}>
          <summary className="text-muted">Thinking</summary>
          <p className="mt-1 max-h-60 overflow-y-auto break-words whitespace-pre-wrap text-muted">
            {text}
          </p>
        </details>
      ))}
      {action.tool_calls.map((call) => (
        <details className="mt-1" key={`${call.provider_tool_call_id} ${call.created_at}`}>
          <summary>
            <code className="font-mono">{call.tool}</code>{" "}
            <span className="text-xs text-muted">{shortened(call.input)}</span>
          </summary>
          <pre className="mt-1 max-h-80 overflow-auto rounded-md bg-sunken p-2 font-mono text-xs break-words whitespace-pre-wrap">
            {call.input}
          </pre>
        </details>
      ))}
    </li>
  );
}

/** Where the key that everybody expects has served, nothing else is worth a line. */
function PlainKey({ action: { trail } }: { readonly action: Action }) {
  const [attempt] = trail?.attempts ?? [];
  if (trail === null || attempt === undefined || !isPlainTrail(trail)) return null;
  return (
    <span>
      {keyWords(attempt)}, {reasonWords(attempt, PLAIN)}
    </span>
  );
}

const PLAIN: TrailTexts = { length: durationText, time: (isoTime) => isoTime };

type FailureProps = { readonly type: string | null; readonly message: string | null };

function Failure({ type, message }: FailureProps) {
  if (type === null) return null;
  return (
    <p className="mt-2 flex flex-wrap items-center gap-2">
      <Badge tone="bad">{type}</Badge>
      <span className="break-words">{message}</span>
    </p>
  );
}

function lengthText(startedAt: string, endedAt: string | null): string {
  if (endedAt === null) return "under way";
  return durationText(Date.parse(endedAt) - Date.parse(startedAt));
}

const INPUT_LENGTH_MAX = 80;

function shortened(input: string): string {
  return input.length <= INPUT_LENGTH_MAX ? input : `${input.slice(0, INPUT_LENGTH_MAX)}…`;
}
