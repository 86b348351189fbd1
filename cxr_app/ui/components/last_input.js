// When the reader last used a key or the pointer, by the page's clock. It runs from the page's head
// on, because a component that starts later would miss earlier input.
globalThis.lastTouch = -Infinity;
for (const kind of ["keydown", "pointerdown"]) {
  const note = () => {
    globalThis.lastTouch = performance.now();
  };
  document.addEventListener(kind, note, { capture: true });
}
