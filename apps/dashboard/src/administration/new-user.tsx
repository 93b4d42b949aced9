/** Adds a person with a first password. */
import { createUser, listUsers } from "@atelier/contract/http/users";
import type { Role } from "@atelier/contract/permissions";
import { useState } from "react";
import { useChange } from "../api/use-endpoint.ts";
import { problemOfBody } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextField } from "../forms/text-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { announce } from "../ui/announcements.tsx";
import { RoleFields } from "./role-fields.tsx";

export function NewUser({ onDone }: { readonly onDone: () => void }) {
  const create = useChange(createUser, [listUsers]);
  const [roles, setRoles] = useState<readonly Role[]>([]);
  const form = useForm({
    initial: { email: "", username: "", password: "" },
    draft: "user",
    secrets: ["password"],
    submit: async (values) => {
      const body = {
        email: values.email.trim(),
        username: values.username.trim(),
        password: values.password,
        roles: [...roles],
      };
      const wrong = problemOfBody(createUser, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await create({ body });
      if (outcome.ok) {
        announce(`${body.username} can sign in.`);
        onDone();
      }
      return outcome;
    },
  });
  return (
    <FormFrame form={form} send="Add them" sending="Adding…">
      <TextField {...form.field("email")} label="Email" type="email" />
      <TextField
        {...form.field("username")}
        hint="Letters and digits, with single hyphens between them."
        label="Username"
      />
      <TextField
        {...form.field("password")}
        autoComplete="new-password"
        hint="Tell it to them by a safe way; they change it under Security."
        label="First password"
        type="password"
      />
      <RoleFields chosen={roles} onChange={setRoles} />
    </FormFrame>
  );
}
