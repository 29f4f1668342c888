// Enhancements only: every page works without this file.
"use strict";
// A form is sent once: a second click while the first is on its way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent === "1") { event.preventDefault(); return; }
  form.dataset.sent = "1";
  setTimeout(() => { delete form.dataset.sent; }, 4000);
});
// What a slip of the hand must not do is asked for once more.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-sure]");
  if (button && !window.confirm(button.dataset.sure)) event.preventDefault();
});

// Leaving a form with unsaved typing asks first.
let typed = false;
document.addEventListener("input", (event) => { if (event.target.closest("form[data-guard]")) typed = true; });
document.addEventListener("submit", () => { typed = false; });
window.addEventListener("beforeunload", (event) => { if (typed) event.preventDefault(); });
// The first message of a refused form gets the focus, so that a screen reader starts there.
const summary = document.querySelector("[data-focus]");
if (summary) summary.focus();
// Files dropped onto the attachments of a form are chosen and sent as by its own button.
const drop = document.querySelector("[data-drop]");
if (drop) {
  const over = (on) => drop.classList.toggle("over", on);
  drop.querySelector("[data-drop-hint]").hidden = false;
  drop.addEventListener("dragover", (event) => { event.preventDefault(); over(true); });
  drop.addEventListener("dragleave", () => over(false));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    if (event.dataTransfer.files.length === 0) return;
    drop.querySelector("input[type=file]").files = event.dataTransfer.files;
    drop.querySelector("button[value=attach]").click();
  });
}
