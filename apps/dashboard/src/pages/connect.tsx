/** How one's own client is told of the gateway, ready to copy, with a token of one's own. */
import { listUserProviderKeys } from "@atelier/contract/http/ai-user-keys";
import { createApiToken, listApiTokens } from "@atelier/contract/http/sign-in";
import type { ApiProblem, CallAnswer } from "@atelier/contract/client";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useChange, useEndpoint } from "../api/use-endpoint.ts";
import { useMay } from "../app/signed-in.ts";
import { deploymentUrl } from "../browser/host.ts";
import { ChoiceField } from "../forms/choice-field.tsx";
import { dialectOf, RECIPE_CLIENTS, recipesFor } from "../gateway/connect-recipes.ts";
import { Button, ButtonLink } from "../ui/button.tsx";
import { CopyBlock } from "../ui/copy-text.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { Panel } from "../ui/panel.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";

type Offered = CallAnswer<typeof listUserProviderKeys>["provider_keys"][number];

const PLACEHOLDER = "<your token>";

export function Page() {
  const query = useEndpoint(listUserProviderKeys, { params: { user: "me" } });
  const mayAdd = useMay("ai_provider:create");
  return (
    <>
      <PageHead
        about="Your client sends its requests here and signs in with a token of yours. The company’s key stays on the server."
        title="Connect a client"
      />
      <Loaded query={query} what="what can be reached">
        {({ provider_keys: all }) => {
          const providers = all.filter((each) => each.provider_enabled);
          if (providers.length > 0) return <Recipes providers={providers} />;
          return (
            <EmptyState icon="connect" title="Nothing to connect to yet">
              <p>
                A client needs a model provider behind the gateway, and none is in service.
                {!mayAdd && " Ask an owner of this deployment to add one."}
              </p>
              {mayAdd && (
                <ButtonLink look="main" to="/ai/settings/providers/new">
                  Add a provider
                </ButtonLink>
              )}
            </EmptyState>
          );
        }}
      </Loaded>
    </>
  );
}

function Recipes({ providers }: { readonly providers: readonly Offered[] }) {
  const search: { readonly provider?: string; readonly client?: string } = useSearch({
    strict: false,
  });
  const navigate = useNavigate();
  const [token, setToken] = useState<string | null>(null);
  const provider = providers.find((each) => each.provider_name === search.provider) ?? providers[0];
  if (provider === undefined) return null;
  const dialect = dialectOf(provider.provider_type);
  const clients = RECIPE_CLIENTS.filter(({ dialects }) => dialects.includes(dialect));
  const client = clients.find(({ id }) => id === search.client) ?? clients[0];
  const choose = (field: "provider" | "client", value: string): void => {
    navigate({
      to: "/ai/connect",
      search: { ...search, [field]: value },
      replace: true,
    }).catch(() => {}); // The router shows what went wrong.
  };
  return (
    <>
      <Panel title="1. A token of yours">
        <TokenStep onMade={setToken} token={token} />
      </Panel>
      <Panel title="2. Your client">
        <div className="grid gap-4 sm:grid-cols-2">
          <ChoiceField
            choices={providers.map((each) => ({
              value: each.provider_name,
              label: each.provider_display_name || each.provider_name,
            }))}
            label="Model provider"
            name="provider"
            onChange={(value) => choose("provider", value)}
            value={provider.provider_name}
          />
          <ChoiceField
            choices={clients.map(({ id, label }) => ({ value: id, label }))}
            label="Client"
            name="client"
            onChange={(value) => choose("client", value)}
            value={client?.id ?? ""}
          />
        </div>
        <div className="mt-4 space-y-4">
          {client !== undefined &&
            recipesFor(client.id, provider.provider_type, {
              deploymentUrl: deploymentUrl(),
              providerName: provider.provider_name,
              token: token ?? PLACEHOLDER,
            }).map(({ title, text }) => (
              <CopyBlock key={title} text={text} title={title} what={`${client.label}: ${title}`} />
            ))}
        </div>
      </Panel>
      <Panel title="3. See it arrive">
        <p className="mb-3 text-muted">
          Ask your client something. What went through the gateway shows among your sessions within
          seconds.
        </p>
        <ButtonLink to="/logs/ai-sessions">Look at the sessions</ButtonLink>
      </Panel>
    </>
  );
}

type TokenStepProps = {
  readonly token: string | null;
  readonly onMade: (token: string) => void;
};

function TokenStep({ token, onMade }: TokenStepProps) {
  const create = useChange(createApiToken, [listApiTokens]);
  const [isMaking, setIsMaking] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const make = async (): Promise<void> => {
    setIsMaking(true);
    setProblem(null);
    const outcome = await create({
      params: { user: "me" },
      body: { scopes: ["ai_gateway:use"], lifetime: "90d" },
    });
    setIsMaking(false);
    if (outcome.ok) onMade(outcome.value.key);
    else setProblem(outcome.failure);
  };
  if (token !== null) {
    return (
      <p>
        Made, and filled in below. It may only call models, lasts 90 days, and is not shown again
        once you leave this page.
      </p>
    );
  }
  return (
    <div className="space-y-3">
      <p className="text-muted">
        Make one that may only call models, and it is filled in below; or put a token that you have
        in place of {PLACEHOLDER}.
      </p>
      {problem !== null && <ProblemNotice problem={problem} />}
      <Button
        busy={isMaking ? "Making…" : undefined}
        look="main"
        onClick={() => {
          make().catch(() => setIsMaking(false));
        }}
      >
        Make a token
      </Button>
    </div>
  );
}
