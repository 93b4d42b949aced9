/** Yes or no. A form holds it as the text `true` or `false`, like all that it holds. */
import { useId, type ReactNode } from "react";

type CheckFieldProps = {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly complaint?: string | null;
  readonly name: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
};

export function CheckField({ label, hint, complaint, name, value, onChange }: CheckFieldProps) {
  const id = useId();
  const isWrong = complaint !== null && complaint !== undefined;
  return (
    <div>
      <label className="flex items-start gap-2.5 py-1.5">
        <input
          aria-describedby={hint === undefined && !isWrong ? undefined : id}
          aria-invalid={isWrong || undefined}
          checked={value === "true"}
          className="mt-0.5 size-5 shrink-0"
          name={name}
          onChange={(event) => onChange(event.currentTarget.checked ? "true" : "false")}
          type="checkbox"
        />
        <span className="font-medium">{label}</span>
      </label>
      <div className="pl-7.5" id={id}>
        {isWrong && <p className="text-bad">{complaint}</p>}
        {hint !== undefined && <p className="text-xs text-muted">{hint}</p>}
      </div>
    </div>
  );
}
