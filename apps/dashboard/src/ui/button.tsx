/** Buttons, and links that look like them. A button under way says so and cannot be pressed again. */
import { Link } from "@tanstack/react-router";
import type { ButtonHTMLAttributes, ReactNode } from "react";

type Look = "main" | "plain" | "quiet" | "danger";

const BASE =
  "inline-flex items-center justify-center gap-1.5 rounded-md border px-3 min-h-9 font-medium whitespace-nowrap";
const LOOKS: Readonly<Record<Look, string>> = {
  main: "border-transparent bg-accent-fill text-white hover:bg-accent-fill-hover",
  plain: "border-line bg-surface text-ink hover:bg-hover",
  quiet: "border-transparent text-ink hover:bg-hover",
  danger: "border-transparent bg-bad-fill text-white hover:brightness-110",
};

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "className"> & {
  readonly look?: Look;
  /** What is under way, in place of the button's words. */
  readonly busy?: string | undefined;
};

export function Button({ look = "plain", busy, children, disabled, ...rest }: ButtonProps) {
  const isBusy = busy !== undefined;
  return (
    <button
      type="button"
      {...rest}
      aria-busy={isBusy || undefined}
      className={`${BASE} ${LOOKS[look]} disabled:opacity-60 disabled:cursor-not-allowed`}
      disabled={isBusy || disabled}
    >
      {isBusy ? busy : children}
    </button>
  );
}

type ButtonLinkProps = {
  readonly to: string;
  readonly search?: Readonly<Record<string, string>>;
  readonly look?: Look;
  readonly children: ReactNode;
};

export function ButtonLink({ to, search = {}, look = "plain", children }: ButtonLinkProps) {
  return (
    <Link className={`${BASE} ${LOOKS[look]}`} search={search} to={to}>
      {children}
    </Link>
  );
}

/** To another origin, in a tab that cannot reach back to this one. */
export function ExternalLink({
  href,
  label,
  children,
}: {
  readonly href: string;
  /** Read out in place of what is shown. */
  readonly label?: string;
  readonly children: ReactNode;
}) {
  return (
    <a
      aria-label={label}
      className={`${BASE} ${LOOKS.plain}`}
      href={href}
      rel="noopener noreferrer"
      target="_blank"
    >
      {children}
    </a>
  );
}

/** A file of the server's, as the browser keeps it. */
export function DownloadLink({
  href,
  name,
  children,
}: {
  readonly href: string;
  /** Of the file, where the server names none. */
  readonly name?: string;
  readonly children: ReactNode;
}) {
  return (
    <a className={`${BASE} ${LOOKS.plain}`} download={name ?? true} href={href}>
      {children}
    </a>
  );
}

type IconButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "className"> & {
  /** Read out, and shown by the browser when pointed at. */
  readonly label: string;
};

export function IconButton({ label, children, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      aria-label={label}
      className="inline-flex size-9 shrink-0 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-ink"
      title={label}
    >
      {children}
    </button>
  );
}
