// The advisor's phone: the app's messages in WeCom, one tab for every advisor.

import { byTestId, el, entry, reconcile } from "/phone/static/dom.js";
import { Chat } from "/phone/static/chat.js";

/** The right phone. `act(action)` does an action and tells whether it was done. */
export class AdvisorPhone {
  constructor(root, act) {
    this.root = root;
    this.snapshot = null;
    this.staffId = "";
    this.seen = new Map();
    this.account = { name: "", avatar: "/phone/static/avatar-app.svg" };
    this.chat = new Chat(root, {
      prefix: "advisor",
      account: this.account,
      me: { avatar: "/phone/static/avatar-advisor.svg" },
      onTap: () => {},
      onClick: (card, button) => act({ do: "click", staff_id: this.staffId, task_id: card.task_id, key: button.key }),
    });
  }

  show(snapshot) {
    this.snapshot = snapshot;
    const { advisors, app_name: name } = snapshot;
    if (!advisors.some((advisor) => advisor.staff_id === this.staffId)) this.staffId = advisors[0]?.staff_id ?? "";
    const advisor = advisors.find((one) => one.staff_id === this.staffId);
    this.account.name = name;
    this.root.querySelector(".chat-title").textContent = name;
    byTestId("advisor-input", this.root).disabled = !advisor;
    byTestId("advisor-send", this.root).disabled = !advisor;
    this.showDesk(advisor?.desk ?? "");
    this.chat.show(this.staffId, advisor?.bubbles ?? [], snapshot.clock);
    this.seen.set(this.staffId, advisor?.bubbles.at(-1)?.seq ?? -1);
    this.showTabs(advisors);
  }

  showDesk(desk) {
    const line = byTestId("advisor-desk", this.root);
    line.hidden = desk === "";
    line.textContent = desk === "" ? "" : `正在和 ${desk} 对话，您发的话会直接转给客户`;
  }

  showTabs(advisors) {
    const tabs = advisors.map((advisor) => entry(advisor.staff_id, {
      staff_id: advisor.staff_id,
      name: advisor.name,
      selected: advisor.staff_id === this.staffId,
      unread: advisor.bubbles.filter((bubble) => bubble.side === "them" && bubble.seq > (this.seen.get(advisor.staff_id) ?? -1)).length,
    }, (tab) => this.tabNode(tab)));
    reconcile(byTestId("advisor-tabs", this.root), tabs);
  }

  tabNode(tab) {
    return el("button", {
      type: "button", role: "tab", class: "staff-tab", "aria-selected": String(tab.selected),
      "data-testid": "advisor-tab", "data-staff-id": tab.staff_id, onclick: () => this.select(tab.staff_id),
    }, tab.name, tab.unread > 0 && el("span", { class: "unread", "aria-label": `${tab.unread} 条未读` }, String(Math.min(tab.unread, 99))));
  }

  select(staffId) {
    this.staffId = staffId;
    this.show(this.snapshot);
    byTestId("advisor-tabs", this.root).querySelector('[aria-selected="true"]').focus();
  }
}
