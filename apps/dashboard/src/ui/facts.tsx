/** Names and values of one thing. */
import type { ReactNode } from "react";

type FactsProps = {
  readonly facts: readonly { readonly name: string; readonly value: ReactNode }[];
};

export function Facts({ facts }: FactsProps) {
  return (
    <dl className="grid grid-cols-2 gap-x-6 gap-y-3 lg:grid-cols-3">
      {facts.map(({ name, value }) => (
        <div className="min-w-0" key={name}>
          <dt className="text-xs text-muted">{name}</dt>
          <dd className="break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
