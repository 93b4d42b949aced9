/** Every option of the server with its value, and where that comes from. Nothing is changed here. */
import { getDeploymentConfig } from "@atelier/contract/http/deployment";
import type { CallAnswer } from "@atelier/contract/client";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEndpoint } from "../api/use-endpoint.ts";
import { ChoiceField } from "../forms/choice-field.tsx";
import { TextField } from "../forms/text-field.tsx";
import { Badge } from "../ui/badge.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";

type OptionRow = CallAnswer<typeof getDeploymentConfig>["options"][number];

const COLUMNS: readonly Column<OptionRow>[] = [
  {
    title: "Option",
    cell: ({ name, description, value, source }) => (
      <>
        <code className="font-mono font-medium">{name}</code>
        <div className="max-w-xl text-xs text-muted">{description}</div>
        {/* Columns of their own have no room on a phone. */}
        <div className="mt-1.5 flex items-baseline gap-2 md:hidden">
          <ValueText value={value} />
          <SourceBadge source={source} />
        </div>
      </>
    ),
  },
  { title: "Value", isMinor: true, cell: ({ value }) => <ValueText value={value} /> },
  { title: "Source", isMinor: true, cell: ({ source }) => <SourceBadge source={source} /> },
];

function ValueText({ value }: Pick<OptionRow, "value">) {
  return value === null || value === "" ? (
    <span className="text-muted">not set</span>
  ) : (
    <code className="block min-w-0 font-mono text-xs break-all md:min-w-28 md:break-words">
      {value}
    </code>
  );
}

function SourceBadge({ source }: Pick<OptionRow, "source">) {
  return <Badge tone={source === "default" ? "neutral" : "accent"}>{source}</Badge>;
}

const SHOWN = [
  { value: "", label: "All options" },
  { value: "set", label: "Only those that are set" },
] as const;

export function Page() {
  const search: { readonly q?: string; readonly only?: string } = useSearch({ strict: false });
  const query = useEndpoint(getDeploymentConfig, {});
  const navigate = useNavigate();
  const set = (next: { readonly q?: string; readonly only?: string }): void => {
    navigate({ to: "/deployment/overview", search: { ...search, ...next }, replace: true }).catch(
      () => {}, // The router shows what went wrong.
    );
  };
  const wanted = (search.q ?? "").toLowerCase();
  const fits = ({ name, description, source }: OptionRow): boolean =>
    `${name} ${description}`.toLowerCase().includes(wanted) &&
    (search.only !== "set" || source !== "default");
  return (
    <>
      <PageHead
        about="As this server was started with. An option is changed by a flag, the environment or the file, and a restart."
        title="Options"
      />
      <div className="mb-4 grid grid-cols-2 gap-3 md:max-w-xl">
        <TextField
          label="Search"
          name="q"
          onChange={(q) => set({ q })}
          type="search"
          value={search.q ?? ""}
        />
        <ChoiceField
          choices={SHOWN}
          label="Show"
          name="only"
          onChange={(only) => set({ only })}
          value={search.only ?? ""}
        />
      </div>
      <Loaded query={query} what="the options">
        {({ options }) => {
          const groups = [...new Set(options.filter(fits).map(({ group }) => group))];
          if (groups.length === 0) return <p className="text-muted">No option fits.</p>;
          return groups.map((group) => (
            <div className="mb-6" key={group}>
              <h2 className="mb-2 text-base font-semibold">{group}</h2>
              <DataTable
                columns={COLUMNS}
                label={`Options: ${group}`}
                rowKey={({ name }) => name}
                rows={options.filter((option) => option.group === group && fits(option))}
              />
            </div>
          ));
        }}
      </Loaded>
    </>
  );
}
