/** A plan that the agent proposes: read, then carried out or sent back. */
import { useQuery } from "@tanstack/react-query";
import { browserSend } from "../../browser/host.ts";
import { Button } from "../../ui/button.tsx";
import { PLAIN_SEND } from "../composer/send-input.ts";
import { useChatScene, useIsSending } from "../page/chat-scene.ts";
import { filePath } from "./file-view.tsx";
import { Markdown } from "./markdown.tsx";
import { planFileOf, type ToolRow } from "./transcript-rows.ts";

export const IMPLEMENT_TEXT = "The plan is approved. Carry it out.";

type PlanCardProps = { readonly row: ToolRow; readonly isOpen: boolean };

export function PlanCard({ row, isOpen }: PlanCardProps) {
  const { isOwn, outbox, composer } = useChatScene();
  const isSending = useIsSending();
  const fileId = row.result === null ? null : planFileOf(row.result);
  const plan = useQuery({
    queryKey: ["chat plan", fileId],
    enabled: fileId !== null,
    staleTime: Infinity,
    queryFn: ({ signal }) => readPlan(fileId ?? "", signal),
  });
  return (
    <section
      aria-label="Plan"
      className={`rounded-lg border bg-surface ${isOpen ? "border-accent" : "border-line"}`}
    >
      <h2 className="border-b border-line px-4 py-2 font-semibold">
        {isOpen ? "The agent proposes a plan" : "Plan"}
      </h2>
      <div
        aria-label="The plan's text"
        className="max-h-[60vh] min-h-40 overflow-auto px-4 py-3"
        role="region"
        // What scrolls must be reachable by keyboard.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        {plan.data === undefined ? (
          <p className="text-muted">{plan.isError ? plan.error.message : "Loading the plan…"}</p>
        ) : (
          <Markdown text={plan.data} />
        )}
      </div>
      {isOpen && isOwn && (
        <div className="flex flex-wrap gap-2 border-t border-line px-4 py-3">
          <Button
            disabled={isSending}
            look="main"
            onClick={() => outbox.send({ ...PLAIN_SEND, text: IMPLEMENT_TEXT, planMode: "" })}
          >
            Carry out this plan
          </Button>
          <Button onClick={() => composer.current?.focus("What should be different in the plan?")}>
            Ask for changes
          </Button>
        </div>
      )}
    </section>
  );
}

async function readPlan(fileId: string, signal: AbortSignal): Promise<string> {
  const path = filePath(fileId);
  if (path === null) throw new Error("a file's id is no empty text");
  const sent = await browserSend({ method: "GET", path: `/${path}`, body: null }, { signal });
  if (!sent.ok) throw new Error(sent.failure.message);
  if (sent.value.status !== 200) throw new Error("The plan's file is not kept any more.");
  return sent.value.body;
}
