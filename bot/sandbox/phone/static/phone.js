// The page of `zhitu demo`.
//
// Test ids (`data-testid`), which programs may rely on:
//   stage                  the whole (data-openid); `aria-busy` is true until a buyer is shown and while an action runs
//   buyer, advisor, inside the three parts
//   buyer-chat             the buyer's chat; buyer-bubble (data-seq, data-kind, data-side) every bubble in it
//   buyer-choice           a line to tap (data-choice-id);  buyer-input, buyer-send  what the buyer says
//   buyer-menu             the custom menu: menu-key (data-menu-key), menu-parent opens the children
//   buyer-profile          shown while not following, with buyer-follow
//   advisor-tab            one per advisor (data-staff-id);  advisor-desk  whom the advisor talks to
//   advisor-chat           advisor-bubble as above; card (data-task-id), card-button (data-key)
//   advisor-input, advisor-send
//   clock (datetime), turn-60, turn-3600, turn-86400, follow, unfollow, scene, scan, new-buyer
//   journey (data-journey, data-state), journey-state, journey-question, slot (data-name)
//   reason (data-tone ok|no|info), floor, score, points, lead (data-stage), no-lead, tag, attribute (data-name)
//   files-refused, files-refused-why  shown while changed files could not be taken over
//   window (data-kind, data-left), timer, account-name, app-name, toasts, toast, offline

import { byTestId, el, entry, reconcile } from "/phone/static/dom.js";
import { AdvisorPhone } from "/phone/static/advisor.js";
import { BuyerPhone } from "/phone/static/buyer.js";
import { showInside } from "/phone/static/inside.js";
import { dayAndTime, timeOfDay, yearOf } from "/phone/static/times.js";
import { act, UnknownBuyer, watch } from "/phone/static/wire.js";

const BUYER_KEY = "zhitu.openid";
const TOAST_MS = 5000;
const TOASTS_MAX = 3;

const stage = byTestId("stage");
const page = { openid: "", following: false, running: 0, shown: false, watching: null };

function toast(text) {
  const box = byTestId("toasts");
  const note = el("div", { class: "toast", "data-testid": "toast" }, text);
  box.append(note);
  while (box.children.length > TOASTS_MAX) box.firstChild.remove();
  setTimeout(() => note.remove(), TOAST_MS);
}

function showBusy() {
  stage.setAttribute("aria-busy", String(page.running > 0 || !page.shown));
}

/** Do an action of the present buyer. False: it was refused, and the toast said why. */
async function perform(action) {
  if (page.openid === "" && action.do !== "new_buyer") {
    toast("正在请来一位新买家，请稍候");
    return false;
  }
  page.running += 1;
  showBusy();
  try {
    const answer = await act({ ...action, openid: page.openid });
    if (action.do === "new_buyer") begin(answer.openid, { fresh: true });
    return true;
  } catch (error) {
    toast(error.message);
    return false;
  } finally {
    page.running -= 1;
    showBusy();
  }
}

const buyer = new BuyerPhone(byTestId("buyer"), perform);
const advisor = new AdvisorPhone(byTestId("advisor"), perform);

function show(snapshot) {
  page.following = snapshot.buyer.following;
  page.shown = true;
  stage.dataset.openid = snapshot.buyer.openid;
  buyer.show(snapshot);
  advisor.show(snapshot);
  showInside(snapshot.inside, snapshot.clock);
  showClock(snapshot.clock);
  showRefused(snapshot.refused);
  byTestId("follow").hidden = page.following;
  byTestId("unfollow").hidden = !page.following;
  byTestId("scan").textContent = page.following ? "扫码" : "扫码关注";
  const scenes = snapshot.scenes.map((scene) => entry(scene, scene, () => el("option", { value: scene })));
  reconcile(document.querySelector("#scenes"), scenes);
  showBusy();
}

function showRefused(why) {
  const note = byTestId("files-refused");
  note.hidden = why === "";
  // Only when it is another: a screen reader says it again each time it is written.
  const text = byTestId("files-refused-why");
  if (text.textContent !== why) text.textContent = why;
}

function showClock(moment) {
  const clock = byTestId("clock");
  clock.textContent = dayAndTime(moment);
  clock.title = `${yearOf(moment)} 年，北京时间`;
  clock.setAttribute("datetime", moment);
  for (const small of document.querySelectorAll(".status-time")) small.textContent = timeOfDay(moment);
}

function lost(isLost) {
  byTestId("offline").hidden = !isLost;
}

/** Watch this buyer from now on, and nobody else. `fresh`: made a moment ago; the server has to know her. */
async function begin(openid, { fresh }) {
  page.watching?.abort();
  page.watching = new AbortController();
  page.openid = openid;
  page.shown = false;
  showBusy();
  sessionStorage.setItem(BUYER_KEY, openid);
  try {
    await watch(openid, { signal: page.watching.signal, show, lost });
  } catch (error) {
    if (!(error instanceof UnknownBuyer)) throw error;
    const wasKnown = page.shown;
    page.openid = "";
    page.shown = false;
    showBusy();
    // A server that does not know the buyer it just made would be asked for another without end.
    if (fresh && !wasKnown) toast(error.message);
    else await perform({ do: "new_buyer" });
  }
}

function listenToForm(testId, build) {
  byTestId(testId).addEventListener("submit", async (event) => {
    event.preventDefault();
    const input = event.target.querySelector("input");
    const typed = input.value;
    if (typed.trim() === "") return;
    input.value = "";
    if (!(await perform(build(typed))) && input.value === "") input.value = typed;
  });
}

async function turn(button) {
  const buttons = document.querySelectorAll("[data-turn]");
  for (const one of buttons) one.disabled = true;
  await perform({ do: "turn", seconds: Number(button.dataset.turn) });
  for (const one of buttons) one.disabled = false;
}

listenToForm("buyer-form", (text) => ({ do: "say", text }));
listenToForm("advisor-form", (text) => ({ do: "staff_say", staff_id: advisor.staffId, text }));
byTestId("scan-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const scene = byTestId("scene").value.trim();
  if (scene !== "") perform({ do: page.following ? "scan" : "follow", scene });
});
byTestId("follow").addEventListener("click", () => perform({ do: "follow" }));
byTestId("unfollow").addEventListener("click", () => perform({ do: "unfollow" }));
byTestId("new-buyer").addEventListener("click", () => perform({ do: "new_buyer" }));
for (const button of document.querySelectorAll("[data-turn]")) button.addEventListener("click", () => turn(button));

const remembered = sessionStorage.getItem(BUYER_KEY);
if (remembered) begin(remembered, { fresh: false });
else perform({ do: "new_buyer" });
