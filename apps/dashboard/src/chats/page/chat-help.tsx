/** The composer's commands, and the keys of a chat's page. */
import { Modal } from "../../ui/modal.tsx";
import { SLASH_COMMANDS } from "../composer/slash-commands.ts";

const KEYS = [
  ["Enter", "Send; while the agent works: queue"],
  ["Ctrl+Enter or ⌘+Enter", "Send now; stops the agent"],
  ["Shift+Enter", "A new line"],
  ["Esc", "Stop the agent; give an edit up"],
  ["↑ and ↓", "Earlier messages, from the first line"],
] as const;

type ChatHelpProps = { readonly isOpen: boolean; readonly onClose: () => void };

export function ChatHelp({ isOpen, onClose }: ChatHelpProps) {
  return (
    <Modal isOpen={isOpen} onClose={onClose} title="Commands and keys of a chat">
      <dl className="space-y-2">
        {KEYS.map(([key, about]) => (
          <div className="flex gap-3" key={key}>
            <dt className="w-44 shrink-0 font-medium">{key}</dt>
            <dd className="text-muted">{about}</dd>
          </div>
        ))}
      </dl>
      <hr className="my-4 border-line" />
      <dl className="space-y-2">
        {SLASH_COMMANDS.map(({ name, input, about }) => (
          <div className="flex gap-3" key={name}>
            <dt className="w-44 shrink-0">
              <span className="font-medium">/{name}</span>{" "}
              <span className="block font-mono text-xs break-words text-muted">{input}</span>
            </dt>
            <dd className="text-muted">{about}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
