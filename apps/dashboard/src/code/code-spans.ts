/**
 * What the parts of code are: keywords, texts, comments. As places in it, never as HTML.
 * It is big and takes time: only the worker loads it.
 */
import type { Emitter } from "highlight.js";
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import csharp from "highlight.js/lib/languages/csharp";
import css from "highlight.js/lib/languages/css";
import dart from "highlight.js/lib/languages/dart";
import diff from "highlight.js/lib/languages/diff";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import elixir from "highlight.js/lib/languages/elixir";
import go from "highlight.js/lib/languages/go";
import graphql from "highlight.js/lib/languages/graphql";
import haskell from "highlight.js/lib/languages/haskell";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import kotlin from "highlight.js/lib/languages/kotlin";
import less from "highlight.js/lib/languages/less";
import lua from "highlight.js/lib/languages/lua";
import makefile from "highlight.js/lib/languages/makefile";
import markdown from "highlight.js/lib/languages/markdown";
import nginx from "highlight.js/lib/languages/nginx";
import objectivec from "highlight.js/lib/languages/objectivec";
import perl from "highlight.js/lib/languages/perl";
import php from "highlight.js/lib/languages/php";
import powershell from "highlight.js/lib/languages/powershell";
import protobuf from "highlight.js/lib/languages/protobuf";
import python from "highlight.js/lib/languages/python";
import r from "highlight.js/lib/languages/r";
import ruby from "highlight.js/lib/languages/ruby";
import rust from "highlight.js/lib/languages/rust";
import scala from "highlight.js/lib/languages/scala";
import scss from "highlight.js/lib/languages/scss";
import sql from "highlight.js/lib/languages/sql";
import swift from "highlight.js/lib/languages/swift";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import type { CodeKind, CodeSpan } from "./code-kinds.ts";

const GRAMMARS = {
  ...{ bash, c, cpp, csharp, css, dart, diff, dockerfile, elixir, go, graphql, haskell, ini, java },
  ...{ javascript, json, kotlin, less, lua, makefile, markdown, nginx, objectivec, perl, php },
  ...{
    powershell,
    protobuf,
    python,
    r,
    ruby,
    rust,
    scala,
    scss,
    sql,
    swift,
    typescript,
    xml,
    yaml,
  },
};

const KINDS: Readonly<Record<string, CodeKind>> = {
  ...{ comment: "comment", quote: "comment", doctag: "keyword" },
  ...{ keyword: "keyword", literal: "keyword", name: "keyword", "selector-tag": "keyword" },
  ...{ string: "string", regexp: "string", link: "string", symbol: "string", code: "string" },
  ...{ number: "number", bullet: "number", char: "number" },
  ...{ title: "title", section: "title", "selector-id": "title" },
  ...{ type: "type", built_in: "type", class: "type", "title.class": "type" },
  ...{ attr: "attribute", attribute: "attribute", property: "attribute", variable: "attribute" },
  ...{ "template-variable": "attribute", "selector-class": "attribute", meta: "meta" },
  ...{ addition: "added", deletion: "removed" },
};

/** What the library finds, noted by where it is. Inner parts count before outer ones. */
class SpanEmitter implements Emitter {
  readonly spans: CodeSpan[] = [];
  readonly #open: (CodeKind | null)[] = [];
  length = 0;

  addText(text: string): void {
    const kind = this.#open.at(-1) ?? null;
    if (kind !== null && text.trim() !== "") {
      this.spans.push({ from: this.length, to: this.length + text.length, kind });
    }
    this.length += text.length;
  }

  openNode(scope: string): void {
    const kind = KINDS[scope] ?? KINDS[scope.split(".")[0] ?? ""];
    this.#open.push(scope === "subst" ? null : (kind ?? this.#open.at(-1) ?? null));
  }

  closeNode(): void {
    this.#open.pop();
  }

  startScope(scope: string): void {
    this.openNode(scope);
  }

  endScope(): void {
    this.closeNode();
  }

  __addSublanguage(inner: Emitter): void {
    if (!(inner instanceof SpanEmitter)) return;
    for (const { from, to, kind } of inner.spans) {
      this.spans.push({ from: this.length + from, to: this.length + to, kind });
    }
    this.length += inner.length;
  }

  closeAllNodes(): void {
    this.#open.length = 0;
  }

  finalize(): void {}

  /** Nobody reads it. */
  toHTML(): string {
    return "";
  }
}

const highlighter = hljs.newInstance();
highlighter.configure({ __emitter: SpanEmitter });
for (const [name, grammar] of Object.entries(GRAMMARS)) {
  highlighter.registerLanguage(name, grammar);
}

/** In their order, none over another. Empty for a language that it does not know. */
export function codeSpans(text: string, language: string): readonly CodeSpan[] {
  if (highlighter.getLanguage(language) === undefined) return [];
  const { _emitter: emitter } = highlighter.highlight(text, { language, ignoreIllegals: true });
  return emitter instanceof SpanEmitter ? emitter.spans : [];
}
