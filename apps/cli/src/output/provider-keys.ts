/** The keys of a model provider, as people read them: which serve, which do not, and why. */
import type { ModelProviderKey } from "@atelier/contract/http/ai-providers";
import type { z } from "zod";
import { faint, orDash, since, table, type Cell, type Look } from "./people.ts";
import { relativeTime } from "./relative-time.ts";

type KeyAnswer = z.output<typeof ModelProviderKey>;

/** What an operator switched off is of no other interest. */
type ShownState = KeyAnswer["state"] | "disabled";

const SHOWN_STATES: readonly ShownState[] = [
  "valid",
  "temporary",
  "permanent",
  "unknown",
  "disabled",
];

export function keysTable(look: Look, keys: readonly KeyAnswer[]): string {
  return table(
    look,
    [
      { title: "KEY" },
      { title: "ON" },
      { title: "STATE" },
      { title: "LAST ERROR" },
      { title: "RETURNS" },
      { title: "ID", isWhole: true },
    ],
    keys.map((key): Cell[] => [
      key.masked,
      key.enabled ? "yes" : faint("no"),
      keyStateCell(key),
      lastErrorCell(look, key),
      key.returns_at === null ? orDash(null) : since(look, key.returns_at),
      key.id,
    ]),
  );
}

/** Such as `2 valid, 1 disabled`. */
export function keysByState(keys: readonly KeyAnswer[]): Cell {
  if (keys.length === 0) return faint("none");
  const counts = SHOWN_STATES.map((state) => ({
    state,
    count: keys.filter((key) => shownState(key) === state).length,
  })).filter(({ count }) => count > 0);
  const isServing = keys.some((key) => key.enabled && key.state !== "permanent");
  const text = counts.map(({ state, count }) => `${count} ${state}`).join(", ");
  return { text, tone: isServing ? "plain" : "bad" };
}

/** Such as `3 of 8, 2 waiting`: slots of the keys that are not switched off. */
export function slotsCell(keys: readonly KeyAnswer[], max: number | null, waiting: number): Cell {
  if (max === null) return faint("-");
  const serving = keys.filter((key) => key.enabled);
  const used = serving.reduce((total, { under_way: underWay }) => total + (underWay ?? 0), 0);
  const text = `${used} of ${serving.length * max}`;
  return waiting === 0 ? text : { text: `${text}, ${waiting} waiting`, tone: "bad" };
}

export function keyStateCell(key: KeyAnswer): Cell {
  const state = shownState(key);
  switch (state) {
    case "valid":
      return { text: state, tone: "good" };
    case "temporary":
      return { text: state, tone: "plain" };
    case "permanent":
      return { text: state, tone: "bad" };
    case "unknown":
    case "disabled":
      return faint(state);
  }
}

function shownState(key: KeyAnswer): ShownState {
  return key.enabled ? key.state : "disabled";
}

function lastErrorCell(look: Look, { last_error: error, last_checked_at: at }: KeyAnswer): Cell {
  if (error === null) return orDash(null);
  const checked = at === null ? "" : ` (checked ${relativeTime(at, look.now)})`;
  const ago = relativeTime(error.at, look.now);
  return `${error.status ?? "no answer"}, ${ago}: ${error.message}${checked}`;
}
