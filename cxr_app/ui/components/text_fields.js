// Fields that a reader types in must not keep the keyboard: Enter stores and leaves, Esc leaves a
// field as it was. From the page's head on, for every text field of Streamlit's.
{
  let before = ""; // what the field with the focus held when it got it

  /** @param {EventTarget | null} target @returns {HTMLInputElement | null} */
  const fieldOf = (target) =>
    target instanceof HTMLInputElement && target.closest("[data-testid='stTextInput']")
      ? target
      : null;

  /** Put a text into a field as if it had been typed.
   * @param {HTMLInputElement} field @param {string} text */
  const retype = (field, text) => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(field, text);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  document.addEventListener("focusin", ({ target }) => {
    before = fieldOf(target)?.value ?? "";
  });
  document.addEventListener("keydown", (event) => {
    const field = fieldOf(event.target);
    if (!field || event.isComposing) return;
    if (event.key === "Escape" && field.type !== "search" && field.value !== before) {
      retype(field, before);
    }
    if (event.key === "Escape" || event.key === "Enter") setTimeout(() => field.blur());
  });
}
