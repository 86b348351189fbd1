/** Tell whether the page's script rests. What is told to it in the middle of a run may be lost; or it
 * still names the page that the run is leaving, and Streamlit then drops what the new page has drawn. */
const atRest = () =>
  (document.querySelector("[data-test-script-state]")?.dataset.testScriptState ?? "notRunning") === "notRunning";

/** Tell whether nobody has touched the page for a while: of a touch the script knows a little later,
 * and between its stop for that and the next run it seems to rest. */
const untouched = (milliseconds) => performance.now() - (globalThis.lastTouch ?? -Infinity) >= milliseconds;
