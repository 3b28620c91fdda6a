// The middle: where the buyer stands in her journeys, why the bot did what it did, what it knows and what comes.

import { byTestId, el, entry, reconcile } from "/phone/static/dom.js";
import { leftUntil, seenFrom, timeOfDay } from "/phone/static/times.js";

const WINDOW_NAMES = { message: "发来消息", menu_click: "点了菜单", follow: "关注", scan: "扫码" };
const TONES = { ok: ["✓", "成立"], no: ["✕", "不成立"], info: ["·", "说明"] };

function words(value) {
  if (value === true) return "是";
  if (value === false) return "否";
  return typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value);
}

function pairs(values, testId) {
  return Object.entries(values).map(([name, value]) => el("span", { class: "pair-chip", "data-testid": testId, "data-name": name },
    el("span", { class: "pair-name" }, name), el("span", { class: "pair-value" }, words(value))));
}

function empty(text) {
  return [entry("empty", text, () => el("li", { class: "empty" }, text))];
}

function journeyNode(journey) {
  return el("article", { class: "journey", "data-testid": "journey", "data-journey": journey.journey, "data-state": journey.state },
    el("div", { class: "journey-line" },
      el("b", {}, journey.name), el("code", { class: "journey-id" }, journey.journey),
      el("span", { class: "state", "data-testid": "journey-state" }, journey.state),
      el("span", { class: "visit" }, `第 ${journey.visit} 步`),
      journey.question && el("span", { class: "question", "data-testid": "journey-question" }, `等待回答：${journey.question}`)),
    Object.keys(journey.slots).length > 0 && el("div", { class: "pairs" }, pairs(journey.slots, "slot")));
}

function showJourneys(inside) {
  const entries = inside.journeys.map((journey, index) => entry(`${journey.journey}|${index}`, journey, journeyNode));
  const none = () => el("p", { class: "empty" }, "还没有进入任何旅程。试试“关注”。");
  reconcile(byTestId("journeys"), entries.length ? entries : [entry("empty", "", none)]);
}

function reasonNode({ reason, at }) {
  const [sign, meaning] = TONES[reason.tone];
  return el("li", { class: `reason ${reason.tone}`, "data-testid": "reason", "data-tone": reason.tone },
    el("span", { class: "reason-sign", role: "img", "aria-label": meaning }, sign),
    el("span", { class: "reason-text" }, reason.text),
    el("time", { datetime: reason.at }, at));
}

function showReasons(inside) {
  const entries = inside.reasons.map((reason, index, all) => {
    const same = index > 0 && timeOfDay(all[index - 1].at) === timeOfDay(reason.at);
    return entry(`${reason.at}|${index}`, { reason, at: same ? "" : timeOfDay(reason.at) }, reasonNode);
  });
  const list = byTestId("reasons");
  if (reconcile(list, entries.length ? entries : empty("这里会说明每一步为什么走、为什么没走。"))) list.scrollTop = 0;
}

function fact(name, ...value) {
  return el("div", { class: "fact" }, el("dt", {}, name), el("dd", {}, ...value));
}

function halfFact(name, ...value) {
  return el("div", { class: "fact half" }, el("dt", {}, name), el("dd", {}, ...value));
}

function leadNode(lead) {
  if (!lead) return el("span", { class: "none", "data-testid": "no-lead" }, "还没有");
  const rows = lead.rows.map(([name, value]) => el("span", { class: "pair-chip" },
    el("span", { class: "pair-name" }, name), el("span", { class: "pair-value" }, value)));
  return el("span", { class: "pairs", "data-testid": "lead", "data-stage": lead.stage, title: lead.lead_id },
    el("span", { class: "lead-stage" }, lead.stage), rows);
}

function customerNode(inside) {
  const tags = inside.tags.map((tag) => el("span", { class: "tag", "data-testid": "tag" }, tag));
  const known = pairs(inside.attributes, "attribute");
  const none = () => el("span", { class: "none" }, "无");
  return el("dl", { class: "facts" },
    halfFact("话语权", el("span", { class: "floor", "data-testid": "floor" }, inside.floor || "没有人")),
    halfFact("意向分", el("b", { "data-testid": "score" }, String(inside.score)),
      el("span", { class: "points" }, "积分 "), el("b", { "data-testid": "points" }, String(inside.points))),
    fact("线索", leadNode(inside.lead)),
    fact("标签", el("span", { class: "pairs" }, tags.length ? tags : none())),
    fact("属性", el("span", { class: "pairs" }, known.length ? known : none())));
}

function showCustomer(inside) {
  const { attributes, tags, score, points, lead, floor } = inside;
  reconcile(byTestId("customer"), [entry("customer", { attributes, tags, score, points, lead, floor }, customerNode)]);
}

function windowNode({ window, left }) {
  const used = window.left === 0;
  return el("li", { class: used ? "line used" : "line", "data-testid": "window", "data-kind": window.kind, "data-left": window.left },
    el("span", {}, WINDOW_NAMES[window.kind] ?? window.kind),
    el("span", { class: "count" }, used ? "已用完" : `还可发 ${window.left}/${window.max} 条`),
    el("span", { class: "when" }, left));
}

function showWindows(inside, now) {
  const entries = inside.windows.map((window, index) => entry(`${window.kind}|${index}`,
    { window, left: leftUntil(window.closes_at, now) }, windowNode));
  reconcile(byTestId("windows"), entries.length ? entries : empty("没有打开的时段：现在不能主动发客服消息"));
}

function timerNode({ timer, at, left }) {
  return el("li", { class: "line", "data-testid": "timer" },
    el("span", {}, timer.what), el("span", { class: "count" }, at), el("span", { class: "when" }, left));
}

function showTimers(inside, now) {
  const entries = inside.timers.map((timer, index) => entry(`${timer.what}|${index}`,
    { timer, at: seenFrom(timer.due_at, now), left: leftUntil(timer.due_at, now) }, timerNode));
  reconcile(byTestId("timers"), entries.length ? entries : empty("没有定时器"));
}

/** Show all of it, as it stands at `now`. */
export function showInside(inside, now) {
  showJourneys(inside);
  showReasons(inside);
  showCustomer(inside);
  showWindows(inside, now);
  showTimers(inside, now);
}
