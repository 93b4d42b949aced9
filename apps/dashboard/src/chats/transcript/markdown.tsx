/**
 * Markdown as people read it, also while it is being written: only the block that grows is drawn anew.
 * Built as elements from tokens, so that nothing in it can become HTML.
 */
import type { MarkedToken, Token, Tokens } from "marked";
import { memo, useMemo, type ReactNode } from "react";
import { CodeBlock } from "./code-block.tsx";
import { markdownBlocks, plainText, safeHref } from "./markdown-tokens.ts";

export const Markdown = memo(function Markdown({ text }: { readonly text: string }) {
  const blocks = useMemo(() => markdownBlocks(text), [text]);
  return (
    <div className="chat-prose">
      {blocks.map((token, index) => (
        // Blocks are only added at the end, or the last one grows.
        <Block key={index} raw={token.raw} token={token} />
      ))}
    </div>
  );
});

/** The same source gives the same tokens. */
const Block = memo(
  function Block({ token }: { readonly token: Token; readonly raw: string }) {
    return <>{blockElement(token)}</>;
  },
  (before, after) => before.raw === after.raw && before.token.type === after.token.type,
);

// The library's own union has a member that fits everything: the tags below are its known ones.
function blockElement(anyToken: Token): ReactNode {
  const token = anyToken as MarkedToken;
  switch (token.type) {
    case "code":
      return <CodeBlock language={token.lang ?? ""} text={token.text} />;
    case "heading":
      return token.depth <= 2 ? (
        <h2 className={token.depth === 1 ? "text-lg" : "text-base"}>{inline(token.tokens)}</h2>
      ) : (
        <p className="font-semibold">{inline(token.tokens)}</p>
      );
    case "blockquote":
      return <blockquote>{blockElements(token.tokens)}</blockquote>;
    case "list":
      return <List list={token} />;
    case "table":
      return <Table table={token} />;
    case "hr":
      return <hr />;
    case "paragraph":
      return <p>{inline(token.tokens)}</p>;
    case "text":
      return token.tokens === undefined ? plainText(token.text) : inline(token.tokens);
    case "html":
      return <p>{token.raw}</p>;
    case "def":
    case "space":
      return null;
    case "br":
    case "checkbox":
    case "codespan":
    case "del":
    case "em":
    case "escape":
    case "image":
    case "link":
    case "list_item":
    case "strong":
      return inlineElement(token);
  }
}

function blockElements(tokens: readonly Token[]): ReactNode {
  return tokens.map((token, index) => <Block key={index} raw={token.raw} token={token} />);
}

function List({ list }: { readonly list: Tokens.List }) {
  const items = list.items.map((item, index) => (
    <li key={index}>
      {item.task && (
        <input
          aria-label={item.checked === true ? "done" : "open"}
          checked={item.checked === true}
          className="mr-1.5 align-middle"
          disabled
          readOnly
          type="checkbox"
        />
      )}
      {blockElements(item.tokens.filter(({ type }) => type !== "checkbox"))}
    </li>
  ));
  return list.ordered ? (
    <ol start={list.start === "" ? 1 : list.start}>{items}</ol>
  ) : (
    <ul>{items}</ul>
  );
}

function Table({ table }: { readonly table: Tokens.Table }) {
  const look = (align: Tokens.TableCell["align"]): string =>
    align === "right" ? "text-right" : align === "center" ? "text-center" : "text-left";
  return (
    <div
      aria-label="Table"
      className="overflow-x-auto"
      role="group"
      // What scrolls must be reachable by keyboard.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
    >
      <table>
        <thead>
          <tr>
            {table.header.map((cell, index) => (
              <th className={look(cell.align)} key={index} scope="col">
                {inline(cell.tokens)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, place) => (
            <tr key={place}>
              {row.map((cell, index) => (
                <td className={look(cell.align)} key={index}>
                  {inline(cell.tokens)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function inline(tokens: readonly Token[]): ReactNode {
  return tokens.map((token, index) => <Inline key={index} token={token} />);
}

function Inline({ token }: { readonly token: Token }) {
  return <>{inlineElement(token)}</>;
}

function inlineElement(anyToken: Token): ReactNode {
  const token = anyToken as MarkedToken;
  switch (token.type) {
    case "strong":
      return <strong>{inline(token.tokens)}</strong>;
    case "em":
      return <em>{inline(token.tokens)}</em>;
    case "del":
      return <del>{inline(token.tokens)}</del>;
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "link":
      return <SafeLink href={token.href}>{inline(token.tokens)}</SafeLink>;
    case "image":
      return <SafeLink href={token.href}>{`Image: ${token.text || token.href}`}</SafeLink>;
    case "escape":
      return token.text;
    case "text":
      return token.tokens === undefined ? plainText(token.text) : inline(token.tokens);
    case "blockquote":
    case "checkbox":
    case "code":
    case "def":
    case "heading":
    case "hr":
    case "html":
    case "list":
    case "list_item":
    case "paragraph":
    case "space":
    case "table":
      return token.raw;
  }
}

function SafeLink({ href, children }: { readonly href: string; readonly children: ReactNode }) {
  const safe = safeHref(href);
  if (safe === null) return children;
  return (
    <a href={safe} rel="noreferrer noopener" target="_blank">
      {children}
    </a>
  );
}
