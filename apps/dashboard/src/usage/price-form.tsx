/** Sets what a model's tokens cost. */
import { listModelPrices, setModelPrice, type ModelPrice } from "@atelier/contract/http/ai-costs";
import { MODEL_PROVIDER_TYPES } from "@atelier/contract/http/ai-providers";
import { useChange } from "../api/use-endpoint.ts";
import { ChoiceField } from "../forms/choice-field.tsx";
import { problemOfBody } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextField } from "../forms/text-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { PROVIDER_KINDS } from "../gateway/provider-kinds.ts";
import { announce } from "../ui/announcements.tsx";
import { EMPTY_PRICE, PRICE_FIELDS, priceBody, textsOfPrice } from "./price-values.ts";

type PriceFormProps = { readonly existing: ModelPrice | null; readonly onDone: () => void };

const TYPES = MODEL_PROVIDER_TYPES.map((value) => ({ value, label: PROVIDER_KINDS[value].label }));

export function PriceForm({ existing, onDone }: PriceFormProps) {
  const set = useChange(setModelPrice, [listModelPrices]);
  const form = useForm({
    initial: existing === null ? EMPTY_PRICE : textsOfPrice(existing),
    submit: async (texts) => {
      const body = priceBody(texts, existing);
      if (!body.ok) return body;
      const wrong = problemOfBody(setModelPrice, body.value);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await set({ body: body.value });
      if (outcome.ok) {
        announce("The price counts from now on.");
        onDone();
      }
      return outcome;
    },
  });
  return (
    <FormFrame form={form} send="Set it" sending="Setting…">
      {existing === null && (
        <>
          <ChoiceField {...form.field("provider")} choices={TYPES} label="Type of the provider" />
          <TextField {...form.field("model")} hint="As requests name it." isMono label="Model" />
        </>
      )}
      <div className="grid items-start gap-4 sm:grid-cols-2">
        {PRICE_FIELDS.map(({ name, label, hint, isNeeded }) => (
          <TextField
            {...form.field(name)}
            hint={hint === "" ? undefined : hint}
            inputMode="decimal"
            isOptional={!isNeeded}
            key={name}
            label={label}
          />
        ))}
      </div>
    </FormFrame>
  );
}
