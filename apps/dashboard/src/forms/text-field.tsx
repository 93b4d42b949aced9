/** One labelled field, with what is wrong with it beside it and told to those who cannot see it. */
import { useId, type HTMLInputAutoCompleteAttribute, type ReactNode } from "react";

export const INPUT_LOOK =
  "min-h-9 w-full rounded-md border border-strong-line bg-surface px-3 text-ink placeholder:text-muted aria-invalid:border-bad";

export type FieldFrameProps = {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly complaint?: string | null;
  readonly isOptional?: boolean;
  readonly children: (attributes: {
    readonly id: string;
    readonly "aria-describedby": string | undefined;
    readonly "aria-invalid": true | undefined;
  }) => ReactNode;
};

export function FieldFrame({ label, hint, complaint, isOptional, children }: FieldFrameProps) {
  const id = useId();
  const isWrong = complaint !== null && complaint !== undefined;
  const described = [
    ...(hint === undefined ? [] : [`${id}-hint`]),
    ...(isWrong ? [`${id}-wrong`] : []),
  ].join(" ");
  return (
    <div className="space-y-1">
      <label className="block font-medium" htmlFor={id}>
        {label}
        {isOptional && <span className="font-normal text-muted"> (optional)</span>}
      </label>
      {children({
        id,
        "aria-describedby": described === "" ? undefined : described,
        "aria-invalid": isWrong || undefined,
      })}
      {isWrong && (
        <p className="text-bad" id={`${id}-wrong`}>
          {complaint}
        </p>
      )}
      {hint !== undefined && (
        <p className="text-xs text-muted" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

type TextFieldProps = Omit<FieldFrameProps, "children"> & {
  readonly name: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly type?: "text" | "email" | "password" | "url" | "search" | "date";
  /** Which keyboard a phone shows. */
  readonly inputMode?: "numeric" | "decimal";
  readonly autoComplete?: HTMLInputAutoCompleteAttribute;
  readonly placeholder?: string;
  readonly isFocused?: boolean;
  readonly isMono?: boolean;
};

export function TextField(props: TextFieldProps) {
  const { name, value, onChange, type = "text", autoComplete = "off" } = props;
  return (
    <FieldFrame {...props}>
      {(attributes) => (
        <input
          {...attributes}
          autoCapitalize="none"
          autoComplete={autoComplete}
          // Where a form is the page's one purpose.
          // oxlint-disable-next-line jsx-a11y/no-autofocus
          autoFocus={props.isFocused}
          className={`${INPUT_LOOK} ${props.isMono ? "font-mono" : ""}`}
          inputMode={props.inputMode}
          name={name}
          onChange={(event) => onChange(event.currentTarget.value)}
          placeholder={props.placeholder}
          spellCheck={false}
          type={type}
          value={value}
        />
      )}
    </FieldFrame>
  );
}
