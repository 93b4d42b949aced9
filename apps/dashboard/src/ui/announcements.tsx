/** Short messages about what has just happened. They go by themselves and are read out. */
import { systemClock } from "@atelier/base/system-clock";
import { useSyncExternalStore } from "react";
import { IconButton } from "./button.tsx";
import { Icon } from "./icon.tsx";

type Announcement = { readonly id: number; readonly text: string };

const SHOWN_MS = 6_000;
const SHOWN_MAX = 3;

let announcements: readonly Announcement[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

export function announce(text: string): void {
  const id = nextId;
  nextId += 1;
  change([...announcements, { id, text }].slice(-SHOWN_MAX));
  systemClock.sleep(SHOWN_MS, new AbortController().signal).then(
    () => drop(id),
    () => {}, // Nobody stops it.
  );
}

function drop(id: number): void {
  change(announcements.filter((each) => each.id !== id));
}

function change(next: readonly Announcement[]): void {
  announcements = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Announcements() {
  const shown = useSyncExternalStore(subscribe, () => announcements);
  return (
    <div
      aria-live="polite"
      className="pointer-events-none fixed right-4 bottom-4 left-4 z-50 flex flex-col items-end gap-2"
      role="status"
    >
      {shown.map(({ id, text }) => (
        <div
          className="pointer-events-auto flex max-w-sm items-center gap-2 rounded-md border border-line bg-raised py-1 pr-1 pl-3 shadow-lg"
          key={id}
        >
          <span className="text-good">
            <Icon name="check" />
          </span>
          <span>{text}</span>
          <IconButton label="Dismiss" onClick={() => drop(id)}>
            <Icon name="close" size={14} />
          </IconButton>
        </div>
      ))}
    </div>
  );
}
