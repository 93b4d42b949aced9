/** The model providers of this deployment, and how each does at the moment. */
import { listModelProviders } from "@atelier/contract/http/ai-providers";
import { Link } from "@tanstack/react-router";
import { useEndpoint } from "../api/use-endpoint.ts";
import { useMay } from "../app/signed-in.ts";
import { PROVIDER_KINDS } from "../gateway/provider-kinds.ts";
import { keysWords, providerState } from "../gateway/provider-state.ts";
import type { ModelProviderView } from "../gateway/provider-values.ts";
import { Badge } from "../ui/badge.tsx";
import { ButtonLink } from "../ui/button.tsx";
import { DataTable, type Column } from "../ui/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";

const LOOK_AGAIN_MS = 5_000;

const COLUMNS: readonly Column<ModelProviderView>[] = [
  {
    title: "Provider",
    cell: ({ name, display_name: displayName, type }) => (
      <>
        <Link
          className="font-medium text-accent underline-offset-2 hover:underline"
          to={`/ai/settings/providers/${name}`}
        >
          {displayName === "" ? name : displayName}
        </Link>
        <div className="text-xs text-muted">
          {PROVIDER_KINDS[type].label}
          {displayName !== "" && ` · ${name}`}
        </div>
      </>
    ),
  },
  {
    title: "State",
    cell: (provider) => {
      const { tone, words } = providerState(provider);
      return <Badge tone={tone}>{words}</Badge>;
    },
  },
  { title: "Keys", cell: keysWords, isMinor: true },
  {
    title: "Base URL",
    cell: (row) => <code className="font-mono text-xs break-all">{row.base_url}</code>,
    isMinor: true,
  },
];

export function Page() {
  const query = useEndpoint(listModelProviders, {}, { everyMs: LOOK_AGAIN_MS });
  const mayCreate = useMay("ai_provider:create");
  const add = mayCreate && (
    <ButtonLink look="main" to="/ai/settings/providers/new">
      Add a provider
    </ButtonLink>
  );
  return (
    <>
      <PageHead
        about="Where the gateway sends requests, with the company's keys. States are those of the server that answers you."
        title="Model providers"
      >
        {add}
      </PageHead>
      <Loaded query={query} what="model providers">
        {({ providers }) =>
          providers.length === 0 ? (
            <EmptyState icon="provider" title="No model provider yet">
              <p>
                Add the account of your company with OpenAI, Anthropic or any other. Its key stays
                on the server; your people call its models with their own account here, and what
                they ask is on record.
              </p>
              {add}
            </EmptyState>
          ) : (
            <DataTable
              columns={COLUMNS}
              label="Model providers"
              rowKey={({ id }) => id}
              rows={providers}
            />
          )
        }
      </Loaded>
    </>
  );
}
