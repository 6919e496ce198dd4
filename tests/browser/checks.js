// What a reader of a page would trip over. Each function returns texts that say what and where; an empty list is good.
"use strict";

const isShown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
const words = (text) => text.trim().replace(/\s+/g, " ").slice(0, 60);

function describe(element) {
  const classes = (element.getAttribute("class") || "").trim().split(/\s+/).filter(Boolean).join(".");
  return `${element.tagName.toLowerCase()}${classes && "."}${classes} "${words(element.textContent)}"`;
}

function drawnTexts(root) {
  return [...root.querySelectorAll("svg text, .modebar-group")]
    .filter((text) => (text.textContent.trim() || text.matches(".modebar-group")) && isShown(text))
    .map((text) => ({ text, box: text.getBoundingClientRect() }))
    .filter(({ box }) => box.width > 0 && box.height > 0);
}

// A text's box has some room above and below its letters, so boxes may touch by `slack` pixels.
function overlappingTexts(selector, slack = 2) {
  const found = [];
  for (const root of document.querySelectorAll(selector)) {
    const texts = drawnTexts(root);
    texts.forEach((one, position) => {
      for (const other of texts.slice(position + 1)) {
        const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        if (across > slack && down > slack) {
          found.push(`"${words(one.text.textContent)}" lies on "${words(other.text.textContent)}"`);
        }
      }
    });
  }
  return found;
}

function cutTexts(selector, slack = 1) {
  const found = [];
  for (const root of document.querySelectorAll(selector)) {
    const frame = root.getBoundingClientRect();
    for (const { text, box } of drawnTexts(root)) {
      if (box.left < frame.left - slack || box.right > frame.right + slack
        || box.top < frame.top - slack || box.bottom > frame.bottom + slack) {
        found.push(`"${words(text.textContent)}" leaves its figure`);
      }
    }
  }
  return found;
}

function tooWide() {
  const limit = document.documentElement.clientWidth + 0.5;
  const found = document.documentElement.scrollWidth > limit ? ["the page can be scrolled sideways"] : [];
  for (const element of document.body.querySelectorAll("*")) {
    const box = element.getBoundingClientRect();
    if (box.width && box.height && box.right > limit && isShown(element) && !isInsideScroller(element, limit)) {
      found.push(`${describe(element)} ends at ${Math.round(box.right)}, the window at ${Math.floor(limit)}`);
    }
  }
  return found;
}

// What lies in a box that scrolls or hides is no wider than the window if that box is not.
function isInsideScroller(element, limit) {
  for (let outer = element.parentElement; outer && outer !== document.body; outer = outer.parentElement) {
    if (outer.ownerSVGElement || outer.tagName === "svg" || getComputedStyle(outer).overflowX !== "visible") {
      if (outer.getBoundingClientRect().right <= limit) return true;
    }
  }
  return false;
}

const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const knownColours = new Map();

// [red, green, blue, alpha] of any colour that CSS can name.
function colourOf(name) {
  if (!knownColours.has(name)) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = name;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    knownColours.set(name, [red, green, blue, alpha / 255]);
  }
  return knownColours.get(name);
}

function over([red, green, blue, alpha], below) {
  return [red, green, blue].map((value, channel) => value * alpha + below[channel] * (1 - alpha));
}

function opacityOf(element) {
  let opacity = 1;
  for (let outer = element; outer; outer = outer.parentElement) opacity *= Number(getComputedStyle(outer).opacity);
  return opacity;
}

function backgroundOf(element) {
  const layers = [];
  for (let outer = element; outer; outer = outer.parentElement) {
    if (outer.namespaceURI === "http://www.w3.org/2000/svg" && outer.tagName !== "svg") continue;
    const colour = colourOf(getComputedStyle(outer).backgroundColor);
    layers.unshift(colour);
    if (colour[3] === 1) break;
  }
  return layers.reduce((below, layer) => over(layer, below), [255, 255, 255]);
}

// Of a drawn text, the shapes that were painted below its middle before it.
function paintedBelow(text, shapes, background) {
  const box = text.getBoundingClientRect();
  const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  let colour = background;
  for (const { shape, frame, fill } of shapes) {
    if (x < frame.left || x > frame.right || y < frame.top || y > frame.bottom) continue;
    if (!(shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING)) continue;
    if (shape.isPointInFill(new DOMPoint(x, y).matrixTransform(shape.getScreenCTM().inverse()))) {
      colour = over(fill, colour);
    }
  }
  return colour;
}

function filledShapes(root) {
  return [...root.querySelectorAll("svg path, svg rect, svg circle")].filter(isShown).flatMap((shape) => {
    const style = getComputedStyle(shape);
    if (style.fill === "none" || style.fill.startsWith("url")) return [];
    const [red, green, blue, alpha] = colourOf(style.fill);
    const fill = [red, green, blue, alpha * Number(style.fillOpacity) * opacityOf(shape)];
    return fill[3] ? [{ shape, frame: shape.getBoundingClientRect(), fill }] : [];
  });
}

function luminance(colour) {
  const [red, green, blue] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

// The contrast of WCAG 2.2, from 1 to 21.
function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

// The entry of a trace that is hidden is pale in plotly's legend.
function isSwitchedOff(element) {
  const entry = element.closest(".legend .traces");
  return entry !== null && Number(getComputedStyle(entry).opacity) < 1;
}

function lowContrasts(least = 4.5) {
  const found = new Set();
  const shapesOf = new Map();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || element.closest("script, style, noscript, template, title")) continue;
    if (element.closest(":disabled, [aria-disabled=true]") || isSwitchedOff(element) || !isShown(element)) continue;
    const style = getComputedStyle(element);
    const drawn = element.closest("text");
    let background = backgroundOf(element);
    if (drawn) {
      const root = drawn.closest(".figure") || drawn.ownerSVGElement;
      if (!shapesOf.has(root)) shapesOf.set(root, filledShapes(root));
      background = paintedBelow(drawn, shapesOf.get(root), background);
    }
    const [red, green, blue, alpha] = colourOf(drawn ? style.fill : style.color);
    const opacity = alpha * opacityOf(element) * (drawn ? Number(style.fillOpacity) : 1);
    const reached = contrast(over([red, green, blue, opacity], background), background);
    if (reached < least) found.add(`${describe(element)} has a contrast of ${reached.toFixed(2)}`);
  }
  return [...found];
}

// Opens all that is folded, and returns what is wider than its own box, so that a column of it is cut.
function cutColumns() {
  document.querySelectorAll("details").forEach((each) => { each.open = true; });
  return [...document.querySelectorAll(".scroll, .rows, .beside")]
    .filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.textContent.trim().slice(0, 60));
}

// Whether the markup in a name became elements, a link, or a script that ran: see HOSTILE in page_checks.py.
function liveMarkup() {
  const elements = [...document.querySelectorAll("[data-hostile]")].map((element) => `${describe(element)} is an element`);
  const links = [...document.querySelectorAll("a")].filter((link) => link.outerHTML.includes("hostile.invalid"));
  return [...elements, ...links.map((link) => `${describe(link)} is a link`), ...(window.hostile ? ["a script ran"] : [])];
}

// Resolves when the page has its script for figures and has not changed for a while: they are drawn and coloured then.
async function settled(quietMilliseconds = 200) {
  if (typeof plotlyReady !== "undefined") await plotlyReady;
  return new Promise((resolve) => {
    let timer = setTimeout(lookOnce, quietMilliseconds);
    const observer = new MutationObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(lookOnce, quietMilliseconds);
    });
    // What is drawn when it comes into view waits for a frame, which a busy machine may not have drawn yet.
    function lookOnce() {
      const looking = timer;
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
        if (timer !== looking) return;
        observer.disconnect();
        resolve();
      })));
    }
    observer.observe(document, { attributes: true, childList: true, subtree: true });
  });
}
