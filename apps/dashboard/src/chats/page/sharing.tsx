/** Who else may read a chat; its owner lets people in and out. */
import type { ApiProblem } from "@atelier/contract/client";
import { getChatAcl, updateChatAcl, type ChatReader } from "@atelier/contract/http/chat-sharing";
import { getChat, listChats } from "@atelier/contract/http/chats";
import { useState } from "react";
import { useChange, useEndpoint } from "../../api/use-endpoint.ts";
import { problemOfBody } from "../../forms/field-problems.ts";
import { FormFrame } from "../../forms/form-frame.tsx";
import { TextField } from "../../forms/text-field.tsx";
import { useForm } from "../../forms/use-form.ts";
import { Button } from "../../ui/button.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { useChatScene } from "./chat-scene.ts";
import { useChat } from "./use-chat.ts";

export function Sharing() {
  const { chatId, isOwn } = useChatScene();
  const { parent_chat_id: parentId } = useChat();
  const readers = useEndpoint(getChatAcl, { params: { chat: chatId } });
  return (
    <section aria-label="Who may read it">
      <h3 className="mb-1 text-xs text-muted">Who may read it</h3>
      <Loaded query={readers} what="who may read it">
        {({ sharing_enabled: isEnabled, users }) =>
          isEnabled ? (
            <>
              <p className="mb-2">{whoReads(users.length, isOwn)}</p>
              {/* A child is read with the chat that began it. */}
              {isOwn && parentId === undefined ? (
                <Readers readers={users} />
              ) : (
                users.length > 0 && <p>{users.map(({ username }) => username).join(", ")}</p>
              )}
            </>
          ) : (
            <p>Chats are not shared in this deployment: only the owner and administrators.</p>
          )
        }
      </Loaded>
    </section>
  );
}

function whoReads(count: number, isOwn: boolean): string {
  const owner = isOwn ? "You" : "The owner";
  return count === 0
    ? `${owner} and administrators.`
    : `${owner}, administrators and those below. They read along and do nothing else.`;
}

function Readers({ readers }: { readonly readers: readonly ChatReader[] }) {
  const { chatId: chat } = useChatScene();
  const update = useChange(updateChatAcl, [getChatAcl, getChat, listChats]);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const form = useForm({
    // Named as the API calls it, so that its complaints stand beside the field.
    initial: { user_roles: "" },
    submit: async ({ user_roles: username }) => {
      const body = { user_roles: { [username.trim()]: "read" as const } };
      const wrong = problemOfBody(updateChatAcl, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await update({ params: { chat }, body });
      if (outcome.ok) form.reset();
      return outcome;
    },
  });
  const leaveOut = (id: string): void => {
    update({ params: { chat }, body: { user_roles: { [id]: "" } } }).then(
      (outcome) => setProblem(outcome.ok ? null : outcome.failure),
      () => {}, // Failures are values here.
    );
  };
  return (
    <>
      <ul className="mb-2">
        {readers.map(({ id, username, name }) => (
          <li className="flex min-h-9 items-center gap-2" key={id}>
            <span className="min-w-0 flex-1 truncate">
              {username}
              {name !== "" && name !== username && <span className="text-muted"> · {name}</span>}
            </span>
            <Button aria-label={`Remove ${username}`} onClick={() => leaveOut(id)}>
              Remove
            </Button>
          </li>
        ))}
      </ul>
      {problem !== null && <ProblemNotice problem={problem} />}
      <FormFrame form={form} send="Share" sending="Sharing…">
        <TextField
          {...form.field("user_roles")}
          label="Let somebody read it"
          placeholder="username"
        />
      </FormFrame>
    </>
  );
}
