/** Which model providers chats can use, whose key serves, and where none can: why not, and what helps. */
import { Link } from "@tanstack/react-router";
import { PROVIDER_KINDS } from "../gateway/provider-kinds.ts";
import { Badge } from "../ui/badge.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { Panel } from "../ui/panel.tsx";
import type { ChatProviderView } from "./model-values.ts";
import { keySource, OBSTACLES, standingOfProvider } from "./model-words.ts";

type ProviderStandingsProps = {
  readonly providers: readonly ChatProviderView[];
  /** They serve the gateway's clients, and no chats. */
  readonly unsupported: readonly ChatProviderView[];
};

export function ProviderStandings({ providers, unsupported }: ProviderStandingsProps) {
  return (
    <Panel
      about="Whether agents can use each, as it stands for you: a key of your own goes before the company’s."
      title="Providers for agents"
    >
      {providers.length === 0 ? (
        <p className="text-muted">None yet.</p>
      ) : (
        <DataTable
          columns={COLUMNS}
          label="Providers and their keys"
          rowKey={({ id }) => id}
          rows={providers}
        />
      )}
      {unsupported.length > 0 && (
        <p className="mt-3 text-muted">
          For the gateway’s clients only: {unsupported.map(({ name }) => name).join(", ")}.
        </p>
      )}
    </Panel>
  );
}

const COLUMNS: readonly Column<ChatProviderView>[] = [
  {
    title: "Provider",
    cell: ({ name, type }) => (
      <>
        <Link
          className="font-medium text-accent underline-offset-2 hover:underline"
          to={`/ai/settings/providers/${name}`}
        >
          {name}
        </Link>
        <div className="text-xs text-muted">{PROVIDER_KINDS[type].label}</div>
      </>
    ),
  },
  {
    title: "State",
    cell: (provider) => {
      const { tone, words } = standingOfProvider(provider);
      return <Badge tone={tone}>{words}</Badge>;
    },
  },
  { title: "Serves with", isMinor: true, cell: keySource },
  {
    title: "What helps",
    cell: ({ unavailable_reason: reason, warnings, name }) => {
      if (reason === undefined) {
        return warnings.length === 0 ? (
          <span className="text-muted">Nothing is wrong.</span>
        ) : (
          warnings.join(" ")
        );
      }
      return (
        <div className="min-w-40">
          {OBSTACLES[reason].remedy}{" "}
          {reason === "user_api_key_required" ? (
            <Link className="text-accent underline" to="/settings/provider-keys">
              Your own keys
            </Link>
          ) : (
            <Link className="text-accent underline" to={`/ai/settings/providers/${name}`}>
              Open {name}
            </Link>
          )}
        </div>
      );
    },
  },
];
