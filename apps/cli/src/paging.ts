/**
 * Lists that the server gives in pages: `--limit` of them, or `--all`.
 *
 * Pages follow by key, so items that come and go meanwhile neither repeat nor hide others.
 */
import { ok, type Result } from "@atelier/base/result";
import { COUNT_MAX } from "@atelier/contract/http/ai-usage";
import type { CliFailure } from "./cli-failure.ts";
import { countOption, shown, switchOption, textOption, type CommandOutcome } from "./command.ts";
import { table, type Cell, type Column, type Look } from "./output/people.ts";

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

export type PageSource<Item> = {
  /** The most that the server gives at once. */
  readonly pageMax: number;
  readonly load: (page: {
    readonly limit: number;
    readonly after: string | undefined;
  }) => Promise<Result<{ readonly items: readonly Item[]; readonly count: number }, CliFailure>>;
  readonly idOf: (item: Item) => string;
};

export async function collectPages<Item>(
  wanted: PagingInput,
  source: PageSource<Item>,
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

export type PagedTable<Item> = Pick<PageSource<Item>, "pageMax" | "load"> & {
  /** What the API calls the list, and so do programs. */
  readonly name: string;
  readonly empty: string;
  readonly columns: readonly Column[];
  row(item: Item): readonly Cell[];
};

/** The answer of a list: a table for people, the API's shape for programs. */
export async function pagedTable<Item extends { readonly id: string }>(
  look: Look,
  wanted: PagingInput,
  list: PagedTable<Item>,
): CommandOutcome {
  const source = { pageMax: list.pageMax, load: list.load, idOf: (item: Item) => item.id };
  const page = await collectPages(wanted, source);
  if (!page.ok) return page;
  const { items, count, isComplete } = page.value;
  return ok(
    shown({
      json: { [list.name]: items, count },
      text: () =>
        items.length === 0
          ? list.empty
          : table(
              look,
              list.columns,
              items.map((item) => list.row(item)),
            ),
      note: isComplete
        ? null
        : `Showing ${items.length} of ${count}. More: --limit <count> or --all.`,
    }),
  );
}
