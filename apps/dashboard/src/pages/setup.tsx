/** The first visit of a fresh deployment: makes the first user, who is its owner, and signs them in. */
import { login } from "@atelier/contract/http/sign-in";
import { createFirstUser, firstUserExists, getUser } from "@atelier/contract/http/users";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { keyOf, useChange, useEndpoint } from "../api/use-endpoint.ts";
import { Redirect } from "../app/redirect.ts";
import { showTitle } from "../browser/tab-title.ts";
import { problemOfBody } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextField } from "../forms/text-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { OutsideFrame } from "./outside-frame.tsx";

export function Page() {
  const first = useEndpoint(firstUserExists, {});
  useEffect(() => {
    showTitle("Set up");
  }, []);
  if (first.data !== undefined) return <Redirect to="/login" />;
  return (
    <OutsideFrame
      about="Nobody has an account here yet. Yours is the first, and its owner runs this deployment."
      title="Set up Atelier"
    >
      <SetupForm />
    </OutsideFrame>
  );
}

function SetupForm() {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const create = useChange(createFirstUser);
  const signIn = useChange(login);
  const form = useForm({
    initial: { email: "", username: "", password: "" },
    draft: "setup",
    secrets: ["password"],
    submit: async (values) => {
      const body = { ...values, email: values.email.trim(), username: values.username.trim() };
      const wrong = problemOfBody(createFirstUser, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const created = await create({ body });
      if (!created.ok) return created;
      const signedIn = await signIn({ body: { email: body.email, password: body.password } });
      if (!signedIn.ok) return signedIn;
      queryClient.removeQueries({ queryKey: keyOf(getUser, { params: { user: "me" } }) });
      await navigate({ to: "/" });
      await queryClient.invalidateQueries({ queryKey: [firstUserExists.path] });
      return signedIn;
    },
  });
  return (
    <FormFrame form={form} send="Create the owner's account" sending="Creating…">
      <TextField
        {...form.field("email")}
        autoComplete="email"
        isFocused
        label="Email"
        type="email"
      />
      <TextField
        {...form.field("username")}
        autoComplete="username"
        hint="Letters and digits, with single hyphens between them."
        label="Username"
      />
      <TextField
        {...form.field("password")}
        autoComplete="new-password"
        hint="Length counts most: several words are better than odd characters."
        label="Password"
        type="password"
      />
    </FormFrame>
  );
}
