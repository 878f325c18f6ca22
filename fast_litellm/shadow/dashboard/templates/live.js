"use strict";
// Asks for the same page again and changes what differs, so that focus, scroll position and open parts stay.
const connection = document.getElementById("connection");
const period = 2000;
let tag = null;

const adopt = (old, fresh) => {
  if (old.isEqualNode(fresh)) return;
  const sameKind = old.nodeType === 1 && old.nodeName === fresh.nodeName && old.id === fresh.id;
  if (!sameKind) { old.replaceWith(document.importNode(fresh, true)); return; }
  for (const { name, value } of fresh.attributes) if (name !== "open") old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  const [present, wanted] = [[...old.childNodes], [...fresh.childNodes]];
  present.slice(wanted.length).forEach((node) => node.remove());
  wanted.forEach((node, index) => {
    if (index < present.length) adopt(present[index], node);
    else old.append(document.importNode(node, true));
  });
};

const say = (text) => { if (connection.textContent !== text) connection.textContent = text; };

const look = async () => {
  try {
    const answer = await fetch(location.pathname, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    if (answer.status === 200) {
      tag = answer.headers.get("ETag");
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      adopt(document.getElementById("picture"), fresh.getElementById("picture"));
      document.title = fresh.title;
    }
    say(answer.ok || answer.status === 304 ? "live" : `the server answers ${answer.status}; what is shown is old`);
  } catch {
    say("the server does not answer; what is shown is old");
  }
  setTimeout(look, period);
};
setTimeout(look, period);
