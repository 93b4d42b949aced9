/** One field that finds every page, action, chat and workspace. Arrow keys choose, Enter opens. */
import { Dialog } from "@base-ui/react/dialog";
import { useId, useMemo, useState, type KeyboardEvent } from "react";
import type { Chat } from "@atelier/contract/http/chats";
import { chatPath, stateWords } from "../chats/chat-words.ts";
import { useFoundChats } from "../chats/use-found-chats.ts";
import { useNow } from "../browser/ticks.ts";
import { useFoundWorkspaces } from "../workspaces/use-found-workspaces.ts";
import { STATUS_WORDS, workspacePath, type WorkspaceView } from "../workspaces/workspace-words.ts";
import { Icon, type IconName } from "../ui/icon.tsx";
import { findPages } from "./navigation.ts";
import type { PageEntry } from "./page-entry.ts";

export type PaletteAction = {
  readonly title: string;
  readonly words: string;
  readonly icon: IconName;
  readonly run: () => void;
};

type PaletteProps = {
  readonly isOpen: boolean;
  readonly pages: readonly PageEntry[];
  readonly actions: readonly PaletteAction[];
  readonly onGo: (path: string) => void;
  readonly onClose: () => void;
};

export function Palette(props: PaletteProps) {
  return (
    <Dialog.Root
      onOpenChange={(open) => {
        if (!open) props.onClose();
      }}
      open={props.isOpen}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className="dialog-backdrop z-40" />
        <Dialog.Popup className="fixed top-[12vh] left-1/2 z-40 flex max-h-[70vh] w-[calc(100vw-2rem)] max-w-xl -translate-x-1/2 flex-col overflow-hidden rounded-lg border border-line bg-raised shadow-xl">
          <Dialog.Title className="sr-only">Find a page or an action</Dialog.Title>
          <PaletteList {...props} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function PaletteList({ pages, actions, onGo, onClose }: PaletteProps) {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState(0);
  const chats = useFoundChats(typed);
  const workspaces = useFoundWorkspaces(typed);
  const now = useNow(CHAT_STATES_MS);
  const items = useMemo(
    () => [
      ...paletteItems({ pages, actions, onGo }, typed),
      ...chats.map((chat) => chatItem(chat, now, onGo)),
      ...workspaces.map((workspace) => workspaceItem(workspace, onGo)),
    ],
    [pages, actions, onGo, typed, chats, workspaces, now],
  );
  const run = (index: number): void => {
    const item = items[index];
    if (item === undefined) return;
    onClose();
    item.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && items.length > 0) {
      event.preventDefault();
      setChosen((chosen + step + items.length) % items.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(chosen);
    }
  };
  return (
    <>
      <div className="flex items-center gap-2 border-b border-line px-3">
        <span className="text-muted">
          <Icon name="search" />
        </span>
        <input
          aria-activedescendant={items.length === 0 ? undefined : `${id}-${chosen}`}
          aria-autocomplete="list"
          aria-controls={`${id}-list`}
          aria-expanded
          aria-label="Find a page or an action"
          className="min-h-12 w-full bg-transparent outline-none"
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            setChosen(0);
          }}
          onKeyDown={onKeyDown}
          placeholder="Where to? Pages, actions, chats, workspaces"
          role="combobox"
          value={typed}
        />
      </div>
      <PaletteResults chosen={chosen} id={id} items={items} onChoose={setChosen} onRun={run} />
      {items.length === 0 && (
        <p className="px-4 pb-4 text-muted">Nothing is called that. Try fewer letters.</p>
      )}
    </>
  );
}

type PaletteResultsProps = {
  /** Of the field; parts of it have ids that begin so. */
  readonly id: string;
  readonly items: readonly PaletteItem[];
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
  readonly onRun: (index: number) => void;
};

function PaletteResults({ id, items, chosen, onChoose, onRun }: PaletteResultsProps) {
  return (
    <ul aria-label="Results" className="overflow-y-auto p-1.5" id={`${id}-list`} role="listbox">
      {items.map(({ key, title, icon, beside }, index) => (
        // The field above hears the keys.
        // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
        <li
          aria-selected={index === chosen}
          className="flex min-h-10 items-center gap-2.5 rounded-md px-2.5 aria-selected:bg-accent-soft"
          id={`${id}-${index}`}
          key={key}
          onClick={() => onRun(index)}
          onMouseMove={() => onChoose(index)}
          role="option"
        >
          <Icon name={icon} />
          <span className="min-w-0 truncate">{title}</span>
          <span className="ml-auto shrink-0 text-xs text-muted">{beside}</span>
        </li>
      ))}
    </ul>
  );
}

const CHAT_STATES_MS = 15_000;

function chatItem(chat: Chat, now: Date, onGo: PaletteProps["onGo"]): PaletteItem {
  return {
    key: chat.id,
    title: chat.title,
    icon: "chat",
    beside: stateWords(chat, now).words,
    run: () => onGo(chatPath(chat.id)),
  };
}

function workspaceItem(workspace: WorkspaceView, onGo: PaletteProps["onGo"]): PaletteItem {
  return {
    key: workspace.id,
    title: workspace.name,
    icon: "workspace",
    beside: `of ${workspace.owner_name}, ${STATUS_WORDS[workspace.status].words}`,
    run: () => onGo(workspacePath(workspace)),
  };
}

type PaletteItem = {
  readonly key: string;
  readonly title: string;
  readonly icon: IconName;
  readonly beside: string;
  readonly run: () => void;
};

function paletteItems(
  { pages, actions, onGo }: Pick<PaletteProps, "pages" | "actions" | "onGo">,
  typed: string,
): readonly PaletteItem[] {
  const text = typed.trim().toLowerCase();
  const fits = ({ title, words }: PaletteAction): boolean =>
    text.split(/\s+/).every((word) => `${title} ${words}`.toLowerCase().includes(word));
  const found: readonly PaletteItem[] = actions
    .filter(fits)
    .map(({ title, icon, run }) => ({ key: title, title, icon, beside: "Action", run }));
  const isMeant = ({ title }: PaletteItem): boolean =>
    text !== "" && title.toLowerCase().startsWith(text);
  // Somebody who types an action's name means it, also where a page speaks of it.
  return [
    ...found.filter(isMeant),
    ...findPages(pages, typed).map(({ path, title, navigation }) => ({
      key: path,
      title,
      icon: navigation?.icon ?? "chevron",
      beside: navigation?.section ?? "Page",
      run: () => onGo(path),
    })),
    ...found.filter((item) => !isMeant(item)),
  ];
}
