/** Which tool servers the chat uses from the next message on. Nothing where there are none. */
import { listMcpServers } from "@atelier/contract/http/mcp-servers";
import { memo, useEffect, useState } from "react";
import { useEndpoint } from "../../api/use-endpoint.ts";
import { Icon } from "../../ui/icon.tsx";
import { Modal } from "../../ui/modal.tsx";
import { useChat } from "../page/use-chat.ts";
import { ServerChecks } from "../server-choice/server-checks.tsx";
import { changedServers, serverChoices } from "../server-choice/server-choice.ts";
import type { ComposerState } from "./use-composer.ts";

type ComposerServersProps = Pick<ComposerState, "servers" | "setServers">;

/** Drawn when a choice changes, and not with each letter that is typed. */
export const ComposerServers = memo(function ComposerServers({
  servers: wanted,
  setServers,
}: ComposerServersProps) {
  const { mcp_server_ids: current } = useChat();
  const { data } = useEndpoint(listMcpServers, {});
  const [isOpen, setIsOpen] = useState(false);
  const isInForce = wanted !== null && changedServers(wanted, current) === null;
  useEffect(() => {
    // From here on it is the chat's, which another page may change.
    if (isInForce) setServers(null);
  }, [isInForce, setServers]);
  const choices = serverChoices(data?.servers ?? [], wanted ?? current);
  if (choices.length === 0) return null;
  const chosen = choices.filter(({ isChosen }) => isChosen);
  const isChanged = wanted !== null && !isInForce;
  const isAsking = chosen.some(({ server }) => server.sign_in === "needed");
  return (
    <>
      <button
        aria-haspopup="dialog"
        className="inline-flex min-h-9 items-center gap-1.5 rounded-md px-1.5 text-xs text-muted hover:bg-hover hover:text-ink"
        onClick={() => setIsOpen(true)}
        type="button"
      >
        <Icon name="tool" size={14} />
        <span className="max-sm:sr-only">Tool servers</span>
        <span className={`tabular-nums ${isChanged ? "font-semibold text-accent" : ""}`}>
          {chosen.length} of {choices.length}
        </span>
        {isAsking && (
          <span className="text-warn">
            <Icon name="alert" size={14} />
            <span className="sr-only">, one needs your sign-in</span>
          </span>
        )}
      </button>
      <Modal
        about="The agent may use the tools of these servers. What you change counts from your next message on."
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        title="Tool servers of this chat"
      >
        <div className="space-y-2">
          <ServerChecks choices={choices} onChange={setServers} />
        </div>
      </Modal>
    </>
  );
});
