/** All that was asked in a chat, to jump to: also what is not on the page yet. */
import { listChatPrompts } from "@atelier/contract/http/chats";
import { useState } from "react";
import { useEndpoint } from "../../api/use-endpoint.ts";
import { TextField } from "../../forms/text-field.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { Modal } from "../../ui/modal.tsx";
import { useChatScene } from "./chat-scene.ts";

const PROMPTS_MAX = 2_000;

type PromptIndexProps = { readonly isOpen: boolean; readonly onClose: () => void };

export function PromptIndex({ isOpen, onClose }: PromptIndexProps) {
  return (
    <Modal isOpen={isOpen} onClose={onClose} title="Messages of this chat">
      <PromptList onClose={onClose} />
    </Modal>
  );
}

function PromptList({ onClose }: { readonly onClose: () => void }) {
  const { chatId, transcript } = useChatScene();
  const [wanted, setWanted] = useState("");
  const query = useEndpoint(listChatPrompts, {
    params: { chat: chatId },
    query: { limit: PROMPTS_MAX },
  });
  return (
    <div className="space-y-3">
      <TextField
        isFocused
        label="Find"
        name="find"
        onChange={setWanted}
        type="search"
        value={wanted}
      />
      <Loaded query={query} what="the messages">
        {({ prompts }) => {
          const found = prompts.filter(({ text }) =>
            text.toLowerCase().includes(wanted.trim().toLowerCase()),
          );
          if (found.length === 0) return <p className="text-muted">No message fits.</p>;
          return (
            <ol
              aria-label="Messages"
              className="max-h-[55vh] overflow-y-auto"
              // What scrolls must be reachable by keyboard.
              // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
              tabIndex={0}
            >
              {found.map(({ id, text }) => (
                <li className="[content-visibility:auto]" key={id}>
                  <button
                    className="block w-full truncate rounded-md px-2 py-1.5 text-left hover:bg-hover"
                    onClick={() => {
                      onClose();
                      transcript.current?.jumpTo(id);
                    }}
                    type="button"
                  >
                    {text}
                  </button>
                </li>
              ))}
            </ol>
          );
        }}
      </Loaded>
    </div>
  );
}
