/** The commands that fit what is typed so far. */
import type { ComposerState } from "./use-composer.ts";

export function SlashMenu({ state }: { readonly state: ComposerState }) {
  const { offers, offered } = state;
  if (offers.length === 0) return null;
  return (
    <div
      aria-label="Commands"
      className="absolute bottom-full left-0 z-20 mb-2 max-h-72 w-full max-w-md overflow-y-auto rounded-md border border-line bg-raised py-1 shadow-xl"
      id="slash-commands"
      role="listbox"
    >
      {offers.map(({ name, input, about }, index) => (
        <div
          aria-selected={index === offered}
          className={`px-3 py-1.5 ${index === offered ? "bg-hover" : ""}`}
          id={`slash-${name}`}
          key={name}
          // The field keeps the focus.
          onPointerDown={(event) => {
            event.preventDefault();
            state.setText(`/${name}${input === "" ? "" : " "}`);
          }}
          role="option"
          tabIndex={-1}
        >
          <span className="font-medium">/{name}</span>{" "}
          <span className="font-mono text-xs text-muted">{input}</span>
          <span className="block text-xs text-muted">{about}</span>
        </div>
      ))}
    </div>
  );
}
