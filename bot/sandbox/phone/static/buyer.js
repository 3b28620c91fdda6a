// The buyer's phone: the chat with the account, its custom menu, and the page on which one follows it.

import { byTestId, el, entry, reconcile } from "/phone/static/dom.js";
import { Chat } from "/phone/static/chat.js";

/** The left phone. `act(action)` does an action of this buyer and tells whether it was done. */
export class BuyerPhone {
  constructor(root, act) {
    this.root = root;
    this.act = act;
    this.account = { name: "", avatar: "/phone/static/avatar-account.svg" };
    this.chat = new Chat(root, {
      prefix: "buyer",
      account: this.account,
      me: { avatar: "/phone/static/avatar-buyer.svg" },
      onTap: (choice) => act({ do: "tap", menu_id: choice.id, text: choice.text }),
      onClick: () => {},
    });
    byTestId("buyer-follow", root).addEventListener("click", () => act({ do: "follow" }));
    document.addEventListener("click", (event) => this.closeMenus(event.target));
  }

  show(snapshot) {
    const { buyer, menu, account_name: name, clock } = snapshot;
    this.account.name = name;
    this.root.querySelector(".chat-title").textContent = name;
    this.root.querySelector(".profile-name").textContent = name;
    this.root.classList.toggle("stranger", !buyer.following);
    byTestId("buyer-profile", this.root).hidden = buyer.following;
    byTestId("buyer-profile", this.root).classList.toggle("small", buyer.bubbles.length > 0);
    byTestId("buyer-composer", this.root).hidden = !buyer.following;
    this.showMenu(menu);
    this.chat.show(buyer.openid, buyer.bubbles, clock);
  }

  showMenu(menu) {
    const bar = byTestId("buyer-menu", this.root);
    bar.hidden = menu.length === 0;
    reconcile(bar, menu.map((button, index) => entry(String(index), button, (value) => this.menuNode(value))));
  }

  menuNode(button) {
    if (button.children.length === 0) return el("div", { class: "menu-cell" }, this.keyButton(button));
    const list = el("div", { class: "menu-children", hidden: true }, button.children.map((child) => this.keyButton(child)));
    const open = el("button", {
      type: "button", class: "menu-button has-children", "aria-expanded": "false", "data-testid": "menu-parent",
      onclick: () => this.setOpen(list, open, list.hidden),
    }, button.name);
    return el("div", { class: "menu-cell" }, list, open);
  }

  keyButton(button) {
    return el("button", {
      type: "button", class: "menu-button", "data-testid": "menu-key", "data-menu-key": button.key,
      onclick: () => this.act({ do: "menu", key: button.key }),
    }, button.name);
  }

  setOpen(list, button, open) {
    list.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
  }

  closeMenus(target) {
    for (const button of this.root.querySelectorAll(".has-children")) {
      if (button !== target) this.setOpen(button.previousElementSibling, button, false);
    }
  }
}
