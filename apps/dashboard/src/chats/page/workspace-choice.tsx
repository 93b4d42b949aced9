/** Which workspace a chat works in. */
import { getChat, updateChat } from "@atelier/contract/http/chats";
import { listWorkspaces } from "@atelier/contract/http/workspaces";
import type { ApiProblem } from "@atelier/contract/client";
import { useState } from "react";
import { useChange, useEndpoint } from "../../api/use-endpoint.ts";
import { ChoiceField } from "../../forms/choice-field.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { STATUS_WORDS } from "../../workspaces/workspace-words.ts";
import { useChat } from "./use-chat.ts";

const OWN = { query: { q: "owner:me", limit: 100 } } as const;

export function WorkspaceChoice() {
  const chat = useChat();
  const query = useEndpoint(listWorkspaces, OWN);
  const update = useChange(updateChat, [getChat]);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  return (
    <Loaded query={query} what="your workspaces">
      {({ workspaces }) => (
        <>
          <ChoiceField
            choices={[
              { value: "", label: "None" },
              ...workspaces.map(({ id, name, status }) => ({
                value: id,
                label: `${name} (${STATUS_WORDS[status].words})`,
              })),
            ]}
            hint="Commands and files of the agent are there."
            label="Workspace"
            name="workspace"
            onChange={(id) => {
              const body = { workspace_id: id === "" ? null : id };
              update({ params: { chat: chat.id }, body }).then(
                (outcome) => setProblem(outcome.ok ? null : outcome.failure),
                () => {}, // Failures are values here.
              );
            }}
            value={chat.workspace_id ?? ""}
          />
          {problem !== null && <ProblemNotice problem={problem} />}
        </>
      )}
    </Loaded>
  );
}
