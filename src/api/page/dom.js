// Builds and patches the document. Text only ever becomes text nodes: nothing here parses markup.

const kSvg = 'http://www.w3.org/2000/svg';
const kSvgTags = new Set(['svg', 'g', 'rect', 'path', 'line', 'text', 'title', 'circle', 'polyline', 'use']);

function add(parent, child) {
  if (child === null || child === undefined || child === false || child === true) return;
  if (Array.isArray(child)) {
    for (const each of child) add(parent, each);
    return;
  }
  parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
}

// One listener per element and type for the element's whole life; what it calls is what was rendered last.
function listen(node, handlers) {
  node.camHandlers = handlers;
  node.camListening ??= new Set();
  for (const type of Object.keys(handlers)) {
    if (node.camListening.has(type)) continue;
    node.camListening.add(type);
    node.addEventListener(type, (event) => node.camHandlers?.[type]?.(event));
  }
}

function setStyle(node, style) {
  for (const name of Object.keys(node.camStyle ?? {})) {
    if (!(name in style)) node.style.removeProperty(name);
  }
  for (const [name, value] of Object.entries(style)) node.style.setProperty(name, value);
  node.camStyle = style;
}

/**
 * An element. `props`: attributes, and `on` (handlers by type), `style` (custom properties and others by name), `value` and
 * `checked` (live state of a control), `key` (identity among its siblings), `island` (its inside belongs to someone else:
 * patch() leaves it alone). A property that is null, undefined or false is left out.
 */
export function h(tag, props, ...children) {
  const node = kSvgTags.has(tag) ? document.createElementNS(kSvg, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'on') listen(node, value);
    else if (name === 'style') setStyle(node, value);
    else if (name === 'key') node.camKey = String(value);
    else if (name === 'island') node.setAttribute('data-island', value);
    else if (name === 'value' || name === 'checked') node.camLive = { ...node.camLive, [name]: value };
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  add(node, children);
  if (node.camLive) setLive(node);
  return node;
}

function setLive(node) {
  for (const [name, value] of Object.entries(node.camLive)) {
    if (node[name] !== value) node[name] = value;
  }
}

function isSame(a, b) {
  if (a.nodeType !== b.nodeType || a.nodeName !== b.nodeName || a.camKey !== b.camKey) return false;
  if (a.nodeType !== Node.ELEMENT_NODE) return true;
  return a.getAttribute('data-island') === b.getAttribute('data-island');
}

function patchAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (name !== 'style' && name !== 'open' && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== 'style' && name !== 'open' && old.getAttribute(name) !== value)
      old.setAttribute(name, value);
  }
}

function patchNode(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.hasAttribute('data-island')) return;
  patchAttributes(old, fresh);
  listen(old, fresh.camHandlers ?? {});
  setStyle(old, fresh.camStyle ?? {});
  patchChildren(old, [...fresh.childNodes]);
  if (fresh.camLive) {
    old.camLive = fresh.camLive;
    if (document.activeElement !== old) setLive(old);
  }
}

function patchChildren(parent, wanted) {
  let at = parent.firstChild;
  for (const fresh of wanted) {
    let found = at;
    while (found && !isSame(found, fresh)) found = found.nextSibling;
    if (!found) {
      parent.insertBefore(fresh, at);
      continue;
    }
    // What lies between is gone, unless it has a key: then it may come later.
    while (at !== found && !at.camKey) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
    if (at === found) at = found.nextSibling;
    else parent.insertBefore(found, at);
    patchNode(found, fresh);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/** Makes the inside of `root` equal to `children`, keeping every element (its focus, scroll and selection) that stays. */
export function patch(root, ...children) {
  const wanted = document.createDocumentFragment();
  add(wanted, children);
  patchChildren(root, [...wanted.childNodes]);
}
