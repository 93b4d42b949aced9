/** Who one is here: name and username, and what one's roles allow. */
import { getUser, updateUserProfile } from "@atelier/contract/http/users";
import { useQueryClient } from "@tanstack/react-query";
import { renewAnswers, useChange } from "../api/use-endpoint.ts";
import { useSignedIn } from "../app/signed-in.ts";
import { problemOfBody } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextField } from "../forms/text-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { announce } from "../ui/announcements.tsx";
import { Badge } from "../ui/badge.tsx";
import { Facts } from "../ui/facts.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { Panel } from "../ui/panel.tsx";
import { RelativeTime } from "../ui/relative-time.tsx";

export function Page() {
  const { email, roles, created_at: createdAt, id } = useSignedIn();
  return (
    <>
      <PageHead title="Account" />
      <Panel title="Profile">
        <ProfileForm />
      </Panel>
      <Panel title="About this account">
        <Facts
          facts={[
            { name: "Email", value: email },
            { name: "Roles", value: <Roles roles={roles} /> },
            { name: "Created", value: <RelativeTime time={createdAt} /> },
            { name: "Id", value: <code className="font-mono text-xs select-all">{id}</code> },
          ]}
        />
      </Panel>
    </>
  );
}

function Roles({ roles }: { readonly roles: readonly string[] }) {
  return (
    <span className="flex flex-wrap gap-1">
      {["member", ...roles].map((role) => (
        <Badge key={role} tone={role === "owner" ? "accent" : "neutral"}>
          {role}
        </Badge>
      ))}
    </span>
  );
}

function ProfileForm() {
  const { username, name } = useSignedIn();
  const queryClient = useQueryClient();
  const update = useChange(updateUserProfile);
  const form = useForm({
    initial: { username, name },
    submit: async (values) => {
      const body = { username: values.username.trim(), name: values.name };
      const wrong = problemOfBody(updateUserProfile, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await update({ params: { user: "me" }, body });
      if (outcome.ok) {
        await renewAnswers(queryClient, [getUser]);
        announce("Your profile is saved.");
      }
      return outcome;
    },
  });
  return (
    <div className="max-w-md">
      <FormFrame form={form} send="Save" sending="Saving…">
        <TextField {...form.field("name")} autoComplete="name" isOptional label="Name" />
        <TextField
          {...form.field("username")}
          autoComplete="username"
          hint="Commands and addresses name you by it; those that name the old one stop working."
          label="Username"
        />
      </FormFrame>
    </div>
  );
}
