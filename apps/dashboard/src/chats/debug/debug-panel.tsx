/** What the chat sent to models and was answered: its recorded runs, and one of them step by step. */
import { requestPath } from "@atelier/contract/client";
import {
  DEBUG_KIND_WORDS,
  DEBUG_STATUS_WORDS,
  debugDurationMs,
  debugRunTitle,
} from "@atelier/contract/chat/debug-words";
import {
  getChatDebugRun,
  getChatDebugStep,
  listChatDebugRuns,
  type ChatDebugRun,
  type ChatDebugStep,
  type DebugStatus,
} from "@atelier/contract/http/chat-debug";
import { useState } from "react";
import { useEndpoint } from "../../api/use-endpoint.ts";
import { apiUrl } from "../../browser/host.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { Button, DownloadLink } from "../../ui/button.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { durationText } from "../../ui/relative-time-text.ts";
import { useChatScene } from "../page/chat-scene.ts";
import { Disclosure } from "../transcript/disclosure.tsx";
import { DebugStepView } from "./debug-step.tsx";

const LOOK_AGAIN_MS = 4_000;

const TONES: Readonly<Record<DebugStatus, Tone>> = {
  in_progress: "accent",
  completed: "good",
  error: "bad",
  interrupted: "warn",
};

export function DebugPanel() {
  const [runId, setRunId] = useState<string | null>(null);
  if (runId !== null) return <Run onBack={() => setRunId(null)} runId={runId} />;
  return <Runs onOpen={setRunId} />;
}

function Runs({ onOpen }: { readonly onOpen: (runId: string) => void }) {
  const { chatId } = useChatScene();
  const params = { chat: chatId };
  const runs = useEndpoint(listChatDebugRuns, { params }, { everyMs: LOOK_AGAIN_MS });
  return (
    <Loaded query={runs} what="recorded model calls">
      {({ runs: all, is_recorded: isRecorded }) => (
        <>
          {!isRecorded && (
            <p className="mb-3 text-muted">
              What is said from now on is not recorded. This is from before.
            </p>
          )}
          {all.length === 0 ? (
            <EmptyState icon="sessions" title="Nothing recorded yet">
              <p>The next message is, with all that the model is sent and answers.</p>
            </EmptyState>
          ) : (
            <ol aria-label="Recorded runs" className="space-y-1.5">
              {all.map((run) => (
                <li key={run.id}>
                  <RunLine onOpen={() => onOpen(run.id)} run={run} />
                </li>
              ))}
            </ol>
          )}
        </>
      )}
    </Loaded>
  );
}

type RunLineProps = { readonly run: ChatDebugRun; readonly onOpen: () => void };

function RunLine({ run, onOpen }: RunLineProps) {
  const { summary, kind } = run;
  return (
    <button
      className="w-full rounded-md border border-line bg-surface px-3 py-2 text-left hover:bg-hover"
      onClick={onOpen}
      type="button"
    >
      <span className="flex items-center gap-2">
        <span className="min-w-0 flex-1 truncate font-medium">{debugRunTitle(run)}</span>
        <StatusBadge status={run.status} />
      </span>
      <span className="mt-0.5 flex flex-wrap gap-x-3 text-xs text-muted tabular-nums">
        {summary.title !== "" && <span>{DEBUG_KIND_WORDS[kind]}</span>}
        <RelativeTime time={run.started_at} />
        <Took span={run} />
        {summary.step_count > 1 && <span>{summary.step_count} steps</span>}
        {summary.attempt_count > summary.step_count && <span>{summary.attempt_count} tries</span>}
        <span>
          {summary.input_tokens.toLocaleString("en")} in,{" "}
          {summary.output_tokens.toLocaleString("en")} out
        </span>
      </span>
      {summary.error !== null && (
        <span className="mt-0.5 block truncate text-xs text-bad">{summary.error}</span>
      )}
    </button>
  );
}

type RunProps = { readonly runId: string; readonly onBack: () => void };

function Run({ runId, onBack }: RunProps) {
  const { chatId } = useChatScene();
  const params = { chat: chatId, run: runId };
  const input = { params, query: { detail: "outline" } } as const;
  const run = useEndpoint(getChatDebugRun, input, { everyMs: LOOK_AGAIN_MS });
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center justify-between gap-2">
        <Button look="quiet" onClick={onBack}>
          ← All runs
        </Button>
        <DownloadLink
          href={apiUrl(requestPath(getChatDebugRun.path, params, {}) ?? "")}
          name={`chat-run-${runId}.json`}
        >
          Download as JSON
        </DownloadLink>
      </div>
      <Loaded query={run} what="the run">
        {(answer) => (
          <>
            <h2 className="font-medium break-words">{debugRunTitle(answer)}</h2>
            <p className="mt-1 mb-3 flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-muted tabular-nums">
              <StatusBadge status={answer.status} />
              <span>
                {answer.model} ({answer.provider})
              </span>
              <RelativeTime time={answer.started_at} />
              <Took span={answer} />
            </p>
            <ol aria-label="Steps" className="space-y-2">
              {answer.steps.map((step) => (
                <li key={step.id}>
                  <Step isOnly={answer.steps.length === 1} step={step} />
                </li>
              ))}
            </ol>
          </>
        )}
      </Loaded>
    </>
  );
}

function Step({ step, isOnly }: { readonly step: ChatDebugStep; readonly isOnly: boolean }) {
  return (
    <Disclosure
      aside={
        <span className="text-xs text-muted tabular-nums">
          <Took span={step} />
        </span>
      }
      isOpenFirst={isOnly}
      line={
        <>
          <span className="font-medium text-ink">Step {step.step_number}</span>
          <StatusBadge status={step.status} />
          {step.attempt_count > 1 && (
            <span className="truncate text-xs">{step.attempt_count} tries</span>
          )}
        </>
      }
      rowKey={`debug-${step.id}`}
    >
      {() => <WholeStep key={step.updated_at} outline={step} />}
    </Disclosure>
  );
}

/** Read when it is opened: a step can hold a megabyte. */
function WholeStep({ outline }: { readonly outline: ChatDebugStep }) {
  const { chatId } = useChatScene();
  const params = { chat: chatId, run: outline.run_id, step: outline.id };
  const isOver = outline.status !== "in_progress";
  const step = useEndpoint(getChatDebugStep, { params }, isOver ? {} : { everyMs: LOOK_AGAIN_MS });
  return (
    <Loaded query={step} what="the step">
      {(answer) => <DebugStepView step={answer} />}
    </Loaded>
  );
}

function Took({ span }: { readonly span: Parameters<typeof debugDurationMs>[0] }) {
  const tookMs = debugDurationMs(span);
  return tookMs === null ? null : <span>{durationText(tookMs)}</span>;
}

function StatusBadge({ status }: { readonly status: DebugStatus }) {
  return <Badge tone={TONES[status]}>{DEBUG_STATUS_WORDS[status]}</Badge>;
}
