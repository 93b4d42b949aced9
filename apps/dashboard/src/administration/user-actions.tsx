/** What an administrator can do to a person's account. */
import {
  activateUser,
  deleteUser,
  listUsers,
  suspendUser,
  updateUserPassword,
  updateUserRoles,
} from "@atelier/contract/http/users";
import type { CallAnswer } from "@atelier/contract/client";
import type { Role } from "@atelier/contract/permissions";
import { useState } from "react";
import { useChange } from "../api/use-endpoint.ts";
import { useMay, useSignedIn } from "../app/signed-in.ts";
import { problemOfBody } from "../forms/field-problems.ts";
import { FormFrame } from "../forms/form-frame.tsx";
import { TextField } from "../forms/text-field.tsx";
import { useForm } from "../forms/use-form.ts";
import { ActionMenu } from "../ui/action-menu.tsx";
import { announce } from "../ui/announcements.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { Modal } from "../ui/modal.tsx";
import { RoleFields } from "./role-fields.tsx";

export type UserView = CallAnswer<typeof listUsers>["users"][number];

type Asked = "roles" | "password" | "status" | "delete";

export function UserActions({ user }: { readonly user: UserView }) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const isSelf = useSignedIn().id === user.id;
  const items = useOffered(user, isSelf);
  if (items.length === 0) return null;
  const close = (): void => setAsked(null);
  return (
    <>
      <ActionMenu
        actions={items.map(({ what, words }) => ({ words, run: () => setAsked(what) }))}
        label={`Change ${user.username}`}
      />
      <Modal isOpen={asked === "roles"} onClose={close} title={`Roles of ${user.username}`}>
        <RolesForm onDone={close} user={user} />
      </Modal>
      <Modal
        about="All their sessions and API tokens end."
        isOpen={asked === "password"}
        onClose={close}
        title={`New password for ${user.username}`}
      >
        <PasswordForm onDone={close} user={user} />
      </Modal>
      <StatusConfirms asked={asked} onClose={close} user={user} />
    </>
  );
}

function useOffered(
  { status }: UserView,
  isSelf: boolean,
): readonly { readonly what: Asked; readonly words: string }[] {
  const mayAssign = useMay("user:assign_roles");
  const mayUpdate = useMay("user:update");
  const mayDelete = useMay("user:delete");
  return [
    ...(mayAssign ? [{ what: "roles", words: "Roles…" } as const] : []),
    ...(mayUpdate && !isSelf ? [{ what: "password", words: "New password…" } as const] : []),
    ...(mayDelete && !isSelf
      ? [
          { what: "status", words: status === "suspended" ? "Activate…" : "Suspend…" } as const,
          { what: "delete", words: "Delete…" } as const,
        ]
      : []),
  ];
}

type StatusConfirmsProps = {
  readonly user: UserView;
  readonly asked: Asked | null;
  readonly onClose: () => void;
};

function StatusConfirms({ user, asked, onClose }: StatusConfirmsProps) {
  const params = { user: user.id };
  const suspend = useChange(suspendUser, [listUsers]);
  const activate = useChange(activateUser, [listUsers]);
  const remove = useChange(deleteUser, [listUsers]);
  const isSuspended = user.status === "suspended";
  return (
    <>
      <Confirm
        about={
          isSuspended
            ? "They can sign in again."
            : "They are signed out everywhere, and their tokens are refused at once."
        }
        doing="Changing…"
        isOpen={asked === "status"}
        onClose={onClose}
        onConfirm={() => (isSuspended ? activate({ params }) : suspend({ params }))}
        title={`${isSuspended ? "Activate" : "Suspend"} ${user.username}?`}
        verb={isSuspended ? "Activate" : "Suspend"}
      />
      <Confirm
        about="Their account is gone for good. What they did stays on record."
        doing="Deleting…"
        isOpen={asked === "delete"}
        onClose={onClose}
        onConfirm={() => remove({ params })}
        title={`Delete ${user.username}?`}
        verb="Delete the account"
      />
    </>
  );
}

type UserFormProps = { readonly user: UserView; readonly onDone: () => void };

function RolesForm({ user, onDone }: UserFormProps) {
  const update = useChange(updateUserRoles, [listUsers]);
  const [roles, setRoles] = useState<readonly Role[]>(user.roles);
  const form = useForm({
    initial: {},
    submit: async () => {
      const outcome = await update({ params: { user: user.id }, body: { roles: [...roles] } });
      if (outcome.ok) onDone();
      return outcome;
    },
  });
  return (
    <FormFrame form={form} send="Save" sending="Saving…">
      <RoleFields chosen={roles} onChange={setRoles} />
    </FormFrame>
  );
}

function PasswordForm({ user, onDone }: UserFormProps) {
  const update = useChange(updateUserPassword);
  const form = useForm({
    initial: { password: "" },
    submit: async (body) => {
      const wrong = problemOfBody(updateUserPassword, body);
      if (wrong !== null) return { ok: false, failure: wrong };
      const outcome = await update({ params: { user: user.id }, body });
      if (outcome.ok) {
        announce(`${user.username} has a new password.`);
        onDone();
      }
      return outcome;
    },
  });
  return (
    <FormFrame form={form} send="Set it" sending="Setting…">
      <TextField
        {...form.field("password")}
        autoComplete="new-password"
        isFocused
        label="New password"
        type="password"
      />
    </FormFrame>
  );
}
