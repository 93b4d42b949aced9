/** Email and password. Used as a page, and over a page whose session has ended. */
import { login } from "@atelier/contract/http/sign-in";
import { useChange } from "../api/use-endpoint.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextField } from "../forms/text-field.tsx";
import { useForm } from "../forms/use-form.ts";

export function SignInForm({ onSignedIn }: { readonly onSignedIn: () => void }) {
  const signIn = useChange(login);
  const form = useForm({
    initial: { email: "", password: "" },
    draft: "sign-in",
    secrets: ["password"],
    submit: async ({ email, password }) => {
      const outcome = await signIn({ body: { email: email.trim(), password } });
      if (outcome.ok) onSignedIn();
      return outcome;
    },
  });
  return (
    <FormFrame form={form} send="Sign in" sending="Signing in…">
      <TextField
        {...form.field("email")}
        autoComplete="username"
        isFocused
        label="Email"
        type="email"
      />
      <TextField
        {...form.field("password")}
        autoComplete="current-password"
        label="Password"
        type="password"
      />
    </FormFrame>
  );
}
