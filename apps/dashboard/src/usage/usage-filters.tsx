/** Which usage is looked at, and how. All of it stands in the address, so that it can be passed on. */
import { useNavigate } from "@tanstack/react-router";
import { ChoiceField } from "../forms/choice-field.tsx";
import { TextField } from "../forms/text-field.tsx";
import { Button, IconButton } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { USAGE_PERIOD_DEFAULT, USAGE_PERIODS, type DaySpan } from "./usage-period.ts";
import { chosenFilters, offeredBy, type UsageBy } from "./usage-search.ts";
import { USAGE_MEASURES, type UsageMeasure } from "./usage-series.ts";

export type UsageChosen = Readonly<Record<string, string | undefined>>;

type UsageFiltersProps = {
  readonly chosen: UsageChosen;
  readonly span: DaySpan;
  readonly by: UsageBy;
  readonly measure: UsageMeasure;
  readonly seesAll: boolean;
};

const KEY_KINDS = [
  { value: "", label: "All" },
  { value: "centralized", label: "The company’s" },
  { value: "byok", label: "People’s own" },
] as const;

export function UsageFilters({ chosen, span, by, measure, seesAll }: UsageFiltersProps) {
  const navigate = useNavigate();
  const set = (change: UsageChosen): void => {
    const search = Object.fromEntries(
      Object.entries({ ...chosen, ...change }).filter(([, value]) => value !== ""),
    );
    navigate({ to: "/ai/usage", search, replace: true }).catch(() => {}); // The router tells.
  };
  const period = chosen["period"] ?? USAGE_PERIOD_DEFAULT;
  const filters = chosenFilters(chosen).filter(({ name }) => name !== "credential_kind");
  return (
    <div className="mb-4 space-y-3">
      <div className="grid grid-cols-2 items-end gap-3 md:grid-cols-4">
        <ChoiceField
          choices={USAGE_PERIODS}
          label="Days"
          name="period"
          onChange={(value) =>
            set(
              value === "chosen" ? { period: value, ...span } : { period: value, from: "", to: "" },
            )
          }
          value={period}
        />
        <ChoiceField
          choices={USAGE_MEASURES}
          label="Show"
          name="measure"
          onChange={(value) => set({ measure: value })}
          value={measure}
        />
        <ChoiceField
          choices={offeredBy(seesAll)}
          label="By"
          name="by"
          onChange={(value) => set({ by: value })}
          value={by}
        />
        <ChoiceField
          choices={KEY_KINDS}
          label="With keys"
          name="credential_kind"
          onChange={(value) => set({ credential_kind: value })}
          value={chosen["credential_kind"] ?? ""}
        />
        {period === "chosen" &&
          (["from", "to"] as const).map((name) => (
            <TextField
              key={name}
              label={name === "from" ? "First day" : "Last day"}
              name={name}
              onChange={(value) => set({ [name]: value })}
              type="date"
              value={chosen[name] ?? span[name]}
            />
          ))}
      </div>
      <ChosenFilters filters={filters} onSet={set} />
    </div>
  );
}

type ChosenFiltersProps = {
  readonly filters: ReturnType<typeof chosenFilters>;
  readonly onSet: (change: UsageChosen) => void;
};

/** What was chosen by pressing it in a list, and can be taken away. */
function ChosenFilters({ filters, onSet }: ChosenFiltersProps) {
  if (filters.length === 0) return null;
  return (
    <ul className="flex flex-wrap items-center gap-2">
      {filters.map(({ name, label, value }) => (
        <li className="flex items-center rounded-md border border-line bg-surface pl-3" key={name}>
          <span>
            <span className="text-muted">{label}</span> {value}
          </span>
          <IconButton label={`Take away ${label}: ${value}`} onClick={() => onSet({ [name]: "" })}>
            <Icon name="close" size={14} />
          </IconButton>
        </li>
      ))}
      <li>
        <Button
          look="quiet"
          onClick={() => onSet(Object.fromEntries(filters.map(({ name }) => [name, ""])))}
        >
          Take all away
        </Button>
      </li>
    </ul>
  );
}
