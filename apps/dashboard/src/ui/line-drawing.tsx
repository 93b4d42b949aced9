/** A drawing of lines in the colour of the words beside it. It says nothing itself. */

type LineDrawingProps = { readonly path: string; readonly size: number };

export function LineDrawing({ path, size }: LineDrawingProps) {
  return (
    <svg
      aria-hidden="true"
      className="shrink-0"
      fill="none"
      height={size}
      stroke="currentColor"
      strokeLinecap="round"
      strokeLinejoin="round"
      strokeWidth="1.8"
      viewBox="0 0 24 24"
      width={size}
    >
      <path d={path} />
    </svg>
  );
}
