// One chat: bubbles with avatars and time stamps, kept at the newest.

import { el, entry, reconcile } from "/phone/static/dom.js";
import { dayOf, minutesBetween, seenFrom } from "/phone/static/times.js";
import { linked, markdown } from "/phone/static/richtext.js";

const BUBBLES_SHOWN_MAX = 300;
const STAMP_GAP_MINUTES = 5;
const NEAR_END_PX = 120;

function lines(text) {
  return text === "" ? [] : [text];
}

const bodies = {
  text: (bubble) => el("div", { class: "bubble" }, bubble.side === "them" ? linked(bubble.text) : lines(bubble.text)),

  image: (bubble) => el("figure", { class: "picture", role: "img", "aria-label": `图片 ${bubble.text}` },
    el("span", { class: "picture-sky", "aria-hidden": "true" }), el("figcaption", {}, bubble.text || "图片")),

  menu: (bubble, { prefix, onTap }) => el("div", { class: "bubble" },
    el("span", {}, linked(bubble.text)),
    bubble.choices.map((choice) => el("button", {
      type: "button", class: "choice", "data-testid": `${prefix}-choice`, "data-choice-id": choice.id,
      onclick: () => onTap(choice),
    }, choice.text)),
    bubble.description && el("span", { class: "menu-tail" }, linked(bubble.description))),

  template: (bubble, { account }) => el("div", { class: "template" },
    el("p", { class: "template-from" }, el("img", { src: account.avatar, alt: "" }), account.name),
    el("p", { class: "template-title" }, bubble.title),
    el("p", { class: "template-day" }, dayOf(bubble.at)),
    bubble.description && el("p", { class: "template-text" }, bubble.description),
    rows(bubble)),

  markdown: (bubble) => el("div", { class: "bubble markdown" }, markdown(bubble.text)),

  card: (bubble, { account, onClick }) => el("div", { class: "card", "data-testid": "card", "data-task-id": bubble.task_id },
    el("p", { class: "card-from" }, el("img", { src: account.avatar, alt: "" }), account.name),
    el("p", { class: "card-title" }, bubble.title),
    bubble.description && el("p", { class: "card-text" }, bubble.description),
    bubble.quote && el("blockquote", { class: "card-quote" }, bubble.quote),
    rows(bubble),
    bubble.buttons.length > 0 && el("div", { class: "card-buttons" }, bubble.buttons.map((button) => el("button", {
      type: "button", class: `card-button style-${button.style}`, disabled: button.disabled,
      "data-testid": "card-button", "data-key": button.key, onclick: () => onClick(bubble, button),
    }, button.text)))),
};

function rows(bubble) {
  if (bubble.rows.length === 0) return null;
  return el("dl", { class: "rows" }, bubble.rows.map(([key, value]) => el("div", {}, el("dt", {}, key), el("dd", {}, value))));
}

/** A chat inside `root`. `scene` has {prefix, account {name, avatar}, me {avatar}, onTap, onClick}. */
export class Chat {
  constructor(root, scene) {
    this.list = root.querySelector(".chat");
    this.scroller = root.querySelector(".chat-scroll");
    this.scene = scene;
    this.shown = null;
    new ResizeObserver(() => this.toEnd()).observe(this.scroller);
  }

  /** Show `bubbles` of the chat called `chatId`; another chat than before begins at its end. */
  show(chatId, bubbles, now) {
    const fresh = this.shown !== chatId;
    const end = this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight;
    this.shown = chatId;
    const changed = reconcile(this.list, this.entries(chatId, bubbles, now));
    if (fresh || (changed && (end < NEAR_END_PX || bubbles.at(-1)?.side === "me"))) this.toEnd();
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  entries(chatId, bubbles, now) {
    const shown = bubbles.slice(-BUBBLES_SHOWN_MAX);
    const entries = [];
    if (shown.length < bubbles.length) {
      entries.push(entry(`${chatId}|older`, "更早的消息不再显示", (text) => el("li", { class: "stamp" }, text)));
    }
    shown.forEach((bubble, index) => {
      const gap = index === 0 ? Infinity : minutesBetween(shown[index - 1].at, bubble.at);
      if (gap > STAMP_GAP_MINUTES) {
        const stamp = (text) => el("li", { class: "stamp" }, el("time", { datetime: bubble.at }, text));
        entries.push(entry(`${chatId}|${bubble.seq}|at`, seenFrom(bubble.at, now), stamp));
      }
      entries.push(entry(`${chatId}|${bubble.seq}`, bubble, (value) => this.row(value)));
    });
    return entries;
  }

  row(bubble) {
    const ids = { "data-testid": `${this.scene.prefix}-bubble`, "data-seq": bubble.seq, "data-kind": bubble.kind, "data-side": bubble.side };
    if (bubble.side === "system") return el("li", { class: "system", ...ids }, el("span", {}, bubble.text));
    const whose = bubble.side === "me" ? this.scene.me : this.scene.account;
    const picture = el("img", { class: "avatar", src: whose.avatar, alt: bubble.side === "me" ? "我" : whose.name });
    return el("li", { class: `row ${bubble.side}`, ...ids }, picture, bodies[bubble.kind](bubble, this.scene));
  }
}
