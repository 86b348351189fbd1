// A button that names the other theme, stores the choice and reloads the page in it.

/** @param {ComponentArguments<{kept: string}>} component */
export default function ({ data, parentElement }) {
  if (parentElement.querySelector("button")) return;
  const other = localStorage.getItem(data.kept) === "Light" ? "Dark" : "Light";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `${other === "Light" ? "☀" : "☾"} ${other} page`;
  button.addEventListener("click", () => {
    localStorage.setItem(data.kept, other);
    location.reload();
  });
  parentElement.appendChild(button);
}
