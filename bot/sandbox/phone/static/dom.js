// Building nodes. Strings always become text nodes, so nothing anybody typed is ever read as markup.

/** A new element. Keys beginning with `on` are listeners; null, undefined and false are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** The node with this test id, inside `root`. */
export function byTestId(testId, root = document) {
  return root.querySelector(`[data-testid="${testId}"]`);
}

/**
 * Make `container` show `entries` ({key, sign, build}) in order. A node is built again only when its `sign`
 * changed, so that focus, selection and screen readers are left in peace. Returns whether anything changed.
 */
export function reconcile(container, entries) {
  const old = new Map([...container.children].map((node) => [node.dataset.key, node]));
  let changed = false;
  entries.forEach((entry, index) => {
    let node = old.get(entry.key);
    if (!node || node.dataset.sign !== entry.sign) {
      const fresh = entry.build();
      fresh.dataset.key = entry.key;
      fresh.dataset.sign = entry.sign;
      if (node) node.replaceWith(fresh);
      node = fresh;
      changed = true;
    }
    old.delete(entry.key);
    if (container.children[index] !== node) container.insertBefore(node, container.children[index] ?? null);
  });
  for (const node of old.values()) {
    node.remove();
    changed = true;
  }
  return changed;
}

/** An entry for `reconcile` that is rebuilt whenever `value` reads otherwise. */
export function entry(key, value, build) {
  return { key, sign: JSON.stringify(value), build: () => build(value) };
}
