/** The roles that one may give and take away. */
import { listRoles } from "@atelier/contract/http/users";
import type { Role } from "@atelier/contract/permissions";
import { useEndpoint } from "../api/use-endpoint.ts";
import { Loaded } from "../ui/loaded.tsx";

const ABOUT: Readonly<Record<Role, string>> = {
  owner: "All but entering other people’s workspaces.",
  "user-admin": "People, their roles, sessions and tokens.",
  auditor: "Sees logs, sessions, workspaces and options; changes nothing.",
  member: "Their own things.",
};

type RoleFieldsProps = {
  readonly chosen: readonly Role[];
  readonly onChange: (roles: readonly Role[]) => void;
};

export function RoleFields({ chosen, onChange }: RoleFieldsProps) {
  const query = useEndpoint(listRoles, {});
  return (
    <Loaded query={query} what="roles">
      {({ roles }) => (
        <fieldset className="space-y-1">
          <legend className="mb-1 font-medium">Roles</legend>
          {roles
            .filter(({ name, assignable }) => assignable || chosen.includes(name))
            .map(({ name, assignable }) => (
              <label className="flex items-start gap-2.5 py-1" key={name}>
                <input
                  checked={chosen.includes(name)}
                  className="mt-1"
                  disabled={!assignable}
                  onChange={(event) =>
                    onChange(
                      event.currentTarget.checked
                        ? [...chosen, name]
                        : chosen.filter((role) => role !== name),
                    )
                  }
                  type="checkbox"
                />
                <span>
                  <span className="font-medium">{name}</span>
                  <span className="block text-xs text-muted">{ABOUT[name]}</span>
                </span>
              </label>
            ))}
        </fieldset>
      )}
    </Loaded>
  );
}
