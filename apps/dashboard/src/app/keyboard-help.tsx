/** The keys that there are. */
import { Modal } from "../ui/modal.tsx";
import type { PageEntry } from "./page-entry.ts";

const GENERAL = [
  { keys: ["Ctrl", "K"], what: "Find a page, an action, a chat or a workspace (⌘ K on a Mac)" },
  { keys: ["/"], what: "Search on this page" },
  { keys: ["n"], what: "The next agent that needs you" },
  { keys: ["j", "k"], what: "On Agents: through the list" },
  { keys: ["?"], what: "This help" },
  { keys: ["Esc"], what: "Close what is open" },
] as const;

type KeyboardHelpProps = {
  readonly isOpen: boolean;
  readonly pages: readonly PageEntry[];
  readonly onClose: () => void;
};

export function KeyboardHelp({ isOpen, pages, onClose }: KeyboardHelpProps) {
  const rows = [
    ...GENERAL,
    ...pages.flatMap(({ navigation, title }) =>
      navigation === undefined ? [] : [{ keys: ["g", navigation.key], what: title }],
    ),
  ];
  return (
    <Modal isOpen={isOpen} onClose={onClose} title="Keyboard">
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-2">
        {rows.map(({ keys, what }) => (
          <div className="contents" key={what}>
            <dt className="flex gap-1">
              {keys.map((key) => (
                <kbd
                  className="min-w-6 rounded border border-strong-line bg-sunken px-1.5 text-center font-mono text-xs leading-6"
                  key={key}
                >
                  {key}
                </kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
