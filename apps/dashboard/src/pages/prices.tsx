/** What models cost: the prices by which usage is counted, the list's own or one's own. */
import {
  deleteModelPrice,
  listModelPrices,
  type ModelPrice,
} from "@atelier/contract/http/ai-costs";
import { MODEL_PROVIDER_TYPES } from "@atelier/contract/http/ai-providers";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useChange, usePages } from "../api/use-endpoint.ts";
import { useMay } from "../app/signed-in.ts";
import { ChoiceField } from "../forms/choice-field.tsx";
import { TextField } from "../forms/text-field.tsx";
import { ActionMenu } from "../ui/action-menu.tsx";
import { announce } from "../ui/announcements.tsx";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { LoadMore } from "../ui/load-more.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Modal } from "../ui/modal.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { RelativeTime } from "../ui/relative-time.tsx";
import { ApplyPrices } from "../usage/apply-prices.tsx";
import { priceText } from "../usage/money-text.ts";
import { PriceForm } from "../usage/price-form.tsx";

const PAGE_SIZE = 100;

type Chosen = { readonly search?: string; readonly unpriced?: string };

export function Page() {
  const chosen: Chosen = useSearch({ strict: false });
  const mayChange = useMay("ai_provider:update");
  const [setting, setSetting] = useState<ModelPrice | "new" | null>(null);
  const [isApplying, setIsApplying] = useState(false);
  return (
    <>
      <PageHead
        about="In dollars for a million tokens. What a request cost is fixed when it is recorded: a price counts from when it is set."
        title="Prices"
      >
        {mayChange && (
          <>
            <Button look="main" onClick={() => setSetting("new")}>
              Set a price
            </Button>
            <Button onClick={() => setIsApplying(true)}>Price what had none…</Button>
          </>
        )}
      </PageHead>
      <Filters chosen={chosen} />
      <PriceList chosen={chosen} onSet={mayChange ? setSetting : null} />
      <Modal
        about="In dollars for a million tokens."
        isOpen={setting !== null}
        onClose={() => setSetting(null)}
        title={setting === null || setting === "new" ? "Set a price" : setting.model}
      >
        {setting !== null && (
          <PriceForm
            existing={setting === "new" ? null : setting}
            onDone={() => setSetting(null)}
          />
        )}
      </Modal>
      <ApplyPrices isOpen={isApplying} onClose={() => setIsApplying(false)} />
    </>
  );
}

type PriceListProps = {
  readonly chosen: Chosen;
  /** Null: whoever looks may not. */
  readonly onSet: ((price: ModelPrice) => void) | null;
};

function PriceList({ chosen, onSet }: PriceListProps) {
  const query = {
    limit: PAGE_SIZE,
    search: chosen.search === "" ? undefined : chosen.search,
    unpriced: chosen.unpriced === "true" ? true : undefined,
  };
  const pages = usePages(
    listModelPrices,
    { query },
    ({ prices }) => {
      const last = prices.at(-1);
      return prices.length < PAGE_SIZE || last === undefined
        ? null
        : { query: { ...query, after: `${last.provider}/${last.model}` } };
    },
    { keepsFormer: true },
  );
  return (
    <Loaded query={pages} what="prices">
      {({ pages: answers }) => {
        const rows = answers.flatMap(({ prices }) => prices);
        if (rows.length === 0) {
          return (
            <EmptyState icon="chart" title="No model fits">
              <p>Models stand here once they were used, or were given a price.</p>
            </EmptyState>
          );
        }
        return (
          <>
            <DataTable
              columns={columns(onSet)}
              label="Prices"
              rowKey={({ provider, model }) => `${provider}/${model}`}
              rows={rows}
            />
            <LoadMore count={answers[0]?.count ?? 0} pages={pages} shown={rows.length} />
          </>
        );
      }}
    </Loaded>
  );
}

function Filters({ chosen }: { readonly chosen: Chosen }) {
  const navigate = useNavigate();
  const set = (change: Chosen): void => {
    navigate({ to: "/ai/settings/prices", search: { ...chosen, ...change }, replace: true }).catch(
      () => {}, // The router shows what went wrong.
    );
  };
  return (
    <div className="mb-4 grid grid-cols-2 gap-3 md:max-w-xl">
      <TextField
        label="Model"
        name="search"
        onChange={(search) => set({ search })}
        type="search"
        value={chosen.search ?? ""}
      />
      <ChoiceField
        choices={[
          { value: "", label: "All models" },
          { value: "true", label: "Only those without a price" },
        ]}
        label="Show"
        name="unpriced"
        onChange={(unpriced) => set({ unpriced })}
        value={chosen.unpriced ?? ""}
      />
    </div>
  );
}

function columns(onSet: ((price: ModelPrice) => void) | null): readonly Column<ModelPrice>[] {
  const price = (name: "input" | "output" | "cache_read" | "cache_write") => (row: ModelPrice) => {
    const micros = row.tiers[0]?.[name] ?? null;
    return micros === null ? <span className="text-muted">—</span> : priceText(micros);
  };
  return [
    {
      title: "Model",
      cell: ({ model, provider, tiers }) => (
        <>
          <span className="font-medium break-words">{model}</span>
          <div className="text-xs text-muted">
            {provider}
            {tiers.length > 1 &&
              ` · dearer from ${tiers[1]?.from_tokens.toLocaleString() ?? ""} tokens on`}
          </div>
        </>
      ),
    },
    {
      title: "From",
      cell: ({ origin, set_by: by, valid_from: since }) =>
        origin === null ? (
          <Badge tone="warn">not known</Badge>
        ) : origin === "catalog" ? (
          <Badge>the list</Badge>
        ) : (
          <>
            <Badge tone="accent">{by === null ? "your own" : by.username}</Badge>
            {since !== null && (
              <div className="text-xs text-muted">
                <RelativeTime time={since} />
              </div>
            )}
          </>
        ),
    },
    { title: "Input", isNumber: true, cell: price("input") },
    { title: "Output", isNumber: true, cell: price("output") },
    { title: "Cache read", isNumber: true, isMinor: true, cell: price("cache_read") },
    { title: "Cache write", isNumber: true, isMinor: true, cell: price("cache_write") },
    ...(onSet === null
      ? []
      : [
          {
            title: "Actions",
            isActions: true,
            cell: (row: ModelPrice) => <PriceActions onSet={onSet} price={row} />,
          },
        ]),
  ];
}

type PriceActionsProps = {
  readonly price: ModelPrice;
  readonly onSet: (price: ModelPrice) => void;
};

function PriceActions({ price, onSet }: PriceActionsProps) {
  const drop = useChange(deleteModelPrice, [listModelPrices]);
  const provider = MODEL_PROVIDER_TYPES.find((type) => type === price.provider);
  const goBack = (): void => {
    if (provider === undefined) return;
    drop({ query: { provider, model: price.model } }).then(
      (outcome) =>
        announce(outcome.ok ? "The list’s price counts from now on." : outcome.failure.message),
      () => announce("The page ran into a bug of its own."),
    );
  };
  return (
    <ActionMenu
      actions={[
        { words: "Set a price…", run: () => onSet(price) },
        ...(price.origin === "override" ? [{ words: "Go by the list again", run: goBack }] : []),
      ]}
      label={`Change the price of ${price.model}`}
    />
  );
}
