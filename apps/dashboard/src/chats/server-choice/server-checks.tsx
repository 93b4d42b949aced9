/** Tool servers to tick. Those at which a person has yet to sign in say so, and lead there. */
import { Link } from "@tanstack/react-router";
import { serverName } from "../../tool-servers/server-name.ts";
import { withServer, type ServerChoice } from "./server-choice.ts";

type ServerChecksProps = {
  readonly choices: readonly ServerChoice[];
  readonly onChange: (serverIds: readonly string[]) => void;
};

export function ServerChecks({ choices, onChange }: ServerChecksProps) {
  return choices.map(({ server, isChosen, isFixed }) => (
    <div className="flex min-h-7 flex-wrap items-center gap-x-2" key={server.id}>
      <label className="flex items-center gap-2">
        <input
          checked={isChosen}
          className="size-4"
          disabled={isFixed}
          onChange={({ currentTarget }) =>
            onChange(withServer(choices, server.id, currentTarget.checked))
          }
          type="checkbox"
        />
        {serverName(server)}
        {isFixed && <span className="text-xs text-muted">always</span>}
      </label>
      {isChosen && server.sign_in === "needed" && (
        <Link
          className="text-xs text-accent underline underline-offset-2"
          title={`Sign in to ${serverName(server)}`}
          to="/settings/agents"
        >
          needs your sign-in
        </Link>
      )}
    </div>
  ));
}
