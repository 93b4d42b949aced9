/** How full the context is and what the chat cost, in a few characters; opened, in words. */
import { getChatUsageLimitStatus } from "@atelier/contract/http/chat-spending";
import { clearChat, compactChat, getChat } from "@atelier/contract/http/chats";
import type { ApiProblem } from "@atelier/contract/client";
import { memo, useState } from "react";
import { useChange, useEndpoint } from "../../api/use-endpoint.ts";
import { Button } from "../../ui/button.tsx";
import { Facts } from "../../ui/facts.tsx";
import { Modal } from "../../ui/modal.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import {
  chatCostText,
  contextFill,
  moneyOf,
  tokenText,
  totalTokens,
} from "../composer/usage-words.ts";
import { useChatModels } from "../model-choice/model-choice-fields.tsx";
import { spentText } from "../../spending/spending-words.ts";
import { useChatScene, useLinkState } from "./chat-scene.ts";
import { useChat, useChatCost } from "./use-chat.ts";

const FULL_PERCENT = 100;

export const Meters = memo(function Meters() {
  const messages = useLinkState(({ view }) => view.messages);
  const cost = useChatCost();
  const [isOpen, setIsOpen] = useState(false);
  const fill = contextFill(messages);
  const spent = cost.data === undefined ? "" : chatCostText(cost.data, totalTokens(messages));
  return (
    <>
      <button
        className="flex min-h-9 items-center gap-2 rounded-md px-2 text-xs text-muted tabular-nums hover:bg-hover hover:text-ink"
        onClick={() => setIsOpen(true)}
        title="Context and cost"
        type="button"
      >
        <span className="sr-only">Context and cost: </span>
        <FillBar percent={fill?.percent ?? 0} />
        <span className="w-9 text-left">{fill === null ? "–" : `${fill.percent}%`}</span>
        <span className="min-w-24 text-left max-sm:hidden">{spent}</span>
      </button>
      <Modal isOpen={isOpen} onClose={() => setIsOpen(false)} title="Context and cost">
        <MeterDetails onDone={() => setIsOpen(false)} />
      </Modal>
    </>
  );
});

function FillBar({ percent }: { readonly percent: number }) {
  const look = percent >= 90 ? "bg-bad" : percent >= 70 ? "bg-warn" : "bg-accent";
  return (
    <span
      aria-hidden="true"
      className="h-1.5 w-12 overflow-hidden rounded-full bg-hover max-sm:hidden"
    >
      <span
        className={`block h-full ${look}`}
        style={{ width: `${Math.min(FULL_PERCENT, percent)}%` }}
      />
    </span>
  );
}

function MeterDetails({ onDone }: { readonly onDone: () => void }) {
  const { chatId, isOwn } = useChatScene();
  const messages = useLinkState(({ view }) => view.messages);
  const status = useLinkState(({ view }) => view.status);
  const hasOlder = useLinkState((state) => state.hasOlder);
  const chat = useChat();
  const models = useChatModels();
  const cost = useChatCost();
  const spending = useOwnSpending(isOwn);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const compact = useChange(compactChat, [getChat]);
  const clear = useChange(clearChat, [getChat]);
  const fill = contextFill(messages);
  const model = models.data?.models.find(({ id }) => id === chat.last_model_config_id);
  const isFree = status === "waiting" || status === "error";
  const run = (change: typeof compact): void => {
    change({ params: { chat: chatId } }).then(
      (outcome) => {
        if (outcome.ok) onDone();
        else setProblem(outcome.failure);
      },
      () => {}, // Failures are values here.
    );
  };
  const tokens = totalTokens(messages);
  return (
    <div className="space-y-4">
      <Facts
        facts={[
          {
            name: "In the context",
            value:
              fill === null
                ? "nothing known"
                : `${tokenText(fill.tokens)} of ${tokenText(fill.limit)} tokens`,
          },
          {
            name: "Summed up by itself",
            value: model === undefined ? "unknown" : summedUpText(model.compression_threshold),
          },
          {
            name: hasOlder ? "Tokens of the messages shown" : "Tokens so far",
            value: tokenText(tokens),
          },
          {
            name: "Cost, with its agents",
            value:
              cost.data === undefined || cost.data.request_count === 0
                ? "nothing yet"
                : (moneyOf(cost.data) ?? "no price is known"),
          },
          { name: "Calls of models", value: String(cost.data?.request_count ?? 0) },
          ...spending,
        ]}
      />
      {problem !== null && <ProblemNotice problem={problem} />}
      {isOwn && (
        <div className="flex flex-wrap gap-2">
          <Button disabled={!isFree} onClick={() => run(compact)}>
            Sum the history up
          </Button>
          <Button disabled={!isFree} onClick={() => run(clear)}>
            Empty the context
          </Button>
          {!isFree && <span className="self-center text-muted">Once the agent is free.</span>}
        </div>
      )}
    </div>
  );
}

/** Of all of one's chats. Nothing, beside a chat of somebody else. */
function useOwnSpending(isOwn: boolean) {
  const { data } = useEndpoint(getChatUsageLimitStatus, {}, { isWanted: isOwn });
  return data === undefined ? [] : [{ name: "All agents of yours", value: spentText(data) }];
}

function summedUpText(threshold: number): string {
  return threshold >= FULL_PERCENT ? "never" : `from ${threshold}% on`;
}
