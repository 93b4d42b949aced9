/** What the agent does at this moment, and how old that is where it is not of this moment. */
import { isBusy } from "@atelier/contract/chat/chat-view";
import { memo } from "react";
import { useNow } from "../../browser/ticks.ts";
import { useChatModels } from "../model-choice/model-choice-fields.tsx";
import { modelName } from "../model-choice/model-choice.ts";
import { staleText } from "../stream/connection-words.ts";
import { useChatScene, useLinkState } from "./chat-scene.ts";
import { doingText } from "./doing.ts";
import { useChat, useChatWorkspace } from "./use-chat.ts";

const TICK_MS = 500;

/** Its room is always there, so that nothing moves when it begins to speak. */
export const StatusLine = memo(function StatusLine() {
  const { isOwn } = useChatScene();
  const view = useLinkState((state) => state.view);
  const connection = useLinkState((state) => state.connection);
  const isAlive =
    connection.kind === "away" ||
    (view.status !== null && (isBusy(view.status) || view.status === "requires_action"));
  return (
    <div className="flex min-h-7 items-center gap-2 px-2 text-xs text-muted">
      {connection.kind === "gone" && <span role="status">{goneText(isOwn)}</span>}
      {isAlive && connection.kind !== "gone" && <LiveWords />}
    </div>
  );
});

function LiveWords() {
  const now = useNow(TICK_MS);
  const view = useLinkState((state) => state.view);
  const connection = useLinkState((state) => state.connection);
  const chat = useChat();
  const workspace = useChatWorkspace();
  const models = useChatModels();
  const model = models.data?.models.find(({ id }) => id === chat.last_model_config_id);
  const stale = staleText(connection, now);
  if (stale !== null) {
    return (
      <span className="rounded bg-warn-soft px-2 py-0.5 font-medium text-warn" role="status">
        {stale}
      </span>
    );
  }
  const doing = doingText(view, {
    now,
    isQueuedForCapacity: chat.queued_for_capacity === true,
    absentWorkspace:
      workspace === undefined || workspace.status === "connected" ? null : workspace.name,
    modelName: model === undefined ? "the model" : modelName(model),
  });
  if (doing === null) return null;
  return (
    <>
      <span aria-hidden="true" className="size-2 shrink-0 animate-pulse rounded-full bg-accent" />
      <span className="truncate tabular-nums">{doing}</span>
    </>
  );
}

function goneText(isOwn: boolean): string {
  return isOwn ? "This chat is gone." : "This chat is gone, or shared with you no longer.";
}
