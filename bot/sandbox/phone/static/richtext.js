// The two kinds of markup that the platforms show: links in an account's texts, and WeCom's markdown subset.
// Both are built as nodes; what is not understood stays text.

import { el } from "/phone/static/dom.js";

const LINK = /<a\s+href="(https?:\/\/[^"\s]{1,2000})"[^>]{0,500}>([^<]{1,500})<\/a>/g;
const INLINE = /\*\*(?<bold>[^*\n]{1,500})\*\*|`(?<code>[^`\n]{1,500})`|\[(?<label>[^\]\n]{1,500})\]\((?<url>https?:\/\/[^)\s]{1,2000})\)|<font color="(?<color>info|comment|warning)">(?<coloured>[^<]{1,500})<\/font>/g;

function link(url, label) {
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}

function replaced(text, pattern, build) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    nodes.push(text.slice(from, match.index), build(match));
    from = match.index + match[0].length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== "");
}

/** The nodes of an account's text. */
export function linked(text) {
  return replaced(text, LINK, (match) => link(match[1], match[2]));
}

function inline(text) {
  return replaced(text, INLINE, ({ groups }) => {
    if (groups.bold !== undefined) return el("strong", {}, groups.bold);
    if (groups.code !== undefined) return el("code", {}, groups.code);
    if (groups.url !== undefined) return link(groups.url, groups.label);
    return el("span", { class: `font-${groups.color}` }, groups.coloured);
  });
}

/** The block nodes of a markdown message: headings, quotes, lines. */
export function markdown(text) {
  return text.split("\n").map((line) => {
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    if (heading) return el("p", { class: `md-heading md-h${heading[1].length}` }, inline(heading[2]));
    const quote = /^>\s?(.*)$/.exec(line);
    if (quote) return el("blockquote", {}, inline(quote[1]));
    return el("p", {}, line === "" ? el("br") : inline(line));
  });
}
