/**
 * Lists that the server gives in pages: `--limit` of them, or `--all`.
 *
 * Pages follow by key, so items that come and go meanwhile neither repeat nor hide others.
 */
import { ok, type Result } from "@atelier/base/result";
import { COUNT_MAX } from "@atelier/contract/http/ai-usage";
import type { CliFailure } from "./cli-failure.ts";
import { countOption, shown, switchOption, textOption, type Answer } from "./command.ts";

/** `--all` ends here, and says so: what one person can read and one process can hold. */
export const ITEMS_MAX = 100_000;
const LIMIT_DEFAULT = 50;

export const PAGING_OPTIONS = {
  limit: countOption("-l, --limit <count>", `how many (default: ${LIMIT_DEFAULT})`, ITEMS_MAX),
  all: switchOption("-a, --all", "all of them, page after page"),
  after: textOption("--after <id>", "begin after this one, the last of an earlier list"),
};

export type PagingInput = {
  readonly limit: number | undefined;
  readonly all: boolean;
  readonly after: string | undefined;
};

export type Collected<Item> = {
  readonly items: readonly Item[];
  /** How many there are on the server; it may count only up to some number. */
  readonly count: number;
  readonly isComplete: boolean;
};

export async function collectPages<Item>(
  wanted: PagingInput,
  source: {
    /** The most that the server gives at once. */
    readonly pageMax: number;
    idOf(item: Item): string;
    load(page: {
      readonly limit: number;
      readonly after: string | undefined;
    }): Promise<Result<{ readonly items: readonly Item[]; readonly count: number }, CliFailure>>;
  },
): Promise<Result<Collected<Item>, CliFailure>> {
  const itemsMax = wanted.all ? ITEMS_MAX : (wanted.limit ?? LIMIT_DEFAULT);
  const items: Item[] = [];
  let after = wanted.after;
  let count: number | null = null;
  let isComplete = false;
  while (!isComplete && items.length < itemsMax) {
    const limit = Math.min(source.pageMax, itemsMax - items.length);
    const page = await source.load({ limit, after });
    if (!page.ok) return page;
    items.push(...page.value.items);
    count ??= page.value.count;
    const last = items.at(-1);
    const next = last === undefined ? undefined : source.idOf(last);
    // A server that does not move on would keep us here.
    isComplete = page.value.items.length < limit || next === after;
    after = next;
  }
  // A full page may be the last one: the count tells, when it counts from the same beginning.
  const isCounted = wanted.after === undefined && items.length === count && count < COUNT_MAX;
  return ok({ items, count: count ?? 0, isComplete: isComplete || isCounted });
}

/** The answer of a list, in the API's shape for programs. */
export function listAnswer<Item>(
  page: Collected<Item>,
  view: { readonly name: string; readonly empty: string; text(): string },
): Answer {
  const { items, count, isComplete } = page;
  return shown({
    json: { [view.name]: items, count },
    text: () => (items.length === 0 ? view.empty : view.text()),
    note: isComplete
      ? null
      : `Showing ${items.length} of ${count}. More: --limit <count> or --all.`,
  });
}
