/** The element with an id, which the page's own HTML has. */
export function byId(page: Document, id: string): HTMLElement {
  const element = page.getElementById(id);
  if (element === null) throw new Error(`The page has no element #${id}`);
  return element;
}

/** An element with text: whatever a label holds, it is text here. */
export function element<K extends keyof HTMLElementTagNameMap>(page: Document, name: K, text = '', className = ''): HTMLElementTagNameMap[K] {
  const made = page.createElement(name);
  made.textContent = text;
  if (className !== '') made.className = className;
  return made;
}

/** Sets a text where it has changed: a screen reader would otherwise read it again each second. */
export function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}
