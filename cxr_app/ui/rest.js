/** Tell whether the page's script rests. What is told to it in the middle of a run may be lost; or it
 * still names the page that the run is leaving, and Streamlit then drops what the new page has drawn. */
const atRest = () =>
  (document.querySelector("[data-test-script-state]")?.dataset.testScriptState ?? "notRunning") === "notRunning";
