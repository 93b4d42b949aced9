/** One model provider: how it does, its keys, its address and settings. */
import { testModelProvider } from "@atelier/contract/http/ai-provider-test";
import {
  deleteModelProvider,
  getModelProvider,
  listModelProviders,
  updateModelProvider,
} from "@atelier/contract/http/ai-providers";
import type { ApiProblem, CallAnswer } from "@atelier/contract/client";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useChange, useEndpoint } from "../api/use-endpoint.ts";
import { useMay } from "../app/signed-in.ts";
import { problemOfBody } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { useForm } from "../forms/use-form.ts";
import { ProviderFields } from "../gateway/provider-fields.tsx";
import { ProviderKeys } from "../gateway/provider-keys.tsx";
import { PROVIDER_KINDS, takesKeys } from "../gateway/provider-kinds.ts";
import { PROVIDER_REMEDIES, providerState } from "../gateway/provider-state.ts";
import { ProviderTestReport } from "../gateway/provider-test-report.tsx";
import {
  changeBody,
  SECRET_FIELDS,
  textsOf,
  type ModelProviderView,
} from "../gateway/provider-values.ts";
import { announce } from "../ui/announcements.tsx";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { Facts } from "../ui/facts.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Modal } from "../ui/modal.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { Panel } from "../ui/panel.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { RelativeTime } from "../ui/relative-time.tsx";

const LOOK_AGAIN_MS = 5_000;

export function Page() {
  const { provider: name = "" } = useParams({ strict: false }) as { readonly provider?: string };
  const query = useEndpoint(
    getModelProvider,
    { params: { provider: name } },
    { everyMs: LOOK_AGAIN_MS },
  );
  return (
    <Loaded query={query} what={`the model provider ${name}`}>
      {(provider) => <ProviderPage provider={provider} />}
    </Loaded>
  );
}

function ProviderPage({ provider }: { readonly provider: ModelProviderView }) {
  const mayChange = useMay("ai_provider:update");
  const { display_name: displayName, name, type } = provider;
  return (
    <>
      <PageHead
        about={`${PROVIDER_KINDS[type].label} · ${name}`}
        title={displayName === "" ? name : displayName}
      >
        {mayChange && <ProviderActions provider={provider} />}
      </PageHead>
      <StatePanel provider={provider} />
      {takesKeys(type) && <ProviderKeys mayChange={mayChange} provider={provider} />}
      {mayChange && (
        <Panel title="Address and settings">
          <div className="max-w-xl">
            <EditForm key={provider.id} provider={provider} />
          </div>
        </Panel>
      )}
    </>
  );
}

function StatePanel({ provider }: { readonly provider: ModelProviderView }) {
  const { tone, words } = providerState(provider);
  const remedy = PROVIDER_REMEDIES[words];
  const { warnings, breakers } = provider.status;
  return (
    <Panel title="State">
      <Facts
        facts={[
          { name: "Now", value: <Badge tone={tone}>{words}</Badge> },
          {
            name: "Base URL",
            value: <code className="font-mono text-xs break-all">{provider.base_url}</code>,
          },
          { name: "Changed", value: <RelativeTime time={provider.updated_at} /> },
          ...(provider.max_concurrency_per_key === null
            ? []
            : [
                { name: "Requests at once, each key", value: provider.max_concurrency_per_key },
                { name: "Waiting for their turn", value: provider.status.waiting },
              ]),
        ]}
      />
      {remedy !== undefined && <p className="mt-3">{remedy}</p>}
      {warnings.length > 0 && (
        <ul className="mt-3 list-disc rounded-md bg-bad-soft p-3 pl-7">
          {warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
      {breakers.length > 0 && (
        <ul className="mt-3 space-y-1 rounded-md bg-warn-soft p-3">
          {breakers.map(({ endpoint, model, state, retries_at: retriesAt }) => (
            <li key={`${endpoint} ${model}`}>
              {state === "open" ? "Held back after repeated faults" : "Being tried again"}:{" "}
              {model === "" ? endpoint : `${model} at ${endpoint}`}, next try{" "}
              <RelativeTime time={retriesAt} />.
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

type TestState =
  | { readonly kind: "closed" | "running" }
  | { readonly kind: "failed"; readonly problem: ApiProblem }
  | { readonly kind: "done"; readonly report: CallAnswer<typeof testModelProvider> };

function ProviderActions({ provider }: { readonly provider: ModelProviderView }) {
  const { name, enabled } = provider;
  const renews = [getModelProvider, listModelProviders];
  const params = { provider: name };
  const update = useChange(updateModelProvider, renews);
  const remove = useChange(deleteModelProvider, [listModelProviders]);
  const test = useChange(testModelProvider);
  const navigate = useNavigate();
  const [tested, setTested] = useState<TestState>({ kind: "closed" });
  const [asked, setAsked] = useState<"switch" | "delete" | null>(null);
  const run = async (): Promise<void> => {
    setTested({ kind: "running" });
    const outcome = await test({ params, body: {} });
    setTested(
      outcome.ok
        ? { kind: "done", report: outcome.value }
        : { kind: "failed", problem: outcome.failure },
    );
  };
  return (
    <>
      <Button
        busy={tested.kind === "running" ? "Testing each key…" : undefined}
        look="main"
        onClick={() => {
          run().catch(() => setTested({ kind: "closed" }));
        }}
      >
        Test it
      </Button>
      <Button onClick={() => setAsked("switch")}>{enabled ? "Switch off" : "Switch on"}</Button>
      <Button onClick={() => setAsked("delete")}>Delete</Button>
      <Modal
        isOpen={tested.kind === "done" || tested.kind === "failed"}
        onClose={() => setTested({ kind: "closed" })}
        title={`Test of ${name}`}
      >
        {tested.kind === "done" && <ProviderTestReport report={tested.report} />}
        {tested.kind === "failed" && <ProblemNotice problem={tested.problem} />}
      </Modal>
      <Confirm
        about={
          enabled
            ? "Requests to it are refused until it is switched on again."
            : "It serves requests again."
        }
        doing="Switching…"
        isOpen={asked === "switch"}
        onClose={() => setAsked(null)}
        onConfirm={() => update({ params, body: { enabled: !enabled } })}
        title={`Switch ${name} ${enabled ? "off" : "on"}?`}
        verb={enabled ? "Switch it off" : "Switch it on"}
      />
      <Confirm
        about="Its keys are forgotten, and requests to it are refused at once. What went through it stays on record."
        doing="Deleting…"
        isOpen={asked === "delete"}
        onClose={() => setAsked(null)}
        onConfirm={async () => {
          const outcome = await remove({ params });
          if (outcome.ok) await navigate({ to: "/ai/settings/providers" });
          return outcome;
        }}
        title={`Delete ${name}?`}
        verb="Delete it"
      />
    </>
  );
}

function EditForm({ provider }: { readonly provider: ModelProviderView }) {
  const update = useChange(updateModelProvider, [getModelProvider, listModelProviders]);
  // What the fields began with: whatever happens to the provider meanwhile, only what was typed is sent.
  const [before, setBefore] = useState(provider);
  const form = useForm({
    initial: textsOf(provider),
    secrets: SECRET_FIELDS,
    submit: async (texts) => {
      const body = changeBody(before, texts);
      const wrong = problemOfBody(updateModelProvider, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await update({ params: { provider: provider.name }, body });
      if (outcome.ok) {
        setBefore(outcome.value);
        for (const field of SECRET_FIELDS) form.set(field, "");
        announce("Saved.");
      }
      return outcome;
    },
  });
  return (
    <FormFrame form={form} send="Save" sending="Saving…">
      <ProviderFields existing={provider} form={form} type={provider.type} />
    </FormFrame>
  );
}
