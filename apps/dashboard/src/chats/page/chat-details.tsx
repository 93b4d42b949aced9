/** What a chat is called, where it works, which agents it started; and putting it away. */
import { getChat, listChats, updateChat } from "@atelier/contract/http/chats";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { ApiProblem } from "@atelier/contract/client";
import { useChange } from "../../api/use-endpoint.ts";
import { problemOfBody } from "../../forms/field-problems.ts";
import { FormFrame } from "../../forms/form-frame.tsx";
import { TextField } from "../../forms/text-field.tsx";
import { useForm } from "../../forms/use-form.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Facts } from "../../ui/facts.tsx";
import { Modal } from "../../ui/modal.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SaveChatButtons } from "../export/save-chat-buttons.tsx";
import { chatPath, stateWords } from "../chat-words.ts";
import { systemClock } from "@atelier/base/system-clock";
import { useChatScene } from "./chat-scene.ts";
import { Sharing } from "./sharing.tsx";
import { useChat } from "./use-chat.ts";
import { WorkspaceChoice } from "./workspace-choice.tsx";

type ChatDetailsProps = { readonly isOpen: boolean; readonly onClose: () => void };

export function ChatDetails({ isOpen, onClose }: ChatDetailsProps) {
  return (
    <Modal isOpen={isOpen} onClose={onClose} title="About this chat">
      <Details onClose={onClose} />
    </Modal>
  );
}

function Details({ onClose }: { readonly onClose: () => void }) {
  const { isOwn } = useChatScene();
  const chat = useChat();
  const update = useChange(updateChat, [getChat, listChats]);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  return (
    <div className="space-y-5">
      {isOwn && <TitleForm onDone={onClose} />}
      {isOwn && <WorkspaceChoice />}
      <Facts
        facts={[
          { name: "Begun", value: <RelativeTime time={chat.created_at} /> },
          { name: "Owner", value: chat.owner_username ?? "unknown" },
          {
            name: "Id",
            value: <code className="font-mono text-xs break-all select-all">{chat.id}</code>,
          },
        ]}
      />
      <Sharing />
      <Agents />
      <SaveChatButtons />
      {problem !== null && <ProblemNotice problem={problem} />}
      {isOwn && (
        <Button
          onClick={() => {
            const body = { archived: !chat.archived };
            update({ params: { chat: chat.id }, body }).then(
              (outcome) => {
                if (outcome.ok) onClose();
                else setProblem(outcome.failure);
              },
              () => {}, // Failures are values here.
            );
          }}
        >
          {chat.archived ? "Take it out of the archive" : "Put it into the archive"}
        </Button>
      )}
    </div>
  );
}

function TitleForm({ onDone }: { readonly onDone: () => void }) {
  const chat = useChat();
  const update = useChange(updateChat, [getChat, listChats]);
  const form = useForm({
    initial: { title: chat.title },
    submit: async ({ title }) => {
      const body = { title: title.trim() };
      const wrong = problemOfBody(updateChat, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await update({ params: { chat: chat.id }, body });
      if (outcome.ok) onDone();
      return outcome;
    },
  });
  return (
    <FormFrame form={form} send="Rename" sending="Renaming…">
      <TextField {...form.field("title")} label="Title" />
    </FormFrame>
  );
}

function Agents() {
  const { children } = useChat();
  if (children.length === 0) return null;
  return (
    <section aria-label="Agents that it started">
      <h3 className="mb-1 text-xs text-muted">Agents that it started</h3>
      <ul>
        {children.map((child) => {
          const { tone, words } = stateWords(child, systemClock.now());
          return (
            <li className="flex items-center gap-2" key={child.id}>
              <Link
                className="min-h-9 min-w-0 flex-1 truncate py-1.5 text-accent hover:underline"
                to={chatPath(child.id)}
              >
                {child.title}
              </Link>
              <Badge tone={tone}>{words}</Badge>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
