/** Who was connected to which workspace of this deployment. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ChoiceField } from "../forms/choice-field.tsx";
import { TextField } from "../forms/text-field.tsx";
import { PageHead } from "../ui/page-head.tsx";
import { ConnectionHistory } from "../workspaces/connection-history.tsx";

const STATES = [
  { value: "", label: "All" },
  { value: "ongoing", label: "Connected" },
  { value: "completed", label: "Ended" },
] as const;

export function Page() {
  const chosen: Readonly<Record<string, string | undefined>> = useSearch({ strict: false });
  const navigate = useNavigate();
  const field = (name: string) => ({
    name,
    value: chosen[name] ?? "",
    onChange: (value: string): void => {
      navigate({
        to: "/logs/connection",
        search: { ...chosen, [name]: value },
        replace: true,
      }).catch(() => {}); // The router shows what went wrong.
    },
  });
  const q = ["username", "workspace", "status"]
    .filter((name) => (chosen[name] ?? "") !== "")
    .map((name) => `${name}:"${(chosen[name] ?? "").replaceAll(/["\\]/g, "")}"`)
    .join(" ");
  return (
    <>
      <PageHead
        about="Machines and people, to which workspace, from where, and how it ended."
        title="Connection log"
      />
      <div className="mb-4 grid grid-cols-2 gap-3 md:grid-cols-3">
        <TextField {...field("username")} label="Person" placeholder="username" type="search" />
        <TextField {...field("workspace")} label="Workspace" type="search" />
        <ChoiceField {...field("status")} choices={STATES} label="State" />
      </div>
      <ConnectionHistory q={q === "" ? undefined : q} />
    </>
  );
}
