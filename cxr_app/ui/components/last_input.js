// When the reader last touched anything, by the page's clock. Noted from the page's head on: a
// component that begins later would know of no earlier touch.
globalThis.lastTouch = -Infinity;
for (const kind of ["keydown", "pointerdown"]) {
  document.addEventListener(kind, () => (globalThis.lastTouch = performance.now()), { capture: true });
}
