/** Makes an API token, and shows its value this once. */
import { createApiToken, listApiTokens } from "@atelier/contract/http/sign-in";
import { useState } from "react";
import { useChange } from "../api/use-endpoint.ts";
import { ChoiceField } from "../forms/choice-field.tsx";
import { problemOfBody } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextField } from "../forms/text-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { Button } from "../ui/button.tsx";
import { CopyBlock } from "../ui/copy-text.tsx";

const LIFETIMES = [
  { value: "7d", label: "7 days" },
  { value: "30d", label: "30 days" },
  { value: "90d", label: "90 days" },
  { value: "365d", label: "1 year" },
] as const;

const SCOPES = [
  { value: "ai_gateway:use", label: "Only call models through the gateway" },
  { value: "all", label: "All that I may" },
] as const;

export function NewToken({ onDone }: { readonly onDone: () => void }) {
  const create = useChange(createApiToken, [listApiTokens]);
  const [made, setMade] = useState<string | null>(null);
  const form = useForm({
    initial: { token_name: "", lifetime: "90d", scopes: "ai_gateway:use" },
    draft: "token",
    submit: async ({ token_name: name, lifetime, scopes }) => {
      const body = {
        ...(name.trim() === "" ? {} : { token_name: name.trim() }),
        lifetime,
        scopes: [scopes],
      };
      const wrong = problemOfBody(createApiToken, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await create({ params: { user: "me" }, body });
      if (outcome.ok) setMade(outcome.value.key);
      return outcome;
    },
  });
  if (made !== null) {
    return (
      <div className="space-y-4">
        <p>Copy it to where it is used: it is not shown again.</p>
        <CopyBlock text={made} what="the token" />
        <Button look="main" onClick={onDone}>
          I have it
        </Button>
      </div>
    );
  }
  return (
    <FormFrame form={form} send="Make it" sending="Making…">
      <TextField
        {...form.field("token_name")}
        hint="What uses it: laptop, ci, claude-code."
        isOptional
        label="Name"
      />
      <ChoiceField {...form.field("scopes")} choices={SCOPES} label="It may" />
      <ChoiceField {...form.field("lifetime")} choices={LIFETIMES} label="It lasts" />
    </FormFrame>
  );
}
