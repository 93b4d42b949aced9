/** The first page: what one's agents do, and the steps from a fresh account to daily work. */
import { listChats } from "@atelier/contract/http/chats";
import { listUserProviderKeys } from "@atelier/contract/http/ai-user-keys";
import { listAiSessions } from "@atelier/contract/http/ai-usage";
import { listWorkspaces } from "@atelier/contract/http/workspaces";
import { useEffect } from "react";
import { useEndpoint } from "../api/use-endpoint.ts";
import { useMay, useSignedIn } from "../app/signed-in.ts";
import { keep, kept } from "../browser/host.ts";
import { LatestAgents } from "../chats/inbox/latest-agents.tsx";
import { NeedsYou } from "../chats/inbox/needs-you.tsx";
import { Badge } from "../ui/badge.tsx";
import { ButtonLink } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { PageHead } from "../ui/page-head.tsx";

const LOOK_AGAIN_MS = 10_000;
const STEPS_DONE = "first-steps-done";
const ONE = { query: { limit: 1 } } as const;

type Step = {
  readonly title: string;
  readonly about: string;
  readonly to: string;
  readonly verb: string;
  /** Undefined: not known yet. */
  readonly isDone: boolean | undefined;
};

export function Page() {
  const { username, name } = useSignedIn();
  const title = `Hello, ${name === "" ? username : name}`;
  const steps = useSteps();
  const isDone = useWereDone(steps);
  return (
    <>
      <PageHead
        about={
          isDone
            ? "What your agents do, and what waits for you."
            : "From here to daily work. What is done stays reachable in the navigation."
        }
        title={title}
      >
        {isDone && (
          <ButtonLink look="main" to="/chats/new">
            New chat
          </ButtonLink>
        )}
      </PageHead>
      <NeedsYou />
      {isDone && <LatestAgents />}
      {isDone ? (
        <details className="mb-5">
          <summary className="min-h-9 cursor-pointer py-1.5 text-muted hover:text-ink">
            First steps: all done
          </summary>
          <div className="mt-2">
            <Steps steps={steps} />
          </div>
        </details>
      ) : (
        <Steps steps={steps} />
      )}
      <p className="mt-6 text-muted">
        Press <kbd className="font-mono">Ctrl K</kbd> to go anywhere,{" "}
        <kbd className="font-mono">?</kbd> for the keys that there are.
      </p>
    </>
  );
}

/** As this device knows it, until the server has told: what is shown first stays where it is. */
function useWereDone(steps: readonly Step[]): boolean {
  const isDone = steps.every((step) => step.isDone);
  const isOpen = steps.some((step) => step.isDone === false);
  useEffect(() => {
    if (isDone) keep("device", STEPS_DONE, "yes");
    else if (isOpen) keep("device", STEPS_DONE, null);
  }, [isDone, isOpen]);
  return isDone || (!isOpen && kept("device", STEPS_DONE) === "yes");
}

function Steps({ steps }: { readonly steps: readonly Step[] }) {
  return (
    <ol className="space-y-3">
      {steps.map((step, index) => (
        <StepRow isNext={step === nextOf(steps)} key={step.to} number={index + 1} step={step} />
      ))}
    </ol>
  );
}

function nextOf(steps: readonly Step[]): Step | undefined {
  return steps.find(({ isDone }) => isDone === false);
}

function useSteps(): readonly Step[] {
  const providers = useEndpoint(listUserProviderKeys, { params: { user: "me" } });
  const sessions = useEndpoint(listAiSessions, ONE, { everyMs: LOOK_AGAIN_MS });
  const workspaces = useEndpoint(listWorkspaces, ONE, { everyMs: LOOK_AGAIN_MS });
  const chats = useEndpoint(listChats, ONE, { everyMs: LOOK_AGAIN_MS });
  const mayAdd = useMay("ai_provider:create");
  const provider: Step = {
    title: "Add a model provider",
    about:
      "An account of your company with OpenAI, Anthropic or another. Its key stays on the server.",
    to: "/ai/settings/providers/new",
    verb: "Add a provider",
    isDone: providers.data === undefined ? undefined : providers.data.count > 0,
  };
  return [
    ...(mayAdd ? [provider] : []),
    {
      title: "Connect a client",
      about: "Claude Code, Codex, opencode or an SDK, with a token of yours.",
      to: "/ai/connect",
      verb: "Connect",
      isDone: sessions.data === undefined ? undefined : sessions.data.count > 0,
    },
    {
      title: "Attach a machine",
      about:
        "One that you have becomes a workspace of yours, used from anywhere as if it were here.",
      to: "/workspaces",
      verb: "Attach",
      isDone:
        workspaces.data === undefined
          ? undefined
          : workspaces.data.workspaces.some(({ status }) => status !== "connecting"),
    },
    {
      title: "Start an agent",
      about: "It works on the server with a model and your machine, whether you look or not.",
      to: "/chats/new",
      verb: "Start one",
      isDone: chats.data === undefined ? undefined : chats.data.length > 0,
    },
  ];
}

type StepRowProps = { readonly step: Step; readonly number: number; readonly isNext: boolean };

function StepRow({ step, number, isNext }: StepRowProps) {
  const { title, about, to, verb, isDone } = step;
  return (
    <li className="flex flex-wrap items-center gap-4 rounded-lg border border-line bg-surface p-4">
      <span
        className={`flex size-8 shrink-0 items-center justify-center rounded-full font-semibold ${isDone ? "bg-good-soft text-good" : "bg-accent-soft text-accent"}`}
      >
        {isDone ? <Icon name="check" /> : number}
      </span>
      <div className="min-w-48 flex-1">
        <h2 className="flex items-center gap-2 font-semibold">
          {title}
          {isDone && <Badge tone="good">done</Badge>}
        </h2>
        <p className="text-muted">{about}</p>
      </div>
      <ButtonLink look={isNext ? "main" : "plain"} to={to}>
        {verb}
      </ButtonLink>
    </li>
  );
}
