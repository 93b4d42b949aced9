/** Adds a model provider: what it is of, where it is, and its key. */
import {
  createModelProvider,
  listModelProviders,
  SUPPORTED_MODEL_PROVIDER_TYPES,
} from "@atelier/contract/http/ai-providers";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useChange } from "../api/use-endpoint.ts";
import { ChoiceField } from "../forms/choice-field.tsx";
import { problemOfBody } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { useForm } from "../forms/use-form.ts";
import { ProviderFields } from "../gateway/provider-fields.tsx";
import { defaultBaseUrl, PROVIDER_KINDS } from "../gateway/provider-kinds.ts";
import {
  creationBody,
  EMPTY_PROVIDER,
  SECRET_FIELDS,
  type ProviderTexts,
} from "../gateway/provider-values.ts";
import { announce } from "../ui/announcements.tsx";
import { ButtonLink } from "../ui/button.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { Panel } from "../ui/panel.tsx";

const CHOICES = SUPPORTED_MODEL_PROVIDER_TYPES.map((value) => ({
  value,
  label: PROVIDER_KINDS[value].label,
}));

export function Page() {
  const { type: wanted } = useSearch({ strict: false }) as { readonly type?: string };
  const type = SUPPORTED_MODEL_PROVIDER_TYPES.find((each) => each === wanted) ?? "anthropic";
  const navigate = useNavigate();
  return (
    <>
      <PageHead about={PROVIDER_KINDS[type].about} title="Add a model provider" />
      <Panel>
        <div className="max-w-xl space-y-4">
          <ChoiceField
            choices={CHOICES}
            label="Type"
            name="type"
            onChange={(value) => {
              navigate({
                to: "/ai/settings/providers/new",
                search: { type: value },
                replace: true,
              }).catch(
                () => {}, // The router shows what went wrong.
              );
            }}
            value={type}
          />
          <ProviderForm key={type} type={type} />
        </div>
      </Panel>
    </>
  );
}

function ProviderForm({
  type,
}: {
  readonly type: (typeof SUPPORTED_MODEL_PROVIDER_TYPES)[number];
}) {
  const navigate = useNavigate();
  const create = useChange(createModelProvider, [listModelProviders]);
  const form = useForm<ProviderTexts>({
    initial: {
      ...EMPTY_PROVIDER,
      name: PROVIDER_KINDS[type].suggestedName,
      base_url: defaultBaseUrl(type),
    },
    draft: `provider.${type}`,
    secrets: SECRET_FIELDS,
    submit: async (texts) => {
      const body = creationBody(type, texts);
      const wrong = problemOfBody(createModelProvider, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await create({ body });
      if (outcome.ok) {
        announce(`${body.name} is added. Test it before people use it.`);
        await navigate({ to: `/ai/settings/providers/${body.name}` });
      }
      return outcome;
    },
  });
  return (
    <FormFrame
      form={form}
      others={
        <ButtonLink look="quiet" to="/ai/settings/providers">
          Cancel
        </ButtonLink>
      }
      send="Add it"
      sending="Adding…"
    >
      <ProviderFields form={form} type={type} />
    </FormFrame>
  );
}
