// Asks the browser for a passkey. By nature there is no way without script: the button is shown by it, and everything else goes on without.
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => {
    let all = "";
    for (const byte of new Uint8Array(buffer)) all += String.fromCharCode(byte);
    return btoa(all).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  // Bytes travel as base64url, both ways.
  const readable = (key) => {
    key.challenge = bytes(key.challenge);
    if (key.user) key.user.id = bytes(key.user.id);
    for (const known of key.allowCredentials || key.excludeCredentials || []) known.id = bytes(known.id);
    return key;
  };
  const answer = ({ rawId, response }) => {
    const sent = { id: text(rawId), clientDataJSON: text(response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[name]) sent[name] = text(response[name]);
    }
    return JSON.stringify(sent);
  };
  const words = {
    NotAllowedError: "パスキーの操作は取りやめられたか、時間が過ぎました。もう一度押してください。",
    InvalidStateError: "この機器のパスキーは、すでに登録されています。",
    NotSupportedError: "この機器では、関所で使えるパスキーを作れません。",
    SecurityError: "このアドレスではパスキーを使えません。情報政策担当課へ連絡してください。",
  };
  const ask = async (box, say) => {
    const got = await fetch(box.dataset.ask, { headers: { accept: "application/json" }, cache: "no-store" });
    if (!got.ok || got.redirected) { say("パスキーを始められませんでした。画面を開き直して、もう一度試してください。"); return null; }
    const { publicKey, ticket } = await got.json();
    const what = publicKey.user ? "create" : "get";
    const credential = await navigator.credentials[what]({ publicKey: readable(publicKey) });
    return { ticket, answer: answer(credential) };
  };
  for (const box of document.querySelectorAll("[data-passkey]")) {
    if (!window.PublicKeyCredential || window.location.origin !== box.dataset.origin) continue;
    box.hidden = false;
    const button = box.querySelector("button[type=button]");
    const note = box.querySelector("[role=alert]");
    const say = (told) => { note.textContent = told; note.hidden = !told; };
    const form = button.form;
    const sent = box.querySelector("[data-answer]");
    // Enter in the field of the name is the button.
    if (box.hasAttribute("data-checked")) {
      form.addEventListener("submit", (event) => {
        if (sent.value) return;
        event.preventDefault();
        event.stopPropagation();
        button.click();
      });
    }
    button.addEventListener("click", async () => {
      if (box.hasAttribute("data-checked") && !form.reportValidity()) return;
      say("");
      button.disabled = true;
      try {
        const found = await ask(box, say);
        if (!found) return;
        box.querySelector("[data-ticket]").value = found.ticket;
        sent.value = found.answer;
        form.noValidate = true;
        form.requestSubmit();
      } catch (error) {
        say(words[error.name] || "パスキーを使えませんでした。もう一度試すか、ほかの方法を使ってください。");
      } finally {
        button.disabled = false;
      }
    });
  }
})();
